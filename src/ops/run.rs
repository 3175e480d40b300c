//! `run`: from a plan to a report.
//!
//! In: a [`RunRequest`]. Out: [`Finished`], with one settlement for every row, and the report written.
//! Must not: begin before the plan is valid, the report's place is writable, the number is confirmed and the plan is
//! nobody else's at the moment.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::limits::{Choices, limits, reserve_percent};
use super::perform::{Finished, Work, perform};
use super::record::{self, Beginning, Begun};
use super::{Error, LookUp, Tenant, leave_out_done, preview, tenant};
use crate::catalog::Repeat;
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::{Hold, Preflight};
use crate::job::{Job, JobId};
use crate::journal::resume::Sent;
use crate::journal::{Journal, RunId};
use crate::outcome::{Outcome, Settlement, Standing};
use crate::plan::Plan;
use crate::preview::Preview;
use crate::report::{ReportFile, default_name};
use crate::runner::Earlier;
use crate::settings::Settings;
use crate::ui;
use crate::ui::stderr::Stderr;

/// What to run, and how.
#[derive(Debug)]
pub struct RunRequest {
    pub plan: PathBuf,
    pub tenant: Tenant,
    /// Where the report goes; a dated file in the working directory by default.
    pub report: Option<PathBuf>,
    /// The number of requests that somebody agreed to beforehand.
    pub confirm: Option<u32>,
    /// Whether somebody is there to be asked.
    pub interactive: bool,
    /// Leave alone what an earlier run of the same plan has done.
    pub once: bool,
    /// A saved inventory to look targets up in, instead of asking the service.
    pub inventory: Option<PathBuf>,
    pub choices: Choices,
    pub now: Timestamp,
    pub seed: u64,
}

impl RunRequest {
    fn look_up<'a>(&'a self, settings: &'a Settings) -> LookUp<'a> {
        LookUp {
            settings,
            tenant: &self.tenant,
            inventory: self.inventory.as_deref(),
            choices: self.choices,
            now: self.now,
            seed: self.seed,
        }
    }
}

/// Performs the plan.
pub async fn run(request: RunRequest, settings: &Settings, stderr: &Stderr) -> Result<Finished, Error> {
    let (mut plan, mut preflight, used) = preview(&request.plan, &request.look_up(settings), false).await?;
    plan.warnings.iter().for_each(|warning| stderr.say(warning.render(stderr.styled()).trim_end()));
    let local = request.tenant != Tenant::Real || settings.is_local();
    let limits = limits(request.choices, plan.limits, local)?;
    let label = tenant::label(settings, &request.tenant, plan.tenant.as_deref());
    let key = record::plan_key(&plan, &request.tenant, &settings.graph_url);
    let id = RunId::new(request.now, std::array::from_fn(|_| fastrand::u8(..)));
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let lock = journal.lock(&key, &id, request.now)?;
    if !request.once {
        spare_an_open_run(&journal, &key, &plan.jobs)?;
    }
    let inherited = if request.once { record::once(&journal, &key, &plan.jobs)? } else { Vec::new() };
    let earlier = record::inherit(&inherited, &plan.jobs);
    leave_out_done(&mut preflight, &plan.jobs, &earlier);
    let report_at = report_path(&request);
    spare_the_plan(&report_at, &plan)?;
    ReportFile::probe(&report_at)?;
    confirm_number(&request, &preflight)?;
    if preflight.due == 0 {
        let report = ReportFile::create(report_at)?;
        return Ok(nothing_due(plan, &preflight.holds, earlier, report));
    }
    let begun = Begun {
        graph_url: settings.graph_url.clone(),
        login_url: settings.login_url.clone(),
        tenant: request.tenant.anywhere(),
        plan_tenant: plan.tenant.clone(),
        justification: plan.justification.clone(),
        choices: request.choices.or(plan.limits),
        actions: plan.own.iter().filter_map(|action| action.definition.cloned()).collect(),
    };
    let question = question(&request, &plan, &preflight, &label, stderr);
    let jobs: Arc<[Job]> = std::mem::take(&mut plan.jobs).into();
    let work = Work {
        settings,
        tenant: &request.tenant,
        plan_tenant: plan.tenant.clone(),
        justification: plan.justification.clone(),
        used,
        question,
        jobs: Arc::clone(&jobs),
        due: preflight.due,
        holds: preflight.holds,
        earlier,
        limits,
        reserve_percent: reserve_percent(request.choices, plan.limits),
        now: request.now,
        seed: request.seed,
        report: report_at.clone(),
        stderr,
    };
    let beginning = Beginning {
        plan: &plan,
        jobs: &jobs,
        key: &key,
        tenant: &label,
        begun: &begun,
        report: &report_at,
        inherited: &inherited,
        id,
        now: request.now,
    };
    perform(work, || record::begin(journal, lock, beginning)).await
}

/// Whoever runs a plan again after a crash means to go on, and would wipe what was wiped already.
fn spare_an_open_run(journal: &Journal, key: &str, jobs: &[Job]) -> Result<(), Error> {
    let Some((id, state)) = journal.newest_run(key)? else { return Ok(()) };
    let record = journal.read(&id)?;
    let sent = record.jobs.iter().filter(|stored| {
        let done = stored.settled.as_ref().is_some_and(|settled| settled.outcome.standing() == Standing::Good);
        let unknown = stored.settled.as_ref().is_some_and(|settled| settled.outcome == Outcome::Unknown);
        let doubtful = unknown || (stored.settled.is_none() && stored.past().sent == Sent::InDoubt);
        // A plan whose last run is over may be meant a second time; one that has just ended early is not.
        stored.job.action.repeat == Repeat::AfterReadBack && (doubtful || (done && state != "finished"))
    });
    let sent: HashSet<JobId> = sent.map(|stored| stored.job.id).collect();
    let again = jobs.iter().filter(|job| sent.contains(&job.id)).count();
    if again == 0 {
        return Ok(());
    }
    let message =
        format!("{again} of these jobs were sent by run {id}, which is {state}, and would be sent again unread");
    let help = format!("to go on with it: musterout resume {id}; with --once, what it has done is left out");
    Err(Error::refused(Diagnostic::error("open-run", message).help(help)))
}

/// Asked where something is dangerous and nobody has named the number yet.
fn question(request: &RunRequest, plan: &Plan, preflight: &Preflight, tenant: &str, stderr: &Stderr) -> Option<String> {
    if preflight.dangerous == 0 || request.confirm.is_some() {
        return None;
    }
    let reserve = reserve_percent(request.choices, plan.limits);
    let preview = Preview::new(&plan.jobs, preflight, reserve);
    let tenant = match &request.tenant {
        Tenant::Simulated(_) => "the simulated tenant",
        Tenant::Real => tenant,
    };
    Some(ui::confirm::question(&preview, tenant, stderr.styled()))
}

fn report_path(request: &RunRequest) -> PathBuf {
    let stem = request.plan.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    // Two runs within a second must not share a report.
    let names = (1..100u8).map(|number| match number {
        1 => stem.clone(),
        number => format!("{stem}-{number}"),
    });
    let mut places = names.map(|name| PathBuf::from(default_name(request.now, &name)));
    let free = places.find(|place| !place.exists());
    request.report.clone().or(free).unwrap_or_else(|| default_name(request.now, &stem).into())
}

/// The report takes the place of what was there, and that must not be what was read.
fn spare_the_plan(report: &Path, plan: &Plan) -> Result<(), Error> {
    let Ok(place) = report.canonicalize() else { return Ok(()) };
    match plan.inputs.iter().find(|input| input.file.canonicalize().is_ok_and(|file| file == place)) {
        None => Ok(()),
        Some(input) => Err(Error::usage(
            Diagnostic::error(
                "report-over-plan",
                format!("the report would take the place of {}, which the plan was read from", input.file.display()),
            )
            .help("name another file after --report"),
        )),
    }
}

/// A number that was agreed to must be the number that will be sent; without one, somebody must be there to be asked.
fn confirm_number(request: &RunRequest, preflight: &Preflight) -> Result<(), Error> {
    let due = preflight.due;
    match request.confirm {
        Some(number) if number == due => Ok(()),
        Some(number) => Err(Error::refused(
            Diagnostic::error("wrong-number", format!("--confirm {number}, but {due} requests would be sent"))
                .help("look at the preview; when the number is right, confirm that number"),
        )),
        None if preflight.dangerous > 0 && !request.interactive => Err(Error::refused(
            Diagnostic::error(
                "not-confirmed",
                format!("{due} requests would be sent, and nobody is there to confirm it"),
            )
            .help(format!("look at the preview, then run with --confirm {due}")),
        )),
        None => Ok(()),
    }
}

/// A plan of which nothing is due: every row is accounted for, and there is no run.
fn nothing_due(plan: Plan, holds: &[Option<Hold>], mut earlier: HashMap<u32, Earlier>, report: ReportFile) -> Finished {
    let settlements: Vec<_> = (0u32..)
        .zip(holds)
        .map(|(index, hold)| match (earlier.remove(&index), hold) {
            (Some(Earlier::Kept(settlement)), _) => *settlement,
            (_, Some(hold)) => Settlement::unsent(hold.outcome(), hold.to_string()),
            (_, None) => Settlement::unsent(Outcome::NotAttempted, "not due"),
        })
        .collect();
    let jobs: Arc<[Job]> = plan.jobs.into();
    let report = report.finish(&jobs, &settlements);
    Finished { id: None, jobs, settlements, stopped: None, report }
}
