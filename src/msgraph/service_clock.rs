//! How far the service's clock is from ours.
//!
//! In: the time that an answer names, and when it was asked for and came. Out: a moment of ours as the service tells it.
//! Must not: correct our own clock. What a target shows about an action is dated by the service, and what was sent is dated
//! by us: an action of somebody else's shortly before ours is not to be taken for ours.

use std::sync::{PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

/// The time of an answer is told to the second.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// No clocks that sign in to one another are further apart. What is, is a time that somebody has set by hand.
const FARTHEST: SignedDuration = SignedDuration::from_hours(1);

/// What the answers so far have shown.
#[derive(Debug, Default)]
pub struct ServiceClock(RwLock<Ahead>);

/// The service's clock is ahead of ours by at least and by at most so much.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    least: SignedDuration,
    most: SignedDuration,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { least: -FARTHEST, most: FARTHEST }
    }
}

impl Ahead {
    /// What both say; the newer one alone where they cannot both be right, because a clock was set.
    fn narrowed(self, newer: Self) -> Self {
        let both = Self { least: self.least.max(newer.least), most: self.most.min(newer.most) };
        if both.least <= both.most { both } else { newer }
    }

    /// Clocks that may agree are taken to agree.
    fn by(self) -> SignedDuration {
        SignedDuration::ZERO.clamp(self.least, self.most)
    }
}

impl ServiceClock {
    /// An answer that was asked for at `sent` came at `received`, and names `date` as its time.
    pub fn heard(&self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let newer =
            Ahead { least: date.duration_since(received), most: (date.duration_since(sent)).saturating_add(SECOND) };
        if newer.least <= newer.most && newer.by().abs() < FARTHEST {
            let mut ahead = self.0.write().unwrap_or_else(PoisonError::into_inner);
            *ahead = ahead.narrowed(newer);
        }
    }

    /// When the service's clock showed what ours showed at `ours`.
    pub fn at(&self, ours: Timestamp) -> Timestamp {
        let ahead = self.0.read().unwrap_or_else(PoisonError::into_inner).by();
        ours.checked_add(ahead).unwrap_or(ours)
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
        assert_eq!(after(&[(100, 10, 11), (205, 205, 205)]), 0, "a clock was set");
        assert_eq!(after(&[(86_400, 10, 11)]), 0, "set by hand");
        assert_eq!(after(&[(10, 20, 5)]), 0, "it came before it was asked for");
    }
}
