//! How far the service's clock is from ours.
//!
//! In: the time that an answer names, and when it was asked for and came. Out: a moment of ours as the service tells it.
//! Must not: correct our own clock. What a target shows about an action is dated by the service, and what was sent is dated
//! by us: an action of somebody else's shortly before ours is not to be taken for ours.

use std::sync::{PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

/// The time of an answer is told to the second.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What the answers so far have shown, and from when on by our clock: a clock may be set, or a machine suspended.
#[derive(Debug, Default)]
pub(super) struct ServiceClock(RwLock<Vec<(Timestamp, Ahead)>>);

/// The service's clock is ahead of ours by at least and by at most so much.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    least: SignedDuration,
    most: SignedDuration,
}

impl Ahead {
    /// What both say; nothing where they cannot both be right.
    fn narrowed(self, newer: Self) -> Option<Self> {
        let both = Self { least: self.least.max(newer.least), most: self.most.min(newer.most) };
        (both.least <= both.most).then_some(both)
    }

    /// Clocks that may agree are taken to agree.
    fn by(self) -> SignedDuration {
        SignedDuration::ZERO.clamp(self.least, self.most)
    }
}

impl ServiceClock {
    /// An answer that was asked for at `sent` came at `received`, and names `date` as its time.
    pub(super) fn heard(&self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let newer =
            Ahead { least: date.duration_since(received), most: date.duration_since(sent).saturating_add(SECOND) };
        if newer.least > newer.most {
            return;
        }
        let mut heard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let narrowed = heard.last().and_then(|(_, known)| known.narrowed(newer));
        match (heard.last_mut(), narrowed) {
            (Some((_, known)), Some(narrowed)) => *known = narrowed,
            _ => heard.push((sent, newer)),
        }
    }

    /// When the service's clock showed what ours showed at `ours`. Before the first answer it is taken to have gone as then.
    pub(super) fn at(&self, ours: Timestamp) -> Timestamp {
        let heard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let then = heard.iter().rfind(|(since, _)| *since <= ours).or(heard.first());
        then.and_then(|(_, ahead)| ours.checked_add(ahead.by()).ok()).unwrap_or(ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    /// What the clock shows at second 0 after answers of (date, sent, received), in seconds.
    fn after(answers: &[(i64, i64, i64)]) -> i64 {
        let clock = ServiceClock::default();
        for (date, sent, received) in answers {
            clock.heard(second(*date), second(*sent), second(*received));
        }
        clock.at(second(0)).duration_since(second(0)).as_secs()
    }

    #[test]
    fn answers_tell_how_far_the_clocks_are_apart() {
        assert_eq!(after(&[]), 0, "nobody has said anything");
        assert_eq!(after(&[(10, 10, 10)]), 0, "told to the second");
        assert_eq!(after(&[(11, 10, 30)]), 0, "it may have been on its way for long");
        assert_eq!(after(&[(100, 10, 11)]), 89);
        assert_eq!(after(&[(100, 10, 40), (200, 110, 111)]), 89, "the quicker answer tells more");
        assert_eq!(after(&[(100, 10, 11), (200, 110, 140)]), 89, "and is kept");
        assert_eq!(after(&[(10, 100, 101)]), -89);
        assert_eq!(after(&[(100, 10, 11), (205, 205, 205)]), 89, "a clock was set later");
        assert_eq!(after(&[(100, -11, -10), (205, -5, -5)]), 210, "a clock was set before");
        assert_eq!(after(&[(7_210, 10, 10)]), 7_200, "a clock that shows local time");
        assert_eq!(after(&[(10, 20, 5)]), 0, "it came before it was asked for");
    }
}
