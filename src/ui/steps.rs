//! Steps that wait until the one before them was seen to have happened, for people.
//!
//! In: a preview. Out: text, empty where no step waits. Must not: list them one by one.

use std::fmt::Write as _;
use std::time::Duration;

use super::text::{count, count_of, duration};
use crate::preview::{Preview, PreviewState};

/// What a preview says of them.
pub(super) fn preview(preview: &Preview<'_>) -> String {
    let mut waits: Vec<(&str, &str, Duration, u32)> = Vec::new();
    for row in preview.rows().filter(|row| row.state == PreviewState::Send) {
        let (Some(within), Some(before)) = (row.job.verified_within(), row.after) else { continue };
        let (step, before) = (row.job.action.name, before.action.name);
        match waits.iter_mut().find(|known| (known.0, known.1, known.2) == (step, before, within)) {
            Some(known) => known.3 += 1,
            None => waits.push((step, before, within, 1)),
        }
    }
    let all: u32 = waits.iter().map(|(.., jobs)| jobs).sum();
    if all == 0 {
        return String::new();
    }
    let verb = if all == 1 { "waits" } else { "wait" };
    let mut text = format!("\n{} {verb} until the one before was seen to have happened:\n", count_of(all, "step"));
    for (step, before, within, jobs) in waits {
        let _ = writeln!(text, "  {:>3}  {step} after {before}, within {}", count(jobs), duration(within));
    }
    text
}
