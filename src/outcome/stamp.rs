//! A time as the journal keeps it.
//!
//! In: a timestamp. Out: the same to the microsecond, in eight bytes, or none in no more. Must not: know a clock.

use std::fmt;
use std::num::NonZeroI64;

use jiff::Timestamp;

/// Microseconds since 1970. A run of a million jobs keeps two for each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stamp(NonZeroI64);

/// Turned over, no time that can be written is zero: the earliest is not a thirtieth of this.
const TURNED: i64 = i64::MIN;

impl Stamp {
    pub fn time(self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds()).unwrap_or_default()
    }

    /// Since 1970.
    pub fn microseconds(self) -> i64 {
        self.0.get() ^ TURNED
    }
}

impl From<Timestamp> for Stamp {
    fn from(at: Timestamp) -> Self {
        Self(NonZeroI64::new(at.as_microsecond() ^ TURNED).unwrap_or(NonZeroI64::MIN))
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.time(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_what_it_was_to_the_microsecond() {
        for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            assert_eq!(Stamp::from(at).microseconds(), at.as_microsecond());
        }
        let at: Timestamp = "2026-11-22T07:00:00.123456Z".parse().unwrap();
        assert_eq!(Stamp::from(at).time(), at);
        assert_eq!(size_of::<Option<Stamp>>(), 8);
    }
}
