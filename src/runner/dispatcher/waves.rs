//! A run in waves: what is sent now, what waits, and what stands between.
//!
//! In: a schedule, settlements, time. Out: jobs let into the queues wave by wave, a question, or a run that drains.
//! Must not: let a wave begin before the one before it has settled, has landed, has had its pause and its yes.

use std::future::pending;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::super::event::{Event, StopReason, WaveNews};
use super::super::question::{Question, WaveResult};
use super::super::queue::Item;
use super::Dispatcher;
use super::following::Who;
use super::landing::{Landing, Progress};
use crate::catalog::Bucket;
use crate::guard::waves::{Schedule, Stage, length};
use crate::outcome::{DealtWith, Outcome, Tally};

/// Where a run in waves is.
pub(super) struct Waves {
    schedule: Schedule,
    /// `None`: nothing has begun yet.
    current: Option<usize>,
    /// Jobs of the current wave that have not settled.
    left: u32,
    /// What went wrong in it.
    bad: Tally,
    later: Vec<Vec<(Bucket, Item)>>,
    pub(super) phase: Phase,
    people: Option<mpsc::UnboundedSender<Question>>,
}

#[derive(Debug)]
pub(super) enum Phase {
    Sending,
    Landing(Landing),
    Pausing(Instant),
    Asking(oneshot::Receiver<bool>),
}

impl Waves {
    pub fn new(schedule: Schedule, people: Option<mpsc::UnboundedSender<Question>>) -> Self {
        let later = schedule.stages().iter().map(|_| Vec::new()).collect();
        Self { schedule, current: None, left: 0, bad: Tally::default(), later, phase: Phase::Sending, people }
    }

    /// Whether the job's wave has not come.
    pub fn keeps(&self, job: u32) -> bool {
        let wave = self.schedule.wave_of(job);
        wave < self.later.len() && self.current.is_none_or(|current| wave > current)
    }

    pub fn keep(&mut self, bucket: Bucket, item: Item) {
        let wave = self.schedule.wave_of(item.job);
        if let Some(later) = self.later.get_mut(wave) {
            later.push((bucket, item));
        }
    }

    /// A job has settled. What another process has sent is not held against the wave: whoever goes on has seen it.
    pub fn settled(&mut self, job: u32, outcome: Outcome, sent_here: bool) {
        if self.current != Some(self.schedule.wave_of(job)) {
            return;
        }
        self.left = self.left.saturating_sub(1);
        self.count(outcome, if sent_here { DealtWith::SentHere } else { DealtWith::Here });
    }

    fn count(&mut self, outcome: Outcome, by: DealtWith) {
        if outcome.spoils_a_wave(by) {
            self.bad.count(outcome);
        }
    }

    /// When to look again.
    pub fn wake(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Pausing(until) => Some(*until),
            // What is followed up says by itself when.
            Phase::Sending | Phase::Landing(_) | Phase::Asking(_) => None,
        }
    }

    pub fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking(_))
    }

    /// What somebody says, once somebody is asked. Nobody left to say it is a no.
    pub async fn answer(&mut self) -> bool {
        match &mut self.phase {
            Phase::Asking(answer) => answer.await.unwrap_or(false),
            _ => pending().await,
        }
    }

    /// Everything that waits, for a run that is ending.
    pub fn give_up(&mut self) -> Vec<Item> {
        self.phase = Phase::Sending;
        self.later.iter_mut().flat_map(std::mem::take).map(|(_, item)| item).collect()
    }

    fn stage(&self) -> Option<(usize, Stage)> {
        let current = self.current?;
        self.schedule.stages().get(current).map(|stage| (current, *stage))
    }

    /// `wave 2 of 4`
    fn name(&self, wave: usize) -> String {
        format!("wave {} of {}", wave + 1, self.schedule.stages().len())
    }

    fn trouble(&self, wave: usize, stage: &Stage) -> Option<String> {
        if self.bad.total() == 0 {
            return None;
        }
        let counts = Outcome::ALL.into_iter().filter(|outcome| self.bad.of(*outcome) > 0);
        let counts: Vec<_> = counts.map(|outcome| format!("{} {}", self.bad.of(outcome), outcome.name())).collect();
        Some(format!("{} did not go well: of its {}, {}", self.name(wave), jobs(stage.jobs), counts.join(", ")))
    }
}

/// `1 job`, `10 jobs`
pub(super) fn jobs(count: u32) -> String {
    if count == 1 { "1 job".into() } else { format!("{count} jobs") }
}

impl Dispatcher {
    /// Lets the first wave in that has something to do. `between`: an earlier process ended before the wave before it
    /// was seen to have landed, so that is looked at first.
    pub(super) fn first_wave(&mut self, between: bool) {
        let Some(first) = self.wave_with_work(0) else { return };
        match first.checked_sub(1).filter(|_| between) {
            Some(before) => {
                self.waves.current = Some(before);
                for job in self.waves.schedule.range(before) {
                    if let Some(settled) = self.ledger.settlement(job) {
                        self.waves.count(settled.outcome, DealtWith::Before);
                    }
                }
            }
            None => self.begin_wave(first),
        }
    }

    /// The first wave from there on in which a job has not settled.
    fn wave_with_work(&self, from: usize) -> Option<usize> {
        let waves = from..self.waves.schedule.stages().len();
        waves.into_iter().find(|wave| self.unsettled(*wave) > 0)
    }

    fn unsettled(&self, wave: usize) -> u32 {
        let range = self.waves.schedule.range(wave);
        range.filter(|job| self.ledger.settlement(*job).is_none()).count() as u32
    }

    fn begin_wave(&mut self, wave: usize) {
        let left = self.unsettled(wave);
        let waves = &mut self.waves;
        (waves.current, waves.left, waves.bad, waves.phase) = (Some(wave), left, Tally::default(), Phase::Sending);
        let of = waves.schedule.stages().len() as u32;
        // A wave that is not let in yet has nothing in the queues.
        for (bucket, item) in waves.later.iter_mut().take(wave + 1).flat_map(std::mem::take) {
            self.queues.push_back(bucket, item);
        }
        if of > 1 {
            self.tell(Event::Wave(WaveNews::Began { wave: wave as u32 + 1, of, jobs: left }));
        }
    }

    /// Goes on from one phase to the next, where it is time. Whether it did.
    pub(super) fn mind_the_waves(&mut self, now: Instant) -> bool {
        let Some((wave, stage)) = self.waves.stage() else { return false };
        match &self.waves.phase {
            Phase::Sending if self.waves.left > 0 || self.wave_with_work(wave + 1).is_none() => return false,
            Phase::Sending => match self.waves.trouble(wave, &stage) {
                Some(trouble) => self.ask_or_go_on(Some(trouble)),
                None => self.wait_for_landing(wave, stage, now),
            },
            Phase::Landing(landing) => match landing.progress() {
                Progress::Wait => return false,
                Progress::Landed => self.pause_after(wave, stage, now),
                Progress::WentWrong => {
                    let trouble = self.not_landed(wave, stage);
                    self.following.leave_all(Who::Wave);
                    self.ask_or_go_on(Some(trouble));
                }
            },
            Phase::Pausing(until) if now >= *until => self.ask_or_go_on(None),
            Phase::Pausing(_) | Phase::Asking(_) => return false,
        }
        true
    }

    fn wait_for_landing(&mut self, wave: usize, stage: Stage, now: Instant) {
        let within = stage.conditions.within;
        let unseen = self.begin_landing(self.waves.schedule.range(wave), within, now);
        if unseen == 0 {
            return self.pause_after(wave, stage, now);
        }
        let of = self.waves.schedule.stages().len() as u32;
        self.tell(Event::Wave(WaveNews::Settled {
            wave: wave as u32 + 1,
            of,
            unseen,
            within,
            deadline: self.clock.at(now + within),
        }));
    }

    fn not_landed(&self, wave: usize, stage: Stage) -> String {
        let Phase::Landing(landing) = &self.waves.phase else { return self.waves.name(wave) };
        let (count, failed, first) = landing.trouble();
        let have = if count == 1 { "has" } else { "have" };
        let what = match failed {
            true => format!("{have} come to nothing"),
            false => format!("{have} not landed within {}", length(stage.conditions.within)),
        };
        let mut text = format!("{}: {count} of its {} {what}", self.waves.name(wave), jobs(stage.jobs));
        if let Some(first) = first {
            let job = &self.jobs[first as usize];
            text.push_str(&format!(", {} in row {} among them", job.action.name, job.row));
            if let Some(words) = self.last_seen(first) {
                text.push_str(&format!(" ({words})"));
            }
        }
        text
    }

    fn pause_after(&mut self, wave: usize, stage: Stage, now: Instant) {
        let pause = stage.conditions.pause;
        if pause.is_zero() {
            return self.ask_or_go_on(None);
        }
        let of = self.waves.schedule.stages().len() as u32;
        let until = self.clock.at(now + pause);
        self.tell(Event::Wave(WaveNews::Pausing { wave: wave as u32 + 1, of, pause, until }));
        self.waves.phase = Phase::Pausing(now + pause);
    }

    /// A wave is over. Where the plan wants to be asked, somebody decides; where nobody is there, or nothing is to be
    /// asked, a wave that went wrong is the last one.
    fn ask_or_go_on(&mut self, trouble: Option<String>) {
        let Some((wave, stage)) = self.waves.stage() else { return };
        let Some(next) = self.wave_with_work(wave + 1) else { return };
        match (stage.conditions.ask, self.waves.people.clone(), trouble) {
            (true, Some(people), trouble) => self.ask(wave, next, trouble, &people),
            (_, _, Some(trouble)) => self.drain(StopReason::Wave(trouble.into())),
            (true, None, None) => {
                let why = format!("{} has landed, and nobody is there to be asked", self.waves.name(wave));
                self.drain(StopReason::Wave(why.into()));
            }
            (false, _, None) => self.begin_wave(next),
        }
    }

    fn ask(&mut self, wave: usize, next: usize, trouble: Option<String>, people: &mpsc::UnboundedSender<Question>) {
        let (answer, answered) = oneshot::channel();
        let range = self.waves.schedule.range(wave);
        let of = self.waves.schedule.stages().len() as u32;
        let result = WaveResult {
            wave: wave as u32 + 1,
            of,
            tally: range.filter_map(|job| self.ledger.settlement(job)).map(|settled| settled.outcome).collect(),
            trouble: trouble.map(String::into_boxed_str),
            next: self.unsettled(next),
        };
        self.tell(Event::Wave(WaveNews::Asking));
        // Nobody to take the question drops the way back, and that is a no.
        let _ = people.send(Question { result, answer });
        self.waves.phase = Phase::Asking(answered);
    }

    pub(super) fn answered_by_somebody(&mut self, yes: bool) {
        let Some((wave, _)) = self.waves.stage() else { return };
        // An answer is given once.
        self.waves.phase = Phase::Sending;
        match self.wave_with_work(wave + 1).filter(|_| yes) {
            Some(next) => self.begin_wave(next),
            None => {
                let why = format!("nobody said yes after {}", self.waves.name(wave));
                self.drain(StopReason::Wave(why.into()));
            }
        }
    }
}
