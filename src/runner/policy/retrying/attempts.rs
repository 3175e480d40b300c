//! What follows from the answer to an attempt.
//!
//! In: the answer, what the job has used up. Out: what is done next with the job. Must not: say whether an attempt may have had an
//! effect; the ledger keeps that.

use super::patience::Patience;
use crate::approval::ApprovalRequest;
use crate::outcome::{Outcome, Verdict};
use crate::pacing::is_crowded;
use crate::runner::dialogue::{Announcement, Attempted, Command, JournalEntry};
use crate::runner::event::StopReason;
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::progress::JobProgress;
use crate::runner::retry::{self, RetryDecision, Spent};
use crate::runner::view::RunView;

pub(super) fn after(attempted: Attempted, patience: &mut Patience, view: &RunView) -> Vec<Command> {
    let Attempted { job, reply, times } = attempted;
    let (reason, crowded, bucket) = (reply.reason(), is_crowded(reply), view.job(job).bucket());
    let decision = decide(attempted, patience, view);
    let pause = |asked| Command::Pause { bucket, asked, crowded, times };
    let again = || Command::send(job, view.way_to_send(job));
    let mut commands = match decision {
        RetryDecision::PauseBucket { asked } => return vec![Command::NotATry(job), pause(asked), again()],
        RetryDecision::Settle(outcome) => settle(job, outcome, &reply.verdict, view),
        RetryDecision::Retry { after } => vec![Command::later(job, NextRequest::Send, after, reason)],
        RetryDecision::CheckThenRetry { after } => {
            vec![Command::later(job, NextRequest::ReadBack { resend: true }, after, reason)]
        }
        RetryDecision::CheckThenSettle { after } => {
            vec![Command::later(job, NextRequest::ReadBack { resend: false }, after, reason)]
        }
        RetryDecision::FindMissing => {
            vec![Command::Announce(Announcement::Missing { job, found_by: NextRequest::Send })]
        }
        RetryDecision::WaitForTurn => vec![Command::NeverSent(job), again()],
        RetryDecision::WaitForHost => {
            vec![Command::NeverSent(job), Command::HostAway { reason, times }, again()]
        }
        RetryDecision::RefreshToken => {
            let mut commands = vec![Command::NotATry(job)];
            commands.extend(unauthorized(Item { job, next: view.way_to_send(job) }, reason, patience, view));
            commands
        }
        RetryDecision::Unjustified(lack) => vec![Command::Stop(StopReason::Justification(lack, reason)), again()],
        RetryDecision::SignInFailed => {
            vec![Command::NeverSent(job), Command::Stop(StopReason::SignIn(reason)), again()]
        }
    };
    if let Verdict::Unavailable { after } = reply.verdict {
        commands.insert(0, pause(Some(after)));
    }
    commands
}

/// What the retry policy says, with all that the job has used up.
fn decide(attempted: Attempted, patience: &mut Patience, view: &RunView) -> RetryDecision {
    let Attempted { job, reply, times } = attempted;
    let action = view.action(job);
    let unavailable = patience.unavailable(job, &reply.verdict, times.now);
    let tries = view.ledger.progress(job).map_or(0, |progress| progress.tries);
    let spent = Spent { tries, max_tries: view.limits.max_attempts, unavailable };
    let decision = retry::decide(action, &reply.verdict, spent, &mut patience.rng);
    retry::check_before_failing(action, decision, view.is_in_doubt(job))
}

/// The first 401 of a job may be an old token; the second is the tenant's word.
pub(super) fn unauthorized(item: Item, reason: Box<str>, patience: &mut Patience, view: &RunView) -> Vec<Command> {
    let Item { job, next } = item;
    let again = Command::send(job, next);
    if patience.unauthorized(job) < 2 {
        return vec![again];
    }
    let stop = Command::Stop(StopReason::SignIn(reason));
    match view.is_in_doubt(job) {
        // Not back into the queue: a run that was interrupted before would read it for ever.
        true => vec![stop, Command::settle(job, Outcome::Unknown, Some(view.look_at(job)))],
        false => vec![stop, again],
    }
}

/// Settles a job by the answer to it.
pub(super) fn settle(job: u32, outcome: Outcome, verdict: &Verdict, view: &RunView) -> Vec<Command> {
    let doubt = view.ledger.progress(job).and_then(|progress| progress.doubt);
    let lost = doubt.is_some_and(|doubt| doubt.lost);
    let (outcome, note) = match verdict {
        // The last answer was a no, but one before it was lost: that one may have had the effect.
        _ if outcome == Outcome::Failed && (lost || (doubt.is_some() && !verdict.leaves_a_doubt())) => {
            (Outcome::Unknown, Some(view.look_at(job)))
        }
        Verdict::ApprovalRequired { code } => {
            let (attempt, request) = filed(job, code, view);
            let note = Some(request.to_string());
            let file = Command::Write(JournalEntry::Filed { job, attempt, request: Box::new(request) });
            return vec![file, Command::settle(job, outcome, note)];
        }
        Verdict::ApprovalPending => {
            (outcome, Some("an approval request for it is pending already, and could not be found".to_owned()))
        }
        Verdict::Succeeded => (outcome, remark_on_success(job, view)),
        Verdict::Lost | Verdict::Foreign => (outcome, Some(view.look_at(job))),
        _ => (outcome, None),
    };
    vec![Command::settle(job, outcome, note)]
}

/// The service has filed the request of a job, or has one of it already.
fn filed(job: u32, code: &str, view: &RunView) -> (u32, ApprovalRequest) {
    let progress = view.ledger.progress(job);
    let known = progress.and_then(|progress| progress.approved.as_ref());
    // The service wants approval for what it has approved: it is waited for again.
    let known = known.map(|approved| approved.request.clone()).filter(|request| *request.code == *code);
    let is_older = progress.and_then(JobProgress::last_status) == Some(409);
    let request = known.unwrap_or_else(|| ApprovalRequest::filed(code.into(), view.wall(), is_older));
    (progress.map_or(0, |progress| progress.recorded.saturating_sub(1)), request)
}

/// A success that Microsoft's pages do not name is one all the same, and the reader may want to know.
fn remark_on_success(job: u32, view: &RunView) -> Option<String> {
    let action = view.action(job);
    let status = view.ledger.progress(job).and_then(JobProgress::last_status)?;
    let strange = (200..300).contains(&status) && !action.expects(status);
    let listed: Vec<_> = action.success_codes.iter().map(u16::to_string).collect();
    strange.then(|| format!("answered {status}, where {} is documented", listed.join(" or ")))
}
