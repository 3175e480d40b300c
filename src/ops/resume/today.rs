//! A run that goes on, as it was begun and as things are today.
//!
//! In: what it was begun with, the policies. Out: the rules that hold today, and the jobs with what holds them. Must not:
//! read anything of the tenant, or loosen what was said when it was begun.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::ResumeRequest;
use super::nameless::OfNames;
use crate::daily::Settings as DailySettings;
use crate::guard::drift::Sighting;
use crate::guard::preflight::{self, Preflight};
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::journal::RunRecord;
use crate::ops::record::Begun;
use crate::ops::{Error, agreed, guards, missing};
use crate::preview::saved::SavedPreview;
use crate::settings::Environment;

/// What it was begun with, and what the policies say today.
pub struct Today {
    pub rules: Rules,
    pub daily: DailySettings,
    /// Rows whose target is not there are refused, whatever was said when it was begun.
    refuse_missing: bool,
    /// The policies, and the lists that they name.
    pub policy_files: Vec<PathBuf>,
}

/// `now`: the guards of the plan as it is now, where it has changed. What is sent keeps to both.
pub fn today(request: &ResumeRequest, begun: &Begun, now: &Rules, environment: &Environment) -> Result<Today, Error> {
    let named = request.policy.as_deref().or(begun.policy.as_deref());
    let policies = guards::policies(&environment.policies(named))?;
    let daily = policies.daily.and(&begun.daily).map_err(guards::contradiction)?;
    let rules = policies.rules.and(begun.rules.clone().tightened_by(now)).or_default();
    Ok(Today { rules, daily, refuse_missing: policies.refuse_missing, policy_files: policies.files })
}

/// The jobs of a run, what holds them, and what was agreed to about them.
pub struct BegunJobs {
    pub jobs: Arc<[Job]>,
    pub preflight: Preflight,
    pub sightings: Vec<Option<Sighting>>,
}

impl Today {
    /// Of a saved preview, jobs are held by what held them when it was made.
    pub fn jobs(
        &self,
        record: &RunRecord,
        saved: Option<SavedPreview>,
        begun: &Begun,
        (now, of_names): (Timestamp, &OfNames),
    ) -> BegunJobs {
        let mut jobs: Vec<Job> = record.jobs.iter().map(|stored| stored.job.clone()).collect();
        missing::apply(&begun.missing, &mut jobs, self.refuse_missing);
        let (mut preflight, sightings) = match saved {
            None => (preflight::inspect(&jobs, now), Vec::new()),
            Some(SavedPreview { preflight, sightings, .. }) => {
                agreed::name_targets(&mut jobs, &sightings);
                (preflight, sightings)
            }
        };
        preflight.hold_moved(&jobs, of_names);
        preflight.hold_protected(&jobs, &self.rules.protected, &sightings);
        BegunJobs { jobs: jobs.into(), preflight, sightings }
    }
}
