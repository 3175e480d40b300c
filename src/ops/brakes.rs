//! What slows and stops a run.
//!
//! In: the rules that hold, the jobs and what holds them. Out: [`Brakes`]. Must not: say when the run ends; that is said with the run.

use crate::guard::Brakes;
use crate::guard::preflight::Preflight;
use crate::guard::rules::Rules;
use crate::guard::waves::Schedule;
use crate::job::Job;

/// What slows and stops a run of those jobs.
pub(crate) fn brakes(rules: &Rules, jobs: &[Job], preflight: &Preflight) -> Brakes {
    Brakes { stop_when: rules.stop_when, waves: Schedule::new(&rules.waves, jobs, &preflight.holds), until: None }
}
