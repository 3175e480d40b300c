//! Whether attempts of a job may have had an effect, and since when: the one place that decides it.
//!
//! In: attempts, of whatever run, each with its place in the order of the journal. Out: a [`Doubt`], or none. Pure.
//! Must not: go by a clock where order matters: clocks are set back. Times are only told.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::verdict::Effect;

/// One attempt, as far as it matters here. A run that takes a doubt over has a copy of it under the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeAttempt {
    /// Its place in the order of all attempts.
    pub seq: i64,
    pub sent_at: Timestamp,
    pub effect: Effect,
    /// The service has said since that it had no effect.
    pub cleared: bool,
}

/// Attempts of which nobody knows whether they had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// When the first of them left: a sign that is newer may be the effect of one.
    pub since: Timestamp,
    /// The place of the newest one.
    pub seq: i64,
}

/// What is in doubt after all of `attempts`, in whatever order they come. `settled`: the place of the newest outcome that
/// says what came of all before it; 0 where there is none.
pub(crate) fn doubt(attempts: impl IntoIterator<Item = MadeAttempt>, settled: i64) -> Option<Doubt> {
    let mut open: BTreeMap<i64, Option<Timestamp>> = BTreeMap::new();
    for made in attempts.into_iter().filter(|made| made.seq > settled) {
        let at = (made.effect == Effect::Possible && !made.cleared).then_some(made.sent_at);
        // One copy that knows better is enough.
        open.entry(made.seq).and_modify(|known| *known = known.and(at)).or_insert(at);
    }
    let mut open = open.into_iter().filter_map(|(seq, at)| Some((seq, at?)));
    let first = open.next()?;
    let last = open.next_back().unwrap_or(first);
    Some(Doubt { since: first.1, seq: last.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seq: i64, effect: Effect, cleared: bool) -> MadeAttempt {
        MadeAttempt { seq, sent_at: Timestamp::from_second(100 - seq).unwrap(), effect, cleared }
    }

    fn doubts(attempts: &[MadeAttempt], settled: i64) -> Option<(i64, i64)> {
        let doubt = doubt(attempts.iter().copied(), settled);
        doubt.map(|doubt| (100 - doubt.since.as_second(), doubt.seq))
    }

    #[test]
    fn a_doubt_begins_with_the_first_attempt_and_is_as_young_as_the_newest() {
        let lost = |seq| made(seq, Effect::Possible, false);
        assert_eq!(doubts(&[lost(7), lost(2), lost(5)], 0), Some((2, 7)));
        assert_eq!(
            doubts(&[lost(2), made(5, Effect::None, false), made(6, Effect::NeverLeft, false)], 0),
            Some((2, 2))
        );
        assert_eq!(doubts(&[], 0), None);
    }

    #[test]
    fn what_was_told_or_settled_since_is_in_doubt_no_more() {
        let lost = |seq| made(seq, Effect::Possible, false);
        assert_eq!(doubts(&[made(2, Effect::Possible, true), lost(5)], 0), Some((5, 5)));
        assert_eq!(doubts(&[lost(2), lost(5)], 3), Some((5, 5)));
        assert_eq!(doubts(&[lost(2), lost(5)], 5), None);
    }

    #[test]
    fn of_two_copies_the_one_counts_that_knows_more() {
        let lost = made(2, Effect::Possible, false);
        for better in [made(2, Effect::None, false), made(2, Effect::Possible, true)] {
            assert_eq!((doubts(&[lost, better], 0), doubts(&[better, lost], 0)), (None, None));
        }
    }
}
