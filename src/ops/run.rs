//! `run`: from a plan to a report.
//!
//! In: a [`RunRequest`]. Out: [`Finished`], with one settlement for every row, and the report written.
//! Must not: send anything before the plan is valid, the report's place is writable, the number is confirmed, sign-in
//! has worked and the tenant is the right one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::connect::{self, Client};
use super::limits::{Choices, limits, reserve_percent};
use super::{Error, Tenant, preview, tenant};
use crate::clock::Clock;
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::{Hold, Preflight};
use crate::job::Job;
use crate::msgraph::client::GraphClient;
use crate::msgraph::transport::Transport;
use crate::outcome::{Outcome, Settlement};
use crate::plan::Plan;
use crate::preview::Preview;
use crate::report::{ReportError, ReportFile, default_name};
use crate::runner::event::StopReason;
use crate::runner::{self, Ended, Run, shutdown};
use crate::settings::{Identity, Settings};
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
    pub choices: Choices,
    pub now: Timestamp,
    pub seed: u64,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    pub jobs: Arc<[Job]>,
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// Where the report is, or why it could not be written.
    pub report: Result<PathBuf, ReportError>,
}

/// Performs the plan.
pub async fn run(request: RunRequest, settings: &Settings, stderr: &Stderr) -> Result<Finished, Error> {
    let (plan, preflight) = preview(&request.plan, &request.tenant, request.now)?;
    let local = request.tenant != Tenant::Real || settings.is_local();
    let limits = limits(request.choices, plan.limits, local)?;
    let report = report_path(&request);
    spare_the_plan(&report, &plan)?;
    ReportFile::probe(&report)?;
    confirm_number(&request, &preflight)?;
    let clock = Clock::starting_at(request.now);
    if preflight.due == 0 {
        let report = ReportFile::create(report)?;
        return Ok(finish(Plan { ..plan }.jobs.into(), unsent(&preflight.holds), None, report));
    }
    let client = connect::connect(settings, &request.tenant, plan.tenant.as_deref(), clock, limits.concurrency)?;
    let go = Go { request: &request, settings, plan, preflight, limits, clock, report, stderr };
    match client {
        Client::Http(client) => go.with(client).await,
        Client::Simulated(client) => go.with(client).await,
    }
}

/// All that is settled before the first connection.
struct Go<'a> {
    request: &'a RunRequest,
    settings: &'a Settings,
    plan: Plan,
    preflight: Preflight,
    limits: runner::Limits,
    clock: Clock,
    report: PathBuf,
    stderr: &'a Stderr,
}

impl Go<'_> {
    async fn with<T: Transport>(self, client: GraphClient<T>) -> Result<Finished, Error> {
        connect::sign_in(&client, self.request.now).await?;
        if let Some(expected) = &self.plan.tenant {
            tenant::verify(&client, expected, self.signed_in_to()).await?;
        }
        tracing::info!(tenant = self.signed_in_to(), requests = self.preflight.due, "signed in");
        self.warn_of_missing_permissions(&client).await;
        self.ask()?;
        let stop =
            shutdown::listen().map_err(|cause| Error::Io { what: "Ctrl-C could not be listened for".into(), cause })?;
        // Only now: until here, Ctrl-C ends the process without a chance to clear up.
        let report = ReportFile::create(self.report)?;
        let (events, told) = mpsc::unbounded_channel();
        let reserve = reserve_percent(self.request.choices, self.plan.limits);
        let shown = ui::bar::start(told, self.stderr.clone(), reserve);
        let client = client.justified(self.plan.justification.as_deref());
        let jobs: Arc<[Job]> = self.plan.jobs.into();
        let run = Run {
            jobs: Arc::clone(&jobs),
            holds: self.preflight.holds,
            limits: self.limits,
            clock: self.clock,
            rng: Rng::with_seed(self.request.seed),
        };
        let Ended { settlements, stopped } = runner::run(run, Arc::new(client), events, stop).await;
        // The last line is drawn before anything else is printed; that it failed would be no news about the run.
        let _ = shown.await;
        Ok(finish(jobs, settlements, stopped, report))
    }

    /// The tenant that the token was asked of.
    fn signed_in_to(&self) -> Option<&str> {
        match (self.settings.identity(), &self.request.tenant) {
            (Ok(Identity::ClientSecret { tenant, .. }), _) => Some(tenant),
            (Ok(Identity::AccessToken(_)), _) => None,
            (Err(_), _) => self.plan.tenant.as_deref().or(self.settings.tenant.as_deref()),
        }
    }

    /// What a token says of its permissions is a hint, never a gate: the service decides.
    async fn warn_of_missing_permissions<T: Transport>(&self, client: &GraphClient<T>) {
        let Ok(Some(claims)) = client.tokens().claims().await else { return };
        let mut told: Vec<&str> = Vec::new();
        for job in &self.plan.jobs {
            let wanted = job.action.permissions;
            let held = wanted.iter().any(|permission| claims.holds(permission) != Some(false));
            if !held && !told.contains(&job.action.name) {
                told.push(job.action.name);
                tracing::warn!(
                    "the token lists none of {} for {}; the service may refuse it",
                    wanted.join(", "),
                    job.action.name
                );
            }
        }
    }

    /// Asks for the number where something is dangerous and nobody has named it yet.
    fn ask(&self) -> Result<(), Error> {
        if self.preflight.dangerous == 0 || self.request.confirm.is_some() {
            return Ok(());
        }
        let reserve = reserve_percent(self.request.choices, self.plan.limits);
        let preview = Preview::new(&self.plan.jobs, &self.preflight, reserve);
        let tenant = match (&self.request.tenant, &self.plan.tenant, self.signed_in_to()) {
            (Tenant::Simulated(_), _, _) => "the simulated tenant",
            (Tenant::Real, Some(tenant), _) => tenant,
            (Tenant::Real, None, Some(tenant)) => tenant,
            (Tenant::Real, None, None) => "the tenant of the access token",
        };
        let question = ui::confirm::question(&preview, tenant, self.stderr.styled());
        let agreed = ui::confirm::ask_on_terminal(&question, self.preflight.due)
            .map_err(|cause| Error::Io { what: "the answer could not be read".into(), cause })?;
        match agreed {
            true => Ok(()),
            false => Err(Error::refused(Diagnostic::error("not-confirmed", "not confirmed; nothing was sent"))),
        }
    }
}

fn report_path(request: &RunRequest) -> PathBuf {
    let stem = request.plan.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    request.report.clone().unwrap_or_else(|| default_name(request.now, &stem).into())
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

/// Settlements of a plan of which nothing is due.
fn unsent(holds: &[Option<Hold>]) -> Vec<Settlement> {
    holds
        .iter()
        .map(|hold| match hold {
            Some(hold) => Settlement::unsent(hold.outcome(), hold.to_string()),
            None => Settlement::unsent(Outcome::NotAttempted, "not due"),
        })
        .collect()
}

fn finish(jobs: Arc<[Job]>, settlements: Vec<Settlement>, stopped: Option<StopReason>, report: ReportFile) -> Finished {
    let report = report.finish(&jobs, &settlements);
    Finished { jobs, settlements, stopped, report }
}
