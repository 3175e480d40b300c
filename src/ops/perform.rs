//! The part that `run` and `resume` share: from jobs that are known to a report that is written.
//!
//! In: [`Work`], and a way to record it. Out: [`Finished`]. Must not: send anything before sign-in has worked, the tenant
//! is the right one, somebody has agreed, and the journal has the run.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::connect::{self, Client};
use super::look_up::Used;
use super::record::Recorded;
use super::{Error, Tenant, tenant};
use crate::clock::Clock;
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::journal::{JournalError, Recorder, RunId};
use crate::msgraph::client::GraphClient;
use crate::msgraph::transport::Transport;
use crate::outcome::Settlement;
use crate::report::{ReportError, ReportFile};
use crate::runner::event::StopReason;
use crate::runner::{self, Earlier, Ended, History, Limits, Run, shutdown};
use crate::settings::Settings;
use crate::ui;
use crate::ui::stderr::Stderr;

/// Everything that is settled before the first connection.
pub struct Work<'a> {
    pub settings: &'a Settings,
    pub tenant: &'a Tenant,
    pub plan_tenant: Option<String>,
    pub justification: Option<String>,
    /// What targets were looked up with: the client goes on, and the tenant of an inventory must be the one signed in to.
    pub used: Used,
    pub jobs: Arc<[Job]>,
    pub holds: Vec<Option<Hold>>,
    pub earlier: HashMap<u32, Earlier>,
    /// Requests that will be sent.
    pub due: u32,
    pub limits: Limits,
    pub reserve_percent: u8,
    pub now: Timestamp,
    pub seed: u64,
    pub report: PathBuf,
    pub stderr: &'a Stderr,
    /// What somebody is asked before anything is sent, if anybody is.
    pub question: Option<String>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// `None`: nothing was due, so that there was no run.
    pub id: Option<RunId>,
    pub jobs: Arc<[Job]>,
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// Where the report is, or why it could not be written.
    pub report: Result<PathBuf, ReportError>,
}

/// Does the work. `record` puts the run into the journal.
pub async fn perform(work: Work<'_>, record: impl FnOnce() -> Result<Recorded, Error>) -> Result<Finished, Error> {
    let mut work = work;
    let (client, clock) = match work.used.client.take() {
        Some(connected) => connected,
        None => {
            let clock = Clock::starting_at(work.now);
            let plan_tenant = work.plan_tenant.as_deref();
            (connect::connect(work.settings, work.tenant, plan_tenant, clock, work.limits.concurrency)?, clock)
        }
    };
    match client {
        Client::Http(client) => work.with(client, clock, record).await,
        Client::Simulated(client) => work.with(client, clock, record).await,
    }
}

impl Work<'_> {
    async fn with<T: Transport>(
        self,
        client: GraphClient<T>,
        clock: Clock,
        record: impl FnOnce() -> Result<Recorded, Error>,
    ) -> Result<Finished, Error> {
        connect::sign_in(&client, self.now).await?;
        if let Some(expected) = &self.plan_tenant {
            tenant::verify(&client, "plan", expected, self.signed_in_to()).await?;
        }
        if let Some(expected) = &self.used.tenant {
            tenant::verify(&client, "inventory", expected, self.signed_in_to()).await?;
        }
        tracing::info!(tenant = self.signed_in_to(), requests = self.due, "signed in");
        self.warn_of_missing_permissions(&client).await;
        self.ask()?;
        let (stop, requests) = mpsc::unbounded_channel();
        shutdown::listen(&stop)
            .map_err(|cause| Error::Io { what: "Ctrl-C could not be listened for".into(), cause })?;
        // Only now: until here, Ctrl-C ends the process without a chance to clear up.
        let report = ReportFile::create(self.report)?;
        let recorded = record()?;
        let journal = Some(recorded.recorder(&stop)?);
        let (events, told) = mpsc::unbounded_channel();
        let shown = ui::bar::start(told, self.stderr.clone(), self.reserve_percent);
        let client = client.justified(self.justification.as_deref());
        let run = Run {
            jobs: Arc::clone(&self.jobs),
            holds: self.holds,
            limits: self.limits,
            clock,
            rng: Rng::with_seed(self.seed),
            history: History { journal, earlier: self.earlier },
        };
        let ended = runner::run(run, Arc::new(client), events, requests).await;
        // The last line is drawn before anything else is printed; that it failed would be no news about the run.
        let _ = shown.await;
        let Ended { settlements, stopped, journal } = ended;
        let stopped = close(&recorded, journal, stopped, clock.now()).await;
        let report = report.finish(&self.jobs, &settlements);
        Ok(Finished { id: Some(recorded.id), jobs: self.jobs, settlements, stopped, report })
    }

    fn signed_in_to(&self) -> Option<&str> {
        tenant::signed_in_to(self.settings, self.plan_tenant.as_deref())
    }

    /// What a token says of its permissions is a hint, never a gate: the service decides.
    async fn warn_of_missing_permissions<T: Transport>(&self, client: &GraphClient<T>) {
        let Ok(Some(claims)) = client.tokens().claims().await else { return };
        let mut told: Vec<&str> = Vec::new();
        for job in self.jobs.iter() {
            let wanted = job.action.permissions;
            let held = wanted.is_empty() || wanted.iter().any(|permission| claims.holds(permission) != Some(false));
            if !held && !told.contains(&job.action.name) {
                told.push(job.action.name);
                let wanted = wanted.join(", ");
                tracing::warn!("the token lists none of {wanted} for {}; the service may refuse it", job.action.name);
            }
        }
    }

    fn ask(&self) -> Result<(), Error> {
        let Some(question) = &self.question else { return Ok(()) };
        let agreed = ui::confirm::ask_on_terminal(question, self.due)
            .map_err(|cause| Error::Io { what: "the answer could not be read".into(), cause })?;
        match agreed {
            true => Ok(()),
            false => Err(Error::refused(Diagnostic::error("not-confirmed", "not confirmed; nothing was sent"))),
        }
    }
}

/// Waits until the journal has everything, and says there how the run ended.
async fn close(
    recorded: &Recorded,
    journal: Option<Recorder>,
    stopped: Option<StopReason>,
    now: Timestamp,
) -> Option<StopReason> {
    let written = match journal {
        Some(journal) => tokio::task::spawn_blocking(|| journal.finish())
            .await
            .unwrap_or_else(|ended| Err(JournalError::Write(ended.to_string()))),
        None => Ok(()),
    };
    let written = written.and_then(|()| {
        let state = match stopped {
            None => "finished",
            Some(StopReason::Interrupted) => "interrupted",
            Some(_) => "stopped",
        };
        recorded.journal.set_state(recorded.number, state, Some(now))
    });
    match written {
        Ok(()) => stopped,
        Err(error) => Some(StopReason::Journal(error.to_string().into())),
    }
}
