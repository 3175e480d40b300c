//! The guards of a run, for people: which rules hold, where each stands, and what lifts them.
//!
//! In: a verdict. Out: lines of text. Must not: judge.

use std::fmt::Write as _;

use super::style::{FAINT, OPEN, PLAIN, View, paint};
use super::tables::Table;
use super::text::count;
use crate::guard::breaker::StopWhen;
use crate::guard::judge::Verdict;
use crate::guard::rule::Guard;
use crate::text::visible;

/// One line for each rule and each override.
pub(super) fn render(verdict: &Verdict, view: View) -> String {
    let mut table = Table::new(&[]);
    for rule in &verdict.rules.stated {
        let later = match rule.guard {
            Guard::MaxPercentOfFleet(_) => "; checked after sign-in, when the size of the fleet is known",
            Guard::RequireEscrow(_) => "; read before irreversible actions on devices",
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
        let mut files: Vec<&str> = protected.entries().iter().map(|entry| entry.file.as_ref()).collect();
        files.dedup();
        let is_read = protected.entries().iter().any(|entry| entry.means.is_some());
        let later = if is_read { "" } else { "; what they stand for is read when it is run" };
        table.row(PLAIN, ["protected", &entries, &format!("{}{later}", files.join(", "))]);
    }
    if verdict.rules.stop_when != StopWhen::default() {
        table.row(PLAIN, ["stop_when", &verdict.rules.stop_when.to_string(), "while it runs"]);
    }
    let mut text = format!("{}\n{}", paint(view.styled, FAINT, "guards"), table.render(view.styled, 2));
    for (entry, standing) in verdict.overrides() {
        let line = format!("  {standing}: {} ({})", visible(&entry.to_string()), visible(&entry.origin.to_string()));
        let _ = writeln!(text, "{}", paint(view.styled, OPEN, &line));
    }
    text
}
