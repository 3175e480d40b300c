//! How many approval requests may be open at a time.
//!
//! In: what a tenant accepts of an action in a day, what it has carried out today, what is open. Out: whether one more
//! may be filed. Pure. Must not: count for itself what is sent, or know how a request is filed.
//!
//! A request that is approved has to be carried out before it expires, and only so much is carried out in a day: a
//! request beyond that is an approver's work for nothing.
//!
//! Source: Microsoft's pages on daily tenant limits of device actions and on the expiry of approval requests.

use std::collections::HashMap;

/// What a tenant accepts of an action in a day, whoever sends it.
const DAILY: &[(&str, u32)] = &[("wipe", 500), ("retire", 1_000), ("delete", 1_000)];

/// Days that an approval request lives.
const DAYS: u32 = 3;

/// How the note of a job ends that was left for later because of this.
pub const NO_ROOM: &str = "as many as can be carried out before they expire";

/// How many more requests can be carried out before they expire, at `daily` a day.
///
/// The first of the days is today, of which `used` is gone.
pub fn room(daily: u32, used: u32, open: u32) -> u32 {
    (daily.saturating_mul(DAYS)).saturating_sub(used.min(daily)).saturating_sub(open)
}

/// Requests that are open, by action, and what today has seen of each action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filing {
    pub open: HashMap<String, u32>,
    pub used: HashMap<String, u32>,
}

impl Filing {
    /// Whether a request for that action may turn into an approval request, while `in_flight` others are on their way to.
    pub fn has_room(&self, action: &str, in_flight: u32) -> bool {
        let Some((_, daily)) = DAILY.iter().find(|(name, _)| *name == action) else { return true };
        let count = |of: &HashMap<String, u32>| of.get(action).copied().unwrap_or_default();
        room(*daily, count(&self.used), count(&self.open).saturating_add(in_flight)) > 0
    }

    pub fn filed(&mut self, action: &str) {
        *self.open.entry(action.to_owned()).or_default() += 1;
    }

    pub fn open(&self, action: &str) -> u32 {
        self.open.get(action).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_names_what_can_need_approval() {
        let approvable = crate::catalog::ACTIONS.iter().filter(|action| action.approvable).map(|action| action.name);
        let mut approvable: Vec<_> = approvable.collect();
        let mut daily: Vec<_> = DAILY.iter().map(|(name, _)| *name).collect();
        approvable.sort_unstable();
        daily.sort_unstable();
        assert_eq!(approvable, daily);
    }

    #[test]
    fn three_days_of_the_limit_less_what_is_gone() {
        assert_eq!(room(500, 0, 0), 1_500);
        assert_eq!(room(500, 100, 1_000), 400);
        assert_eq!(room(500, 9_999, 1_000), 0, "a day has no more than its limit");
    }

    proptest! {
        /// Day after day, each carries out what it may: whatever was filed with room is carried out by the third.
        #[test]
        fn what_is_filed_can_be_carried_out(daily in 1u32..2_000, used in 0u32..3_000, open in 0u32..9_000) {
            let all = open + room(daily, used, open);
            prop_assume!(room(daily, used, open) > 0);
            let left = (0..DAYS).fold(all, |left, day| {
                let today = if day == 0 { daily - used.min(daily) } else { daily };
                left.saturating_sub(today)
            });
            prop_assert_eq!(left, 0);
        }
    }
}
