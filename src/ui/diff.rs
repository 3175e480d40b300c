//! What `diff` says.
//!
//! In: differences. Out: text, or one JSON document. Must not: list a hundred thousand rows to a person; the JSON has them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{BAD, GOOD, OPEN, PLAIN, STRONG, View, paint};
use super::tables::Table;
use super::text::{count, count_of};
use crate::preview::diff::{Differences, JobLine, RowChange};
use crate::text::visible;

/// Rows of one kind that are listed.
const LISTED: usize = 50;

/// For people.
pub(crate) fn render(differences: &Differences, view: View) -> String {
    let same = count_of(differences.same, "job");
    if differences.is_empty() {
        return format!("{}\n", paint(view.styled, GOOD, &format!("no differences: {same} on both sides")));
    }
    let mut text = String::new();
    let mut section = |title: &str, style, rows: Vec<[String; 4]>| {
        if rows.is_empty() {
            return;
        }
        let _ = writeln!(text, "{}", paint(view.styled, STRONG, &format!("{title}: {}", count(rows.len()))));
        let mut table = Table::new(&[0]);
        for row in rows.iter().take(LISTED) {
            table.row(style, row.iter().map(String::as_str));
        }
        text.push_str(&table.render(view, 2));
        if rows.len() > LISTED {
            let _ = writeln!(text, "  {} more; --format json has all", count(rows.len() - LISTED));
        }
    };
    section("added", GOOD, differences.added.iter().map(|line| row(line, what(line))).collect());
    section("removed", BAD, differences.removed.iter().map(|line| row(line, what(line))).collect());
    section("changed", OPEN, differences.changed.iter().map(changed).collect());
    section("would be sent otherwise", OPEN, differences.findings.iter().map(finding).collect());
    let drifted = differences.drifted.iter().map(|drift| row(&drift.job, drift.differences.join("; ")));
    section("drifted", OPEN, drifted.collect());
    let terms = differences.terms.iter();
    let terms = terms.map(|it| [String::new(), it.term.into(), it.before.clone(), format!("now {}", it.after)]);
    section("terms", PLAIN, terms.collect());
    let _ = writeln!(text, "in both: {same}");
    text
}

fn row(line: &JobLine, what: String) -> [String; 4] {
    let target = match &line.target_name {
        Some(name) if *name != line.target => format!("{} ({})", line.target, visible(name)),
        _ => line.target.clone(),
    };
    [line.row.to_string(), line.action.to_owned(), target, what]
}

fn what(line: &JobLine) -> String {
    match (&line.finding, &line.body) {
        (Some(finding), _) => finding.clone(),
        (None, Some(body)) => body.clone(),
        (None, None) => String::new(),
    }
}

fn changed(change: &RowChange) -> [String; 4] {
    let whole = |line: &JobLine| match &line.body {
        Some(body) => format!("{} {body}", line.action),
        None => line.action.to_owned(),
    };
    let [number, _, target, _] = row(&change.after, String::new());
    [number, whole(&change.after), target, format!("was {}", whole(&change.before))]
}

fn finding(change: &RowChange) -> [String; 4] {
    let missing = change.before.missing != change.after.missing;
    let one = |line: &JobLine| {
        let finding = line.finding.clone().unwrap_or_else(|| line.state.to_owned());
        match missing {
            true => format!("{finding}, missing: {}", line.missing.unwrap_or("refuse")),
            false => finding,
        }
    };
    row(&change.after, format!("was: {}; now: {}", one(&change.before), one(&change.after)))
}

/// For programs.
pub(crate) fn json(differences: &Differences) -> Value {
    json!({ "equal": differences.is_empty(), "differences": differences })
}
