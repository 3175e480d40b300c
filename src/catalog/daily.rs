//! How often a day a tenant accepts an action, as documented.
//!
//! In: nothing. Out: [`DAILY`] rows that the ledger counts by and the preview forecasts by. Must not: know when a day
//! turns or what was sent; `guard::daily` does.
//!
//! Source: Intune's device actions page, "Daily tenant limits" (2026-09-16), and its wipe, retire and delete pages. The
//! sum over the portal, its bulk actions and Graph; only Microsoft's support raises it.

use super::action::Action;

/// One allowance of a tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DailyLimit {
    /// The action that is counted.
    pub action: &'static str,
    /// So many a day.
    pub requests: u32,
    /// Actions that this one may set off, so that it may use up their allowance as well. No page says whether it does.
    pub sets_off: &'static [&'static str],
    /// Actions without a limit of their own that use up one of these at least: they do the same to devices that no plan
    /// lists.
    pub also: &'static [&'static str],
    pub source: &'static str,
}

pub(crate) static DAILY: &[DailyLimit] = &[
    DailyLimit {
        action: "retire",
        requests: 1_000,
        sets_off: &[],
        // It retires every device of its user. How many those are, nobody knows when it is sent.
        also: &["removeAllDevicesFromManagement"],
        source: "Intune device actions, daily tenant limits: 1,000 retires a day, whoever sends them",
    },
    DailyLimit {
        action: "wipe",
        requests: 500,
        sets_off: &[],
        also: &[],
        source: "Intune device actions, daily tenant limits: 500 wipes a day, whoever sends them",
    },
    // Deleting a Windows or Apple device retires it, deleting a corporate Android device wipes it.
    DailyLimit {
        action: "delete",
        requests: 1_000,
        sets_off: &["retire", "wipe"],
        also: &[],
        source: "Intune device actions, daily tenant limits: 1,000 deletes a day, also where a delete triggers a retire or wipe",
    },
];

impl DailyLimit {
    pub(crate) const COUNT: usize = DAILY.len();

    /// The place of the allowance that an action uses up in [`DAILY`], if there is one.
    pub(crate) fn index_of(action: &Action) -> Option<usize> {
        DAILY.iter().position(|limit| limit.action == action.name || limit.also.contains(&action.name))
    }

    pub(crate) fn index_named(action: &str) -> Option<usize> {
        DAILY.iter().position(|limit| limit.action == action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_of_an_action_that_needs_a_confirmation() {
        for limit in DAILY {
            let action = Action::named(limit.action).unwrap();
            assert!(action.risk.wants_confirmation(), "{}", limit.action);
            assert!(limit.also.iter().all(|other| Action::named(other).is_some()), "{}", limit.action);
            assert!(limit.sets_off.iter().all(|other| DailyLimit::index_named(other).is_some()), "{}", limit.action);
        }
    }
}
