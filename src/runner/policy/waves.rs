//! A run in waves: what is sent now, what waits, and what stands between.
//!
//! In: a schedule, settlements, time. Out: jobs let into the queues wave by wave, a question, or a run that stops.
//! Must not: let a wave begin before the one before it has settled, has landed, has had its pause and its yes.

mod landing;

use tokio::sync::mpsc;
use tokio::time::Instant;

use self::landing::{Landing, LandingProgress};
use crate::guard::waves::{Schedule, WaveOfRun, length};
use crate::outcome::{Cause, DealtWith, Outcome, Tally};
use crate::runner::dialogue::{Admission, Announcement, Command, Door, Happened, Policy, QueuePlace, Then, Who};
use crate::runner::event::{Event, StopReason, WaveNews};
use crate::runner::job_state::{Item, JobState, WaitsFor};
use crate::runner::mailbox::{Mailbox, News};
use crate::runner::question::{WaveQuestion, WaveResult};
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, mail: &Mailbox) -> Waves {
    Waves {
        schedule: std::mem::take(&mut run.brakes.waves),
        current: None,
        left: 0,
        bad: Tally::default(),
        phase: Phase::Sending,
        between: run.history.between_waves,
        people: run.people.take(),
        mail: mail.clone(),
    }
}

/// Where a run in waves is.
#[derive(Debug)]
pub(super) struct Waves {
    schedule: Schedule,
    /// `None`: nothing has begun yet.
    current: Option<usize>,
    /// Jobs of the current wave that have not settled.
    left: u32,
    /// What went wrong in it.
    bad: Tally,
    phase: Phase,
    /// An earlier process ended before the wave before the first one here was seen to have landed.
    between: bool,
    people: Option<mpsc::UnboundedSender<WaveQuestion>>,
    mail: Mailbox,
}

#[derive(Debug)]
enum Phase {
    Sending,
    Landing(Landing),
    Pausing(Instant),
    Asking,
}

impl Policy for Waves {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::Began => self.first_wave(view, then),
            Happened::Turn => self.go_on(view, then),
            Happened::Settled { job, counted, sent_here, .. } => self.settled(*job, *counted, *sent_here),
            Happened::Announced(Announcement::Landed { job, stage }) => {
                if let Phase::Landing(landing) = &mut self.phase {
                    landing.told(*job, *stage);
                }
            }
            Happened::Announced(Announcement::InVain { job, who: Who::Wave, seen }) => {
                if let Phase::Landing(landing) = &mut self.phase {
                    landing.in_vain(*job, seen.clone());
                }
            }
            Happened::News(News::NextWave(yes)) => self.answered(*yes, view, then),
            Happened::Stopping => self.phase = Phase::Sending,
            _ => {}
        }
    }

    fn admit(&mut self, item: Item, door: Door, _view: &RunView) -> Admission {
        match door == Door::Queue && self.keeps(item.job) {
            true => Admission::Aside(WaitsFor::Wave),
            false => Admission::Go,
        }
    }

    fn wake(&self, _view: &RunView) -> Option<Instant> {
        match &self.phase {
            Phase::Pausing(until) => Some(*until),
            // What is followed up says by itself when.
            Phase::Sending | Phase::Landing(_) | Phase::Asking => None,
        }
    }

    fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking)
    }
}

impl Waves {
    /// Whether the job's wave has not come.
    fn keeps(&self, job: u32) -> bool {
        let wave = self.schedule.wave_of(job);
        wave < self.schedule.stages().len() && self.current.is_none_or(|current| wave > current)
    }

    /// A job has settled. What another process has sent is not held against the wave: the one who goes on has seen it.
    fn settled(&mut self, job: u32, outcome: Outcome, sent_here: bool) {
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

    fn stage(&self) -> Option<(usize, WaveOfRun)> {
        let current = self.current?;
        self.schedule.stages().get(current).map(|stage| (current, *stage))
    }

    fn of(&self) -> u32 {
        self.schedule.stages().len() as u32
    }

    /// `wave 2 of 4`
    fn name(&self, wave: usize) -> String {
        format!("wave {} of {}", wave + 1, self.of())
    }

    /// Lets the first wave in that has something to do. Where an earlier process ended before the wave before it
    /// was seen to have landed, that is waited for first.
    fn first_wave(&mut self, view: &RunView, then: &mut Then) {
        let Some(first) = self.wave_with_work(0, view) else { return };
        match first.checked_sub(1).filter(|_| self.between) {
            Some(before) => {
                self.current = Some(before);
                for job in self.schedule.range(before) {
                    if let Some(settled) = view.settlement(job) {
                        self.count(settled.outcome, DealtWith::Before);
                    }
                }
            }
            None => self.begin(first, view, then),
        }
    }

    /// The first wave from there on in which a job has not settled.
    fn wave_with_work(&self, from: usize, view: &RunView) -> Option<usize> {
        let waves = from..self.schedule.stages().len();
        waves.into_iter().find(|wave| self.unsettled(*wave, view).next().is_some())
    }

    fn unsettled(&self, wave: usize, view: &RunView) -> impl Iterator<Item = u32> {
        self.schedule.range(wave).filter(|job| view.settlement(*job).is_none())
    }

    fn begin(&mut self, wave: usize, view: &RunView, then: &mut Then) {
        let left = self.unsettled(wave, view).count() as u32;
        (self.current, self.left, self.bad, self.phase) = (Some(wave), left, Tally::default(), Phase::Sending);
        // A wave that is not let in yet has nothing in the queues.
        for job in 0..self.schedule.range(wave).end {
            if let JobState::Waiting(WaitsFor::Wave, next) = view.ledger.state(job) {
                then.push(Command::Queue(Item { job, next }, QueuePlace::Back));
            }
        }
        if self.of() > 1 {
            then.tell(Event::Wave(WaveNews::Began { wave: wave as u32 + 1, of: self.of(), jobs: left }));
        }
    }

    /// Goes on from one phase to the next, where it is time.
    fn go_on(&mut self, view: &RunView, then: &mut Then) {
        let Some((wave, stage)) = self.stage() else { return };
        if view.is_stopping() || view.ledger.open() == 0 {
            return;
        }
        match &self.phase {
            Phase::Sending if self.left > 0 || self.wave_with_work(wave + 1, view).is_none() => {}
            Phase::Sending => match self.trouble(wave, &stage) {
                Some(trouble) => self.ask_or_go_on(Some(trouble), view, then),
                None => self.wait_for_landing(view, then),
            },
            Phase::Landing(landing) => match landing.progress() {
                LandingProgress::Wait => {}
                LandingProgress::Landed => self.pause(view, then),
                LandingProgress::WentWrong => {
                    let trouble = self.not_landed(view);
                    then.push(Command::Announce(Announcement::Unfollow(Who::Wave)));
                    self.ask_or_go_on(Some(trouble), view, then);
                }
            },
            Phase::Pausing(until) if view.now >= *until => self.ask_or_go_on(None, view, then),
            Phase::Pausing(_) | Phase::Asking => {}
        }
    }

    fn trouble(&self, wave: usize, stage: &WaveOfRun) -> Option<String> {
        if self.bad.total() == 0 {
            return None;
        }
        let counts = Outcome::ALL.into_iter().filter(|outcome| self.bad.of(*outcome) > 0);
        let counts: Vec<_> = counts.map(|outcome| format!("{} {}", self.bad.of(outcome), outcome.name())).collect();
        Some(format!("{} did not go well: of its {}, {}", self.name(wave), jobs(stage.jobs), counts.join(", ")))
    }

    /// Follows up the jobs of the wave of which nothing has shown yet.
    fn wait_for_landing(&mut self, view: &RunView, then: &mut Then) {
        let Some((wave, stage)) = self.stage() else { return };
        let within = stage.conditions.within;
        let unseen = |job: &u32| {
            let seen = view.settlement(*job).and_then(|settled| settled.follow_up.as_ref());
            view.can_be_followed(*job) && !seen.is_some_and(|seen| seen.stage.has_landed())
        };
        let jobs: Vec<u32> = self.schedule.range(wave).filter(unseen).collect();
        let unseen = jobs.len() as u32;
        self.phase = Phase::Landing(Landing::new(unseen));
        if unseen == 0 {
            return self.pause(view, then);
        }
        for job in jobs {
            then.push(Command::Announce(Announcement::Follow { job, who: Who::Wave, within }));
        }
        let deadline = view.clock.at(view.now + within);
        then.tell(Event::Wave(WaveNews::Settled { wave: wave as u32 + 1, of: self.of(), unseen, within, deadline }));
    }

    fn not_landed(&self, view: &RunView) -> String {
        let Some((wave, stage)) = self.stage() else { return String::new() };
        let Phase::Landing(landing) = &self.phase else { return self.name(wave) };
        let trouble = landing.trouble();
        let have = if trouble.jobs == 1 { "has" } else { "have" };
        let what = match trouble.failed {
            true => format!("{have} come to nothing"),
            false => format!("{have} not landed within {}", length(stage.conditions.within)),
        };
        let mut text = format!("{}: {} of its {} {what}", self.name(wave), trouble.jobs, jobs(stage.jobs));
        if let Some((first, seen)) = trouble.first {
            let job = view.job(first);
            text.push_str(&format!(", {} in row {} among them", job.action.name, job.row));
            if let Some(seen) = seen.or_else(|| view.last_seen(first)) {
                text.push_str(&format!(" ({seen})"));
            }
        }
        text
    }

    fn pause(&mut self, view: &RunView, then: &mut Then) {
        let Some((wave, stage)) = self.stage() else { return };
        let pause = stage.conditions.pause;
        if pause.is_zero() {
            return self.ask_or_go_on(None, view, then);
        }
        let until = view.clock.at(view.now + pause);
        then.tell(Event::Wave(WaveNews::Pausing { wave: wave as u32 + 1, of: self.of(), pause, until }));
        self.phase = Phase::Pausing(view.now + pause);
    }

    /// A wave is over. Where the plan wants a question, a person decides; where no person is there, or nothing is to be
    /// asked, a wave that went wrong is the last one.
    fn ask_or_go_on(&mut self, trouble: Option<String>, view: &RunView, then: &mut Then) {
        let Some((wave, stage)) = self.stage() else { return };
        let Some(next) = self.wave_with_work(wave + 1, view) else { return };
        match (stage.conditions.ask, &self.people, trouble) {
            (true, Some(people), trouble) => {
                let (people, result) = (people.clone(), self.result(wave, next, trouble, view));
                then.tell(Event::Wave(WaveNews::Asking));
                // With nobody to take it, the question is dropped, and that is a no.
                let _ = people.send(WaveQuestion::new(result, self.mail.way_back(News::NextWave(false))));
                self.phase = Phase::Asking;
            }
            (_, _, Some(trouble)) => then.push(Command::Stop(StopReason::Policy(Cause::Wave, trouble.into()))),
            (true, None, None) => {
                let why = format!("{} has landed, and nobody is there to be asked", self.name(wave));
                then.push(Command::Stop(StopReason::Policy(Cause::Wave, why.into())));
            }
            (false, _, None) => self.begin(next, view, then),
        }
    }

    fn result(&self, wave: usize, next: usize, trouble: Option<String>, view: &RunView) -> WaveResult {
        let settled = self.schedule.range(wave).filter_map(|job| view.settlement(job));
        WaveResult {
            wave: wave as u32 + 1,
            of: self.of(),
            tally: settled.map(|settled| settled.outcome).collect(),
            trouble: trouble.map(String::into_boxed_str),
            next: self.unsettled(next, view).count() as u32,
        }
    }

    fn answered(&mut self, yes: bool, view: &RunView, then: &mut Then) {
        let Some((wave, _)) = self.stage().filter(|_| self.is_asking()) else { return };
        // An answer is given once.
        self.phase = Phase::Sending;
        match self.wave_with_work(wave + 1, view).filter(|_| yes) {
            Some(next) => self.begin(next, view, then),
            None => {
                let why = format!("nobody said yes after {}", self.name(wave));
                then.push(Command::Stop(StopReason::Policy(Cause::Wave, why.into())));
            }
        }
    }
}

/// `1 job`, `10 jobs`
fn jobs(count: u32) -> String {
    if count == 1 { "1 job".into() } else { format!("{count} jobs") }
}
