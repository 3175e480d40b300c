//! One row of a report.
//!
//! In: a job and its settlement. Out: a [`Row`] whose fields are the report's columns, in their order.
//! Must not: know a file format.

use std::borrow::Cow;

use serde::Serialize;

use super::cell;
use crate::catalog::TargetKind;
use crate::job::Job;
use crate::msgraph::request;
use crate::outcome::{Cause, RequestId, Settlement};

/// The columns of every report. Names and order are an interface.
pub const COLUMNS: [&str; 20] = [
    "row",
    "job_id",
    "action",
    "target",
    "target_name",
    "outcome",
    "http_status",
    "error_code",
    "error_message",
    "attempts",
    "waited_ms",
    "duration_ms",
    "started_at",
    "finished_at",
    "request_id",
    "client_request_id",
    "request",
    "note",
    "verified_at",
    "last_check_in",
];

/// One row. Made when it is written, because a plan may have a million of them.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    pub row: u32,
    pub job_id: String,
    pub action: &'static str,
    pub target: &'a str,
    pub target_name: Option<&'a str>,
    pub outcome: &'static str,
    pub http_status: Option<u16>,
    pub error_code: Option<&'a str>,
    pub error_message: Option<&'a str>,
    pub attempts: u32,
    pub waited_ms: u64,
    pub duration_ms: u64,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub request_id: Option<&'a RequestId>,
    pub client_request_id: Option<&'a RequestId>,
    pub request: String,
    pub note: Option<Cow<'a, str>>,
    pub verified_at: Option<String>,
    pub last_check_in: Option<String>,
    /// In JSON alone: the columns of CSV are an interface.
    pub cause: Option<&'static str>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(job: &'a Job, settlement: &'a Settlement) -> Self {
        let target = job.target();
        Self {
            row: job.row,
            job_id: job.id.to_string(),
            action: job.action.name,
            target,
            target_name: name_of(job),
            outcome: settlement.outcome.name(),
            http_status: settlement.http_status,
            error_code: settlement.error_code(),
            error_message: settlement.error_message(),
            attempts: settlement.attempts,
            waited_ms: settlement.waited_ms,
            duration_ms: settlement.duration_ms,
            started_at: settlement.started_at.map(|at| cell::instant(at.time())),
            finished_at: settlement.finished_at.map(|at| cell::instant(at.time())),
            request_id: settlement.request_id.as_ref(),
            client_request_id: settlement.client_request_id.as_ref(),
            request: request_line(job),
            note: join([
                job.note.as_deref().map(Cow::Borrowed),
                found_by(job),
                settlement.note.as_deref().map(Cow::Borrowed),
                seen(settlement).map(Cow::Borrowed),
            ]),
            verified_at: settlement.verified_at().map(cell::instant),
            last_check_in: settlement.follow_up.as_ref().and_then(|seen| seen.last_check_in).map(cell::instant),
            cause: settlement.cause.map(Cause::name),
        }
    }
}

/// There must be one settlement for every job; a report that leaves rows out would be a lie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{jobs} jobs, but {settlements} settlements: a report with that would not be whole")]
pub struct Mismatch {
    pub jobs: usize,
    pub settlements: usize,
}

/// The rows of a report, in plan order.
pub(crate) fn rows<'a>(
    jobs: &'a [Job],
    settlements: &'a [Settlement],
) -> Result<impl ExactSizeIterator<Item = Row<'a>>, Mismatch> {
    match jobs.len() == settlements.len() {
        true => Ok(jobs.iter().zip(settlements).map(|(job, settlement)| Row::new(job, settlement))),
        false => Err(Mismatch { jobs: jobs.len(), settlements: settlements.len() }),
    }
}

/// What the target is called. A user principal name is a name already.
fn name_of(job: &Job) -> Option<&str> {
    let is_name = job.action.target == TargetKind::User && job.target().contains('@') && job.stand_in().is_none();
    job.called().or_else(|| is_name.then(|| job.target()))
}

/// The row names another thing than the plan does: what leads from one to the other.
fn found_by(job: &Job) -> Option<Cow<'_, str>> {
    job.found.as_ref().map(|found| Cow::Owned(format!("found by {}", found.by)))
}

/// Empty where nothing was found that anything could be sent to.
fn request_line(job: &Job) -> String {
    if job.stand_in().is_some() {
        return String::new();
    }
    let request = request::build(job);
    format!("{} {}", request.method.name(), request.path)
}

/// What was seen since it was accepted; what came to nothing says so as its error.
fn seen(settlement: &Settlement) -> Option<&str> {
    let seen = settlement.follow_up.as_ref()?;
    (!seen.stage.came_to_nothing()).then_some(&*seen.words)
}

/// The operator's remark first, then ours.
fn join<'a>(parts: [Option<Cow<'a, str>>; 4]) -> Option<Cow<'a, str>> {
    parts.into_iter().flatten().reduce(|first, second| Cow::Owned(format!("{first}; {second}")))
}
