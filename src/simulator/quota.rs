//! Daily limits: how often an action may happen between one turn of the day and the next.
//!
//! In: the scenario's limits, effects as they are about to happen. Out: go ahead, or not today. Must not: answer.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::errors::Refusal;
use super::scenario::{DailyAnswer, Scenario};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[derive(Debug, Default)]
pub struct Quotas {
    /// Per action: the day, and how often it has happened on it.
    used: HashMap<usize, (i64, u32)>,
}

impl Quotas {
    /// Whether the action may happen once more today; if so, it counts.
    pub fn take(&mut self, scenario: &Scenario, action: usize, now: Timestamp) -> bool {
        let Some(limit) = scenario.daily.0.get(&action) else { return true };
        let today = (now.as_second() - i64::from(scenario.daily_reset_hour.0) * HOUR).div_euclid(DAY);
        let (day, used) = self.used.entry(action).or_insert((today, 0));
        if *day != today {
            (*day, *used) = (today, 0);
        }
        let room = *used < *limit;
        *used += u32::from(room);
        room
    }
}

/// The answer on the day's last legs. Nothing in it says when to come back; nobody has seen a real one.
pub fn used_up(answer: DailyAnswer, action: &str) -> Refusal {
    let message = format!("The daily limit of {action} requests for this tenant has been reached.");
    match answer {
        DailyAnswer::TooManyRequests => {
            Refusal::new(429, "TooManyRequests", message).waiting(super::scenario::RetryAfter::Absent, Duration::ZERO)
        }
        DailyAnswer::Forbidden => Refusal::new(403, "Forbidden", message),
        DailyAnswer::BadRequest => Refusal::bad_request(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::ActionName;

    #[test]
    fn the_day_turns_at_its_hour() {
        let scenario = Scenario::from_yaml("daily: { retire: 2 }\ndaily_reset_hour: 6\n").unwrap();
        let retire = ActionName(crate::catalog::Action::named("retire").unwrap()).index();
        let mut quotas = Quotas::default();
        let mut take = |at: &str| quotas.take(&scenario, retire, at.parse().unwrap());
        assert!(take("2026-11-20T07:00:00Z"));
        assert!(take("2026-11-21T05:59:00Z"));
        assert!(!take("2026-11-21T05:59:59Z"));
        assert!(take("2026-11-21T06:00:00Z"));
    }
}
