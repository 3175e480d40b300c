//! How a plan differs today from what a run was begun with.
//!
//! In: a recorded run; the plan's file, as it is now. Out: [`Changed`]: what to tell, and which jobs are held for it.
//! Must not: change what goes on otherwise; a run goes on with the jobs that it was begun with.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::{Error, record};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::preflight::Hold;
use crate::guard::rules::Rules;
use crate::job::{Job, JobId, Parameters};
use crate::journal::{RunRecord, StoredJob};
use crate::plan::{self, Plan};
use crate::runner::Earlier;

/// How the plan differs today from what was begun.
#[derive(Debug, Default)]
pub struct Changed {
    pub told: Diagnostics,
    pub removed: HashSet<JobId>,
    /// What the plan gives now.
    pub justification: Option<String>,
    /// What its guards are now.
    pub rules: Rules,
}

impl Changed {
    pub fn removed_from(&self, record: &RunRecord) -> HashSet<u32> {
        let removed = |(_, stored): &(u32, &StoredJob)| self.removed.contains(&stored.job.id);
        (0u32..).zip(&record.jobs).filter(removed).map(|(index, _)| index).collect()
    }

    /// Nothing is sent that somebody has taken out of the plan meanwhile. A doubt about it stays one.
    pub fn hold(&self, record: &RunRecord, holds: &mut [Option<Hold>], earlier: &mut HashMap<u32, Earlier>) {
        for ((index, stored), hold) in (0u32..).zip(&record.jobs).zip(holds) {
            if self.removed.contains(&stored.job.id) && leave_as_it_is(index, stored, earlier) {
                *hold = Some(Hold::Removed);
            }
        }
    }
}

/// Compares the plan as it is now with what was begun. `as_agreed`: one that cannot be read any more changes nothing; somebody has
/// said so.
pub fn changed(record: &RunRecord, as_agreed: bool) -> Result<Changed, Error> {
    let mut told = Diagnostics::default();
    let file = PathBuf::from(&record.head.plan_file);
    let plan = match plan::load(&file) {
        Ok(plan) => plan,
        Err(_) if as_agreed => return Ok(Changed::default()),
        Err(faults) => return Err(unreadable(&record.head.plan_file, &faults)),
    };
    if record::plan_files(&plan).is_ok_and(|(_, digest)| digest == record.head.plan_digest) {
        return Ok(Changed::default());
    }
    let written = plan.unresolved.iter().flat_map(|row| row.written().map(|job| job.id));
    let now: HashSet<JobId> = plan.jobs.iter().map(|job| job.id).chain(written).collect();
    let looked_up = looked_up(&plan);
    let is_still_there = |job: &Job| match &job.found {
        // What it is found by stands in the plan; that it would lead to the same target today is not asked again.
        Some(found) => looked_up.contains(&(job.action.name, found.by.to_string(), body(job.parameters.as_deref()))),
        None => now.contains(&job.names.as_ref().map_or(job.id, |names| names.written_id)),
    };
    let begun: HashSet<JobId> = record.jobs.iter().map(|stored| stored.job.id).collect();
    let missing: Vec<&Job> = record.jobs.iter().map(|stored| &stored.job).filter(|job| !is_still_there(job)).collect();
    let removed = missing.iter().map(|job| job.id).collect();
    let added = plan.jobs.iter().filter(|job| !begun.contains(&job.id));
    let name = |job: &Job| format!("{} {} (row {})", job.action.name, job.target(), job.row);
    let names = |jobs: Vec<&Job>| match jobs.as_slice() {
        [] => "none".to_owned(),
        [first] => name(first),
        [first, rest @ ..] => format!("{} and {} more", name(first), rest.len()),
    };
    let (missing, added) = (names(missing), names(added.collect()));
    told.push(
        Diagnostic::warning("plan-changed", format!("{} has changed since the run was begun", record.head.plan_file)).help(
            format!("the run goes on with the jobs it was begun with; no longer in the plan, and held: {missing}; new in the plan, and not sent: {added}"),
        ),
    );
    Ok(Changed { told, removed, justification: plan.justification, rules: plan.rules })
}

/// Nobody knows what has been taken out of it, or protected in it, since.
fn unreadable(file: &str, faults: &Diagnostics) -> Error {
    let first = faults.iter().next().map_or("it cannot be read", |fault| &*fault.message);
    let message = format!("the plan {file} is not what the run was begun with, and has faults: {first}");
    let help = "mend it, and resume again; or go on with what was agreed to, whatever it says now: --as-agreed";
    Error::refused(Diagnostic::error("plan-unreadable", message).help(help))
}

/// What the plan says of targets that have no id there: the action, what it is found by, and the parameters.
fn looked_up(plan: &Plan) -> HashSet<(&'static str, String, String)> {
    let rows = plan.unresolved.iter().map(|row| (row, row.pointer.to_string()));
    let steps = rows.flat_map(|(row, by)| row.steps.iter().map(move |step| (step, by.clone())));
    steps.map(|(step, by)| (step.action.name, by, body(step.parameters.as_deref()))).collect()
}

/// What is sent calls a user as the directory does, and the plan may spell it otherwise.
fn body(parameters: Option<&Parameters>) -> String {
    let Some(parameters) = parameters else { return String::new() };
    let fold = |text: String, name: &str| text.replace(name, &name.to_lowercase());
    parameters.users().iter().map(|name| &**name).fold(parameters.body().to_owned(), fold)
}

/// A job that is not to be sent any more, but may have been. Whether nothing else is known of it.
pub fn leave_as_it_is(index: u32, stored: &StoredJob, earlier: &mut HashMap<u32, Earlier>) -> bool {
    match earlier.get(&index) {
        Some(Earlier::Kept(_) | Earlier::Approved(_)) => false,
        Some(Earlier::Failed(failed, _)) => {
            let failed = failed.clone();
            earlier.insert(index, Earlier::Kept(failed));
            false
        }
        Some(Earlier::Open { read_first: true, .. }) => {
            earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
            false
        }
        Some(Earlier::Open { .. }) | None => true,
    }
}
