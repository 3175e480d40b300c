//! Daily limits: how often an action may happen in a day, whoever asks.
//!
//! In: the scenario's limits, effects as they are about to happen, on how many devices. Out: go ahead, or not today.
//! Must not: answer.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use jiff::{SignedDuration, Timestamp};

use super::errors::Refusal;
use super::scenario::{DailyAnswer, DailyDay, RetryAfter, Scenario};
use crate::catalog::{ACTIONS, DAILY};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Quotas {
    /// Per action: when it has happened of late.
    used: HashMap<usize, VecDeque<Timestamp>>,
    /// How many days of the portal are in the books, and when the first began.
    portal: Option<(Timestamp, i64)>,
}

/// No room today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuotaUsedUp {
    /// Whose limit it is.
    pub action: &'static str,
    /// When there is room again.
    pub until: Timestamp,
}

impl Quotas {
    /// Whether the action may happen once more; if so, it counts. What acts on all devices of a user counts for each of the
    /// `devices`, and happens to all of them or to none.
    pub(super) fn take(
        &mut self,
        scenario: &Scenario,
        action: usize,
        devices: impl FnOnce() -> usize,
        now: Timestamp,
    ) -> Result<(), QuotaUsedUp> {
        self.let_people_in(scenario, now);
        let cascade = scenario.daily_cascade.iter().map(|name| name.index());
        let cascade = cascade.filter(|_| ACTIONS[action].name == "delete").map(|more| (more, 1));
        let of_devices = acts_on_devices_as(action).map(|more| (more, devices()));
        let all: Vec<(usize, usize)> = std::iter::once((action, 1)).chain(cascade).chain(of_devices).collect();
        let full = |(action, times): &(usize, usize)| {
            let until = self.full_until(scenario, *action, *times, now)?;
            Some(QuotaUsedUp { action: ACTIONS[*action].name, until })
        };
        if let Some(used_up) = all.iter().filter_map(full).max_by_key(|used_up| used_up.until) {
            return Err(used_up);
        }
        for (action, times) in all {
            (0..times).for_each(|_| self.count(scenario, action, now));
        }
        Ok(())
    }

    /// Until when the action cannot happen so many times more.
    fn full_until(&self, scenario: &Scenario, action: usize, more: usize, now: Timestamp) -> Option<Timestamp> {
        let limit = *scenario.daily.0.get(&action)? as usize;
        let none = VecDeque::new();
        let times = self.used.get(&action).unwrap_or(&none);
        // The last of those that must have stopped counting.
        let last = (times.len() + more).checked_sub(limit + 1)?;
        let until = counts_until(scenario, times.get(last).copied().unwrap_or(now));
        (until > now).then_some(until)
    }

    fn count(&mut self, scenario: &Scenario, action: usize, now: Timestamp) {
        let Some(limit) = scenario.daily.0.get(&action) else { return };
        let times = self.used.entry(action).or_default();
        let place = times.partition_point(|earlier| *earlier <= now);
        times.insert(place, now);
        while times.len() > *limit as usize {
            times.pop_front();
        }
    }

    /// Somebody has done it in the portal, at that time.
    pub(super) fn by_hand(&mut self, scenario: &Scenario, action: usize, at: Timestamp) {
        self.let_people_in(scenario, at);
        self.count(scenario, action, at);
    }

    /// People in the portal come first every day, and take what there is.
    fn let_people_in(&mut self, scenario: &Scenario, now: Timestamp) {
        if scenario.daily_portal.0.is_empty() {
            return;
        }
        let (began, known) = *self.portal.get_or_insert((now, 0));
        let days = now.duration_since(began).as_secs() / DAY + 1;
        for day in known..days {
            let at = began.checked_add(SignedDuration::from_secs(day * DAY)).unwrap_or(now);
            for (action, uses) in &scenario.daily_portal.0 {
                for _ in 0..*uses {
                    if self.full_until(scenario, *action, 1, at).is_none() {
                        self.count(scenario, *action, at);
                    }
                }
            }
        }
        self.portal = Some((began, days.max(known)));
    }
}

/// The action whose limit counts each device of a user that this one acts on.
fn acts_on_devices_as(action: usize) -> Option<usize> {
    let limit = DAILY.iter().find(|limit| limit.also.contains(&ACTIONS[action].name))?;
    ACTIONS.iter().position(|row| row.name == limit.action)
}

/// When something stops counting that happened at that time.
fn counts_until(scenario: &Scenario, at: Timestamp) -> Timestamp {
    let second = match scenario.daily_day {
        DailyDay::Sliding => return at.checked_add(SignedDuration::from_secs(DAY)).unwrap_or(Timestamp::MAX),
        DailyDay::Turning => {
            let turn = i64::from(scenario.daily_reset_hour.0) * HOUR;
            ((at.as_second() - turn).div_euclid(DAY) + 1) * DAY + turn
        }
    };
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// The answer on the day's last legs; nobody has seen a real one. `wait`: until there is room, where that is known.
pub(super) fn used_up(scenario: &Scenario, action: &str, wait: Duration) -> Refusal {
    let named = scenario.daily_message.clone();
    let message =
        named.unwrap_or_else(|| format!("The daily limit of {action} requests for this tenant has been reached."));
    match scenario.daily_answer {
        DailyAnswer::TooManyRequests => {
            Refusal::new(429, "TooManyRequests", message).waiting(RetryAfter::Absent, Duration::ZERO)
        }
        DailyAnswer::WithTime => Refusal::throttled(scenario.retry_after, wait),
        DailyAnswer::Forbidden => Refusal::new(403, "Forbidden", message),
        DailyAnswer::BadRequest => Refusal::bad_request(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::ActionName;

    fn index(name: &str) -> usize {
        ActionName(crate::catalog::Action::named(name).unwrap()).index()
    }

    fn takes<'s>(scenario: &'s Scenario, quotas: &'s mut Quotas) -> impl FnMut(&str, &str) -> bool + 's {
        |action, at| quotas.take(scenario, index(action), || 1, at.parse().unwrap()).is_ok()
    }

    #[test]
    fn the_day_turns_at_its_hour() {
        let scenario = Scenario::from_yaml("daily: { retire: 2 }\ndaily_reset_hour: 6\n").unwrap();
        let mut quotas = Quotas::default();
        let mut take = takes(&scenario, &mut quotas);
        assert!(take("retire", "2026-11-20T07:00:00Z"));
        assert!(take("retire", "2026-11-21T05:59:00Z"));
        assert!(!take("retire", "2026-11-21T05:59:59Z"));
        assert!(take("retire", "2026-11-21T06:00:00Z"));
    }

    #[test]
    fn a_day_may_slide() {
        let scenario = Scenario::from_yaml("daily: { retire: 2 }\ndaily_day: sliding\n").unwrap();
        let mut quotas = Quotas::default();
        let mut take = takes(&scenario, &mut quotas);
        assert!(take("retire", "2026-11-20T07:00:00Z"));
        assert!(take("retire", "2026-11-21T05:00:00Z"));
        assert!(!take("retire", "2026-11-21T06:59:59Z"));
        assert!(take("retire", "2026-11-21T07:00:00Z"));
        assert!(!take("retire", "2026-11-22T04:59:59Z"));
    }

    #[test]
    fn all_devices_of_a_user_count_one_by_one() {
        let scenario = Scenario::from_yaml("daily: { retire: 4 }\ndaily_day: sliding\n").unwrap();
        let mut quotas = Quotas::default();
        let mut take = |devices: usize, at: &str| {
            quotas.take(&scenario, index("removeAllDevicesFromManagement"), || devices, at.parse().unwrap())
        };
        let until = |at: &str| Err(QuotaUsedUp { action: "retire", until: at.parse().unwrap() });
        assert_eq!(take(3, "2026-11-20T07:00:00Z"), Ok(()));
        assert_eq!(take(2, "2026-11-20T08:00:00Z"), until("2026-11-21T07:00:00Z"));
        assert_eq!(take(1, "2026-11-20T08:00:00Z"), Ok(()));
        assert_eq!(take(0, "2026-11-20T08:00:00Z"), Ok(()), "a user without devices uses up nothing");
        assert_eq!(take(4, "2026-11-21T07:30:00Z"), until("2026-11-21T08:00:00Z"));
        assert_eq!(take(3, "2026-11-21T07:30:00Z"), Ok(()));
        assert!(take(5, "2026-11-25T07:00:00Z").is_err(), "more than a day has");
    }

    #[test]
    fn people_come_first_and_a_delete_may_count_twice() {
        let text = "daily: { delete: 9, retire: 3 }\ndaily_portal: { retire: 1 }\ndaily_cascade: [retire]\n";
        let scenario = Scenario::from_yaml(text).unwrap();
        let mut quotas = Quotas::default();
        let mut take = takes(&scenario, &mut quotas);
        assert!(take("delete", "2026-11-20T07:00:00Z"));
        assert!(take("retire", "2026-11-20T07:00:00Z"));
        assert!(!take("delete", "2026-11-20T07:00:00Z"));
        assert!(take("delete", "2026-11-21T07:00:00Z"));
        assert!(take("retire", "2026-11-21T07:00:00Z"));
        assert!(!take("retire", "2026-11-21T07:00:00Z"));
    }
}
