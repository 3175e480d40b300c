//! What people are told of a run that goes on and that they have not named.
//!
//! In: the run, its age, what is left of it. Out: one line. Pure. Must not: read the journal.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use super::text::{count, duration};
use crate::journal::RunHead;
use crate::text::visible;

/// `left`: how many jobs of each action.
pub(crate) fn taken(run: &RunHead, age: SignedDuration, left: &BTreeMap<&str, usize>) -> String {
    let age = match Duration::try_from(age).unwrap_or_default() {
        age if age < Duration::from_secs(60) => "less than a minute".to_owned(),
        age => duration(age),
    };
    let counts: Vec<_> = left.iter().map(|(action, number)| format!("{} {action}", count(*number))).collect();
    let left = if counts.is_empty() { "no jobs are left".to_owned() } else { format!("left: {}", counts.join(", ")) };
    let plan = visible(&run.plan_file).into_owned();
    format!("resuming run {} of {plan}, which began {age} ago; {left}", run.id)
}
