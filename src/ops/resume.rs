//! `resume`: goes on with a run that ended early, by what the journal knows of it.
//!
//! In: the run, which of its jobs, where the report goes. Out: [`Finished`], with every row of the run.
//! Must not: look at the plan for anything but differences: what goes on is what was begun.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::limits::{limits, reserve_percent};
use super::look_up::Used;
use super::perform::{Finished, Work, perform};
use super::record::{self, Begun, Recorded};
use super::{Error, Tenant, tenant};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::preflight::{self, Hold};
use crate::job::{Job, JobId, Parameters};
use crate::journal::resume::Only;
use crate::journal::{Journal, JournalError, RunRecord};
use crate::plan::{self, Plan};
use crate::report::{ReportFile, default_name};
use crate::runner::Earlier;
use crate::settings::{Environment, Flags, Settings};
use crate::ui::stderr::Stderr;

/// What to go on with.
#[derive(Debug)]
pub struct ResumeRequest {
    /// The run's id, the beginning of it, or `latest`.
    pub run: String,
    pub only: Only,
    /// Where the report goes; to the run's own report by default.
    pub report: Option<PathBuf>,
    pub now: Timestamp,
    pub seed: u64,
}

/// Goes on. `differences` is told how the plan has changed since.
pub async fn resume(
    request: ResumeRequest,
    flags: &Flags,
    environment: &Environment,
    stderr: &Stderr,
    differences: impl FnOnce(&Diagnostics),
) -> Result<Finished, Error> {
    let state_dir = Settings::new(flags, environment).map_err(Error::Usage)?;
    let journal = Journal::open(state_dir.state_dir().map_err(Error::Usage)?)?;
    let id = match request.run.as_str() {
        "latest" => journal.find_open()?,
        named => journal.find(named)?,
    };
    // Before it is read: what another process does to it meanwhile would be sent once more.
    let lock = journal.lock(&journal.plan_key(&id)?, &id, request.now)?;
    let record = journal.read(&id)?;
    let begun = Begun::from_json(&record.settings)
        .ok_or_else(|| JournalError::Damaged("the settings of the run cannot be read".into()))?;
    let settings = &Settings::new(&as_begun(flags, &begun), environment).map_err(Error::Usage)?;
    same_tenant(&record, &begun, settings)?;
    let changed = changed(&record);
    differences(&changed.told);
    let mut earlier = record::take_up(&record.jobs, request.only)?;
    let jobs: Arc<[Job]> = record.jobs.iter().map(|stored| stored.job.clone()).collect();
    let mut preflight = preflight::inspect(&jobs, request.now);
    changed.hold(&record, &mut preflight.holds, &mut earlier);
    keep_what_was_not_due(&record, &mut earlier);
    let kept = |index: u32| matches!(earlier.get(&index), Some(Earlier::Kept(_)));
    let due = (0u32..).zip(&preflight.holds).filter(|(index, hold)| hold.is_none() && !kept(*index)).count();
    let report = report_path(&request, &record);
    spare_the_plan(&report, &record)?;
    ReportFile::probe(&report)?;
    if due == 0 {
        let report = ReportFile::create(report)?;
        let settlements: Vec<_> = record.jobs.iter().map(|stored| stored.standing()).collect();
        let report = report.finish(&jobs, &settlements);
        // Killed after its last job, it had no time to say so.
        if request.only == Only::Open && record.state == "running" {
            journal.set_state(record.number, "finished", Some(request.now))?;
        }
        return Ok(Finished { id: Some(record.id), jobs, settlements, stopped: None, report });
    }
    let limits = limits(begun.choices, plan::Limits::default(), begun.tenant != Tenant::Real || settings.is_local())?;
    let work = Work {
        settings,
        tenant: &begun.tenant,
        plan_tenant: begun.plan_tenant.clone(),
        justification: begun.justification.clone(),
        used: Used::default(),
        jobs,
        holds: preflight.holds,
        earlier,
        due: due as u32,
        limits,
        reserve_percent: reserve_percent(begun.choices, plan::Limits::default()),
        now: request.now,
        seed: request.seed,
        report,
        stderr,
        // The number was agreed to when the run was begun, and these are some of those jobs.
        question: None,
    };
    perform(work, || Recorded::again(journal, lock, &record)).await
}

/// A run goes on where it was begun, unless the command line says otherwise.
fn as_begun(flags: &Flags, begun: &Begun) -> Flags {
    let flags = flags.clone();
    let elsewhere = flags.cloud.is_some();
    Flags {
        graph_url: flags.graph_url.or_else(|| (!elsewhere).then(|| begun.graph_url.clone())),
        login_url: flags.login_url.or_else(|| (!elsewhere).then(|| begun.login_url.clone())),
        ..flags
    }
}

fn same_tenant(record: &RunRecord, begun: &Begun, settings: &Settings) -> Result<(), Error> {
    let label = tenant::label(settings, &begun.tenant, begun.plan_tenant.as_deref());
    if label.eq_ignore_ascii_case(&record.tenant) {
        return Ok(());
    }
    let message = format!("the run was begun against tenant {}, and this is {label}", record.tenant);
    Err(Error::refused(Diagnostic::error("wrong-tenant", message).help("sign in to the tenant of the run")))
}

fn report_path(request: &ResumeRequest, record: &RunRecord) -> PathBuf {
    let own = record.report.as_ref().map(PathBuf::from);
    request.report.clone().or(own).unwrap_or_else(|| default_name(request.now, "resumed").into())
}

/// A row whose day had not come when the run was begun was not in the number that somebody agreed to.
fn keep_what_was_not_due(record: &RunRecord, earlier: &mut HashMap<u32, Earlier>) {
    for (index, stored) in (0u32..).zip(&record.jobs) {
        let was_due = stored.job.not_before.is_none_or(|day| day <= record.started_at);
        if !was_due && stored.attempts.is_empty() {
            earlier.entry(index).or_insert_with(|| Earlier::Kept(Box::new(stored.standing())));
        }
    }
}

/// The report takes the place of what was there, and that must not be the plan.
fn spare_the_plan(report: &Path, record: &RunRecord) -> Result<(), Error> {
    let place = |path: &Path| path.canonicalize().ok();
    match place(report).is_some_and(|at| Some(at) == place(Path::new(&record.plan_file))) {
        false => Ok(()),
        true => Err(Error::usage(
            Diagnostic::error("report-over-plan", "the report would take the place of the plan")
                .help("name another file after --report"),
        )),
    }
}

/// How the plan differs today from what was begun.
#[derive(Debug, Default)]
struct Changed {
    told: Diagnostics,
    removed: HashSet<JobId>,
}

impl Changed {
    /// Nothing is sent that somebody has taken out of the plan meanwhile. A doubt about it stays one.
    fn hold(&self, record: &RunRecord, holds: &mut [Option<Hold>], earlier: &mut HashMap<u32, Earlier>) {
        for ((index, stored), hold) in (0u32..).zip(&record.jobs).zip(holds) {
            match earlier.get(&index) {
                _ if !self.removed.contains(&stored.job.id) => {}
                Some(Earlier::Kept(_)) => {}
                Some(Earlier::Failed(failed, _)) => {
                    earlier.insert(index, Earlier::Kept(failed.clone()));
                }
                Some(Earlier::Open { read_first: true, .. }) => {
                    earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
                }
                Some(Earlier::Open { .. }) | None => *hold = Some(Hold::Removed),
            }
        }
    }
}

/// Compares the plan as it is now with what was begun.
fn changed(record: &RunRecord) -> Changed {
    let mut told = Diagnostics::default();
    let file = PathBuf::from(&record.plan_file);
    // A plan that is gone or broken changes nothing about the run.
    let Ok(plan) = plan::load(&file) else { return Changed::default() };
    if record::plan_files(&plan).is_ok_and(|(_, digest)| digest == record.plan_digest) {
        return Changed::default();
    }
    let now: HashSet<JobId> = plan.jobs.iter().map(|job| job.id).collect();
    let looked_up = looked_up(&plan);
    let is_still_there = |job: &Job| match &job.found {
        // What it is found by stands in the plan; that it would lead to the same target today is not asked again.
        Some(found) => looked_up.contains(&(job.action.name, found.by.to_string(), body(job.parameters.as_deref()))),
        None => now.contains(&job.id),
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
        Diagnostic::warning("plan-changed", format!("{} has changed since the run was begun", record.plan_file)).help(
            format!("the run goes on with the jobs it was begun with; no longer in the plan, and held: {missing}; new in the plan, and not sent: {added}"),
        ),
    );
    Changed { told, removed }
}

/// What the plan says of targets that have no id there: the action, what it is found by, and the parameters.
fn looked_up(plan: &Plan) -> HashSet<(&'static str, String, String)> {
    let rows = plan.unresolved.iter().map(|row| (row, row.pointer.to_string()));
    let steps = rows.flat_map(|(row, by)| row.steps.iter().map(move |step| (step, by.clone())));
    steps.map(|(step, by)| (step.action.name, by, body(step.parameters.as_deref()))).collect()
}

fn body(parameters: Option<&Parameters>) -> String {
    parameters.map(|parameters| parameters.body().to_owned()).unwrap_or_default()
}
