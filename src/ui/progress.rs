//! How far a run is: state fed by events, and the line that shows it. Pure.
//!
//! In: events, and the time since the run started. Out: a line, and messages that belong above it.
//! Must not: read a clock, draw, or keep anything for each job.

use std::time::Duration;

use jiff::Timestamp;

use super::stopping::{abandoned, draining};
use super::style::{BAD, OPEN, paint};
use super::text::{count, count_of, duration, rate};
use super::verifying::Verifying;
use super::waits::Waits;
use super::{days, waves};
use crate::catalog::{Bucket, Budget};
use crate::daily::Ground;
use crate::moment::{moment, time_of_day};
use crate::outcome::{Outcome, Standing, Tally};
use crate::runner::event::{Event, WaveNews};
use crate::text::visible;

/// Seconds over which the rate is taken.
const WINDOW: usize = 10;

/// A shorter wait for another day's room is not told.
const WORTH_A_WORD: Duration = Duration::from_secs(60);

/// How often a line is worth its place at night, and between looks at devices.
const NIGHT: Duration = Duration::from_secs(15 * 60);
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);

/// Nobody sends in a bucket until then.
#[derive(Debug, Clone, Copy)]
struct BucketPause {
    ends: Duration,
    until: Timestamp,
}

/// What the long line says and the short one leaves out.
struct Words {
    done: &'static str,
    allowed: &'static str,
    slowed: &'static str,
    until: &'static str,
    lost: Option<&'static str>,
    again: &'static str,
    about: &'static str,
}

/// Whether nothing was sent for a row.
fn is_unsent(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Held | Outcome::NotAttempted)
}

/// The state of a run as events tell it.
#[derive(Debug, Clone)]
pub(super) struct RunProgress {
    /// `None`: nothing is paced.
    budget: Option<Budget>,
    jobs: u32,
    /// Rows that were held, not due or left to others before the first send.
    left_out: u32,
    tally: Tally,
    /// Sends of the last seconds: each slot holds a second's number and its sends.
    sends: [(u64, u32); WINDOW],
    /// Buckets in which something was sent.
    used: [bool; Bucket::COUNT],
    pauses: [Option<BucketPause>; Bucket::COUNT],
    /// How much of each allowance the pace uses, in thousandths.
    pace: [u16; Bucket::COUNT],
    /// Time in which buckets paused because of throttle answers.
    lost: Duration,
    /// Actions that wait for another day, and when that begins.
    days: Vec<(&'static str, BucketPause)>,
    waits: Waits,
    /// What a run in waves waits for, if it does.
    between_waves: Option<Box<str>>,
    /// Steps that wait until the one before them was seen to have happened.
    steps_wait: u32,
    /// Nothing is sent any more; what was accepted is followed up.
    verifying: Option<Verifying>,
    stopping: bool,
}

impl RunProgress {
    pub(crate) fn new(budget: Option<Budget>) -> Self {
        Self {
            budget,
            jobs: 0,
            left_out: 0,
            tally: Tally::default(),
            sends: [(0, 0); WINDOW],
            used: [false; Bucket::COUNT],
            pauses: [None; Bucket::COUNT],
            pace: [1_000; Bucket::COUNT],
            lost: Duration::ZERO,
            days: Vec::new(),
            waits: Waits::default(),
            between_waves: None,
            steps_wait: 0,
            verifying: None,
            stopping: false,
        }
    }

    /// Takes one event in, `now` after the start. Out comes what a person should be told at once, if anything.
    pub(crate) fn apply(&mut self, event: &Event, now: Duration) -> Option<String> {
        match event {
            Event::Started { jobs, .. } => self.jobs = *jobs,
            Event::Sent { bucket, .. } => self.sent(*bucket, now),
            Event::Settled { outcome, .. } => self.settled(*outcome),
            Event::Paused { bucket, pause, until } => return self.paused(*bucket, *pause, *until, now),
            Event::DayUsedUp { action, wait, until, ground } => {
                return self.day_used_up(action, *ground, BucketPause { ends: now + *wait, until: *until }, now);
            }
            Event::Paced { bucket, permille } => self.pace[bucket.index()] = *permille,
            Event::Unreachable { delay, message } => {
                return Some(format!("{}; next attempt in {}", visible(message), duration(*delay)));
            }
            Event::Draining { in_flight, reason } => {
                self.stopping = true;
                return Some(draining(*in_flight, reason));
            }
            Event::Wave(news) => return self.between_waves(news),
            Event::StepsWait { steps } => self.steps_wait = *steps,
            Event::Verifying { jobs, until } => {
                self.verifying = Some(Verifying::new(*jobs, *until));
                return Some(format!("checking {}", count_of(*jobs, "accepted job"))).filter(|_| *jobs > 0);
            }
            Event::FollowedUp { stage, .. } => {
                self.verifying.iter_mut().for_each(|verifying| verifying.followed_up(*stage));
            }
            Event::Abandoned { in_flight } => return Some(abandoned(*in_flight)),
            Event::Retrying { delay, .. } => self.waits.add(*delay, now),
            Event::Finished => {}
        }
        None
    }

    fn settled(&mut self, outcome: Outcome) {
        self.tally.count(outcome);
        let has_begun = self.stopping || self.used.contains(&true);
        if !has_begun && is_unsent(outcome) {
            self.left_out += 1;
        }
    }

    /// Rows that have settled, and not because nothing was sent; of a verification, accepted ones that are told.
    pub(crate) fn done(&self) -> u32 {
        self.verifying.as_ref().map_or_else(|| self.tally.total().saturating_sub(self.unsent()), Verifying::told)
    }

    /// Rows of the plan without those that were left out before the first send; of a verification, accepted ones.
    pub(crate) fn total(&self) -> u32 {
        self.verifying.as_ref().map_or(self.jobs.saturating_sub(self.left_out), |verifying| verifying.jobs)
    }

    /// Rows that have settled without a send.
    fn unsent(&self) -> u32 {
        self.tally.of(Outcome::Held) + self.tally.of(Outcome::NotAttempted)
    }

    /// Rows that have not settled.
    fn left(&self) -> u32 {
        self.jobs.saturating_sub(self.tally.total())
    }

    /// Sends a second, of late.
    pub(crate) fn rate(&self, now: Duration) -> f64 {
        let second = now.as_secs();
        let recent = self.sends.iter().filter(|(at, _)| at + (WINDOW as u64) > second);
        let sends: u32 = recent.map(|(_, sends)| sends).sum();
        // The current second has only begun: the window is as long as what it covers, and not shorter than a second.
        let past = (WINDOW as f64 - 1.0) + f64::from(now.subsec_millis()) / 1_000.0;
        f64::from(sends) / now.as_secs_f64().min(past).max(1.0)
    }

    /// Sends a second that the allowances of the buckets in use make possible.
    pub(crate) fn allowed(&self) -> Option<f64> {
        self.sum(|_| 1.0)
    }

    /// The same at the pace that is kept now, because others are there too.
    fn paced(&self) -> Option<f64> {
        self.sum(|bucket| f64::from(self.pace[bucket.index()]) / 1_000.0)
    }

    fn sum(&self, share: impl Fn(Bucket) -> f64) -> Option<f64> {
        let budget = self.budget?;
        let buckets = Bucket::all().filter(|bucket| self.used[bucket.index()]);
        buckets.map(|bucket| budget.allowance(bucket).per_second() * share(bucket)).reduce(|sum, more| sum + more)
    }

    /// Time to the end: what is left at the rate so far, pauses and all, and never less than the pause that is on and
    /// the rest at the pace that is kept now.
    fn remaining(&self, now: Duration) -> Option<Duration> {
        let left = f64::from(self.left());
        let sent = f64::from(self.done());
        let pause = self.pause(now).map_or(Duration::ZERO, |pause| pause.ends.saturating_sub(now));
        let at_this_pace = self.paced().map(|paced| left / paced + pause.as_secs_f64());
        let at_this_rate = (sent > 0.0).then(|| left * now.as_secs_f64() / sent);
        let (waiting, wait) = self.waits.left(now);
        if f64::from(waiting) >= left && waiting > 0 {
            return Some(wait);
        }
        let longer = at_this_pace.into_iter().chain(at_this_rate).reduce(f64::max)?;
        Duration::try_from_secs_f64(longer.max(wait.as_secs_f64())).ok()
    }

    /// `1,240/5,000 done, 4.7/s of 10/s allowed, slowed to 4.8/s, 3 failed, paused until 07:12:31 UTC, 40 s lost to
    /// pauses, about 14 min left`.
    pub(crate) fn line(&self, now: Duration, styled: bool) -> String {
        self.facts(
            now,
            styled,
            &Words {
                done: " done",
                allowed: " allowed",
                slowed: "slowed to ",
                until: "paused until",
                lost: Some(" lost to pauses"),
                again: " before their next attempt or read",
                about: "about ",
            },
        )
    }

    /// The same beside a bar, where it has to fit 80 columns:
    /// `1,240/5,000, 9.7/s of 10/s, 3 failed, paused to 07:12:31 UTC, 6 min left`.
    pub(super) fn short_line(&self, now: Duration, styled: bool) -> String {
        self.facts(
            now,
            styled,
            &Words { done: "", allowed: "", slowed: "slowed ", until: "paused to", lost: None, again: "", about: "" },
        )
    }

    fn facts(&self, now: Duration, styled: bool, words: &Words) -> String {
        if let Some(verifying) = &self.verifying {
            return self.verified(verifying, now, styled, words);
        }
        let mut facts = vec![format!("{}/{}{}", count(self.done()), count(self.total()), words.done)];
        if let Some(allowed) = self.allowed() {
            facts.push(format!("{}/s of {}/s{}", rate(self.rate(now)), rate(allowed), words.allowed));
            if let Some(paced) = self.paced().filter(|paced| *paced < allowed * 0.99 && self.pause(now).is_none()) {
                facts.push(paint(styled, OPEN, &format!("{}{}/s", words.slowed, rate(paced))));
            }
        } else if self.used.contains(&true) {
            facts.push(format!("{}/s", rate(self.rate(now))));
        }
        let failed = self.tally.of(Outcome::Failed);
        if failed > 0 {
            facts.push(paint(styled, BAD, &format!("{} failed", count(failed))));
        }
        let not_found = self.tally.of(Outcome::NotFound);
        if not_found > 0 {
            facts.push(paint(styled, BAD, &format!("{} not found", count(not_found))));
        }
        let held = self.unsent().saturating_sub(self.left_out);
        if held > 0 {
            facts.push(paint(styled, OPEN, &format!("{} not sent", count(held))));
        }
        let open = self.tally.standing(Standing::Open).saturating_sub(self.tally.of(Outcome::NotAttempted));
        if open > 0 {
            facts.push(paint(styled, OPEN, &format!("{} open", count(open))));
        }
        if let Some(pause) = self.pause(now) {
            facts.push(paint(styled, OPEN, &format!("{} {}", words.until, time_of_day(pause.until))));
        }
        let day = self.day(now).filter(|_| self.left() > 0);
        if let Some((action, pause)) = day {
            facts.push(paint(styled, OPEN, &format!("{action} waits until {}", moment(pause.until))));
        }
        if self.steps_wait > 0 && !self.stopping {
            let (wait, before) = match self.steps_wait {
                1 => ("step waits", "the one before it"),
                _ => ("steps wait", "those before them"),
            };
            facts.push(paint(styled, OPEN, &format!("{} {wait} for {before}", count(self.steps_wait))));
        }
        let (waiting, wait) = self.waits.left(now);
        if waiting > 0 && !self.stopping {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            let fact = format!("{} {verb} up to {}{}", count(waiting), duration(wait), words.again);
            facts.push(paint(styled, OPEN, &fact));
        }
        if let Some(lost) = words.lost.filter(|_| !self.lost.is_zero()) {
            facts.push(format!("{}{lost}", duration(self.lost)));
        }
        match (self.stopping, self.left() > 0 && day.is_none(), self.remaining(now)) {
            (true, ..) => facts.push(paint(styled, OPEN, "stopping")),
            (false, true, _) if self.between_waves.is_some() => {
                facts.extend(self.between_waves.as_deref().map(|waiting| paint(styled, OPEN, waiting)));
            }
            // Nobody knows when a device checks in.
            (false, true, _) if self.steps_wait > 0 => {}
            (false, true, Some(left)) => facts.push(format!("{}{} left", words.about, duration(left))),
            _ => {}
        }
        facts.join(", ")
    }

    /// `12/24 confirmed, 2 failed, checking until 07:42:31 UTC`.
    fn verified(&self, verifying: &Verifying, now: Duration, styled: bool, words: &Words) -> String {
        let mut facts = vec![format!("{}/{} confirmed", count(verifying.done), count(verifying.jobs))];
        let ends = [(verifying.failed, "failed", BAD), (verifying.untold, "cannot be verified", OPEN)];
        for (number, word, style) in ends.into_iter().filter(|(number, ..)| *number > 0) {
            facts.push(paint(styled, style, &format!("{} {word}", count(number))));
        }
        match (self.stopping, self.pause(now)) {
            (true, _) => facts.push(paint(styled, OPEN, "stopping")),
            (false, Some(pause)) => {
                facts.push(paint(styled, OPEN, &format!("{} {}", words.until, time_of_day(pause.until))));
            }
            (false, None) if verifying.told() < verifying.jobs => {
                facts.push(format!("checking until {}", time_of_day(verifying.until)));
            }
            _ => {}
        }
        facts.join(", ")
    }

    pub(super) fn is_verifying(&self) -> bool {
        self.verifying.is_some()
    }

    /// How long nothing will happen that is worth a line, where that is a good while.
    pub(super) fn sleeps(&self, now: Duration) -> Option<Duration> {
        let quiet = !self.stopping && self.rate(now) == 0.0 && self.pause(now).is_none();
        match self.day(now) {
            Some(_) if quiet => Some(NIGHT),
            None if quiet && (self.steps_wait > 0 || self.verifying.is_some()) => Some(BETWEEN_LOOKS),
            _ => None,
        }
    }

    /// The action that waits longest for another day.
    fn day(&self, now: Duration) -> Option<&(&'static str, BucketPause)> {
        self.days.iter().filter(|(_, pause)| pause.ends > now).max_by_key(|(_, pause)| pause.ends)
    }

    /// Room that comes back in a moment is not worth a word.
    fn day_used_up(
        &mut self,
        action: &'static str,
        ground: Ground,
        pause: BucketPause,
        now: Duration,
    ) -> Option<String> {
        self.days.retain(|(known, earlier)| *known != action && earlier.ends > now);
        if pause.ends.saturating_sub(now) < WORTH_A_WORD {
            return None;
        }
        self.days.push((action, pause));
        Some(format!("{action} waits until {}: {}", moment(pause.until), days::why(ground)))
    }

    fn between_waves(&mut self, news: &WaveNews) -> Option<String> {
        let (waiting, message) = waves::told(news);
        self.between_waves = waiting.map(String::into_boxed_str);
        message
    }

    fn sent(&mut self, bucket: Bucket, now: Duration) {
        let second = now.as_secs();
        let slot = &mut self.sends[(second % WINDOW as u64) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 += 1;
        self.used[bucket.index()] = true;
    }

    /// Requests that were out together are throttled together; that is told once.
    fn paused(&mut self, bucket: Bucket, pause: Duration, until: Timestamp, now: Duration) -> Option<String> {
        let place = &mut self.pauses[bucket.index()];
        let ends = now + pause;
        let told = place.is_some_and(|known| known.ends > now && ends < known.ends + Duration::from_secs(1));
        if place.is_none_or(|known| known.ends < ends) {
            let from = place.map_or(now, |known| known.ends.max(now));
            self.lost += ends.saturating_sub(from);
            *place = Some(BucketPause { ends, until });
        }
        (!told).then(|| format!("paused: the service asks to wait {} ({bucket})", duration(pause)))
    }

    /// The longest of the pauses that are on.
    fn pause(&self, now: Duration) -> Option<BucketPause> {
        self.pauses.iter().flatten().copied().filter(|pause| pause.ends > now).max_by_key(|pause| pause.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, INTUNE_DEVICES};
    use crate::outcome::Stage;
    use crate::runner::event::StopReason;

    const WRITES: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A run of `jobs` that has sent and settled ten a second for so many seconds.
    fn running(jobs: u32, for_seconds: u32) -> RunProgress {
        let mut progress = RunProgress::new(Some(Budget::documented(0)));
        progress.apply(&Event::Started { jobs, due: jobs }, Duration::ZERO);
        for job in 0..for_seconds * 10 {
            let now = seconds(f64::from(job) / 10.0);
            progress.apply(&Event::Sent { job, bucket: WRITES }, now);
            let outcome = if job < 3 { Outcome::Failed } else { Outcome::Accepted };
            progress.apply(&Event::Settled { job, outcome }, now);
        }
        progress
    }

    fn paused(pause: u64, until: &str) -> Event {
        Event::Paused { bucket: WRITES, pause: Duration::from_secs(pause), until: until.parse().unwrap() }
    }

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long() {
        let mut progress = running(5_000, 124);
        let now = seconds(124.0);
        assert_eq!(progress.line(now, false), "1,240/5,000 done, 10/s of 10/s allowed, 3 failed, about 7 min left");
        let message = progress.apply(&paused(17, "2026-11-22T07:12:31Z"), now);
        assert_eq!(message.as_deref(), Some("paused: the service asks to wait 17 s (intune-devices/write)"));
        assert_eq!(
            progress.line(now, false),
            "1,240/5,000 done, 10/s of 10/s allowed, 3 failed, paused until 07:12:31 UTC, 17 s lost to pauses, \
             about 7 min left"
        );
        assert_eq!(
            progress.short_line(now, false),
            "1,240/5,000, 10/s of 10/s, 3 failed, paused to 07:12:31 UTC, 7 min left"
        );
        assert!(!progress.line(seconds(141.0), false).contains("until"), "the pause is over");
    }

    #[test]
    fn what_waits_for_its_next_read_is_counted_and_the_rest_is_not_guessed_from_it() {
        let mut progress = running(24, 2);
        let retry = |job| Event::Retrying { job, delay: seconds(60.0), reason: "lost".into() };
        (20..24).for_each(|job| drop(progress.apply(&retry(job), seconds(2.0))));
        let line = progress.line(seconds(2.0), false);
        assert!(line.ends_with("4 wait up to 60 s before their next attempt or read, about 60 s left"), "{line}");
        let line = progress.line(seconds(40.0), false);
        assert!(line.ends_with("4 wait up to 22 s before their next attempt or read, about 22 s left"), "{line}");
        assert!(progress.short_line(seconds(40.0), false).ends_with("4 wait up to 22 s, 22 s left"));
        let line = progress.line(seconds(62.0), false);
        assert!(!line.contains("wait"), "{line}");
    }

    #[test]
    fn a_pace_that_others_slow_down_is_shown_and_lengthens_what_is_left() {
        let mut progress = running(1_000, 10);
        progress.apply(&Event::Paced { bucket: WRITES, permille: 480 }, seconds(10.0));
        assert_eq!(
            progress.line(seconds(10.0), false),
            "100/1,000 done, 10/s of 10/s allowed, slowed to 4.8/s, 3 failed, about 4 min left"
        );
        assert!(progress.short_line(seconds(10.0), false).ends_with("slowed 4.8/s, 3 failed, 4 min left"));
        progress.apply(&Event::Paced { bucket: WRITES, permille: 1_000 }, seconds(11.0));
        assert!(!progress.line(seconds(11.0), false).contains("slowed"));
    }

    #[test]
    fn what_is_not_paced_shows_its_rate_alone() {
        let mut progress = RunProgress::new(None);
        progress.apply(&Event::Started { jobs: 2, due: 2 }, Duration::ZERO);
        progress.apply(&Event::Sent { job: 0, bucket: WRITES }, Duration::ZERO);
        assert_eq!(progress.line(Duration::ZERO, false), "0/2 done, 1/s");
    }

    #[test]
    fn a_pause_is_part_of_the_time_that_is_left() {
        let mut progress = running(200, 10);
        let now = seconds(10.0);
        assert_eq!(progress.remaining(now), Some(seconds(10.0)));
        progress.apply(&paused(60, "2026-11-22T07:12:31Z"), now);
        assert_eq!(progress.remaining(now), Some(seconds(70.0)));
        assert!(progress.remaining(seconds(70.0)).unwrap() >= seconds(70.0), "the pause has lowered the pace");
    }

    #[test]
    fn one_throttling_is_told_once() {
        let mut progress = running(5_000, 1);
        assert!(progress.apply(&paused(17, "2026-11-22T07:12:31Z"), seconds(1.0)).is_some());
        assert!(progress.apply(&paused(17, "2026-11-22T07:12:31Z"), seconds(1.1)).is_none());
        assert!(progress.apply(&paused(40, "2026-11-22T07:12:54Z"), seconds(1.2)).is_some());
        assert!(progress.apply(&paused(17, "2026-11-22T07:13:54Z"), seconds(50.0)).is_some());
    }

    #[test]
    fn a_night_is_told_once_and_shown_until_it_is_over() {
        let mut progress = running(5_000, 90);
        let used_up = |wait: u64, ground: Ground| Event::DayUsedUp {
            action: "retire",
            wait: Duration::from_secs(wait),
            until: "2026-11-23T07:02:00Z".parse().unwrap(),
            ground,
        };
        let now = seconds(90.0);
        assert_eq!(progress.apply(&used_up(59, Ground::Counted), now), None, "a moment is not worth a word");
        let told = progress.apply(&used_up(86_000, Ground::Counted), now);
        assert_eq!(told.as_deref(), Some("retire waits until 2026-11-23 07:02:00 UTC: the daily limit is used up"));
        let told = progress.apply(&used_up(86_000, Ground::Said), now);
        assert!(told.is_some_and(|told| told.ends_with("the service says that the daily limit is used up")));
        assert_eq!(progress.sleeps(now), None, "others may go on");
        let night = seconds(9_000.0);
        assert_eq!(progress.sleeps(night), Some(NIGHT));
        assert_eq!(
            progress.line(night, false),
            "900/5,000 done, 0/s of 10/s allowed, 3 failed, retire waits until 2026-11-23 07:02:00 UTC"
        );
        let morning = seconds(86_090.0);
        assert!(progress.sleeps(morning).is_none() && !progress.line(morning, false).contains("waits"));
    }

    #[test]
    fn the_rate_forgets_what_is_long_past() {
        let progress = running(5_000, 20);
        assert!((progress.rate(seconds(20.0)) - 10.0).abs() < 0.01);
        assert!(progress.rate(seconds(25.5)) < 6.0);
        assert!(progress.rate(seconds(60.0)) < 0.01);
    }

    #[test]
    fn stopping_says_why_and_what_to_do() {
        let mut progress = running(50, 1);
        let stop = Event::Draining { in_flight: 12, reason: StopReason::Interrupted };
        assert_eq!(
            progress.apply(&stop, seconds(2.0)).as_deref(),
            Some("stopping: waiting for 12 requests in flight; press Ctrl-C again to stop waiting")
        );
        assert!(progress.line(seconds(2.0), false).ends_with(", stopping"));
        let given_up = Event::Abandoned { in_flight: 12 };
        assert_eq!(
            progress.apply(&given_up, seconds(3.0)).as_deref(),
            Some("stopped waiting: 12 requests are reported as unknown")
        );
    }

    #[test]
    fn a_run_in_waves_says_what_it_waits_for() {
        let mut progress = running(50, 1);
        let until = "2026-11-22T07:42:31Z".parse().unwrap();
        let within = Duration::from_secs(1_800);
        let settled = WaveNews::Settled { wave: 1, of: 4, unseen: 10, within, deadline: until };
        let told = progress.apply(&Event::Wave(settled), seconds(2.0));
        assert_eq!(told.as_deref(), Some("wave 1 of 4 has settled; checking 10 jobs, for at most 30 min"));
        assert!(progress.line(seconds(2.0), false).ends_with(", waiting until 07:42:31 UTC for wave 1 to land"));
        let pausing = WaveNews::Pausing { wave: 1, of: 4, pause: Duration::from_secs(600), until };
        let told = progress.apply(&Event::Wave(pausing), seconds(3.0));
        assert_eq!(told.as_deref(), Some("wave 1 of 4 has landed; the next begins in 10 min"));
        assert!(progress.line(seconds(3.0), false).ends_with(", the next wave begins at 07:42:31 UTC"));
        assert_eq!(progress.apply(&Event::Wave(WaveNews::Asking), seconds(3.0)), None);
        let told = progress.apply(&Event::Wave(WaveNews::Began { wave: 2, of: 4, jobs: 25 }), seconds(4.0));
        assert_eq!(told.as_deref(), Some("wave 2 of 4: 25 jobs"));
        assert!(progress.line(seconds(4.0), false).ends_with(" left"), "it sends again");
    }

    #[test]
    fn a_verification_says_what_is_told_and_until_when_it_looks() {
        let mut progress = running(50, 5);
        let until = "2026-11-22T07:42:31Z".parse().unwrap();
        let told = progress.apply(&Event::Verifying { jobs: 47, until }, seconds(6.0));
        assert_eq!(told.as_deref(), Some("checking 47 accepted jobs"));
        for (job, stage) in [Stage::Done, Stage::Pending, Stage::Failed, Stage::Done].into_iter().enumerate() {
            progress.apply(&Event::FollowedUp { job: job as u32, stage }, seconds(7.0));
        }
        assert_eq!(progress.line(seconds(7.0), false), "2/47 confirmed, 1 failed, checking until 07:42:31 UTC");
        assert_eq!((progress.done(), progress.total()), (3, 47));
        assert_eq!(progress.sleeps(seconds(60.0)), Some(BETWEEN_LOOKS));
    }

    #[test]
    fn steps_that_wait_are_shown_and_nobody_knows_how_long() {
        let mut progress = running(50, 1);
        progress.apply(&Event::StepsWait { steps: 2 }, seconds(2.0));
        let line = progress.line(seconds(2.0), false);
        assert!(line.ends_with("3 failed, 2 steps wait for those before them"), "{line}");
        progress.apply(&Event::StepsWait { steps: 0 }, seconds(3.0));
        assert!(progress.line(seconds(3.0), false).ends_with(" left"));
    }

    #[test]
    fn what_is_not_sent_does_not_count_as_done() {
        let mut progress = RunProgress::new(None);
        progress.apply(&Event::Started { jobs: 24, due: 22 }, Duration::ZERO);
        let settle = |progress: &mut RunProgress, outcome| {
            drop(progress.apply(&Event::Settled { job: 0, outcome }, seconds(1.0)))
        };
        settle(&mut progress, Outcome::Held);
        settle(&mut progress, Outcome::NotAttempted);
        assert_eq!(progress.line(seconds(1.0), false), "0/22 done");
        progress.apply(&Event::Sent { job: 0, bucket: WRITES }, seconds(1.0));
        settle(&mut progress, Outcome::Accepted);
        settle(&mut progress, Outcome::Held);
        assert!(progress.line(seconds(1.0), false).starts_with("1/22 done, 1/s, 1 not sent"));
        progress.apply(&Event::Draining { in_flight: 0, reason: StopReason::Interrupted }, seconds(2.0));
        (0..20).for_each(|_| settle(&mut progress, Outcome::NotAttempted));
        assert_eq!((progress.done(), progress.total()), (1, 22));
    }

    #[test]
    fn before_anything_happened_the_line_is_short() {
        let mut progress = RunProgress::new(Some(Budget::documented(20)));
        progress.apply(&Event::Started { jobs: 24, due: 24 }, Duration::ZERO);
        assert_eq!(progress.line(Duration::ZERO, false), "0/24 done");
        progress.apply(&Event::Sent { job: 0, bucket: WRITES }, Duration::ZERO);
        assert_eq!(progress.line(Duration::ZERO, false), "0/24 done, 1/s of 8/s allowed, about 3 s left");
    }
}
