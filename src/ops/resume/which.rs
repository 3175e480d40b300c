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
        (Only::Open, false) => "no run is open",
        (Only::Open, true) => "no run has an approval request",
        (Only::Failed, _) => "no run has a row that failed",
        (Only::Unknown, _) => "no run has a row that is unknown",
        (Only::NotAttempted, _) => "no run has a row that was not attempted",
    };
    let RunHead { id, plan_file, .. } = &newest;
    let help = format!(
        "the newest is run {id} of {plan_file}; `musterout resume {id}` goes on with it all the same, `musterout runs` lists all"
    );
    Err(Error::NothingOpen(Box::new(Diagnostic::error("nothing-open", what).help(help))))
}
