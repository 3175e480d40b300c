//! What a look at the approval requests of a run has come to.
//!
//! In: a stored job, its request, how the service says that it stands. Out: what is done with the job, by the table of
//! `journal::resume`. Must not: look, send, or write anything down.

use std::collections::HashMap;

use jiff::Timestamp;

use super::requests::Requests;
use crate::approval::RequestStatus;
use crate::catalog::Success;
use crate::job::JobId;
use crate::journal::resume::{Asked, Next, PastOfJob, decide};
use crate::journal::{Filed, RequestRead, StoredJob};
use crate::msgraph::approvals::Statuses;
use crate::ops::record::again;
use crate::outcome::{Outcome, Settlement, Standing};
use crate::runner::{Approved, Earlier};

/// What a look at the requests has come to.
#[derive(Debug, Default)]
pub(super) struct PolledRequests {
    pub earlier: HashMap<u32, Earlier>,
    pub codes: HashMap<JobId, Box<str>>,
    pub settled: Vec<(u32, Settlement)>,
}

impl PolledRequests {
    /// Whether there is anything to be done, other than for jobs that are `idle`.
    pub(super) fn has_news(&self, idle: impl Fn(u32) -> bool) -> bool {
        self.earlier.keys().any(|job| !idle(*job)) || !self.settled.is_empty()
    }

    /// What follows for a job; `status` is what the look has shown, if it has shown anything.
    pub(super) fn take(
        &mut self,
        index: u32,
        stored: &StoredJob,
        filed: &Filed,
        status: Option<RequestStatus>,
        requests: &Requests,
        now: Timestamp,
    ) {
        let past = PastOfJob { asked: status.map_or(filed.asked(), Asked::from), ..stored.past() };
        let status = status.unwrap_or(filed.status);
        match decide(past, stored.job.action.repeat, requests.only, requests.refile) {
            Next::Keep => {}
            next @ (Next::Send | Next::Read) => drop(self.earlier.insert(index, again(stored, next))),
            Next::Complete => {
                self.codes.insert(stored.job.id, filed.request.code.clone());
                self.earlier.insert(index, Earlier::Approved(approved(stored, filed, None)));
            }
            Next::Check => drop(self.earlier.insert(index, Earlier::Approved(approved(stored, filed, Some(status))))),
            Next::Done => {
                let outcome = match stored.job.action.success {
                    Success::Accepted => Outcome::Accepted,
                    Success::Completed => Outcome::Completed,
                };
                self.settled.push((index, by_request(stored, filed, outcome, status, now)));
            }
            Next::Fail => self.settled.push((index, by_request(stored, filed, Outcome::Failed, status, now))),
        }
    }
}

/// Neither settled well nor failed.
pub(super) fn is_open(stored: &StoredJob) -> bool {
    let settled = stored.settled.as_ref().map(|settled| settled.outcome);
    settled.is_none_or(|outcome| {
        !matches!(outcome, Outcome::Failed | Outcome::NotFound) && outcome.standing() != Standing::Good
    })
}

/// What a list of all requests says of one. One that the service does not know any more has expired, if its time is over.
pub(super) fn read_of(job: u32, filed: &Filed, statuses: &Statuses, now: Timestamp) -> Option<RequestRead> {
    let expired = filed.request.expires_at < now;
    let code = filed.request.code.clone();
    found(job, filed, statuses)
        .or_else(|| expired.then_some(RequestRead { job, code, status: RequestStatus::Expired, expires_at: None }))
}

/// The same of a list that need not have it: that it is not there says nothing.
pub(super) fn found(job: u32, filed: &Filed, statuses: &Statuses) -> Option<RequestRead> {
    let code = filed.request.code.clone();
    let found = statuses.get(&code.to_ascii_lowercase())?;
    Some(RequestRead { job, code, status: found.status, expires_at: found.expires_at })
}

fn approved(stored: &StoredJob, filed: &Filed, ended: Option<RequestStatus>) -> Approved {
    Approved { request: filed.request.clone(), tries: stored.tries(), doubtful_since: stored.doubtful_since(), ended }
}

/// A job whose request alone says how it settles.
fn by_request(
    stored: &StoredJob,
    filed: &Filed,
    outcome: Outcome,
    status: RequestStatus,
    now: Timestamp,
) -> Settlement {
    let note = format!("approval request {} is {}", filed.request.code, status.name());
    Settlement {
        outcome,
        cause: None,
        http_status: None,
        error: None,
        finished_at: Some(now.into()),
        note: Some(note.into()),
        ..stored.standing()
    }
}
