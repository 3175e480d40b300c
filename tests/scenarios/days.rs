//! What a scenario expects of days: how many rows of an action go well in one, what is left, in which order.
//!
//! In: the expectations and a [`Played`]. Out: breaches. Must not: run anything.

use jiff::{SignedDuration, Timestamp};
use musterout::testing::outcome::{Outcome, Settlement, Standing};

use super::file::Expect;
use super::play::Played;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub fn breaches(expect: &Expect, played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    for (action, range) in &expect.most_in_24_hours {
        let most = most_in_a_day(action, played);
        if !range.holds(most as f64) {
            found.push(format!("{most} of {action} in 24 hours, not {range}"));
        }
    }
    let left: Vec<_> = played.left.iter().map(|later| later.action).collect();
    if left != expect.left {
        found.push(format!("{left:?} was left for another day, not {:?}", expect.left));
    }
    let order = expect.order.as_ref().filter(|order| **order != sent_in_order(played));
    found.extend(order.map(|order| format!("rows went well in the order {:?}, not {order:?}", sent_in_order(played))));
    let waiting = played.jobs.iter().zip(&played.settlements).filter(|(job, settled)| {
        let left = played.left.iter().any(|later| later.action == job.action.name);
        let note = settled.note.as_deref().unwrap_or_default();
        settled.outcome == Outcome::NotAttempted
            && note.contains("daily limit") != (left && note.contains("not before"))
    });
    found.extend(
        waiting.take(1).map(|(job, settled)| format!("row {} does not say when to come back: {settled:?}", job.row)),
    );
    found
}

fn well(settled: &Settlement) -> Option<Timestamp> {
    let sent = settled.outcome.standing() == Standing::Good && settled.attempts > 0;
    settled.finished_at.filter(|_| sent).map(|at| at.time())
}

fn most_in_a_day(action: &str, played: &Played) -> usize {
    let of_action = played.jobs.iter().zip(&played.settlements).filter(|(job, _)| job.action.name == action);
    let mut times: Vec<Timestamp> = of_action.filter_map(|(_, settled)| well(settled)).collect();
    times.sort_unstable();
    let from = |(first, at): (usize, &Timestamp)| {
        times[first..].iter().take_while(|last| last.duration_since(*at) < DAY).count()
    };
    times.iter().enumerate().map(from).max().unwrap_or_default()
}

fn sent_in_order(played: &Played) -> Vec<u32> {
    let rows = played.jobs.iter().zip(&played.settlements);
    let mut rows: Vec<_> =
        rows.filter_map(|(job, settled)| Some((well(settled).and(settled.started_at)?.time(), job.row))).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, row)| row).collect()
}
