//! The dispatcher: owns every job's state, decides what leaves when, and settles each job once.
//!
//! In: answers from workers, requests to stop, time. Out: tasks to idle workers, events, settlements.
//! Must not: perform attempts, or do anything that blocks; its loop is the pulse of the run.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::looking::Looked;
use super::event::{Event, StopReason};
use super::executor::Executor;
use super::guards::Guards;
use super::ledger::Ledger;
use super::queue::{Item, Queues, Step};
use super::shutdown::StopRequest;
use super::worker::{Done, Recorded, Task, Worker};
use super::{Carried, Ended, Limits, Run};
use crate::catalog::Bucket;
use crate::clock::Clock;
use crate::daily::LeftToday;
use crate::daily::Suspicion;
use crate::guard::breaker::Breaker;
use crate::guard::filing::Filing;
use crate::guard::lookout::Lookout;
use crate::job::Job;
use crate::journal::Recorder;
use crate::outcome::{Cause, Ending, Outcome, RequestId, Settlement};
use crate::pacing::crowd::Crowd;
use crate::pacing::pause::Pause;
use crate::pacing::{Gates, Pacing, Wait};

mod absence;
mod answers;
mod approved;
mod braking;
mod days;
mod failed_reads;
mod filing;
mod follow_ups;
mod following;
mod guarding;
mod landing;
mod leaving;
mod looking;
mod rivals;
mod start;
mod steps;
mod stopping;
mod waves;
mod witnesses;

use self::absence::Shown;
use self::following::{Following, Who};
use self::rivals::Rivals;
use self::waves::Waves;
use self::witnesses::Witnesses;

/// Answers taken in one go.
const BATCH: usize = 256;

pub struct Dispatcher {
    jobs: Arc<[Job]>,
    limits: Limits,
    clock: Clock,
    rng: Rng,
    ledger: Ledger,
    queues: Queues,
    left_today: LeftToday,
    lookout: Lookout,
    guards: Guards,
    looked: Looked,
    gates: Gates,
    crowd: Crowd,
    /// Accepted jobs that somebody waits for.
    following: Following,
    /// How many steps people were told are waiting for those.
    steps_told: u32,
    /// When the process began, so that what it has accepted itself is known.
    began: Timestamp,
    /// Steps that wait for the job of the key.
    next_steps: HashMap<u32, Vec<u32>>,
    /// Steps that an earlier process has sent, so that they wait for nothing.
    taken_up: HashSet<u32>,
    workers: Vec<Worker>,
    /// Starts the worker of that number, at first and in place of one that has ended.
    start_worker: Box<dyn Fn(usize) -> Worker + Send>,
    idle: Vec<usize>,
    /// What may leave, and waits for one of them.
    ready: VecDeque<Task>,
    /// The way back for attempts that are being recorded.
    recording: mpsc::UnboundedSender<Recorded>,
    recorded: mpsc::UnboundedReceiver<Recorded>,
    being_recorded: usize,
    /// Everything on its way, from the gate to the answer.
    in_flight: HashMap<u32, Step>,
    done: mpsc::UnboundedReceiver<Done>,
    events: mpsc::UnboundedSender<Event>,
    host: Host,
    breaker: Breaker,
    suspicion: Suspicion,
    witnesses: Witnesses,
    waves: Waves,
    rivals: Rivals,
    stopped: Option<StopReason>,
    journal: Option<Recorder>,
    /// How jobs stood that an earlier process saw fail, for as long as this one has not sent them.
    failed: HashMap<u32, Settlement>,
    /// Those of them that this one has left as they were.
    unsent: Vec<u32>,
    /// How many approval requests may be open.
    filing: Filing,
    shown: Shown,
    /// Jobs whose deed a run before has done.
    done_before: HashSet<u32>,
}

/// Whether the host answers at all.
#[derive(Debug, Default)]
struct Host {
    pause: Pause,
    answered_once: bool,
    away_since: Option<Instant>,
}

impl Dispatcher {
    pub fn new<E: Executor>(run: Run, executor: Arc<E>, events: mpsc::UnboundedSender<Event>) -> Self {
        let Run { jobs, holds, limits, gates, daily, brakes, people, clock, rng, lookout, guards, history, verify } =
            run;
        gates.begin(&history.recent, Instant::now());
        let (report, done) = mpsc::unbounded_channel();
        let (recording, recorded) = mpsc::unbounded_channel();
        let count = usize::from(limits.concurrency).min(jobs.len()).max(1);
        let start_worker = {
            let jobs = Arc::clone(&jobs);
            move |number| Worker::start(number, Arc::clone(&jobs), Arc::clone(&executor), report.clone())
        };
        let workers: Vec<_> = (0..count).map(&start_worker).collect();
        let fresh = || Carried::new(brakes.stop_when);
        let Carried { breaker, suspicion, agreement } = history.carried.unwrap_or_else(fresh);
        let crowd = Crowd::new(limits.concurrency, gates.pacing() != Pacing::Off);
        let mut dispatcher = Self {
            ledger: Ledger::new(jobs.len(), clock.clone()),
            queues: Queues::new(Arc::clone(&jobs)),
            left_today: LeftToday::new(daily),
            lookout: lookout.sparing(guards.now.protected.clone()),
            guards,
            looked: Looked::new(),
            gates,
            crowd,
            following: Following::default(),
            steps_told: 0,
            began: clock.now(),
            next_steps: HashMap::new(),
            taken_up: HashSet::new(),
            idle: (0..count).rev().collect(),
            workers,
            start_worker: Box::new(start_worker),
            ready: VecDeque::new(),
            recording,
            recorded,
            being_recorded: 0,
            in_flight: HashMap::new(),
            host: Host::default(),
            breaker,
            suspicion,
            witnesses: Witnesses::new(agreement),
            waves: Waves::new(brakes.waves, people),
            rivals: Rivals::new(),
            stopped: None,
            journal: history.journal,
            filing: history.filing,
            shown: Shown::new(history.shown),
            done_before: history.done_before,
            failed: HashMap::new(),
            unsent: Vec::new(),
            jobs,
            limits,
            clock,
            rng,
            done,
            events,
        };
        dispatcher.take_in(&holds, history.earlier);
        dispatcher.first_wave(history.between_waves);
        if let Some(within) = verify {
            dispatcher.verify(within);
        }
        dispatcher
    }

    pub async fn run(mut self, mut stop: mpsc::UnboundedReceiver<StopRequest>) -> Ended {
        let (mut batch, mut records) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut listening = true;
        loop {
            self.clock.catch_up();
            let now = Instant::now();
            self.queues.wake(now);
            self.mind_the_days(now);
            self.mind_the_follow_ups(now);
            self.mind_the_witnesses(false, now);
            while self.mind_the_brakes(now) {}
            let wakes = [self.dispatch(now), self.next_day(now), self.waves.wake(), self.following.wake()];
            let wake = wakes.into_iter().flatten().min();
            self.hand_out();
            if self.leave_for_another_day(now) {
                continue;
            }
            if self.ledger.open() == 0 && self.following.wanted_by(Who::Verify) == 0 {
                break;
            }
            let is_asking = self.waves.is_asking() || self.rivals.are_asked() || self.guards.are_asked();
            if self.in_flight.is_empty() && wake.is_none() && !is_asking {
                match self.mind_the_witnesses(true, now) || self.mind_the_brakes(now) {
                    true => continue,
                    false => break,
                }
            }
            tokio::select! {
                biased;
                request = stop.recv(), if listening => match request {
                    Some(StopRequest::Interrupt) if self.stopped.is_some() => { self.abandon(); break }
                    Some(StopRequest::Interrupt | StopRequest::Terminate) => self.drain(StopReason::Interrupted),
                    Some(StopRequest::Stop) => self.drain(StopReason::Requested),
                    Some(StopRequest::JournalFailed(why)) => self.drain(StopReason::Journal(why)),
                    None => listening = false,
                },
                _ = self.done.recv_many(&mut batch, BATCH) => batch.drain(..).for_each(|done| self.answered(done)),
                _ = self.recorded.recv_many(&mut records, BATCH) => records.drain(..).for_each(|one| self.recorded(one)),
                Some((job, word)) = self.rivals.told() => self.told_of_rivals(job, word),
                answer = self.guards.told() => self.guards_say(answer),
                yes = self.waves.answer() => self.answered_by_somebody(yes),
                () = sleep_until(wake.map(|at| now + self.clock.step(at.saturating_duration_since(now)))) => {}
            }
        }
        self.leave_the_rest();
        self.tell(Event::Finished);
        for (job, trouble) in self.following.troubles() {
            self.ledger.remark(job, trouble);
        }
        let used = Bucket::all().map(|bucket| self.gates.used(bucket)).filter(|used| used.sent > 0).collect();
        let Self { stopped, journal, shown, guards, .. } = self;
        let (later, unsent) = (self.left_today.later, self.unsent);
        let (suspicion, agreement) = (self.suspicion, self.witnesses.agreement());
        let carried = Carried { breaker: self.breaker.next_round(), suspicion, agreement };
        Ended {
            settlements: self.ledger.close(),
            stopped,
            later,
            unsent,
            journal,
            used,
            carried,
            guards,
            shown: shown.into_jobs(),
        }
    }

    /// Gives work to idle workers for as long as gates let it through. Returns when to look again.
    fn dispatch(&mut self, now: Instant) -> Option<Instant> {
        let mut wake = self.queues.next_due();
        if let Some(until) = self.host.pause.until().filter(|until| *until > now) {
            let waiting = Bucket::all().any(|bucket| self.has_waiting(bucket));
            return if waiting { earlier(wake, until) } else { wake };
        }
        for bucket in Bucket::all() {
            while self.may_send_more() && self.may_work(bucket, now) && self.step(bucket, now, &mut wake) {}
            if let Some(permille) = self.gates.news(bucket) {
                self.tell(Event::Paced { bucket, permille });
            }
        }
        // A gate may have put something off meanwhile.
        self.queues.next_due().map_or(wake, |due| earlier(wake, due))
    }

    /// Does one thing for a bucket, if a gate lets it through.
    fn step(&mut self, bucket: Bucket, now: Instant, wake: &mut Option<Instant>) -> bool {
        for gate in self.next_gates(bucket, now).into_iter().flatten() {
            match self.gates.pass(gate, now) {
                Ok(()) => self.send_next(bucket, gate, now),
                Err(Wait::Until(at)) => {
                    *wake = earlier(*wake, at);
                    continue;
                }
                Err(Wait::Closed { asked }) if gate != bucket => self.close_looks(bucket, gate, asked, now),
                Err(Wait::Closed { asked }) => self.close_bucket(bucket, asked, now),
            }
            return true;
        }
        false
    }

    /// Performs the next step of a bucket. `gate` is the bucket that has let it through: its own, or that of a look.
    fn send_next(&mut self, bucket: Bucket, gate: Bucket, now: Instant) {
        let next = self.take_next(bucket, gate).filter(|item| self.is_still_wanted(*item, now));
        let Some(item) = next.filter(|item| self.through_the_read_gate(bucket, *item, now)) else {
            return self.gates.never_left(gate);
        };
        self.no_longer_fed(item);
        self.in_flight.insert(item.job, item.step);
        if matches!(item.step, Step::Look | Step::Send) {
            self.put_at_risk(item.job);
        }
        self.leave_by(item.job, item.step, self.clock.at(now));
    }

    /// What has settled is never sent, whatever put it here; nobody follows up what nobody waits for.
    fn is_still_wanted(&mut self, item: Item, now: Instant) -> bool {
        match item.step {
            Step::FollowUp => self.may_follow_up(item.job, now),
            _ if self.ledger.settlement(item.job).is_some() => false,
            Step::Send | Step::Look => match self.keeps_back(item.job, now) {
                None => true,
                Some(why) => {
                    self.keep_back(item.job, why, now);
                    false
                }
            },
            _ => true,
        }
    }

    fn fresh_id(&mut self) -> RequestId {
        let bytes = std::array::from_fn(|_| self.rng.u8(..));
        uuid::Builder::from_random_bytes(bytes).into_uuid().into()
    }

    /// Settles everything that waits in a bucket that was told to wait beyond reason.
    fn close_bucket(&mut self, bucket: Bucket, asked: Duration, now: Instant) {
        let why = Cause::ServiceSaidWait.with(format!("{bucket} to wait {} s", asked.as_secs()));
        for item in self.take_waiting(bucket) {
            if item.step == Step::FollowUp {
                self.not_followed(item.job, why.note(), now);
                continue;
            }
            let in_doubt = self.ledger.progress(item.job).is_in_doubt();
            self.end(item.job, why.clone().unless_in_doubt(in_doubt), now);
        }
    }

    /// Settles a job that was sent, or that nothing had to be done for.
    fn settle(&mut self, job: u32, outcome: Outcome, note: Option<String>, now: Instant) {
        self.end(job, Ending::settled(outcome, note), now);
    }

    /// Settles a job.
    fn end(&mut self, job: u32, ending: impl Into<Ending>, now: Instant) {
        let ending = self.unless_still_approved(job, ending.into());
        let outcome = ending.outcome();
        if let (Outcome::NotAttempted, Some(failed)) = (outcome, self.failed.remove(&job)) {
            return self.stays_failed(job, failed, now);
        }
        let at_risk = self.ledger.is_at_risk(job);
        if !self.ledger.settle(job, ending, now) {
            return;
        }
        self.waves.settled(job, outcome, at_risk);
        self.tell_the_breaker(job, at_risk);
        if let (Some(journal), Some(settlement)) = (&self.journal, self.ledger.settlement(job)) {
            journal.settled(job, settlement);
        }
        self.tell(Event::Settled { job, outcome });
        self.go_on_after(job, outcome, now);
    }

    /// A job that an earlier process saw fail was not sent again after all.
    fn stays_failed(&mut self, job: u32, failed: Settlement, now: Instant) {
        let outcome = failed.outcome;
        // Where its attempt was recorded and withdrawn, the journal has taken it for open.
        if let Some(journal) = &self.journal {
            journal.settled(job, &failed);
        }
        self.ledger.keep(job, failed);
        self.unsent.push(job);
        self.waves.settled(job, Outcome::NotAttempted, false);
        self.tell(Event::Settled { job, outcome });
        self.go_on_after(job, outcome, now);
    }

    /// Nobody listening is no reason to stop.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

fn earlier(wake: Option<Instant>, at: Instant) -> Option<Instant> {
    Some(wake.map_or(at, |wake| wake.min(at)))
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
