//! Days: how a plan spreads over them, and what was left for another one.
//!
//! In: a forecast, what a run has left. Out: text. Must not: list a year day by day.

use super::style::{PLAIN, View};
use super::tables::Table;
use super::text::{count, count_of};
use crate::catalog::{DAILY, DailyLimit};
use crate::daily::Ground;
use crate::daily::Later;
use crate::daily::{Day, Spread};
use crate::moment::moment;

/// Up to this many days are listed.
const WHOLE: usize = 14;
const FIRST: usize = 10;
/// Columns of numbers: the day's, and one for each action.
const NUMBERS: [usize; 1 + DailyLimit::COUNT] = [0, 2, 3, 4];

/// One sentence and a table; nothing for a plan that one day holds.
pub(crate) fn schedule(spread: Option<&Spread>, view: View) -> String {
    let Some(spread) = spread.filter(|spread| spread.takes_days()) else { return String::new() };
    let used = (0..DailyLimit::COUNT).filter(|limit| spread.days.iter().any(|day| day.sends[*limit] > 0));
    let used: Vec<usize> = used.collect();
    let actions = used.iter().map(|limit| DAILY[*limit].action);
    let header: Vec<&str> = ["DAY", "FROM"].into_iter().chain(actions).collect();
    let mut table = Table::new(&NUMBERS[..=used.len()]).header(&header);
    let total = spread.days.len();
    let hidden = if total > WHOLE { total - FIRST - 1 } else { 0 };
    for (number, day) in (1..).zip(&spread.days) {
        if hidden > 0 && number == FIRST + 1 {
            table.row(PLAIN, ["…", &format!("{} more days", count(hidden))]);
        }
        if hidden == 0 || number <= FIRST || number == total {
            let cells = cells(number, day, spread, &used);
            table.row(PLAIN, cells.iter().map(String::as_str));
        }
    }
    format!(
        "The daily limits of the tenant spread this over {}:\n\n{}\n",
        count_of(total, "day"),
        table.render(view, 2)
    )
}

fn cells(number: usize, day: &Day, spread: &Spread, used: &[usize]) -> Vec<String> {
    let from = if day.from <= spread.now { "now".to_owned() } else { moment(day.from) };
    let sends = used.iter().map(|limit| match day.sends[*limit] {
        0 => String::new(),
        sends => count(sends),
    });
    [count(number), from].into_iter().chain(sends).collect()
}

/// How it is known that an action had better wait.
pub(crate) fn why(ground: Ground) -> &'static str {
    match ground {
        Ground::Counted => "the daily limit is used up",
        Ground::Said => "the service says that the daily limit is used up",
        Ground::Presumed => "the service only answers 429, so the daily limit may be used up",
    }
}

/// `4,100 rows wait for another day: 4,100 retire from 2026-11-23 07:02:00 UTC`, and why, unless that was known before.
pub(crate) fn left(later: &[Later]) -> String {
    let rows: u32 = later.iter().map(|later| later.jobs).sum();
    let of_each = later.iter().map(|later| {
        let why = match later.ground {
            Ground::Counted => String::new(),
            ground => format!(" ({})", why(ground)),
        };
        format!("{} {} from {}{why}", count(later.jobs), later.action, moment(later.until))
    });
    let verb = if rows == 1 { "waits" } else { "wait" };
    format!("{} {verb} for another day: {}", count_of(rows, "row"), of_each.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(days: usize) -> Spread {
        let now: jiff::Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        let from = |day: usize| now + jiff::SignedDuration::from_hours(24 * day as i64);
        let days = (0..days).map(|day| Day { from: from(day), sends: [900, if day == 0 { 7 } else { 0 }, 0] });
        Spread { days: days.collect(), now }
    }

    #[test]
    fn a_schedule_looks_like_this() {
        assert_eq!(
            schedule(Some(&spread(3)), View::default()),
            "The daily limits of the tenant spread this over 3 days:\n\n  \
             DAY  FROM                     retire  wipe\n    \
             1  now                         900     7\n    \
             2  2026-11-23 07:00:00 UTC     900\n    \
             3  2026-11-24 07:00:00 UTC     900\n\n"
        );
        assert_eq!(schedule(Some(&spread(1)), View::default()), "");
        let long = schedule(Some(&spread(40)), View::default());
        assert!(long.contains("29 more days") && long.contains("\n   40  ") && long.lines().count() == 16, "{long}");
    }

    #[test]
    fn what_is_left_says_how_many_and_until_when() {
        let until = "2026-11-23T07:02:00Z".parse().unwrap();
        let one = Later { action: "retire", jobs: 4_100, until, ground: Ground::Counted };
        assert_eq!(left(&[one]), "4,100 rows wait for another day: 4,100 retire from 2026-11-23 07:02:00 UTC");
        let said = Later { jobs: 1, ground: Ground::Said, ..one };
        assert_eq!(
            left(&[said]),
            "1 row waits for another day: 1 retire from 2026-11-23 07:02:00 UTC (the service says that the daily limit is used up)"
        );
    }
}
