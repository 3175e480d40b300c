//! The part that `run` and `resume` share: from jobs that are known to a report that is written.
//!
//! In: [`Work`], and a way to record it. Out: [`Finished`]. Must not: send anything before sign-in has worked, the tenant
//! is the right one, somebody has agreed, and the journal has the run.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::{mpsc, oneshot};

use super::connect::{self, Client};
use super::daily::DailyWork;
use super::look_up::Used;
use super::record::Recorded;
use super::rounds::{Requests, Rounds, RoundsEnded};
use super::tenant::Source;
use super::{Error, Tenant, guards, known, tenant};
use crate::clock::Clock;
use crate::daily::Later;
use crate::diagnostics::Diagnostic;
use crate::guard::Brakes;
use crate::guard::judge::Verdict;
use crate::guard::lookout::Lookout;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::journal::{RunId, RunState};
use crate::msgraph::client::GraphClient;
use crate::msgraph::transport::Transport;
use crate::outcome::{Outcome, Settlement};
use crate::pacing::BucketUse;
use crate::report::{ReportError, ReportFile};
use crate::runner::event::{Event, StopReason};
use crate::runner::shutdown::StopRequest;
use crate::runner::{Earlier, Limits, shutdown};
use crate::settings::Settings;
use crate::ui;
use crate::ui::stderr::Stderr;

/// Everything that is settled before the first connection.
pub struct Work<'a> {
    pub settings: &'a Settings,
    pub tenant: &'a Tenant,
    pub plan_tenant: Option<String>,
    /// The id of the tenant that a saved preview was made for.
    pub agreed_tenant: Option<String>,
    pub justification: Option<String>,
    /// What targets were looked up with: the client goes on, and the tenant of an inventory must be the one signed in to.
    pub used: Used,
    pub jobs: Arc<[Job]>,
    pub holds: Vec<Option<Hold>>,
    pub earlier: HashMap<u32, Earlier>,
    /// What is done about approval requests.
    pub requests: Requests,
    pub lookout: Lookout,
    /// Requests that will be sent.
    pub due: u32,
    /// What the guards say of it, before anything was asked of the tenant.
    pub verdict: Verdict,
    pub plan_file: PathBuf,
    pub limits: Limits,
    pub daily: DailyWork,
    /// Whether the directory is told that these requests may wait.
    pub low_priority: bool,
    pub brakes: Brakes,
    /// The process before this one ended between two waves.
    pub between_waves: bool,
    /// Whether somebody is there to be asked on the way.
    pub interactive: bool,
    /// Started when the command was, so that what it says is the time of day.
    pub clock: Clock,
    pub seed: u64,
    pub report: PathBuf,
    pub stderr: &'a Stderr,
    /// What somebody is asked before anything is sent, if anybody is.
    pub question: Option<String>,
    /// Whether what was accepted is followed up, and for how long.
    pub verify: Verify,
}

/// Whether what was accepted is followed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    No,
    /// When everything is sent, for so long.
    After(Duration),
    /// Nothing is sent. Zero is one look at each.
    Only(Duration),
}

impl Verify {
    /// When everything is sent, for so long, if anybody wants that.
    pub fn when(wanted: Option<Duration>) -> Self {
        wanted.map_or(Self::No, Self::After)
    }
}

/// What a verification has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// Accepted, and not seen to have happened.
    pub pending: u32,
    /// Accepted, and no read tells.
    pub untold: u32,
}

impl Verification {
    fn of(jobs: &[Job], settlements: &[Settlement]) -> Self {
        let mut left = Self { pending: 0, untold: 0 };
        let accepted = jobs.iter().zip(settlements).filter(|(_, settled)| settled.outcome == Outcome::Accepted);
        for (job, settled) in accepted {
            let open = settled.follow_up.as_ref().is_none_or(|seen| seen.stage.is_open());
            match open && job.action.read_back.tells() {
                true => left.pending += 1,
                false => left.untold += 1,
            }
        }
        left
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// `None`: nothing was due, so that there was no run.
    pub id: Option<RunId>,
    pub jobs: Arc<[Job]>,
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// What was left for another day.
    pub later: Vec<Later>,
    /// Where the report is, or why it could not be written.
    pub report: Result<PathBuf, ReportError>,
    /// What each bucket was used for, where anything was sent.
    pub used: Vec<BucketUse>,
    /// `None`: nobody wanted to know what becomes of what was accepted.
    pub verification: Option<Verification>,
}

/// Does the work. `record` puts the run into the journal.
pub async fn perform(work: Work<'_>, record: impl FnOnce() -> Result<Recorded, Error>) -> Result<Finished, Error> {
    let mut work = work;
    let client = match work.used.client.take() {
        Some((connected, _)) => connected,
        None => {
            let plan_tenant = work.plan_tenant.as_deref();
            connect::connect(work.settings, work.tenant, plan_tenant, &work.clock, work.limits)?
        }
    };
    match client {
        Client::Http(client) => work.with(client, record).await,
        Client::Simulated(client) => work.with(client, record).await,
    }
}

impl Work<'_> {
    async fn with<T: Transport>(
        mut self,
        client: GraphClient<T>,
        record: impl FnOnce() -> Result<Recorded, Error>,
    ) -> Result<Finished, Error> {
        let clock = self.clock.clone();
        connect::sign_in(client.tokens(), client.gates(), clock.now()).await?;
        let meant = [
            (Source::Plan, &self.plan_tenant),
            (Source::SavedPreview, &self.agreed_tenant),
            (Source::Inventory, &self.used.tenant),
        ];
        for (source, expected) in meant {
            if let Some(expected) = expected {
                tenant::verify(client.tokens(), (source, expected), self.signed_in_to()).await?;
            }
        }
        tracing::info!(tenant = self.signed_in_to(), requests = self.due, "signed in");
        let limits = Limits { pacing: client.gates().pacing(), ..self.limits };
        if !matches!(self.verify, Verify::Only(_)) {
            self.warn_of_missing_permissions(&client).await;
            self.check_fleet(&client).await?;
            self.ask()?;
        }
        let (stop, mut requests) = mpsc::unbounded_channel();
        shutdown::listen(&stop)
            .map_err(|cause| Error::Io { what: "Ctrl-C could not be listened for".into(), cause })?;
        // Only now: until here, Ctrl-C ends the process without a chance to clear up.
        let report = ReportFile::create(self.report)?;
        let mut recorded = record()?;
        let id = client.tokens().claims().await.ok().flatten().and_then(|claims| claims.tid);
        let graph_url = &self.settings.graph_url;
        let (journal, run) = (&mut recorded.journal, &recorded.id);
        let daily = self.daily.open(journal, self.tenant, graph_url, run, id.as_deref(), clock.now())?;
        // A tenant of our own begins with us, and nobody has seen anything there.
        let seen = (0..).take(self.jobs.len()).filter(|job| self.lookout.has_seen(*job));
        recorded.journal.keep_shown(recorded.number, seen)?;
        let shown = match self.tenant {
            Tenant::Simulated(_) => HashSet::new(),
            real => recorded.journal.shown(&known::place(real, graph_url), &recorded.tenant, &self.jobs)?,
        };
        let listening = recorded.listen(&stop);
        let client = client.justified(self.justification.as_deref()).low_priority(self.low_priority);
        let client = Arc::new(client);
        let show = |told| ui::bar::start(told, self.stderr.clone(), limits.budget());
        let mut rounds = Rounds {
            journal: &mut recorded.journal,
            id: &recorded.id,
            number: recorded.number,
            tenant: &recorded.tenant,
            // A tenant of our own begins with us.
            is_older: !matches!(self.tenant, Tenant::Simulated(_)),
            began: false,
            jobs: Arc::clone(&self.jobs),
            holds: self.holds,
            earlier: self.earlier,
            requests: self.requests,
            looks: Default::default(),
            shown,
            limits,
            daily,
            brakes: self.brakes,
            carried: None,
            people: self.interactive.then(|| ui::waves::people(self.stderr.clone())),
            clock: clock.clone(),
            rng: Rng::with_seed(self.seed),
            between_waves: self.between_waves,
            lookout: self.lookout,
        };
        let ended = through(&mut rounds, self.verify, &client, (&stop, &mut requests), show, self.stderr).await;
        drop(listening);
        let RoundsEnded { settlements, stopped, later, used, verified, .. } = ended?;
        let report = report.finish(&self.jobs, &settlements);
        let verification = verified.then(|| Verification::of(&self.jobs, &settlements));
        let id = Some(recorded.id);
        Ok(Finished { id, jobs: self.jobs, settlements, stopped, later, report, used, verification })
    }

    fn signed_in_to(&self) -> Option<&str> {
        tenant::signed_in_to(self.settings, self.plan_tenant.as_deref())
    }

    /// How large a share of the fleet the run is, where a rule asks for that.
    async fn check_fleet<T: Transport>(&mut self, client: &GraphClient<T>) -> Result<(), Error> {
        if !self.verdict.rules.wants_fleet() {
            return Ok(());
        }
        let id = uuid::Uuid::new_v4().to_string();
        let enrolled = client.enrolled_devices(&id).await.map_err(|why| {
            let message = format!("max_percent_of_fleet: the number of enrolled devices could not be read ({why})");
            let help =
                "the token needs DeviceManagementManagedDevices.Read.All; a share that cannot be told is not kept to";
            Error::refused(Diagnostic::error("max-percent-of-fleet", message).help(help))
        })?;
        self.verdict.check_fleet(enrolled);
        guards::refused(&self.verdict, &self.plan_file)
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

/// Sends what is to be sent, closes the run, and follows up what was accepted, as far as somebody wants that.
async fn through<T: Transport>(
    rounds: &mut Rounds<'_>,
    verify: Verify,
    client: &Arc<GraphClient<T>>,
    (stop, requests): (&mpsc::UnboundedSender<StopRequest>, &mut mpsc::UnboundedReceiver<StopRequest>),
    show: impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    stderr: &Stderr,
) -> Result<RoundsEnded, Error> {
    let within = match verify {
        Verify::Only(within) => return rounds.verify(within, client, stop, requests, show).await,
        Verify::After(within) => Some(within),
        Verify::No => None,
    };
    let mut ended = rounds.play(client, stop, requests, &show, |line| stderr.say(line)).await?;
    ended.stopped = close(rounds, ended.stopped, !ended.later.is_empty());
    let Some(within) = within.filter(|_| ended.stopped.is_none()) else { return Ok(ended) };
    let seen = rounds.verify(within, client, stop, requests, show).await?;
    (ended.settlements, ended.stopped, ended.verified) = (seen.settlements, seen.stopped, seen.verified);
    Ok(ended)
}

/// Says in the journal how the run ended. `waits`: rows of it wait for another day.
fn close(rounds: &Rounds<'_>, stopped: Option<StopReason>, waits: bool) -> Option<StopReason> {
    let state = match stopped {
        None if waits => RunState::Waiting,
        None => RunState::Finished,
        Some(StopReason::Interrupted | StopReason::Requested) => RunState::Interrupted,
        Some(StopReason::Breaker(_) | StopReason::Wave(_)) => RunState::Tripped,
        Some(_) => RunState::Stopped,
    };
    match rounds.journal.set_state(rounds.number, state, Some(rounds.clock.now())) {
        Ok(()) => stopped,
        Err(error) => Some(StopReason::Journal(error.to_string().into())),
    }
}
