//! What all runs together know of one job. Pure.
//!
//! In: the parts that runs have had in it. Out: [`Known`]: done, in doubt, asked for, turned down, or nothing.
//! Must not: read, or go by a clock: attempts and outcomes have their places in one order.

use super::stored::PastAttempt;
use crate::approval::{ApprovalRequest, RequestStatus};
use crate::job::JobId;
use crate::outcome::{Outcome, Settlement, doubt};

/// What is known of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A run has settled it well.
    Done(DoneBefore),
    /// It was sent, and whether it had an effect is not known.
    InDoubt(InDoubt),
    /// An approval request for it is open.
    Asked(Box<Pending>),
    /// Its approval request came to nothing, in that run: asking again takes somebody who wants it.
    TurnedDown(Box<TurnedDown>),
    /// That much is known of the name of a user that it was made of, and not whose the name was.
    OfAName(Box<Known>),
}

/// A job that a run has settled well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneBefore {
    pub run_id: String,
    /// What the run called the job: with other parameters it is called otherwise.
    pub job: JobId,
    /// How, and when. `None`: it was remembered by a version that kept only the run.
    pub settled: Option<Box<Settlement>>,
    /// Its place in the order of all runs.
    pub seq: i64,
}

/// Attempts of which nobody knows whether they had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// The run that made the newest of them.
    pub run_id: String,
    /// Whether that run has settled the job, as what nobody knows.
    pub settled: bool,
    /// In their order, and never empty.
    pub attempts: Vec<PastAttempt>,
}

/// A request that came to nothing, and failed its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedDown {
    pub run_id: String,
    pub code: Box<str>,
    pub status: RequestStatus,
    pub settled: Settlement,
}

/// An open approval request of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The run that it belongs to, and the job's place there.
    pub run: i64,
    pub run_id: String,
    pub job: u32,
    /// The run that had it filed.
    pub filed_by: String,
    pub request: ApprovalRequest,
    /// The attempt that was answered with it.
    pub attempt: i64,
    /// Whether the effect of an attempt with its code is not known.
    pub doubtful: bool,
    /// How the job stood then, if it had settled.
    pub settled: Option<Box<Settlement>>,
}

/// What one run has had to do with a job.
#[derive(Debug, Clone)]
pub(super) struct PartOfRun {
    pub run_id: String,
    /// What the run called the job.
    pub job: JobId,
    pub attempts: Vec<PastAttempt>,
    pub ended: Option<SettledPart>,
    /// Of a job that was made of names: what it was about. `None`: of ids, or of names that were sent as they stood.
    pub about: Option<WhatAbout>,
}

/// What a job was about that was made of names of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WhatAbout {
    pub ids: Vec<String>,
    /// Name and id of each user in the body; `None`: whose the names were is not recorded.
    pub users: Option<Vec<(Box<str>, Box<str>)>>,
}

/// How a run has settled its part.
#[derive(Debug, Clone)]
pub(super) struct SettledPart {
    pub seq: i64,
    pub outcome: Outcome,
    pub settled: Option<Box<Settlement>>,
}

/// Of whoever has taken nothing into account yet.
pub(super) const FROM_THE_BEGINNING: i64 = -1;

/// Puts the parts together; what has its place at or before `since` is left out of account.
pub(super) fn known(parts: &[PartOfRun], since: i64) -> Option<Known> {
    let ended = parts.iter().filter_map(|part| Some((part, part.ended.as_ref()?)));
    // That there was nothing to do is no deed: what was not there, or was taken for done, may be there later.
    let is_deed = |outcome: Outcome| matches!(outcome, Outcome::Completed | Outcome::Accepted);
    let good = ended.clone().filter(|(_, ended)| is_deed(ended.outcome) && ended.seq > since);
    let done = good.max_by_key(|(_, ended)| ended.seq);
    let settled = done.map_or(since, |(_, ended)| ended.seq);
    let made = parts.iter().flat_map(|part| &part.attempts).map(PastAttempt::made);
    if doubt(made, settled).is_some() {
        return Some(Known::InDoubt(in_doubt(parts, settled)));
    }
    if let Some((part, SettledPart { settled, seq, .. })) = done {
        return Some(Known::Done(DoneBefore {
            run_id: part.run_id.clone(),
            job: part.job,
            settled: settled.clone(),
            seq: *seq,
        }));
    }
    // An outcome that says so is a doubt, whatever became of the record of its attempts.
    let unknown = ended.filter(|(part, ended)| {
        ended.outcome == Outcome::Unknown
            && ended.seq > since
            && part.attempts.iter().any(|attempt| attempt.seq > since)
    });
    let (part, _) = unknown.max_by_key(|(_, ended)| ended.seq)?;
    let attempts = part.attempts.iter().filter(|attempt| !attempt.cleared);
    let attempts: Vec<_> = attempts.map(|attempt| PastAttempt { verdict: None, ..attempt.clone() }).collect();
    (!attempts.is_empty()).then(|| Known::InDoubt(InDoubt { run_id: part.run_id.clone(), settled: true, attempts }))
}

/// Every attempt in doubt once, in their order.
fn in_doubt(parts: &[PartOfRun], settled: i64) -> InDoubt {
    let all = parts.iter().flat_map(|part| part.attempts.iter().map(move |attempt| (part, attempt)));
    let mut open: Vec<(&PartOfRun, &PastAttempt)> = all
        .clone()
        .filter(|(_, attempt)| {
            let copies = all.clone().map(|(_, copy)| copy).filter(|copy| copy.seq == attempt.seq);
            doubt(copies.map(PastAttempt::made), settled).is_some()
        })
        .collect();
    open.sort_by_key(|(_, attempt)| attempt.seq);
    open.dedup_by_key(|(_, attempt)| attempt.seq);
    let last = open.last().map(|(part, _)| *part);
    let run_id = last.map(|part| part.run_id.clone()).unwrap_or_default();
    let settled = last.is_some_and(|part| part.ended.is_some());
    InDoubt { run_id, settled, attempts: open.into_iter().map(|(_, attempt)| attempt.clone()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn attempt(seq: i64, verdict: Option<&str>) -> PastAttempt {
        PastAttempt {
            seq,
            // The clock of each process is another one.
            sent_at: Timestamp::from_second(1_000 - seq).unwrap(),
            client_request_id: seq.to_string(),
            verdict: verdict.map(str::to_owned),
            cleared: false,
        }
    }

    fn part(run_id: &str, attempts: Vec<PastAttempt>, ended: Option<(i64, Outcome)>) -> PartOfRun {
        let ended = ended.map(|(seq, outcome)| SettledPart { seq, outcome, settled: None });
        PartOfRun { run_id: run_id.into(), job: "0".repeat(32).parse().unwrap(), attempts, ended, about: None }
    }

    fn told(parts: &[PartOfRun]) -> String {
        match known(parts, FROM_THE_BEGINNING) {
            None => "nothing".into(),
            Some(Known::Done(done)) => format!("done by {}", done.run_id),
            Some(Known::InDoubt(InDoubt { run_id, attempts, .. })) => {
                let places: Vec<_> = attempts.iter().map(|attempt| attempt.seq.to_string()).collect();
                format!("in doubt by {run_id}: {}", places.join(" "))
            }
            Some(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn a_doubt_is_that_of_whoever_sent_last_and_has_all_attempts_once() {
        let first = part("A", vec![attempt(1, Some("lost"))], None);
        // B has taken the doubt over, read, and sent again.
        let mut copy = attempt(1, Some("lost"));
        assert_eq!(told(&[first.clone(), part("B", vec![copy.clone(), attempt(7, None)], None)]), "in doubt by B: 1 7");
        copy.cleared = true;
        assert_eq!(told(&[first, part("B", vec![copy, attempt(7, None)], None)]), "in doubt by B: 7");
    }

    #[test]
    fn what_is_done_is_done_until_somebody_sends_it_again() {
        let done = part("A", vec![attempt(1, None)], Some((2, Outcome::Accepted)));
        assert_eq!(told(std::slice::from_ref(&done)), "done by A");
        assert_eq!(told(&[done.clone(), part("B", vec![attempt(5, None)], None)]), "in doubt by B: 5");
        assert_eq!(
            told(&[done, part("B", vec![attempt(5, Some("refused"))], Some((6, Outcome::Failed)))]),
            "done by A"
        );
    }

    #[test]
    fn what_the_service_refused_is_no_doubt_and_an_unknown_outcome_is_one() {
        assert_eq!(told(&[part("A", vec![attempt(1, Some("refused"))], Some((2, Outcome::Failed)))]), "nothing");
        assert_eq!(
            told(&[part("A", vec![attempt(1, Some("throttled"))], Some((2, Outcome::Unknown)))]),
            "in doubt by A: 1"
        );
        assert_eq!(told(&[part("A", Vec::new(), Some((2, Outcome::NotAttempted)))]), "nothing");
        assert_eq!(told(&[part("A", vec![attempt(1, Some("gone"))], Some((2, Outcome::AlreadyDone)))]), "nothing");
    }

    #[test]
    fn what_was_taken_into_account_before_is_no_news() {
        let parts = [part("A", vec![attempt(1, None)], Some((2, Outcome::Completed)))];
        assert!(known(&parts, 1).is_some() && known(&parts, 2).is_none());
        assert!(known(&[part("A", vec![attempt(3, None)], None)], 3).is_none());
    }
}
