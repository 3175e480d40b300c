//! A plan that has been read.
//!
//! In: what was read of it. Out: a [`Plan`]: jobs, rows that have to be looked up, and what holds for all of them. Must not:
//! read a file.

use std::path::PathBuf;

use super::input::{Input, PlanFormat, format_of};
use super::places::Places;
use super::unresolved::Unresolved;
use crate::catalog::{Action, Missing, StatedLimits};
use crate::daily::DailySettings;
use crate::diagnostics::Diagnostics;
use crate::guard::rules::Rules;
use crate::job::Job;

/// A plan that has been read, found right, and expanded into jobs.
#[derive(Debug)]
pub struct Plan {
    pub file: PathBuf,
    pub name: Option<String>,
    /// Domain or id of the tenant it is meant for.
    pub tenant: Option<String>,
    pub justification: Option<String>,
    /// What it says for all jobs that say nothing of targets that are not there.
    pub missing: Option<Missing>,
    pub limits: StatedLimits,
    /// What it says of the tenant's daily limits.
    pub daily: DailySettings,
    /// Its own; a policy's are added where they are checked.
    pub rules: Rules,
    /// The actions that it defines itself.
    pub own: Vec<&'static Action>,
    /// In plan order.
    pub jobs: Vec<Job>,
    /// Of the jobs.
    pub places: Places,
    /// Rows whose targets have to be looked up before they have jobs, in plan order.
    pub unresolved: Vec<Unresolved>,
    /// Whether rows stand for several targets, and maybe for another number of them tomorrow.
    pub has_sets: bool,
    /// What was read and how it was understood, the plan itself first.
    pub inputs: Vec<Input>,
    pub warnings: Diagnostics,
}

impl Plan {
    /// Whether it is a list, and has no place for settings.
    pub fn is_csv(&self) -> bool {
        matches!(format_of(&self.file), Some(PlanFormat::Csv))
    }

    /// Settles what holds of each job: a policy beats the command line, that the job, and that the plan.
    pub fn settle_missing(&mut self, refused_by_policy: bool, on_command_line: Option<Missing>) {
        let all = match refused_by_policy {
            true => Some(Missing::Refuse),
            false => on_command_line,
        };
        let of_plan = self.missing;
        if all.or(of_plan).is_none() {
            return;
        }
        let settle = |own: &mut Option<Missing>| *own = all.or(*own).or(of_plan);
        self.jobs.iter_mut().for_each(|job| settle(&mut job.missing));
        self.unresolved.iter_mut().for_each(|row| settle(&mut row.missing));
    }
}
