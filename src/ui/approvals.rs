//! What waits for somebody's approval.
//!
//! In: open requests from the journal, and the time. Out: a table grouped by run, action and urgency, records for a CSV,
//! or one JSON object a line. Must not: read the journal, or ask the service.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::style::{BAD, OPEN, PLAIN, STRONG, View, paint};
use super::tables::Table;
use super::text::{count_of, duration};
use crate::approval::{RequestStatus, minute};
use crate::journal::Waiting;
use crate::journal::memory::SIMULATED;
use crate::moment::moment;
use crate::report::cell::instant;
use crate::text::visible;

/// Columns of the CSV; an interface.
pub(crate) const COLUMNS: [&str; 15] = [
    "code",
    "status",
    "action",
    "target",
    "filed_at",
    "expires_at",
    "read_at",
    "found",
    "justification",
    "tenant",
    "run",
    "row",
    "note",
    "plan",
    "target_name",
];

/// A request that expires within this time is pointed out.
const SOON: Duration = Duration::from_secs(24 * 3_600);

/// For people who approve: one block for each action of each run, what expires first at the top.
pub(crate) fn render(waiting: &[Waiting], now: Timestamp, view: View) -> String {
    if waiting.is_empty() {
        return "no approval requests are open\n".into();
    }
    let mut text = String::new();
    for group in groups(waiting) {
        let first = group[0];
        let heading = format!("{} in {}, run {}", count_of(group.len(), &first.action), tenant(first), first.run);
        text.push_str(&format!("{}\n", paint(view.styled, STRONG, &visible(&heading))));
        text.push_str(&format!("plan: {}\n", visible(plan(first))));
        if let Some(reason) = &first.justification {
            text.push_str(&format!("justification: {}\n", visible(reason)));
        }
        let named = group.iter().any(|waiting| waiting.target_name.is_some());
        let columns = ["REQUEST", "STATUS", "ROW", "TARGET", "FILED", "EXPIRES", "NAME"];
        let columns = &columns[..if named { 7 } else { 6 }];
        let mut table = Table::new(&[2]).header(columns);
        for waiting in group {
            let left = Duration::try_from(waiting.filed.request.expires_at.duration_since(now)).ok();
            let (style, expires) = match left {
                None | Some(Duration::ZERO) => (BAD, "over".to_owned()),
                Some(left) if left <= SOON => (OPEN, format!("in {}", duration(left))),
                Some(left) => (PLAIN, format!("in {}", duration(left))),
            };
            let filed = moment(waiting.filed.request.filed_at);
            let name = visible(waiting.target_name.as_deref().unwrap_or_default());
            let cells = [
                &*waiting.filed.request.code,
                word(waiting),
                &waiting.row.to_string(),
                &waiting.target,
                &filed,
                &expires,
                &name,
            ];
            table.row(style, cells.into_iter().take(columns.len()));
        }
        text.push_str(&table.render(view, 2));
        text.push('\n');
    }
    text.push_str(&summary(waiting));
    text
}

fn tenant(waiting: &Waiting) -> String {
    match waiting.tenant.as_str() {
        SIMULATED => "the simulated tenant".to_owned(),
        tenant => format!("tenant {tenant}"),
    }
}

/// By run and action, in the order in which they come; in each, what expires first.
fn groups(waiting: &[Waiting]) -> Vec<Vec<&Waiting>> {
    let mut groups: Vec<Vec<&Waiting>> = Vec::new();
    for one in waiting {
        let same = |group: &&mut Vec<&Waiting>| group[0].run == one.run && group[0].action == one.action;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|waiting| (waiting.filed.request.expires_at, waiting.row));
    }
    groups
}

fn summary(waiting: &[Waiting]) -> String {
    let approved = waiting.iter().filter(|waiting| waiting.filed.status == RequestStatus::Approved).count();
    let others = waiting.len() - approved;
    let mut text = String::new();
    if others > 0 {
        let whom = "approve them in the Intune admin centre: Tenant administration > Multi Admin Approval";
        text.push_str(&format!("{} to be approved by another administrator: {whom}\n", count_of(others, "request")));
    }
    if approved > 0 {
        text.push_str(&format!(
            "{} approved: `musterout resume RUN` completes what is approved\n",
            count_of(approved, "request")
        ));
    }
    text
}

fn word(waiting: &Waiting) -> &'static str {
    match waiting.filed.status {
        RequestStatus::Unknown => "not read yet",
        status => status.name(),
    }
}

/// The plan's file, without the folders that tell an approver nothing.
fn plan(waiting: &Waiting) -> &str {
    waiting.plan_file.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// For spreadsheets: the cells of [`COLUMNS`].
pub(crate) fn records(waiting: &[Waiting]) -> impl Iterator<Item = [String; 15]> {
    waiting.iter().map(|waiting| {
        let request = &waiting.filed.request;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            request.code.to_string(),
            waiting.filed.status.name().to_owned(),
            waiting.action.clone(),
            waiting.target.clone(),
            minute(request.filed_at),
            minute(request.expires_at),
            waiting.filed.read_at.map(minute).unwrap_or_default(),
            request.found.to_string(),
            text(&waiting.justification),
            waiting.tenant.clone(),
            waiting.run.to_string(),
            waiting.row.to_string(),
            text(&waiting.note),
            plan(waiting).to_owned(),
            text(&waiting.target_name),
        ]
    })
}

/// For programs.
pub(crate) fn json_lines(waiting: &[Waiting]) -> String {
    let object = |waiting: &Waiting| {
        let request = &waiting.filed.request;
        json!({
            "code": request.code,
            "status": waiting.filed.status.name(),
            "action": waiting.action,
            "target": waiting.target,
            "filed_at": instant(request.filed_at),
            "expires_at": instant(request.expires_at),
            "read_at": waiting.filed.read_at.map(instant),
            "found": request.found,
            "justification": waiting.justification,
            "tenant": waiting.tenant,
            "run": waiting.run.as_str(),
            "row": waiting.row,
            "note": waiting.note,
            "plan": plan(waiting),
            "target_name": waiting.target_name,
        })
    };
    waiting.iter().map(|waiting| format!("{}\n", object(waiting))).collect()
}
