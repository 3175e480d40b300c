//! How many approval requests may be open at a time.
//!
//! In: what the daily limits leave of an action ([`crate::daily`]), what is open. Out: whether one more may be filed. Pure.
//! Must not: count for itself what is sent, or know how a request is filed.
//!
//! A request that is approved has to be carried out before it expires, and only so much is carried out in a day: a
//! request beyond that is an approver's work for nothing.
//!
//! Source: Microsoft's page on the expiry of approval requests.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::catalog::{DAILY, DailyLimit};
use crate::daily::{Book, DailyRules};

/// Days in which a request can be carried out: it lives three, and until somebody has approved it, one of them may be over.
const DAYS: u32 = 2;

/// How many more requests can be carried out before they expire, at `daily` a day.
///
/// The first of the days is today, of which `used` is gone.
fn allowance_left(daily: u32, used: u32, open: u32) -> u32 {
    (daily.saturating_mul(DAYS)).saturating_sub(used.min(daily)).saturating_sub(open)
}

/// Requests that are open, by action, and what each action may use up in a day. Without days, nothing is held back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filing {
    open: HashMap<String, u32>,
    /// Of each action with a daily limit: the allowances that it uses up, and what is gone of them today.
    days: HashMap<&'static str, Vec<(u32, u32)>>,
}

impl Filing {
    pub fn new(open: HashMap<String, u32>, rules: &DailyRules, book: &Book, now: Timestamp) -> Self {
        let day = |limit: usize| (rules.allowance(limit), book.used(rules, limit, now));
        let days = (0..DailyLimit::COUNT).map(|limit| (DAILY[limit].action, rules.uses(limit).map(day).collect()));
        Self { open, days: days.collect() }
    }

    /// Whether a request for that action may turn into an approval request, while `in_flight` others are on their way to.
    pub fn has_allowance_left(&self, action: &str, in_flight: u32) -> bool {
        let open = self.open(action).saturating_add(in_flight);
        self.days
            .get(action)
            .is_none_or(|days| days.iter().all(|(daily, used)| allowance_left(*daily, *used, open) > 0))
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
    use crate::daily::{DailySettings, Ground, UsedUp};
    use proptest::prelude::*;

    #[test]
    fn requests_are_bounded_where_a_day_is() {
        let approvable = |name: &str| crate::catalog::Action::named(name).is_some_and(|action| action.approvable);
        assert!(DAILY.iter().all(|limit| approvable(limit.action)));
        let rules = DailyRules::new(&DailySettings::default()).unwrap();
        let open = ["retire", "deprovision"].map(|name| (name.to_owned(), 9_999));
        let filing = Filing::new(HashMap::from(open), &rules, &Book::default(), Timestamp::UNIX_EPOCH);
        assert!(!filing.has_allowance_left("retire", 0));
        assert!(filing.has_allowance_left("deprovision", 0), "what has no limit of a day is carried out in one");
    }

    #[test]
    fn the_day_is_the_ledgers() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let settings = DailySettings { retire: Some(10), reserve_percent: Some(10), ..DailySettings::default() };
        let rules = DailyRules::new(&settings).unwrap();
        let (retire, delete) = (DailyLimit::index_named("retire").unwrap(), DailyLimit::index_named("delete").unwrap());
        let mut book = Book::default();
        (0..4).for_each(|_| book.enter(retire, now));
        let open = HashMap::from([("retire".to_owned(), 13), ("delete".to_owned(), 14)]);
        let mut filing = Filing::new(open.clone(), &rules, &book, now);
        assert!(filing.has_allowance_left("retire", 0), "twice nine, less four, less thirteen");
        assert!(!filing.has_allowance_left("retire", 1));
        assert!(!filing.has_allowance_left("delete", 0), "it may use up retires");
        filing.filed("retire");
        assert!(!filing.has_allowance_left("retire", 0));
        assert!(Filing::default().has_allowance_left("retire", 9_999));
        let until = now + jiff::SignedDuration::from_hours(1);
        book.pause(UsedUp { limit: delete, until, ground: Ground::Said });
        let filing = Filing::new(open, &rules, &book, now + jiff::SignedDuration::from_hours(2));
        assert!(
            filing.has_allowance_left("retire", 0) && !filing.has_allowance_left("retire", 1),
            "four count for a day"
        );
        let filing = Filing::new(HashMap::new(), &rules, &book, now + jiff::SignedDuration::from_hours(25));
        assert!(
            filing.has_allowance_left("retire", 17) && !filing.has_allowance_left("retire", 18),
            "tomorrow is another day"
        );
    }

    #[test]
    fn two_days_of_the_limit_less_what_is_gone() {
        assert_eq!(allowance_left(500, 0, 0), 1_000);
        assert_eq!(allowance_left(500, 100, 600), 300);
        assert_eq!(allowance_left(500, 9_999, 500), 0, "a day has no more than its limit");
    }

    proptest! {
        /// Day after day, each carries out what it may: whatever was filed with room is carried out by the last.
        #[test]
        fn what_is_filed_can_be_carried_out(daily in 1u32..2_000, used in 0u32..3_000, open in 0u32..3_000) {
            let all = open + allowance_left(daily, used, open);
            prop_assume!(allowance_left(daily, used, open) > 0);
            let left = (0..DAYS).fold(all, |left, day| {
                let today = if day == 0 { daily - used.min(daily) } else { daily };
                left.saturating_sub(today)
            });
            prop_assert_eq!(left, 0);
        }
    }
}
