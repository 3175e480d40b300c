//! How a plan differs today from what a run was begun with.
//!
//! In: the jobs of a run; the plan's file, as it is now. Out: [`Changed`]: what to tell, which jobs are kept back for it, and what
//! else the plan says now. Must not: add or change a job; a run goes on with those that it was begun with.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::agreed_plan::AgreedPlan;
use super::error::Error;
use super::record;
use crate::daily::DailySettings;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::preflight::Hold;
use crate::guard::rules::Rules;
use crate::guard::waves::Wave;
use crate::job::{Job, JobId, Parameters};
use crate::journal::{RunRecord, StoredJob};
use crate::plan::{self, Plan, Unresolved};
use crate::runner::Earlier;
use crate::ui::text::count_of;

/// How the plan differs today from what was begun.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub told: Diagnostics,
    /// Why jobs are not to be sent any more, or not yet.
    pub kept_back: HashMap<JobId, Hold>,
    /// What the plan says now of what is no job.
    pub now: PlanSays,
}

/// What a plan says beside its jobs.
#[derive(Debug, Default)]
pub(super) struct PlanSays {
    pub tenant: Option<String>,
    /// `None`: the plan is what the run was begun with.
    pub rules: Option<Rules>,
    pub daily: DailySettings,
}

impl PlanSays {
    /// What was agreed to, and what the plan says now.
    pub(super) fn tighten(&self, agreed: Rules) -> Rules {
        match &self.rules {
            Some(now) => agreed.tightened_by(now),
            None => agreed,
        }
    }

    /// Waves that the plan has now.
    pub(super) fn waves(&self) -> &[Wave] {
        self.rules.as_ref().map_or(&[], |rules| &rules.waves)
    }
}

impl Changed {
    pub(super) fn kept_back_from(&self, record: &RunRecord) -> HashSet<u32> {
        let kept_back = |(_, stored): &(u32, &StoredJob)| self.kept_back.contains_key(&stored.job.id);
        (0u32..).zip(&record.jobs).filter(kept_back).map(|(index, _)| index).collect()
    }

    /// Nothing is sent that somebody has taken out of the plan meanwhile, or put off. A doubt about it stays one.
    pub(super) fn hold(&self, record: &RunRecord, holds: &mut [Option<Hold>], earlier: &mut HashMap<u32, Earlier>) {
        for ((index, stored), hold) in (0u32..).zip(&record.jobs).zip(holds) {
            let Some(why) = self.kept_back.get(&stored.job.id) else { continue };
            if leave_as_it_is(index, stored, earlier) {
                *hold = Some(why.clone());
            }
        }
    }
}

/// The plan of a run, as it is now.
#[derive(Debug, Default)]
pub(super) struct PlanNow {
    /// To be watched from now on; `None`: no plan is read.
    pub files: Option<AgreedPlan>,
    /// Where it is not what the run was begun with.
    pub other: Option<Plan>,
}

/// `as_agreed`: a plan that cannot be read any more changes nothing; somebody has said so.
pub(super) fn plan_now(record: &RunRecord, as_agreed: bool) -> Result<PlanNow, Error> {
    let plan = match plan::load(Path::new(&record.head.plan_file)) {
        Ok(plan) => plan,
        Err(_) if as_agreed => return Ok(PlanNow::default()),
        Err(faults) => return Err(unreadable(&record.head.plan_file, &faults)),
    };
    let files = Some(AgreedPlan::of(&plan));
    let is_same = record::plan_files(&plan).is_ok_and(|(_, digest)| digest == record.head.plan_digest);
    Ok(PlanNow { files, other: (!is_same).then_some(plan) })
}

/// Compares the plan as it is now with what was begun.
pub(super) fn compare<'j>(plan: Plan, jobs: impl Iterator<Item = &'j Job> + Clone, now: Timestamp) -> Changed {
    let days = Days::of(&plan);
    let mut kept_back = HashMap::new();
    let (mut removed, mut put_off) = (Vec::new(), 0);
    for job in jobs.clone() {
        let hold = match days.of_job(job) {
            None => {
                removed.push(job);
                Hold::Removed
            }
            Some(Some(until)) if until > now && job.not_before.is_none_or(|day| day < until) => {
                put_off += 1;
                Hold::NotDue { until }
            }
            Some(_) => continue,
        };
        kept_back.insert(job.id, hold);
    }
    let begun: HashSet<JobId> = jobs.map(|job| job.id).collect();
    let added: Vec<&Job> = plan.jobs.iter().filter(|job| !begun.contains(&job.id)).collect();
    let told = told(&plan, &removed, &added, put_off).into();
    Changed { told, kept_back, now: PlanSays { tenant: plan.tenant, rules: Some(plan.rules), daily: plan.daily } }
}

/// What is told of it.
fn told(plan: &Plan, removed: &[&Job], added: &[&Job], put_off: usize) -> Diagnostic {
    let name = |job: &Job| format!("{} {} (row {})", job.action.name, job.target(), job.row);
    let names = |jobs: &[&Job]| match jobs {
        [] => "none".to_owned(),
        [first] => name(first),
        [first, rest @ ..] => format!("{} and {} more", name(first), rest.len()),
    };
    let put_off = match put_off {
        0 => String::new(),
        rows => format!("; postponed to a later day: {}", count_of(rows, "row")),
    };
    let message = format!("{} has changed since the run began", plan.file.display());
    if removed.is_empty() && added.is_empty() && put_off.is_empty() {
        let help = "the run keeps the rows it began with; other settings of the plan apply if they are stricter";
        return Diagnostic::warning("plan-changed", message).help(help);
    }
    Diagnostic::warning("plan-changed", message).help(format!(
        "the run continues with the jobs it began with; removed from the plan and not sent: {}; new in the plan and not sent: {}{put_off}",
        names(removed),
        names(added),
    ))
}

/// The jobs of a plan, with their days.
struct Days {
    by_id: HashMap<JobId, Option<Timestamp>>,
    looked_up: HashMap<FoundTarget, Option<Timestamp>>,
}

/// A job on a target that has no id in the plan: the action, what it is found by, and the parameters.
type FoundTarget = (&'static str, String, String);

impl Days {
    fn of(plan: &Plan) -> Self {
        let (mut by_id, mut looked_up) = (HashMap::new(), HashMap::new());
        let written = plan.unresolved.iter().flat_map(Unresolved::written);
        let written: Vec<(JobId, Option<Timestamp>)> = written.map(|job| (job.id, job.not_before)).collect();
        for (id, day) in plan.jobs.iter().map(|job| (job.id, job.not_before)).chain(written) {
            by_id.entry(id).and_modify(|known| *known = earlier(*known, day)).or_insert(day);
        }
        for row in &plan.unresolved {
            let by = row.pointer.to_string();
            for step in row.steps.iter() {
                let job = (step.action.name, by.clone(), body(step.parameters.as_deref()));
                looked_up
                    .entry(job)
                    .and_modify(|known| *known = earlier(*known, row.not_before))
                    .or_insert(row.not_before);
            }
        }
        Self { by_id, looked_up }
    }

    /// The day of a job that was begun; `None`: the plan has no such job any more.
    fn of_job(&self, job: &Job) -> Option<Option<Timestamp>> {
        let day = match &job.found {
            // What it is found by stands in the plan; that it would lead to the same target today is not asked again.
            Some(found) => {
                self.looked_up.get(&(job.action.name, found.by.to_string(), body(job.parameters.as_deref())))
            }
            // Nothing is ever sent for it, in the plan or not.
            None if job.stand_in().is_some() => return Some(job.not_before),
            None => self.by_id.get(&job.names.as_ref().map_or(job.id, |names| names.written_id)),
        };
        day.copied()
    }
}

/// The earlier day of two rows that give one job: nothing keeps it back when one of them does not.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.zip(other).map(|(one, other)| one.min(other))
}

/// Nobody knows what has been taken out of it, or protected in it, since.
fn unreadable(file: &str, faults: &Diagnostics) -> Error {
    let first = faults.iter().next().map_or("it cannot be read", |fault| &*fault.message);
    let message = format!("the plan {file} has changed since the run began, and has faults: {first}");
    let help = "correct it and resume again, or continue with what was agreed to: --as-agreed";
    Error::refused(Diagnostic::error("plan-unreadable", message).help(help))
}

/// What is sent calls a user as the directory does, and the plan may spell it otherwise.
fn body(parameters: Option<&Parameters>) -> String {
    let Some(parameters) = parameters else { return String::new() };
    let fold = |text: String, name: &str| text.replace(name, &name.to_lowercase());
    parameters.users().iter().map(|name| &**name).fold(parameters.body().to_owned(), fold)
}

/// A job that is not to be sent any more, but may have been. Whether nothing else is known of it.
pub(super) fn leave_as_it_is(index: u32, stored: &StoredJob, earlier: &mut HashMap<u32, Earlier>) -> bool {
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
