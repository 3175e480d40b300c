//! Which run a `resume` goes on with.
//!
//! In: what somebody has named, or nothing; the journal. Out: the run, under the lock of its plan. Must not: take one of which nothing is left
//! for one that was named.

use super::request::ResumeRequest;
use crate::diagnostics::Diagnostic;
use crate::journal::resume::Only;
use crate::journal::{Journal, RunHead, RunId, RunLock, RunRecord};
use crate::ops::error::Error;

/// In place of a run that nobody has named.
const LATEST: &str = "latest";

/// Whether somebody has said which run it is.
pub(super) fn is_named(run: &str) -> bool {
    !run.eq_ignore_ascii_case(LATEST)
}

/// The run, under the lock of its plan: that is taken before it is read, or what another process does to it meanwhile would
/// be sent once more.
pub(super) fn under_lock(journal: &Journal, request: &ResumeRequest) -> Result<(RunLock, RunRecord), Error> {
    let id = match is_named(&request.run) {
        true => journal.find(&request.run)?,
        false => newest_open(journal, request)?,
    };
    let lock = journal.lock(&journal.plan_key(&id)?, &id, request.start.now)?;
    Ok((lock, journal.read(&id)?))
}

/// The newest run of which something is left, as far as its rows tell.
fn newest_open(journal: &Journal, request: &ResumeRequest) -> Result<RunId, Error> {
    if let Some(id) = journal.find_open(request.only, request.refile)? {
        return Ok(id);
    }
    let newest = journal.head(&journal.find(LATEST)?)?;
    let what = match (request.only, request.refile) {
        (Only::Open, false) => "no run has open rows",
        (Only::Open, true) => "no run has an open approval request",
        (Only::Failed, _) => "no run has a failed row",
        (Only::Unknown, _) => "no run has a row with the outcome `unknown`",
        (Only::NotAttempted, _) => "no run has a row that was not attempted",
    };
    let RunHead { id, plan_file, .. } = &newest;
    let help = format!(
        "the newest is run {id} of {plan_file}; `musterout report {id}` shows its rows, and `musterout runs` lists all runs"
    );
    Err(Error::NothingOpen(Box::new(Diagnostic::warning("nothing-open", what).help(help))))
}
