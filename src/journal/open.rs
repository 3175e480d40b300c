//! What another plan has open on a target: it was sent, and nobody knows yet what comes of it. Pure.
//!
//! In: the parts that runs have had in one job, its approval request. Out: an [`OpenJob`], or none. Must not: read, or say
//! what may follow such a job; the guards do.

use jiff::{SignedDuration, Timestamp};

use super::known::{DoneBefore, FROM_THE_BEGINNING, InDoubt, Known, PartOfRun, known};
use crate::catalog::{Action, ReadBack};
use crate::moment::moment;
use crate::outcome::{Outcome, Settlement, Stamp};

/// For so long a job holds others that nobody looks at again: as long as a step may wait to be verified. A device that has not
/// been there for a week may never come back, and must not keep its record for ever.
pub(super) const HOLDS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A job of another plan that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJob {
    pub run_id: String,
    /// The plan of that run, as people know it.
    pub plan: String,
    pub action: String,
    /// The id that it was sent to.
    pub target: String,
    pub stands: Stands,
    /// From then on it holds nobody.
    pub until: Timestamp,
}

/// How it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Its answer is not there, or does not tell.
    InDoubt,
    /// A second person has to approve it.
    Asked,
    /// The service has taken it, and no read has shown that it has happened.
    Accepted,
}

/// Which run has left a job open, how, and until when that holds others.
pub(super) fn open(parts: &[PartOfRun], now: Timestamp) -> Option<(String, Stands, Timestamp)> {
    let (run_id, stands, since) = match known(parts, FROM_THE_BEGINNING)? {
        Known::InDoubt(InDoubt { run_id, attempts, .. }) => {
            let last = attempts.last()?;
            if has_failed(parts, &run_id, last.seq) {
                return None;
            }
            (run_id, Stands::InDoubt, last.sent_at)
        }
        Known::Done(DoneBefore { run_id, settled: Some(settled), .. }) if is_unseen(&settled) => {
            (run_id, Stands::Accepted, settled.finished_at.map(Stamp::time)?)
        }
        _ => return None,
    };
    let until = since.saturating_add(HOLDS).ok()?;
    (now < until).then_some((run_id, stands, until))
}

/// Whether the run has given it up: nobody goes on with it by itself.
fn has_failed(parts: &[PartOfRun], run_id: &str, since: i64) -> bool {
    let ended = parts.iter().filter(|part| part.run_id == run_id).filter_map(|part| part.ended.as_ref());
    let is_failure = |outcome: Outcome| matches!(outcome, Outcome::Failed | Outcome::NotFound);
    ended.into_iter().any(|ended| ended.seq > since && is_failure(ended.outcome))
}

fn is_unseen(settled: &Settlement) -> bool {
    let may_be_seen = settled.follow_up.as_ref().is_none_or(|seen| seen.stage.is_open());
    settled.outcome == Outcome::Accepted && may_be_seen
}

impl std::fmt::Display for OpenJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run_id, plan, action, target, stands, until } = self;
        let can_be_seen = Action::named(action).is_some_and(|action| action.read_back != ReadBack::Nobody);
        match stands {
            Stands::InDoubt => write!(
                f,
                "{action} was sent to {target} by run {run_id} of {plan}, and its outcome is not known yet; \
                 musterout resume {run_id} finds out"
            )?,
            Stands::Asked => write!(
                f,
                "{action} of {target} waits for an approval in run {run_id} of {plan}; musterout resume {run_id} goes \
                 on with it, musterout approvals {run_id} --withdraw withdraws it"
            )?,
            Stands::Accepted if can_be_seen => write!(
                f,
                "{action} of {target} is accepted in run {run_id} of {plan}, and not confirmed yet; \
                 musterout verify {run_id} looks"
            )?,
            Stands::Accepted => {
                write!(f, "{action} of {target} is accepted in run {run_id} of {plan}, and cannot be verified")?
            }
        }
        write!(f, "; other plans wait for it until {}", moment(*until))
    }
}
