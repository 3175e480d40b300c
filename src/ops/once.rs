//! What a standing plan inherits from the runs before it.
//!
//! In: the journal, the jobs of a plan. Out: for each job that an earlier run has dealt with, what that leaves for the new
//! run, with all that the earlier one knows of it: whoever holds the last report must need no other. Must not: send, or
//! decide what is repeated; `journal::resume` and the catalog do.

use std::collections::{HashMap, HashSet};

use super::Error;
use crate::catalog::Repeat;
use crate::job::Job;
use crate::journal::memory::{Done, Known, Pending, TurnedDown};
use crate::journal::{Inherited, Journal, RunRecord, StoredJob, Tries};
use crate::outcome::{Outcome, Settlement, Stamp, Standing};
use crate::runner::Earlier;

/// What earlier runs of a standing plan have done: settled jobs are not sent again, doubtful ones are read first.
pub fn inherited(journal: &mut Journal, key: &str, jobs: &[Job]) -> Result<Vec<(u32, Inherited)>, Error> {
    let memory = journal.memory(key)?;
    let known = (0u32..).zip(jobs).filter_map(|(index, job)| Some((index, inherit(memory.get(&job.id)?))));
    Ok(known.collect())
}

fn inherit(known: &Known) -> Inherited {
    match known {
        Known::Done(done) => Inherited::Settled(Box::new(already_done(done))),
        Known::TurnedDown(turned_down) => Inherited::Settled(Box::new(failed(turned_down))),
        // Whether it may be repeated is asked when it is taken up.
        Known::InDoubt { client_request_id, sent_at, .. } => {
            Inherited::InDoubt { client_request_id: client_request_id.clone(), sent_at: *sent_at }
        }
        Known::Asked(pending) => Inherited::Asked { pending: pending.clone(), settlement: Box::new(awaiting(pending)) },
    }
}

/// Nothing is left to do; requests, times and ids are those of the run that did it.
fn already_done(Done { run_id, settled }: &Done) -> Settlement {
    let Some(settled) = settled else {
        return Settlement::unsent(Outcome::AlreadyDone, format!("done by run {run_id}"));
    };
    let at = settled.verified_at().or(settled.finished_at.map(Stamp::time));
    let on = at.map(|at| at.strftime(" on %Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
    let more = settled.note.as_deref().map(|note| format!("; {note}")).unwrap_or_default();
    let note = format!("{}{on} in run {run_id}{more}", settled.outcome.name());
    Settlement { outcome: Outcome::AlreadyDone, note: Some(note.into()), ..(**settled).clone() }
}

fn failed(TurnedDown { run_id, code, status, settled }: &TurnedDown) -> Settlement {
    let status = status.name();
    let note = format!(
        "approval request {code} is {status}, in run {run_id}; to file it again: musterout resume {run_id} --only failed"
    );
    Settlement { note: Some(note.into()), ..settled.clone() }
}

fn awaiting(Pending { request, filed_by, settled, .. }: &Pending) -> Settlement {
    let note = format!("{request}, by run {filed_by}");
    match settled {
        None => Settlement::unsent(Outcome::AwaitingApproval, note),
        Some(settled) => {
            Settlement { outcome: Outcome::AwaitingApproval, note: Some(note.into()), ..(**settled).clone() }
        }
    }
}

/// What other runs of the plan have done about jobs of a run since it was begun, so that it must not do it again: what they
/// have settled well is its own from now on; what they have in hand is theirs. Returns whether there is any of the first.
pub fn spare_what_is_done_elsewhere(
    journal: &mut Journal,
    record: &RunRecord,
    earlier: &mut HashMap<u32, Earlier>,
    spared: &mut HashSet<u32>,
) -> Result<bool, Error> {
    let elsewhere = journal.done_elsewhere(record)?;
    let mut done = Vec::new();
    for (index, stored) in (0u32..).zip(&record.jobs) {
        let settled = stored.settled.as_ref().is_some_and(|settled| settled.outcome.standing() == Standing::Good);
        let standing = match elsewhere.get(&stored.job.id).filter(|_| !settled) {
            None | Some(Known::TurnedDown(_)) => continue,
            Some(Known::Done(by)) => {
                let settlement = already_done(by);
                done.push((index, Inherited::Settled(Box::new(settlement.clone()))));
                settlement
            }
            Some(Known::InDoubt { run_id, .. }) => in_hands_of(stored, run_id),
            Some(Known::Asked(pending)) => in_hands_of(stored, &pending.run_id),
        };
        earlier.insert(index, Earlier::Kept(Box::new(standing)));
        spared.insert(index);
    }
    if !done.is_empty() {
        journal.take_over(record.number, &done)?;
    }
    Ok(!done.is_empty())
}

fn in_hands_of(stored: &StoredJob, run_id: &str) -> Settlement {
    let note = format!("run {run_id} goes on with it");
    Settlement { note: Some(note.into()), ..stored.standing() }
}

/// What is inherited, as the runner takes it up.
pub fn take_up(inherited: &[(u32, Inherited)], jobs: &[Job]) -> HashMap<u32, Earlier> {
    let take_up = |(index, what): &(u32, Inherited)| {
        let earlier = match what {
            Inherited::Settled(settlement) | Inherited::Asked { settlement, .. } => Earlier::Kept(settlement.clone()),
            Inherited::InDoubt { client_request_id, sent_at } => Earlier::Open {
                tries: Tries::one(*sent_at, client_request_id),
                doubtful_since: Some(*sent_at),
                read_first: jobs.get(*index as usize).is_none_or(|job| job.action.repeat == Repeat::AfterReadBack),
            },
        };
        (*index, earlier)
    };
    inherited.iter().map(take_up).collect()
}
