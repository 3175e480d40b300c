//! The list of runs.
//!
//! In: summaries from the journal, and the time. Out: a table, or one JSON object a line. Must not: read the journal.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::style::{OPEN, PLAIN, View};
use super::tables::Table;
use super::text::{count, duration};
use crate::journal::{RunState, RunSummary};
use crate::outcome::Outcome;

/// For people: the newest first.
pub(crate) fn render(runs: &[RunSummary], now: Timestamp, view: View) -> String {
    if runs.is_empty() {
        return "The journal has no runs yet.\n".into();
    }
    let mut table = Table::new(&[]).header(&["RUN", "STATE", "BEGUN", "TENANT", "PLAN", "JOBS"]);
    for run in runs {
        let age = Duration::try_from(now.duration_since(run.started_at)).unwrap_or_default();
        let begun = format!("{} ago", duration(age));
        let style = if run.state == RunState::Finished { PLAIN } else { OPEN };
        table.row(style, [run.id.as_str(), run.state.name(), &begun, &run.tenant, &run.plan_file, &counts(run)]);
    }
    table.render(view, 0)
}

fn counts(run: &RunSummary) -> String {
    let there = Outcome::ALL.into_iter().filter(|outcome| run.settled.of(*outcome) > 0);
    let settled = there.map(|outcome| format!("{} {}", count(run.settled.of(outcome)), outcome.name()));
    let open = run.jobs.saturating_sub(run.settled.total());
    let open = (open > 0).then(|| format!("{} not settled", count(open)));
    settled.chain(open).collect::<Vec<_>>().join(", ")
}

/// What came of a request to stop a run.
pub(crate) fn stopped(words: &str, run: &RunSummary) -> String {
    let next = match run.state.can_go_on() {
        true => format!("to go on with it: musterout resume {}\n", run.id),
        false => String::new(),
    };
    format!("run {} {words}: {}; {}\n{next}", run.id, run.state.name(), counts(run))
}

/// The same for programs.
pub(crate) fn stopped_json(word: &str, run: &RunSummary) -> Value {
    json!({ "result": word, "run": object(run) })
}

/// For programs.
pub(crate) fn json_lines(runs: &[RunSummary]) -> String {
    runs.iter().map(|run| format!("{}\n", object(run))).collect()
}

fn object(run: &RunSummary) -> Value {
    let outcomes: Map<_, _> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome.name().to_owned(), Value::from(run.settled.of(outcome))))
        .collect();
    json!({
        "run": run.id.as_str(),
        "state": run.state.name(),
        "started_at": run.started_at.to_string(),
        "plan_file": run.plan_file,
        "tenant": run.tenant,
        "jobs": run.jobs,
        "outcomes": outcomes,
    })
}
