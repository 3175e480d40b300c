//! A plan over days: when the daily limits let which of its jobs go. Pure.
//!
//! In: jobs, which of them are to be sent, the rules, what counts already. Out: a [`Spread`]: how many of each action on which day.
//! Must not: guess at refusals or at what people in the portal send; the forecast is a lower bound.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::account::limit_of;
use super::book::Book;
use super::rules::DailyRules;
use crate::catalog::DailyLimit;
use crate::job::Job;

/// Requests this much apart belong to different days.
const APART: SignedDuration = SignedDuration::from_hours(12);

/// What one day holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// When its first request may leave.
    pub from: Timestamp,
    /// By the place in the catalog's table of daily limits.
    pub sends: [u32; DailyLimit::COUNT],
}

/// The days of a plan; none where nothing of it has a daily limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    pub days: Vec<Day>,
    pub now: Timestamp,
}

impl Spread {
    /// Before anything is spread.
    fn none(now: Timestamp) -> Self {
        Self { days: Vec::new(), now }
    }

    /// Whether the plan takes longer than one go.
    pub fn takes_days(&self) -> bool {
        self.days.len() > 1 || self.days.first().is_some_and(|day| day.from > self.now)
    }
}

/// Spreads the jobs that `is_sent` names by their index, urgent ones first, else in plan order. `book` holds what counts already.
pub(crate) fn spread(
    jobs: &[Job],
    is_sent: impl Fn(usize) -> bool,
    rules: &DailyRules,
    mut book: Book,
    now: Timestamp,
) -> Spread {
    let mut waiting: [Vec<usize>; DailyLimit::COUNT] = Default::default();
    for (index, job) in jobs.iter().enumerate() {
        if let Some(limit) = limit_of(job.action).filter(|_| is_sent(index)) {
            waiting[limit].push(index);
        }
    }
    // The next one is at the end.
    let turn = |index: usize| (Reverse(jobs[index].priority), index);
    waiting.iter_mut().for_each(|queue| queue.sort_unstable_by_key(|index| Reverse(turn(*index))));
    let mut spread = Spread::none(now);
    loop {
        let heads = waiting.iter().enumerate().filter_map(|(limit, queue)| {
            let at = book.fits(rules, limit, now).map_or_else(|used_up| used_up.until, |()| now);
            Some((at, turn(*queue.last()?), limit))
        });
        let Some((at, _, limit)) = heads.min() else { return spread };
        waiting[limit].pop();
        // There is room at that time: it is when the last of its allowances has some.
        if book.take(rules, limit, at).is_err() {
            return spread;
        }
        let begins = spread.days.last().is_none_or(|day| at.duration_since(day.from) >= APART);
        if begins {
            spread.days.push(Day { from: at, sends: [0; DailyLimit::COUNT] });
        }
        if let Some(day) = spread.days.last_mut() {
            day.sends[limit] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DailySettings;
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};

    fn jobs(action: &str, count: u32) -> Vec<Job> {
        let action = Action::named(action).unwrap();
        let job = |row: u32| Job::new(JobParts::plain(row, action, Ids::new([row.to_string().as_str()])));
        (1..=count).map(job).collect()
    }

    fn now() -> Timestamp {
        "2026-11-22T07:00:00Z".parse().unwrap()
    }

    fn spread_of(jobs: &[Job], settings: &DailySettings, book: Book) -> Vec<([u32; 3], String)> {
        let spread = spread(jobs, |_| true, &DailyRules::new(settings).unwrap(), book, now());
        spread.days.iter().map(|day| (day.sends, day.from.to_string())).collect()
    }

    #[test]
    fn five_thousand_retires_take_six_days() {
        let days = spread_of(&jobs("retire", 5_000), &DailySettings::default(), Book::default());
        assert_eq!(days.iter().map(|(sends, _)| sends[0]).collect::<Vec<_>>(), [900, 900, 900, 900, 900, 500]);
        assert_eq!((days[0].1.as_str(), days[1].1.as_str()), ("2026-11-22T07:00:00Z", "2026-11-23T07:02:00Z"));
    }

    #[test]
    fn what_was_sent_today_is_not_there_any_more() {
        let mut book = Book::default();
        (0..850).for_each(|_| book.enter(0, "2026-11-21T19:00:00Z".parse().unwrap()));
        let days = spread_of(&jobs("retire", 1_000), &DailySettings::default(), book);
        let expected =
            [([50, 0, 0], "2026-11-22T07:00:00Z".to_owned()), ([950 - 100, 0, 0], "2026-11-22T19:02:00Z".to_owned())];
        assert_eq!(days[..2], expected);
    }

    #[test]
    fn urgent_rows_go_first_and_actions_do_not_wait_for_each_other() {
        let settings = DailySettings { wipe: Some(2), reserve_percent: Some(0), ..DailySettings::default() };
        let mut both = jobs("wipe", 3);
        both.extend(jobs("retire", 4));
        both[2].priority = 1;
        let days = spread_of(&both, &settings, Book::default());
        assert_eq!(days.iter().map(|(sends, _)| *sends).collect::<Vec<_>>(), [[4, 2, 0], [0, 1, 0]]);
    }

    #[test]
    fn a_delete_takes_its_part_of_what_it_may_set_off() {
        let mut both = jobs("delete", 400);
        both.extend(jobs("wipe", 100));
        let days = spread_of(&both, &DailySettings::default(), Book::default());
        assert_eq!(days.iter().map(|(sends, _)| *sends).collect::<Vec<_>>(), [[0, 50, 400], [0, 50, 0]]);
    }
}
