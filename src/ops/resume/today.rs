//! A run that goes on, as it was begun and as things are today.
//!
//! In: what it was begun with, the policies. Out: the rules that hold today, and the jobs with what holds them. Must not:
//! read anything of the tenant, or loosen what was said when it was begun.

use std::sync::Arc;

use jiff::Timestamp;

use super::nameless::OfNames;
use super::request::ResumeRequest;
use crate::daily::DailySettings;
use crate::guard::Brakes;
use crate::guard::drift::Sighting;
use crate::guard::preflight::{self, Hold, Preflight};
use crate::guard::rules::Rules;
use crate::guard::waves::{Schedule, Wave};
use crate::job::Job;
use crate::journal::RunRecord;
use crate::ops::begun::Begun;
use crate::ops::changed::PlanSays;
use crate::ops::error::Error;
use crate::ops::guards::{self, Policies};
use crate::ops::{agreed, missing};
use crate::preview::saved::SavedPreview;
use crate::settings::{Environment, PolicyFile};

/// What it was begun with, and what the policies say today.
pub(super) struct Today {
    pub rules: Rules,
    /// Where policies may be.
    pub candidates: Vec<PolicyFile>,
    pub policies: Policies,
    pub daily: DailySettings,
    /// Rows whose target is not there are refused, whatever was said when it was begun.
    refuse_missing: bool,
}

/// `now`: what the plan says now, where it has changed. What is sent keeps to both.
pub(super) fn today(
    request: &ResumeRequest,
    begun: &Begun,
    now: &PlanSays,
    environment: &Environment,
) -> Result<Today, Error> {
    let named = request.policy.as_deref().or(begun.policy.as_deref());
    let candidates = environment.policies(named);
    let policies = guards::policies(&candidates)?;
    let daily =
        policies.daily.and(&begun.plan.daily).and_then(|daily| daily.and(&now.daily)).map_err(guards::contradiction)?;
    let rules = policies.rules.clone().and(now.tighten(begun.plan.rules.clone())).or_default();
    Ok(Today { rules, daily, refuse_missing: policies.refuse_missing, candidates, policies })
}

/// A policy may have become stricter since, and the plan may have been given waves. Those that the run was begun with stay.
pub(super) fn brakes(begun: &Brakes, rules: &Rules, waves: &[Wave], jobs: &[Job], left: &[Option<Hold>]) -> Brakes {
    let waves = match begun.waves.stages().is_empty() {
        true => Schedule::new(waves, jobs, left),
        false => begun.waves.clone(),
    };
    Brakes { stop_when: rules.stop_when, waves, until: None }
}

/// The jobs of a run, what holds them, and what was agreed to about them.
pub(super) struct BegunJobs {
    pub jobs: Arc<[Job]>,
    pub preflight: Preflight,
    pub sightings: Vec<Option<Sighting>>,
}

impl Today {
    /// Of a saved preview, jobs are held by what held them when it was made.
    pub(super) fn jobs(
        &self,
        record: &RunRecord,
        saved: Option<SavedPreview>,
        begun: &Begun,
        now: Timestamp,
        of_names: &OfNames,
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
