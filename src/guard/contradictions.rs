//! Pairs of jobs that cannot both be meant.
//!
//! In: two jobs of one target, the earlier in the plan first. Out: what is wrong with having both. Must not: know where
//! they are written. Which actions contradict each other is the tables below.

use super::preflight::Hold;
use crate::catalog::{Action, Risk};
use crate::job::Job;

/// Each of these ends the management of a device; one of them is meant.
const ENDINGS: &[&str] = &["retire", "wipe", "delete"];
/// After it there is nothing left to act on.
const LAST: &[&str] = &["delete", "deleteAutopilotIdentity", "deleteEntraDevice", "deleteUser"];
/// One undoes the other.
const OPPOSITES: &[(&str, &str)] = &[
    ("assignResourceAccountToDevice", "unassignResourceAccountFromDevice"),
    ("assignUserToDevice", "unassignUserFromDevice"),
    ("disable", "reenable"),
    ("disableEntraDevice", "enableEntraDevice"),
    ("disableLostMode", "enableLostMode"),
    ("disableUser", "enableUser"),
    ("suspendManagedHomeScreen", "restoreManagedHomeScreen"),
];

/// What is wrong with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// The same action, with other parameters.
    OtherParameters,
    /// Only one of the two can be meant, or their order matters and is nowhere said.
    EitherOr,
    /// The second comes to a target that the first has removed.
    AfterTheEnd,
}

/// How two jobs of one target stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    Clash(Clash),
    /// One after the other, as the plan says.
    InOrder,
    /// Both can be meant, and either may come first.
    Loose,
}

/// Whether nothing is left of the target after it.
pub fn removes(action: &Action) -> bool {
    LAST.contains(&action.name)
}

/// `holds` are those of the `jobs`.
pub fn judge(jobs: &[Job], holds: &[Option<Hold>], first: usize, second: usize) -> Pair {
    let (a, b) = (&jobs[first], &jobs[second]);
    let (one, two) = (a.action.name, b.action.name);
    // What is done only once for a target is not done twice by one plan either, in whatever order.
    let is_one_deed = a.id != b.id && a.once().is_some_and(|once| Some(once) == b.once());
    match order(jobs, holds, first, second) {
        _ if is_one_deed => Pair::Clash(Clash::OtherParameters),
        Order::Stated if removes(a.action) => Pair::Clash(Clash::AfterTheEnd),
        Order::StatedBackwards if removes(b.action) => Pair::Clash(Clash::AfterTheEnd),
        Order::Stated | Order::StatedBackwards => Pair::InOrder,
        Order::Nowhere if one == two && a.action.risk >= Risk::Destructive => Pair::Clash(Clash::OtherParameters),
        Order::Nowhere if one != two && is_either_or(one, two) => Pair::Clash(Clash::EitherOr),
        Order::Nowhere => Pair::Loose,
    }
}

fn is_either_or(one: &str, two: &str) -> bool {
    let endings = ENDINGS.contains(&one) && ENDINGS.contains(&two);
    endings || OPPOSITES.iter().any(|(x, y)| (one, two) == (*x, *y) || (two, one) == (*x, *y))
}

#[derive(Debug, PartialEq, Eq)]
enum Order {
    /// The first goes first: they are steps, or the second has a later day.
    Stated,
    /// The first has a later day.
    StatedBackwards,
    Nowhere,
}

fn order(jobs: &[Job], holds: &[Option<Hold>], first: usize, second: usize) -> Order {
    let steps = std::iter::successors(jobs[second].after, |at| jobs.get(*at as usize)?.after);
    if steps.take_while(|at| *at as usize >= first).any(|at| at as usize == first) {
        return Order::Stated;
    }
    let waits = |at: usize| matches!(holds.get(at), Some(Some(Hold::NotDue { .. })));
    // Days keep two jobs apart only while one of them has not come.
    match (jobs[first].not_before, jobs[second].not_before) {
        (a, b) if a < b && waits(second) => Order::Stated,
        (a, b) if a > b && waits(first) => Order::StatedBackwards,
        _ => Order::Nowhere,
    }
}
