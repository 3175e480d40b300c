//! A daily limit that is not named: one action gets nothing but throttle answers.
//!
//! In: answers to actions that have a daily limit, and to others of their bucket. Out: when an action had better let others
//! go first, and how long it had better wait once its throttle answers look like a limit that is used up. Pure. Must not: decide by a single answer; a bare 429 is a
//! throttle until it has gone on for longer than any window, or others pass all the while.
//!
//! Nobody has published what is answered beyond a daily limit. If it is a 429 without a word, then asking again every
//! minute goes on all night, and slows down whatever else is in the bucket.

use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::{Bucket, DailyLimit};

/// Graph's windows last seconds. A throttle that has let nothing of an action pass for that long is none of them.
const LONG: Duration = Duration::from_secs(30 * 60);
const EPISODES: u32 = 4;

/// While others of the bucket pass, less is enough.
const AMONG_OTHERS: Duration = Duration::from_secs(2 * 60);
const EPISODES_AMONG_OTHERS: u32 = 5;
const OTHERS: u32 = 10;

/// From this one on it lets others go first, so that they are not held up, and show whether it is the bucket.
const ASIDE: u32 = 3;
const TIME_ASIDE: Duration = Duration::from_secs(45);

/// It is a guess, so the first wait is short; it doubles for as long as nothing passes.
const FIRST_WAIT: Duration = Duration::from_secs(3_600);
const LONGEST_WAIT: Duration = Duration::from_secs(8 * 3_600);

/// What an action had better do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// What every throttled request does.
    Nothing,
    /// Let others of its bucket go first, where there are any.
    StepAside(Duration),
    /// Its daily limit seems to be used up.
    Wait(Duration),
}

/// What is known of each daily limit.
#[derive(Debug, Default)]
pub(crate) struct Suspicion {
    series: [Option<Series>; DailyLimit::COUNT],
}

/// Throttle answers to one action, since anything of it passed.
#[derive(Debug)]
struct Series {
    bucket: Bucket,
    began: Instant,
    /// When the last one came: what had left by then says nothing new.
    heard: Instant,
    episodes: u32,
    /// Requests of other actions that passed meanwhile.
    others: u32,
    /// How often it was made to wait because of it.
    waits: u32,
}

impl Series {
    fn looks_like_a_day(&self) -> bool {
        let lasting = self.heard.saturating_duration_since(self.began);
        let alone = lasting >= LONG && self.episodes >= EPISODES;
        let among_others = lasting >= AMONG_OTHERS && self.episodes >= EPISODES_AMONG_OTHERS && self.others >= OTHERS;
        alone || among_others
    }
}

impl Suspicion {
    /// A request that left at `sent` was answered with a 429 that does not say what it is about.
    pub(crate) fn throttled(&mut self, limit: usize, bucket: Bucket, sent: Instant, now: Instant) -> Advice {
        let fresh = Series { bucket, began: sent, heard: sent, episodes: 0, others: 0, waits: 0 };
        let Some(place) = self.series.get_mut(limit) else { return Advice::Nothing };
        let series = place.get_or_insert(fresh);
        if series.episodes > 0 && sent <= series.heard {
            return Advice::Nothing;
        }
        series.episodes += 1;
        series.heard = now;
        if series.looks_like_a_day() {
            let wait = FIRST_WAIT.saturating_mul(1 << series.waits.min(8)).min(LONGEST_WAIT);
            series.waits += 1;
            return Advice::Wait(wait);
        }
        if series.episodes >= ASIDE { Advice::StepAside(TIME_ASIDE) } else { Advice::Nothing }
    }

    /// A request went through: of that limit, or of no limit at all.
    pub(crate) fn passed(&mut self, limit: Option<usize>, bucket: Bucket) {
        for (index, place) in self.series.iter_mut().enumerate() {
            match place {
                Some(_) if limit == Some(index) => *place = None,
                Some(series) if series.bucket == bucket => series.others = series.others.saturating_add(1),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, INTUNE_DEVICES};

    const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };
    const RETIRE: usize = 0;

    /// Answers to one request every `seconds`, until the action is made to wait: after how many, and for how long.
    fn until_it_waits(suspicion: &mut Suspicion, seconds: u64, others: bool) -> (u32, Duration) {
        let start = suspicion.series[RETIRE].as_ref().map_or_else(Instant::now, |series| series.heard);
        for number in 1u32.. {
            let sent = start + Duration::from_secs(seconds) * number;
            if others {
                suspicion.passed(None, BUCKET);
            }
            match suspicion.throttled(RETIRE, BUCKET, sent, sent + Duration::from_millis(50)) {
                Advice::Wait(wait) => return (number, wait),
                advice => assert_eq!(advice == Advice::StepAside(TIME_ASIDE), number >= ASIDE),
            }
            // What left together with it belongs to the same episode.
            assert_eq!(suspicion.throttled(RETIRE, BUCKET, sent, sent + Duration::from_millis(60)), Advice::Nothing);
        }
        unreachable!()
    }

    #[test]
    fn alone_it_takes_longer_than_any_window() {
        let mut suspicion = Suspicion::default();
        assert_eq!(until_it_waits(&mut suspicion, 60, false), (31, FIRST_WAIT));
        assert_eq!(until_it_waits(&mut Suspicion::default(), 3_000, false), (4, FIRST_WAIT));
    }

    #[test]
    fn among_others_that_pass_it_is_seen_sooner() {
        assert_eq!(until_it_waits(&mut Suspicion::default(), 2, true), (61, FIRST_WAIT));
        assert_eq!(until_it_waits(&mut Suspicion::default(), 20, true), (11, FIRST_WAIT));
    }

    #[test]
    fn it_waits_longer_each_time_until_something_passes() {
        let mut suspicion = Suspicion::default();
        let (_, first) = until_it_waits(&mut suspicion, 60, false);
        let more: Vec<_> = (0..5).map(|_| until_it_waits(&mut suspicion, 60, false)).collect();
        let hours: Vec<_> = more.iter().map(|(answers, wait)| (*answers, wait.as_secs() / 3_600)).collect();
        assert_eq!(first, FIRST_WAIT);
        assert_eq!(hours, [(1, 2), (1, 4), (1, 8), (1, 8), (1, 8)], "one question each time");
        suspicion.passed(Some(RETIRE), BUCKET);
        assert_eq!(until_it_waits(&mut suspicion, 60, false), (31, FIRST_WAIT));
    }
}
