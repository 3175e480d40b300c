//! What follows from a ReadBack.
//!
//! In: what it has shown. Out: a settlement, another read, or the job sent again. Must not: take a read that shows no effect for a
//! proof before the effect has had time to show.

use tokio::time::Instant;

use crate::catalog::ReadBack as Kind;
use crate::outcome::{Ending, Evidence, Outcome};
use crate::runner::dialogue::{Announcement, Command, ReadBackAnswer};
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::retry;
use crate::runner::view::RunView;

/// `done_before`: a run before has done the same.
pub(super) fn after(read: &ReadBackAnswer, done_before: bool, view: &RunView) -> Vec<Command> {
    let ReadBackAnswer { job, resend, .. } = *read;
    let action = view.action(job);
    let evidence = of_this_attempt(read, done_before, view);
    let early = too_early(read, view);
    let mut commands = Vec::new();
    if let (Evidence::NoEffect(_), None) = (&evidence, early) {
        // The journal goes on calling it a doubt: what was filed for approval, and is not known to have been, may be
        // carried out by somebody later. A later process that takes the job up reads again.
        commands.push(Command::NoDoubt(job));
    }
    commands.push(match (evidence, early) {
        (Evidence::NoEffect(seen) | Evidence::CannotTell(seen), Some(until)) => read_later(read, seen, until, view),
        (Evidence::Effect(seen), _) => Command::settle(job, retry::success(action), Some(seen)),
        (Evidence::NoEffect(_), None) if resend && !view.is_stopping() => Command::send(job, NextRequest::Send),
        (Evidence::NoEffect(seen), None) if resend => {
            Command::Settle(job, Ending::from(view.why_stopped()).after(format!("it had no effect yet: {seen}")))
        }
        (Evidence::NoEffect(seen), None) => {
            Command::settle(job, Outcome::Failed, Some(format!("it had no effect: {seen}")))
        }
        (Evidence::Gone(_), _) => {
            Command::Announce(Announcement::Missing { job, found_by: NextRequest::ReadBack { resend } })
        }
        (Evidence::CannotTell(why), None) => Command::settle(job, Outcome::Unknown, Some(why)),
        (Evidence::NotRead(_), _) => return commands,
    });
    commands
}

/// A read that could not be made.
pub(super) fn not_read(item: Item, why: &str, view: &RunView) -> Option<Command> {
    let Item { job, next: NextRequest::ReadBack { .. } } = item else { return None };
    let note = format!("could not be read back ({why}); {}", view.look_at(job));
    Some(Command::settle(job, Outcome::Unknown, Some(note)))
}

/// Until when a read proves nothing, if it left too early: it tells how things stood then, however long its answer took.
fn too_early(read: &ReadBackAnswer, view: &RunView) -> Option<Instant> {
    let doubt = view.ledger.progress(read.job).and_then(|progress| progress.doubt);
    let early = doubt.map(|doubt| doubt.settling_until).filter(|until| *until > read.times.sent);
    // Waiting tells nothing where no read ever does.
    early.filter(|_| view.action(read.job).read_back != Kind::Nobody)
}

/// A state has no date: what a run before has done may have brought it about.
fn of_this_attempt(read: &ReadBackAnswer, done_before: bool, view: &RunView) -> Evidence {
    let kind = view.action(read.job).read_back;
    let has_no_date = matches!(kind, Kind::ManagementState { .. } | Kind::UserDevices { .. });
    match read.evidence.clone() {
        Evidence::Effect(seen) if has_no_date && done_before => {
            Evidence::CannotTell(format!("{seen}, which may be of an earlier run that did the same"))
        }
        evidence => evidence,
    }
}

/// A read that shows no effect so soon after the attempt is no proof; one that is not waited for leaves the doubt.
fn read_later(read: &ReadBackAnswer, seen: String, until: Instant, view: &RunView) -> Command {
    let ReadBackAnswer { job, resend, .. } = *read;
    if view.is_stopping() {
        let note = format!("{seen}, so soon after it was sent; {}", view.look_at(job));
        return Command::settle(job, Outcome::Unknown, Some(note));
    }
    let reason = format!("{seen}, which is too early to tell").into();
    Command::later(job, NextRequest::ReadBack { resend }, until.saturating_duration_since(view.now), reason)
}
