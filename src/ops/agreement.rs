//! What somebody agreed to when a run was begun: how many requests, and which rows were none of them.
//!
//! In: the jobs of a run and what holds them. Out: an [`Agreement`], which the journal keeps. Must not: decide what follows
//! from it; whoever goes on with the run does.

use serde::{Deserialize, Serialize};

use crate::guard::preflight::{Hold, Preflight};

/// What was agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agreement {
    pub requests: u32,
    /// Rows that were held then, as the first of so many in a row.
    held: Vec<(u32, u32)>,
}

impl Agreement {
    pub(super) fn of(preflight: &Preflight) -> Self {
        let mut held: Vec<(u32, u32)> = Vec::new();
        for (index, _) in (0u32..).zip(&preflight.holds).filter(|(_, hold): &(u32, &Option<Hold>)| hold.is_some()) {
            match held.last_mut().filter(|(first, rows)| first + rows == index) {
                Some((_, rows)) => *rows += 1,
                None => held.push((index, 1)),
            }
        }
        Self { requests: preflight.due, held }
    }

    /// Whether a row was among the requests.
    pub(super) fn has(&self, index: u32) -> bool {
        let behind = self.held.partition_point(|(first, _)| *first <= index);
        let last = behind.checked_sub(1).and_then(|at| self.held.get(at));
        last.is_none_or(|(first, rows)| index >= first + rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_were_held_are_told_from_the_others() {
        let of = |held: &[bool]| {
            let holds: Vec<_> = held.iter().map(|held| held.then_some(Hold::Done)).collect();
            let due = holds.iter().filter(|hold| hold.is_none()).count() as u32;
            Agreement::of(&Preflight { holds, due })
        };
        for held in [&[][..], &[true, true, false, true, false], &[false, false, true, true], &[false], &[true]] {
            let agreement = of(held);
            assert!((0..).zip(held).all(|(index, held)| agreement.has(index) != *held), "{agreement:?}");
            let kept = serde_json::to_string(&agreement).unwrap();
            assert_eq!(serde_json::from_str::<Agreement>(&kept).unwrap(), agreement);
        }
        assert_eq!(of(&[true, true, false, true, false]).held, [(0, 2), (3, 1)]);
    }
}
