//! The rounds of a run: approval requests looked up, jobs performed, and, with `--wait`, the same again until nothing is
//! left to wait for.
//!
//! In: jobs, how they stand, a client that is signed in, a journal. Out: one settlement for each job; everything that
//! matters is in the journal, so that a process that ends in the middle loses nothing. Must not: send (the runner does), or
//! look requests up more often than once a minute.
//!
//! A round is a whole run of the dispatcher. Waiting, for an approval or for another day, happens between rounds: what a
//! round leaves open, the next one takes up as `resume` would.

mod looked;
mod looking;
mod verifying;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};

use self::looked::Looked;
pub(crate) use self::looking::Looks;
use self::waiting::is_braked;
use super::Error;
use super::record::{Recorded, take_up};
use super::task::Task;
use crate::catalog::Bucket;
use crate::clock::Clock;
use crate::daily::{Daily, Later};
use crate::guard::filing::Filing;
use crate::journal::resume::Only;
use crate::journal::{Recorder, StoredJob};
use crate::outcome::{Outcome, Settlement};
use crate::pacing::BucketUse;
use crate::runner::event::{Event, StopReason};
use crate::runner::guards::Guards;
use crate::runner::question::WaveQuestion;
use crate::runner::shutdown::StopRequest;
use crate::runner::{self, Carried, Earlier, Ended, History, LeftBehind, Limits, Run};
use crate::session::Client;

/// Time between two looks at what waits, at first; it grows while nothing happens.
pub const FIRST_WAIT: Duration = Duration::from_secs(60);

/// What is done about approval requests.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    pub only: Only,
    /// File again what nobody approved in time.
    pub refile: bool,
    /// Stay until nothing waits any more: neither for an approval nor for another day.
    pub wait: bool,
    /// Jobs that this run leaves as they are.
    pub spared: HashSet<u32>,
}

/// A run that is in the journal and about to be performed.
pub struct Rounds<'a> {
    pub recorded: &'a mut Recorded,
    /// Open requests are kept, waiting.
    pub task: Task,
    pub requests: Requests,
    /// What of them was asked for before, and when.
    pub looks: Looks,
    /// It was there before this process: what anybody has sent to it of late counts.
    pub is_older: bool,
    /// A round has been played.
    pub began: bool,
    /// Jobs whose target was seen in this tenant, by a round of this run or by an earlier one.
    pub shown: HashSet<u32>,
    /// Jobs whose deed an earlier run has done.
    pub done_before: HashSet<u32>,
    pub limits: Limits,
    pub daily: Daily,
    /// What the rounds so far have counted.
    pub carried: Carried,
    /// Who is asked between waves, if anybody is.
    pub people: Option<mpsc::UnboundedSender<WaveQuestion>>,
    /// What may be sent at all, now.
    pub guards: Guards,
    pub clock: Clock,
    pub rng: Rng,
}

/// What the rounds ended with.
#[derive(Debug)]
pub struct RoundsEnded {
    /// One for each job, in plan order.
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// What the last round has left for another day.
    pub later: Vec<Later>,
    /// Jobs that had failed before, and that the last round has not sent.
    unsent: Vec<u32>,
    /// Of the last round.
    pub used: Vec<BucketUse>,
    /// Whether what was accepted was followed up.
    pub verified: bool,
}

impl RoundsEnded {
    /// The journal failed before anything was done.
    pub fn untouched(task: &Task, error: &Error) -> Self {
        let nothing = Self {
            settlements: task.untouched(),
            stopped: None,
            later: Vec::new(),
            unsent: Vec::new(),
            used: Vec::new(),
            verified: false,
        };
        nothing.lost(error)
    }

    /// The same, with what was seen of it since.
    pub fn followed_up(self, seen: Self) -> Self {
        Self { settlements: seen.settlements, stopped: seen.stopped, verified: seen.verified, ..self }
    }

    /// The journal failed. What this process knows is reported all the same.
    pub fn lost(self, error: &Error) -> Self {
        Self { stopped: Some(StopReason::Journal(error.to_string().into())), ..self }
    }

    /// Whether time alone may bring some job further.
    fn waits(&self) -> bool {
        let waits = |settled: &Settlement| settled.outcome == Outcome::AwaitingApproval || is_braked(settled);
        !self.later.is_empty() || self.settlements.iter().any(waits)
    }
}

impl<'a> Rounds<'a> {
    /// Of a run that was there before this process, and about which nothing more is known or wanted.
    pub fn new(
        recorded: &'a mut Recorded,
        task: Task,
        daily: Daily,
        (limits, clock, rng): (Limits, Clock, Rng),
    ) -> Self {
        Self {
            recorded,
            task,
            requests: Requests::default(),
            looks: Looks::default(),
            is_older: true,
            began: false,
            shown: HashSet::new(),
            done_before: HashSet::new(),
            limits,
            daily,
            carried: Carried::default(),
            people: None,
            guards: Guards::default(),
            clock,
            rng,
        }
    }
}

impl Rounds<'_> {
    /// Sends what is to be sent. `show` is handed the events of each round; `say` gets lines about waiting. A journal that
    /// fails ends it, and takes nothing with it that this process knows.
    pub async fn play(
        &mut self,
        client: &Arc<Client>,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
        say: impl Fn(&str),
    ) -> RoundsEnded {
        let chosen = (self.requests.only, self.requests.refile);
        let mut looked = match self.look(client, &say).await {
            Ok(looked) => looked,
            Err(error) => return RoundsEnded::untouched(&self.task, &error),
        };
        let mut last: Option<RoundsEnded> = None;
        loop {
            let ended = match self.next_round(client, looked, stop, requests, &show).await {
                Ok(ended) => ended,
                Err(error) => {
                    return match last {
                        Some(last) => last.lost(&error),
                        None => RoundsEnded::untouched(&self.task, &error),
                    };
                }
            };
            if ended.stopped.is_some() || !self.requests.wait || !ended.waits() {
                return ended;
            }
            // What was chosen for the first round has had its turn, but for what it had no time for.
            (self.requests.only, self.requests.refile) = (Only::Open, false);
            match self.wait_after(&ended, chosen, client, requests, &say).await {
                Ok(Ok(found)) => looked = found,
                Ok(Err(stopped)) => return RoundsEnded { stopped: Some(stopped), ..ended },
                Err(error) => return ended.lost(&error),
            }
            last = Some(ended);
        }
    }

    /// What a look has found is in the journal, and a round is played with it.
    async fn next_round(
        &mut self,
        client: &Arc<Client>,
        looked: Looked,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: &impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    ) -> Result<RoundsEnded, Error> {
        let kept = looked.settled.iter().map(|(job, settled)| (*job, Earlier::Kept(Box::new(settled.clone()))));
        self.task.earlier.extend(kept.chain(looked.earlier));
        let settled: Vec<_> = looked.settled.iter().map(|(job, settlement)| (*job, settlement)).collect();
        self.recorded.journal.settle(self.recorded.number, &settled)?;
        client.complete(looked.codes);
        self.round(client, None, stop, requests, show).await
    }

    /// How jobs stand after a round, and what comes next for those that wait.
    async fn wait_after(
        &mut self,
        ended: &RoundsEnded,
        chosen: (Only, bool),
        client: &Arc<Client>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        say: &impl Fn(&str),
    ) -> Result<Result<Looked, StopReason>, Error> {
        // Nobody else changes the run while it waits: it is read once, however often its requests are looked at.
        let record = self.recorded.journal.read(&self.recorded.id)?;
        self.task.earlier = self.standing(&record.jobs, &ended.unsent, chosen)?;
        let open = self.open(record.jobs);
        self.wait(ended, open, client, requests, say).await
    }

    /// One run of the dispatcher, from a recorder of its own to the last record on the disk.
    async fn round(
        &mut self,
        client: &Arc<Client>,
        verify: Option<Duration>,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: &impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    ) -> Result<RoundsEnded, Error> {
        let stop = stop.clone();
        let failed = move |why: String| {
            let _ = stop.send(StopRequest::JournalFailed(why.into()));
        };
        let journal = Some(Recorder::start(&self.recorded.journal, self.recorded.number, failed)?);
        let between_waves = std::mem::take(&mut self.task.between_waves);
        let (recent, filing) = (self.recent()?, self.filing()?);
        self.began = true;
        // From here on nothing fails, and how the jobs stand is the round's.
        let (earlier, carried) = (std::mem::take(&mut self.task.earlier), std::mem::take(&mut self.carried));
        let seen = std::mem::take(&mut self.shown);
        let done_before = self.done_before.clone();
        let history = History { journal, earlier, recent, filing, shown: seen, done_before, between_waves, carried };
        let (events, told) = mpsc::unbounded_channel();
        let shown = show(told);
        let run = Run {
            jobs: Arc::clone(&self.task.jobs),
            holds: self.task.holds.clone(),
            lookout: self.task.lookout.clone(),
            guards: std::mem::take(&mut self.guards),
            limits: self.limits,
            gates: client.gates().clone(),
            daily: self.daily.clone(),
            brakes: self.task.brakes.clone(),
            people: self.people.clone(),
            clock: self.clock.clone(),
            rng: self.rng.fork(),
            history,
            verify,
        };
        let (now, heard) = mpsc::unbounded_channel();
        let forward = async {
            while let Some(request) = requests.recv().await {
                let _ = now.send(request);
            }
            std::future::pending::<Ended>().await
        };
        let Ended { settlements, stopped, unsent, journal, used, left } = tokio::select! {
            ended = runner::run(run, Arc::clone(client), events, heard) => ended,
            ended = forward => ended,
        };
        let LeftBehind { later, carried, guards, shown: seen } = left;
        (self.carried, self.guards, self.shown) = (carried, guards, seen);
        // The last line is drawn before anything else is printed; that it failed would be no news about the run.
        let _ = shown.await;
        let written = match journal {
            Some(journal) => journal.finished().await,
            None => Ok(()),
        };
        let stopped = match written {
            Ok(()) => stopped,
            Err(error) => Some(StopReason::Journal(error.to_string().into())),
        };
        Ok(RoundsEnded { settlements, stopped, later, unsent, used, verified: verify.is_some() })
    }

    /// What was sent to the same tenant within the longest window, and how long ago. What this process has sent the gates
    /// know by themselves.
    fn recent(&self) -> Result<Vec<(Bucket, Duration)>, Error> {
        let Some(budget) = self.limits.budget().filter(|_| self.is_older) else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let longest = Bucket::all().map(|bucket| budget.allowance(bucket)).map(|own| own.window + own.margin()).max();
        let since = now.saturating_sub(SignedDuration::try_from(longest.unwrap_or_default()).unwrap_or_default());
        let sent = self.recorded.journal.sent_since(self.recorded.number, since.unwrap_or(now), self.began)?;
        let age = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
        Ok(sent.into_iter().map(|(bucket, at)| (bucket, age(at))).collect())
    }

    /// How much more may be filed.
    fn filing(&self) -> Result<Filing, Error> {
        if !self.task.jobs.iter().any(|job| job.action.approvable) {
            return Ok(Filing::default());
        }
        let Some(account) = &self.daily.account else { return Ok(Filing::default()) };
        let open = self.recorded.journal.open_requests(&self.recorded.tenant)?;
        let book = self.recorded.journal.daily_book(&account.tenant, &account.rules)?;
        Ok(Filing::new(open, &account.rules, &book, self.clock.now()))
    }

    /// How jobs stand after a round, as `resume` would find them. For those that were chosen and not sent, what was chosen
    /// still holds.
    fn standing(
        &self,
        jobs: &[StoredJob],
        unsent: &[u32],
        (only, refile): (Only, bool),
    ) -> Result<HashMap<u32, Earlier>, Error> {
        let mut earlier = take_up(jobs, self.requests.only, self.requests.refile)?;
        for (index, stored) in unsent.iter().filter_map(|index| Some((*index, jobs.get(*index as usize)?))) {
            earlier.remove(&index);
            let one = take_up(std::slice::from_ref(stored), only, refile)?;
            earlier.extend(one.into_values().map(|one| (index, one)));
        }
        for (index, stored) in (0u32..).zip(jobs).filter(|(index, _)| self.requests.spared.contains(index)) {
            earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
        }
        Ok(earlier)
    }
}
