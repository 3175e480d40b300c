//! What `check` says of a plan without faults: how each file was understood.
//!
//! In: a plan. Out: text or one JSON object. Must not: leave out a column that was not used; nothing is ignored in
//! silence.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::faults;
use super::style::{FAINT, GOOD, OPEN, View, paint};
use super::text::{count, count_of};
use crate::guard::judge::Judgement;
use crate::plan::Plan;
use crate::text::visible;

/// For people.
pub(crate) fn render(plan: &Plan, verdict: &Judgement, view: View) -> String {
    let mut text = String::new();
    for input in &plan.inputs {
        let file = input.file.display().to_string();
        let format = paint(view.styled, FAINT, &visible(&input.format));
        // A YAML plan whose targets stand elsewhere has no rows of its own.
        let rows = match input.rows == 0 && input.columns.is_empty() && has_more(plan) {
            true => String::new(),
            false => format!(", {}", count_of(input.rows, "row")),
        };
        let _ = writeln!(text, "{}: {format}{rows}", visible(&file));
        if !input.columns.is_empty() {
            let column = |(header, word): &(String, &str)| match header == word {
                true => format!("`{word}`"),
                false => format!("`{}` as {word}", visible(header)),
            };
            let columns: Vec<_> = input.columns.iter().map(column).collect();
            let _ = writeln!(text, "  columns: {}", columns.join(", "));
        }
        if !input.unused_columns.is_empty() {
            let columns: Vec<_> = input.unused_columns.iter().map(|column| format!("`{}`", visible(column))).collect();
            let _ = writeln!(text, "  columns not used: {}", columns.join(", "));
        }
    }
    let file = plan.file.display().to_string();
    text.push_str(&faults::render(&plan.warnings, &file, view.styled));
    // What refuses a run is said with the refusal, the warnings beside it too.
    let refused = verdict.faults.has_errors();
    if !refused {
        text.push_str(&faults::render(&verdict.faults, &file, view.styled));
    }
    let rules = &verdict.rules;
    let verdict = match (plan.jobs.len(), plan.unresolved.len()) {
        (0, 0) => "no faults, but nothing to do".to_owned(),
        (0, _) if refused => "no faults in the plan; its guards refuse a run".to_owned(),
        (0, _) => "no faults".to_owned(),
        (jobs, _) if refused => format!("{}, no faults in the plan; its guards refuse a run", count_of(jobs, "job")),
        (jobs, _) => format!("{}, no faults", count_of(jobs, "job")),
    };
    let _ = writeln!(text, "{}", paint(view.styled, GOOD, &verdict));
    let entries = rules.protected.len();
    if entries > 0 {
        let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{} entries", count(entries)) };
        let line =
            format!("protected: {entries}, compared with the ids in the plan; they are looked up when the plan is run");
        let _ = writeln!(text, "{}", paint(view.styled, OPEN, &line));
    }
    if !plan.unresolved.is_empty() {
        let kinds = by_selector(plan).into_iter().map(|(name, number)| format!("{} by {name}", count(number)));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let rows = count_of(plan.unresolved.len(), "row");
        let _ = writeln!(text, "{rows} to be looked up in the tenant: {kinds}");
        let _ = writeln!(text, "{}", paint(view.styled, OPEN, &not_judged(plan)));
    }
    text
}

fn has_more(plan: &Plan) -> bool {
    !plan.jobs.is_empty() || !plan.unresolved.is_empty()
}

/// The guards count targets, and it is not known yet what those rows mean.
fn not_judged(plan: &Plan) -> String {
    let judged = match plan.jobs.len() {
        0 => "the guards have checked nothing yet".to_owned(),
        jobs => format!("the guards have checked only {} with ids", count_of(jobs, "job")),
    };
    format!("{judged}; `musterout preview` looks up the rest and checks everything")
}

/// How many rows are looked up by what.
fn by_selector(plan: &Plan) -> Vec<(&'static str, usize)> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for name in plan.unresolved.iter().flat_map(|row| row.lookup_words()) {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, number)) => *number += 1,
            None => counts.push((name, 1)),
        }
    }
    counts
}

/// For programs.
pub(crate) fn json(plan: &Plan, verdict: &Judgement) -> Value {
    let inputs: Vec<_> = plan
        .inputs
        .iter()
        .map(|input| {
            json!({
                "file": input.file.display().to_string(),
                "format": input.format,
                "rows": input.rows,
                "columns": input.columns.iter().map(|(header, word)| json!({ "header": header, "means": word })).collect::<Vec<_>>(),
                "unused_columns": input.unused_columns,
            })
        })
        .collect();
    json!({
        "jobs": plan.jobs.len(),
        "unresolved": plan.unresolved.len(),
        "inputs": inputs,
        "faults": faults::json(&plan.warnings),
        "findings": faults::json(&verdict.faults),
    })
}
