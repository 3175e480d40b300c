//! What follows a read that failed, whatever it was for: a PreSendCheck, a ReadBack, a search for what is missing.
//!
//! In: what was to be read, and the answer. Out: the read waits for its next turn, or it is said why it is not made again. Must not:
//! say what that means for the job; the policy that wanted the read does.

use std::time::Duration;

use super::attempts::unauthorized;
use super::patience::Patience;
use crate::outcome::{Reply, Verdict};
use crate::pacing::failed_read::{AfterRead, after_failed_read};
use crate::pacing::is_crowded;
use crate::runner::dialogue::{Announcement, Command, Times};
use crate::runner::event::StopReason;
use crate::runner::job_state::Item;
use crate::runner::retry;
use crate::runner::view::RunView;

pub(super) fn after(item: Item, reply: &Reply, times: Times, patience: &mut Patience, view: &RunView) -> Vec<Command> {
    let Item { job, next } = item;
    let (reason, bucket) = (reply.reason(), view.job(job).read_bucket());
    let pause = |asked| Command::Pause { bucket, asked, crowded: is_crowded(reply), times };
    let again = Command::send(job, next);
    let nth = patience.failed_reads(job) + 1;
    let goes_on = !view.is_stopping();
    let mut commands = Vec::new();
    // A service that is out of order for one read is so for the others.
    if let Verdict::Unavailable { after } = reply.verdict {
        commands.push(pause(Some(after)));
    }
    commands.extend(match after_failed_read(&reply.verdict, nth, view.limits.max_attempts, &mut patience.rng) {
        AfterRead::AtTheGate => vec![pause(named(&reply.verdict)), again],
        AfterRead::Outage { .. } if is_waited_for(job, reply, patience, view) => vec![again],
        // A run that is ending does not wait for a host to come back.
        AfterRead::NoHost if goes_on => vec![Command::HostAway { reason, times }, again],
        // A run that is ending asks once more, and no oftener.
        AfterRead::FreshToken if goes_on || patience.refused_tokens(job) == 0 => {
            unauthorized(item, reason, patience, view)
        }
        AfterRead::NotSignedIn if goes_on => vec![Command::Stop(StopReason::SignIn(reason)), again],
        AfterRead::Later { after } if goes_on => {
            patience.read_failed(job);
            vec![Command::later(job, next, after, reason)]
        }
        _ => vec![Command::Announce(Announcement::Unread { item, why: reason })],
    });
    commands
}

/// Whether a read goes on waiting for a service that is out of order and names a time. A run that is ending does not.
fn is_waited_for(job: u32, reply: &Reply, patience: &mut Patience, view: &RunView) -> bool {
    let unavailable = patience.unavailable(job, &reply.verdict, view.now);
    !view.is_stopping() && unavailable < retry::LONGEST_UNAVAILABLE
}

/// How long a throttle answer asks to wait.
fn named(verdict: &Verdict) -> Option<Duration> {
    match verdict {
        Verdict::Throttled { after } => *after,
        _ => None,
    }
}
