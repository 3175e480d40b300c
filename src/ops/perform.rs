//! The part that `run` and `resume` share: from jobs that are known to a report that is written.
//!
//! In: [`Work`], and a way to record it. Out: [`Finished`]. Must not: send anything before sign-in has worked, the tenant
//! is the right one, somebody has agreed, and the journal has the run.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::asked::RunQuestion;
use super::daily::DailyWork;
use super::error::Error;
use super::guard_watch::{GuardWatch, Reach};
use super::guards;
use super::record::RecordedRun;
use super::rounds::{Requests, RoundGround, Rounds, RoundsEnded};
use super::task::RunTask;
use crate::catalog::TargetKind;
use crate::clock::Clock;
use crate::daily::{DailyTerms, Later};
use crate::diagnostics::Diagnostic;
use crate::guard::judge::Judgement;
use crate::job::Job;
use crate::journal::{Journal, RunId, RunState};
use crate::outcome::{Outcome, Settlement};
use crate::pacing::BucketUse;
use crate::report::{ReportError, ReportFile};
use crate::runner::event::{Event, StopReason};
use crate::runner::guards::Guards;
use crate::runner::shutdown::StopRequest;
use crate::runner::{Limits, shutdown};
use crate::session::{Client, Session, TargetTenant, place};
use crate::settings::Settings;
use crate::text::visible;
use crate::ui;
use crate::ui::stderr::Stderr;
use crate::ui::subject::Subject;
use crate::ui::waves::WaveSubject;

/// What is performed: everything that is settled before anybody signs in.
pub(super) struct Work<'a> {
    pub session: Session<'a>,
    pub task: RunTask,
    /// What the guards say once it is under way.
    pub watch: GuardWatch,
    pub consent: Consent,
    pub wanted: RunWishes,
}

/// What has to be agreed to before anything is sent.
#[derive(Debug)]
pub(super) struct Consent {
    /// What the guards say of it, before anything was asked of the tenant.
    pub verdict: Judgement,
    /// What people are asked about, now and between waves.
    pub subject: Subject,
    /// Requests that will be sent.
    pub due: u32,
    /// What somebody is asked, if anybody is.
    pub question: Option<RunQuestion>,
}

/// How it is done, and what else somebody wants of it.
#[derive(Debug)]
pub(super) struct RunWishes {
    /// What is done about approval requests.
    pub requests: Requests,
    pub justification: Option<String>,
    /// Whether the directory is told that these requests may wait.
    pub low_priority: bool,
    /// Whether somebody is there to be asked on the way.
    pub interactive: bool,
    /// For how long what was accepted is followed up, if at all, when everything is sent.
    pub verify: Option<Duration>,
    pub daily: DailyWork,
    pub report: PathBuf,
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

/// How the next command names a run, and whether its tenant is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Onward {
    pub(crate) call: String,
    pub(crate) simulated: bool,
}

impl Onward {
    pub(super) fn of(journal: &Journal, id: &RunId, tenant: &TargetTenant) -> Self {
        Self { call: journal.short(id), simulated: matches!(tenant, TargetTenant::Simulated(_)) }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// `None`: nothing was due, so that there was no run.
    pub id: Option<RunId>,
    /// How its next command names it; `None` where there was no run.
    pub(crate) onward: Option<Onward>,
    pub jobs: Arc<[Job]>,
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// What was left for another day.
    pub later: Vec<Later>,
    /// Where the report is, or why it could not be written.
    pub report: Result<PathBuf, ReportError>,
    /// What each bucket was used for, where anything was sent.
    pub used: Vec<BucketUse>,
    /// Requests that have left for the tenant, reads and look-ups included.
    pub requests: u64,
    /// `None`: nobody wanted to know what becomes of what was accepted.
    pub verification: Option<Verification>,
}

impl Finished {
    /// Nothing was due, so that there was no run.
    pub(super) fn without_a_run(
        jobs: Arc<[Job]>,
        settlements: Vec<Settlement>,
        report: Result<PathBuf, ReportError>,
        requests: u64,
    ) -> Self {
        let (id, onward, stopped, verification) = (None, None, None, None);
        let (later, used) = (Vec::new(), Vec::new());
        Self { id, onward, jobs, settlements, stopped, later, report, used, requests, verification }
    }
}

/// Does the work. `record` puts the run into the journal.
pub(super) async fn perform(
    work: Work<'_>,
    stderr: &Stderr,
    record: impl FnOnce() -> Result<RecordedRun, Error>,
) -> Result<Finished, Error> {
    let Work { mut session, task, watch, mut consent, wanted } = work;
    let client = session.signed_in().await?;
    warn_of_missing_permissions(client, &task.jobs).await;
    consent.check_fleet(client).await?;
    tracing::info!(tenant = session.signed_in_to(), requests = consent.due, "signed in");
    consent.ask(|| {
        // The machine may have slept while nobody answered.
        session.clock().catch_up();
        session.clock().now()
    })?;
    let RunWishes { requests, justification, low_priority, interactive, verify, daily, report } = wanted;
    let with = |client: Client| client.justified(justification.as_deref()).low_priority(low_priority);
    let mut begun = BegunRun::now(session, with, report, record).await?;
    let jobs = Arc::clone(&task.jobs);
    let Prepared { daily, shown, done_before } = match begun.prepare(&daily, &task).await {
        Ok(prepared) => prepared,
        // The run is in the journal: what it has come to is reported.
        Err(error) => return Ok(begun.finish(jobs, RoundsEnded::untouched(&task, &error))),
    };
    let about = WaveSubject { subject: consent.subject, jobs: Arc::clone(&jobs), schedule: task.brakes.waves.clone() };
    let people = interactive.then(|| ui::waves::people(stderr.clone(), about));
    let listening = begun.recorded.listen(&begun.stop);
    let budget = begun.limits.budget();
    let show = |told| ui::bar::start(told, stderr.clone(), budget);
    let (guards, asked) = Guards::asked(watch.to_begin_with());
    let (ground, is_older) = (begun.ground(), begun.is_older());
    let rounds = Rounds::new(&mut begun.recorded, task, daily, ground);
    let mut rounds = Rounds { requests, is_older, shown, done_before, people, guards, ..rounds };
    let channel = (&begun.stop, &mut begun.requests);
    let reach = Reach { client: &begun.client, clock: &begun.clock, rng: begun.rng.fork() };
    // Both are large, and few stacks are.
    let answering = Box::pin(watch.answer(asked, reach, stderr));
    let ended = tokio::select! {
        biased;
        ended = Box::pin(through(&mut rounds, verify, &begun.client, channel, show, stderr)) => ended,
        never = answering => match never {},
    };
    drop(listening);
    Ok(begun.finish(jobs, ended))
}

/// How what was accepted is looked at.
pub(super) struct Looking {
    /// Zero is one look at each.
    pub within: Duration,
    pub daily: DailyWork,
    pub report: PathBuf,
}

/// Looks at what was accepted in a run that has ended.
pub(super) async fn look_at(
    session: Session<'_>,
    jobs: Arc<[Job]>,
    looking: Looking,
    stderr: &Stderr,
    record: impl FnOnce() -> Result<RecordedRun, Error>,
) -> Result<Finished, Error> {
    let mut begun = BegunRun::now(session, |client| client, looking.report, record).await?;
    let daily = begun.daily(&looking.daily).await?;
    let listening = begun.recorded.listen(&begun.stop);
    let budget = begun.limits.budget();
    let show = |told| ui::bar::start(told, stderr.clone(), budget);
    let (ground, is_older) = (begun.ground(), begun.is_older());
    let rounds = Rounds::new(&mut begun.recorded, RunTask::of_the_past(Arc::clone(&jobs)), daily, ground);
    let mut rounds = Rounds { is_older, ..rounds };
    let ended = rounds.verify(looking.within, &begun.client, &begun.stop, &mut begun.requests, show).await;
    drop(listening);
    Ok(begun.finish(jobs, ended?))
}

/// A run that is signed in, has its report open and is in the journal: from now on Ctrl-C is heard.
struct BegunRun<'a> {
    settings: &'a Settings,
    tenant: &'a TargetTenant,
    limits: Limits,
    clock: Clock,
    rng: Rng,
    client: Arc<Client>,
    stop: mpsc::UnboundedSender<StopRequest>,
    requests: mpsc::UnboundedReceiver<StopRequest>,
    report: ReportFile,
    recorded: RecordedRun,
}

/// What is known before the first round.
struct Prepared {
    daily: DailyTerms,
    /// Jobs whose target was seen.
    shown: HashSet<u32>,
    /// Jobs whose deed an earlier run has done.
    done_before: HashSet<u32>,
}

impl<'a> BegunRun<'a> {
    async fn now(
        session: Session<'a>,
        with: impl FnOnce(Client) -> Client,
        report: PathBuf,
        record: impl FnOnce() -> Result<RecordedRun, Error>,
    ) -> Result<Self, Error> {
        let (settings, tenant) = (session.settings(), session.tenant());
        let (clock, rng, limits) = (session.clock().clone(), session.rng(), session.limits());
        let client = with(session.into_client().await?);
        let (stop, requests) = mpsc::unbounded_channel();
        shutdown::listen(&stop)
            .map_err(|cause| Error::Io { what: "Ctrl-C could not be listened for".into(), cause })?;
        // Only now: until here, Ctrl-C ends the process without a chance to clear up.
        let report = ReportFile::create(report)?;
        let recorded = record()?;
        let limits = Limits { pacing: client.gates().pacing(), ..limits };
        let client = Arc::new(client);
        Ok(Self { settings, tenant, limits, clock, rng, client, stop, requests, report, recorded })
    }

    /// What the journal knows that matters for all rounds.
    async fn prepare(&mut self, daily: &DailyWork, task: &RunTask) -> Result<Prepared, Error> {
        let daily = self.daily(daily).await?;
        let shown = self.shown(task)?;
        let done_before = self.recorded.journal.done_before(self.recorded.number)?;
        Ok(Prepared { daily, shown, done_before })
    }

    /// A tenant of our own begins with us.
    fn is_older(&self) -> bool {
        !matches!(self.tenant, TargetTenant::Simulated(_))
    }

    /// What rounds are played on.
    fn ground(&mut self) -> RoundGround {
        RoundGround { limits: self.limits, clock: self.clock.clone(), rng: self.rng.fork() }
    }

    /// The account of the tenant that the token is for.
    async fn daily(&mut self, work: &DailyWork) -> Result<DailyTerms, Error> {
        let id = self.client.tokens().claims().await.ok().flatten().and_then(|claims| claims.tid);
        let (graph_url, now) = (&self.settings.graph_url, self.clock.now());
        let (journal, run) = (&mut self.recorded.journal, &self.recorded.id);
        work.open(journal, self.tenant, graph_url, run, id.as_deref(), now)
    }

    /// Jobs whose target any run has seen in this tenant, what this one was agreed to by included.
    fn shown(&mut self, task: &RunTask) -> Result<HashSet<u32>, Error> {
        let (client, RecordedRun { journal, tenant, number, .. }) = (&self.client, &mut self.recorded);
        let seen = (0..)
            .zip(task.jobs.iter())
            .filter(|(index, job)| task.lookout.has_seen(*index) || client.sights().have(job));
        let seen: HashMap<u32, TargetKind> = seen.map(|(index, job)| (index, job.action.target)).collect();
        journal.keep_shown(*number, seen.iter().map(|(index, kind)| (*index, *kind)))?;
        match self.tenant {
            // A tenant of our own begins with us, and nobody has seen anything there.
            TargetTenant::Simulated(_) => Ok(seen.into_keys().collect()),
            real => Ok(journal.shown(&place(real, &self.settings.graph_url), tenant, &task.jobs)?),
        }
    }

    fn finish(self, jobs: Arc<[Job]>, ended: RoundsEnded) -> Finished {
        let RoundsEnded { settlements, stopped, later, used, verified, .. } = ended;
        let report = self.report.finish(&jobs, &settlements);
        let verification = verified.then(|| Verification::of(&jobs, &settlements));
        let requests = self.client.gates().passed();
        let onward = Some(Onward::of(&self.recorded.journal, &self.recorded.id, self.tenant));
        let id = Some(self.recorded.id);
        Finished { id, onward, jobs, settlements, stopped, later, report, used, requests, verification }
    }
}

impl Consent {
    /// How large a share of the fleet the run is, where a rule asks for that.
    async fn check_fleet(&mut self, client: &Client) -> Result<(), Error> {
        if !self.verdict.rules.wants_fleet() {
            return Ok(());
        }
        let id = uuid::Uuid::new_v4().to_string();
        let enrolled = client.enrolled_devices(&id).await.map_err(|why| {
            let message = format!("max_percent_of_fleet: the number of enrolled devices could not be read ({why})");
            let help = "the token needs DeviceManagementManagedDevices.Read.All to read the number";
            Error::refused(Diagnostic::error("max-percent-of-fleet", message).help(help))
        })?;
        self.verdict.check_fleet(enrolled);
        guards::refused(&self.verdict, self.subject.file.as_ref())
    }

    /// `now`: asked again when there is an answer.
    fn ask(&self, now: impl Fn() -> Timestamp) -> Result<(), Error> {
        let Some(question) = &self.question else { return Ok(()) };
        question.ask(self.due)?;
        question.still_stands(&self.verdict, self.subject.file.as_ref(), now())
    }
}

/// What a token says of its permissions is a hint, never a gate: the service decides.
async fn warn_of_missing_permissions(client: &Client, jobs: &[Job]) {
    let Ok(Some(claims)) = client.tokens().claims().await else { return };
    let mut told: Vec<&str> = Vec::new();
    for job in jobs {
        let wanted = job.action.permissions;
        let held = wanted.is_empty() || wanted.iter().any(|permission| claims.holds(permission) != Some(false));
        if !held && !told.contains(&job.action.name) {
            told.push(job.action.name);
            let wanted = wanted.join(", ");
            tracing::warn!("the token lists none of {wanted} for {}; the service may refuse it", job.action.name);
        }
    }
}

/// Sends what is to be sent, closes the run, and follows up what was accepted, as far as somebody wants that.
async fn through(
    rounds: &mut Rounds<'_>,
    verify: Option<Duration>,
    client: &Arc<Client>,
    (stop, requests): (&mpsc::UnboundedSender<StopRequest>, &mut mpsc::UnboundedReceiver<StopRequest>),
    show: impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    stderr: &Stderr,
) -> RoundsEnded {
    let mut ended = rounds.play(client, stop, requests, &show, |line| stderr.say(&visible(line))).await;
    ended.stopped = close(rounds, ended.stopped, !ended.later.is_empty());
    let Some(within) = verify.filter(|_| ended.stopped.is_none()) else { return ended };
    match rounds.verify(within, client, stop, requests, show).await {
        Ok(seen) => ended.followed_up(seen),
        Err(error) => ended.lost(&error),
    }
}

/// Says in the journal how the run ended. `waits`: rows of it wait for another day.
fn close(rounds: &Rounds<'_>, stopped: Option<StopReason>, waits: bool) -> Option<StopReason> {
    let state = match stopped {
        None if waits => RunState::Waiting,
        None => RunState::Finished,
        Some(StopReason::Interrupted | StopReason::Requested) => RunState::Interrupted,
        Some(ref reason) if reason.is_a_guard() => RunState::Tripped,
        Some(StopReason::Policy(..)) => RunState::Interrupted,
        Some(_) => RunState::Stopped,
    };
    match rounds.recorded.journal.set_state(rounds.recorded.number, state, Some(rounds.clock.now())) {
        Ok(()) => stopped,
        Err(error) => Some(StopReason::Journal(error.to_string().into())),
    }
}
