//! The guards of a run, for people: which rules hold, where each stands, and what lifts them.
//!
//! In: a verdict. Out: lines of text. Must not: judge.

use std::fmt::Write as _;

use super::style::{OPEN, PLAIN, STRONG, View, paint};
use super::tables::Table;
use super::text::count;
use crate::guard::breaker::StopWhen;
use crate::guard::judge::Judgement;
use crate::guard::protected::ProtectedEntry;
use crate::guard::rule::Guard;
use crate::text::visible;

/// `vip.csv:2-40, plan.yaml:12`: in which lines of which files the entries are.
fn places(entries: &[ProtectedEntry]) -> Vec<String> {
    let mut places: Vec<(&str, u32, u32)> = Vec::new();
    for entry in entries {
        match places.last_mut().filter(|(file, ..)| *file == &*entry.file) {
            Some((_, first, last)) => (*first, *last) = ((*first).min(entry.line), (*last).max(entry.line)),
            None => places.push((&entry.file, entry.line, entry.line)),
        }
    }
    let place = |(file, first, last): (&str, u32, u32)| match first == last {
        true => format!("{file}:{first}"),
        false => format!("{file}:{first}-{last}"),
    };
    places.into_iter().map(place).collect()
}

/// One line for each rule and each override.
pub(super) fn render(verdict: &Judgement, view: View) -> String {
    let mut table = Table::new(&[]);
    for rule in &verdict.rules.stated {
        let later = match rule.guard {
            Guard::MaxPercentOfFleet(_) => "; checked after sign-in",
            Guard::RequireEscrow(_) => "; checked before irreversible actions on devices",
            _ => "",
        };
        let origin = format!("{}{later}", rule.origin);
        table.row(PLAIN, [rule.guard.name(), &rule.guard.to_string(), &origin]);
    }
    let protected = &verdict.rules.protected;
    if !protected.is_empty() {
        let entries = match protected.len() {
            1 => "1 entry".to_owned(),
            more => format!("{} entries", count(more)),
        };
        let files = places(protected.entries());
        let is_read = protected.entries().iter().any(|entry| entry.means.is_some());
        let later = if is_read { "" } else { "; looked up when the plan is run" };
        table.row(PLAIN, ["protected", &entries, &format!("{}{later}", files.join(", "))]);
    }
    if verdict.rules.stop_when != StopWhen::default() {
        table.row(PLAIN, ["stop_when", &verdict.rules.stop_when.to_string(), "checked during the run"]);
    }
    let mut text = format!("{}\n{}", paint(view.styled, STRONG, "Guards:"), table.render(view, 2));
    for (entry, standing) in verdict.overrides() {
        let line = format!("  {standing}: {} ({})", visible(&entry.to_string()), visible(&entry.origin.to_string()));
        let _ = writeln!(text, "{}", paint(view.styled, OPEN, &line));
    }
    text
}
