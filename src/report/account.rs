//! The account of a run: rows in, rows out, and how many settled in which way.
//!
//! In: the number of rows of the plan, and a tally. Out: one line for people, one object for programs.
//! Must not: leave an outcome out of the object because it is zero; programs look for all of them.

use serde_json::{Map, Value};

use crate::outcome::{Outcome, Settlement, Tally};

/// The account. Both numbers of rows are printed so that anybody can see that nothing was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub rows_in: usize,
    pub tally: Tally,
}

impl Account {
    pub fn new(rows_in: usize, settlements: &[Settlement]) -> Self {
        Self { rows_in, tally: settlements.iter().map(|settlement| settlement.outcome).collect() }
    }

    /// The outcomes that some row has.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Outcome, u32)> {
        Outcome::ALL.into_iter().map(|outcome| (outcome, self.tally.of(outcome))).filter(|(_, rows)| *rows > 0)
    }

    /// One line without a line end, the last one on stdout.
    pub fn line(&self) -> String {
        self.line_of(self.counts().map(|(outcome, rows)| format!("{} {rows}", outcome.name())))
    }

    /// The same with [`Self::counts`] as they are to be shown.
    pub(crate) fn line_of(&self, counts: impl Iterator<Item = String>) -> String {
        let counts = counts.collect::<Vec<_>>().join(", ");
        let separator = if counts.is_empty() { "" } else { ": " };
        format!("account: rows in {}, rows out {}{separator}{counts}", self.rows_in, self.tally.total())
    }

    /// The same as one object.
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("rows_in".into(), self.rows_in.into());
        object.insert("rows_out".into(), self.tally.total().into());
        for outcome in Outcome::ALL {
            object.insert(outcome.name().into(), self.tally.of(outcome).into());
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let accepted = Settlement::unsent(Outcome::Accepted, "");
        let mut settlements = vec![accepted; 23];
        settlements.push(Settlement::unsent(Outcome::Failed, ""));
        Account::new(24, &settlements)
    }

    #[test]
    fn the_line_is_an_interface_and_stays_what_it_is() {
        assert_eq!(account().line(), "account: rows in 24, rows out 24: accepted 23, failed 1");
        assert_eq!(Account::new(0, &[]).line(), "account: rows in 0, rows out 0");
    }

    #[test]
    fn the_object_says_the_same() {
        assert_eq!(
            account().json().to_string(),
            r#"{"rows_in":24,"rows_out":24,"completed":0,"accepted":23,"already_done":0,"failed":1,"not_found":0,"held":0,"unknown":0,"awaiting_approval":0,"not_attempted":0}"#
        );
    }
}
