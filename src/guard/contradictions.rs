//! Pairs of jobs that cannot both be meant.
//!
//! In: two jobs of one target, the earlier in the plan first; or what another plan has open on a target, and what this one
//! wants there. Out: what is wrong with having both; whether the one may follow the other. Must not: know where they are
//! written. Which actions contradict each other is the tables below.

use super::preflight::Hold;
use crate::catalog::{Action, OncePer, Risk};
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

/// What may be done to a target while another plan has something open there: it was sent, and nobody knows yet what comes of
/// it, or it waits for an approval. Whatever is in no row waits.
const MEANWHILE: &[Meanwhile] = &[
    // A device that checks in, is scanned or says where it is loses nothing by that, and changes nothing for others.
    Meanwhile { open: Which::Any, then: Which::UpTo(Risk::Harmless) },
    // What can be changed back keeps nobody from anything, but for its own opposite.
    Meanwhile { open: Which::UpTo(Risk::Reversible), then: Which::Any },
    // Over in a moment, and the device is as it was: a lost device that was locked is wiped next.
    Meanwhile { open: Which::Named(MOMENTARY), then: Which::Any },
    // An account is closed whatever becomes of its devices and of the data in its apps.
    Meanwhile { open: Which::Named(ON_WHAT_A_USER_HAS), then: Which::Named(ON_AN_ACCOUNT) },
];
const MOMENTARY: &[&str] = &[
    "bypassActivationLock",
    "changeAssignments",
    "initiateOnDemandProactiveRemediation",
    "logoutSharedAppleDeviceActiveUser",
    "rebootNow",
    "recoverPasscode",
    "remoteLock",
    "resetPasscode",
    "shutDown",
];
const ON_WHAT_A_USER_HAS: &[&str] = &[
    "removeAllDevicesFromManagement",
    "wipeAndBlockManagedApps",
    "wipeManagedAppRegistrationByDeviceTag",
    "wipeManagedAppRegistrationsByAzureAdDeviceId",
    "wipeManagedAppRegistrationsByDeviceTag",
];
const ON_AN_ACCOUNT: &[&str] = &["disableUser", "removeFromGroup", "removeLicenses", "revokeSignInSessions"];

/// One row: after what is open, what may follow.
struct Meanwhile {
    open: Which,
    then: Which,
}

enum Which {
    Any,
    /// No worse than that. What a plan defines itself may be anything.
    UpTo(Risk),
    Named(&'static [&'static str]),
}

impl Which {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::UpTo(risk) => Action::named(name).is_some_and(|action| action.risk <= *risk),
            Self::Named(names) => names.contains(&name),
        }
    }
}

/// Whether an action may be sent to a target on which another plan has that one open.
pub fn may_follow(open: &str, then: &str) -> bool {
    // The catalog says of such an action that it is another deed with other parameters: another licence, another eSIM.
    let is_another_deed =
        open == then && Action::named(open).is_some_and(|action| action.once_per == OncePer::Parameters);
    let is_in_the_table = || MEANWHILE.iter().any(|row| row.open.holds(open) && row.then.holds(then));
    is_another_deed || (!is_either_or(open, then) && is_in_the_table())
}

/// What is wrong with a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The same action, with other parameters.
    OtherParameters,
    /// Only one of the two can be meant, or their order matters and is nowhere said.
    EitherOr,
    /// The second comes to a target that the first has removed.
    AfterTheEnd,
}

/// How two jobs of one target stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    Clash(Clash),
    /// One after the other, as the plan says.
    InOrder,
    /// Both can be meant, and either may come first.
    Loose,
}

/// Whether nothing is left of the target after it.
pub(crate) fn removes(action: &Action) -> bool {
    LAST.contains(&action.name)
}

/// `holds` are those of the `jobs`.
pub(crate) fn judge(jobs: &[Job], holds: &[Option<Hold>], first: usize, second: usize) -> Pair {
    let (a, b) = (&jobs[first], &jobs[second]);
    let (one, two) = (a.action.name, b.action.name);
    // What is done only once for a target is not done twice by one plan either, in whatever order.
    let is_one_deed = a.id != b.id && a.once().is_some_and(|once| Some(once) == b.once());
    match order(jobs, holds, first, second) {
        _ if is_one_deed => Pair::Clash(Clash::OtherParameters),
        StatedOrder::Stated if removes(a.action) => Pair::Clash(Clash::AfterTheEnd),
        StatedOrder::StatedBackwards if removes(b.action) => Pair::Clash(Clash::AfterTheEnd),
        StatedOrder::Stated | StatedOrder::StatedBackwards => Pair::InOrder,
        StatedOrder::Nowhere if one == two && a.action.risk >= Risk::Destructive => Pair::Clash(Clash::OtherParameters),
        StatedOrder::Nowhere if one != two && is_either_or(one, two) => Pair::Clash(Clash::EitherOr),
        StatedOrder::Nowhere => Pair::Loose,
    }
}

fn is_either_or(one: &str, two: &str) -> bool {
    let endings = ENDINGS.contains(&one) && ENDINGS.contains(&two);
    endings || OPPOSITES.iter().any(|(x, y)| (one, two) == (*x, *y) || (two, one) == (*x, *y))
}

#[derive(Debug, PartialEq, Eq)]
enum StatedOrder {
    /// The first goes first: they are steps, or the second has a later day.
    Stated,
    /// The first has a later day.
    StatedBackwards,
    Nowhere,
}

fn order(jobs: &[Job], holds: &[Option<Hold>], first: usize, second: usize) -> StatedOrder {
    let steps = std::iter::successors(jobs[second].after, |at| jobs.get(*at as usize)?.after);
    if steps.take_while(|at| *at as usize >= first).any(|at| at as usize == first) {
        return StatedOrder::Stated;
    }
    let waits = |at: usize| matches!(holds.get(at), Some(Some(Hold::NotDue { .. })));
    // Days keep two jobs apart only while one of them has not come.
    match (jobs[first].not_before, jobs[second].not_before) {
        (a, b) if a < b && waits(second) => StatedOrder::Stated,
        (a, b) if a > b && waits(first) => StatedOrder::StatedBackwards,
        _ => StatedOrder::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_name_actions_that_there_are() {
        let opposites = OPPOSITES.iter().flat_map(|(one, other)| [one, other]);
        let lists = [ENDINGS, LAST, MOMENTARY, ON_WHAT_A_USER_HAS, ON_AN_ACCOUNT];
        let unknown: Vec<_> =
            lists.into_iter().flatten().chain(opposites).filter(|name| Action::named(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_ends_a_device_waits_for_what_is_open_there_and_what_is_harmless_does_not() {
        for (open, then, may) in [
            ("retire", "wipe", false),
            ("retire", "delete", false),
            ("delete", "delete", false),
            ("wipe", "setDeviceName", false),
            ("wipe", "rebootNow", false),
            ("wipe", "syncDevice", true),
            ("syncDevice", "wipe", true),
            ("setDeviceName", "wipe", true),
            ("setDeviceName", "setDeviceName", true),
            ("remoteLock", "wipe", true),
            ("disableUser", "enableUser", false),
            ("enableLostMode", "disableLostMode", false),
            ("removeAllDevicesFromManagement", "disableUser", true),
            ("removeAllDevicesFromManagement", "deleteUser", false),
            ("removeDeviceEsim", "removeDeviceEsim", true),
            ("ofAPlan", "retire", false),
            ("retire", "ofAPlan", false),
            ("ofAPlan", "ofAPlan", false),
            ("ofAPlan", "syncDevice", true),
            ("syncDevice", "ofAPlan", true),
        ] {
            assert_eq!(may_follow(open, then), may, "{then} while {open} is open");
        }
    }
}
