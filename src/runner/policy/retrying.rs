//! What follows from an answer, if nothing else speaks against it.
//!
//! In: answers to attempts, reads, and reads that failed. Out: a settlement, or the job back in a queue, by the decision of
//! [`crate::runner::retry`]. Must not: classify answers or choose delays.

mod attempts;
mod failed_reads;
mod patience;
mod read_backs;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use self::patience::Patience;
use crate::outcome::Verdict;
use crate::runner::dialogue::{Admission, Announcement, Door, Happened, Policy, Rank, Then};
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Retrying {
    // What the dispatcher draws stays as it was: the delays here are drawn by themselves.
    let rng = run.rng.clone().fork();
    Retrying { patience: Patience::new(rng), done_before: run.history.done_before.clone(), read_at: HashMap::new() }
}

#[derive(Debug)]
pub(super) struct Retrying {
    patience: Patience,
    /// Jobs whose action a run before has done.
    done_before: HashSet<u32>,
    /// When a ReadBack has shown of a job that it may be sent again.
    read_at: HashMap<u32, Instant>,
}

/// How old such a read may be when the send leaves.
const FRESH: Duration = Duration::from_secs(10);

impl Policy for Retrying {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        let commands = match happened {
            Happened::Attempted(attempted) => {
                if attempted.reply.verdict != Verdict::Unauthorized {
                    self.patience.token_was_good(attempted.job);
                }
                attempts::after(*attempted, &mut self.patience, view)
            }
            Happened::Checked { job, .. } | Happened::Found { job, .. } => {
                self.patience.was_read(*job);
                return self.patience.token_was_good(*job);
            }
            Happened::StateRead { job, .. } => return self.patience.was_read(*job),
            Happened::ReadBack(read) => {
                self.patience.was_read(read.job);
                self.patience.token_was_good(read.job);
                if read.resend {
                    self.read_at.insert(read.job, read.times.sent);
                }
                let again = self.done_before.contains(&read.job);
                read_backs::after(read, again, view)
            }
            Happened::Announced(Announcement::Unread { item, why, .. }) => match read_backs::not_read(*item, why, view)
            {
                Some(command) => vec![command],
                None => return,
            },
            Happened::ReadFailed { item, reply, times } => {
                failed_reads::after(*item, reply, *times, &mut self.patience, view)
            }
            Happened::LetOut { item: Item { job, next: NextRequest::Send }, .. } => {
                self.read_at.remove(job);
                return;
            }
            Happened::Settled { job, .. } => {
                self.read_at.remove(job);
                return self.patience.forget(*job);
            }
            _ => return,
        };
        then.propose(Rank::GoOn, commands);
    }

    /// What was sent for a read waits no longer than that read tells something, whatever keeps it: then it is read again.
    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        let read_at = self.read_at.get(&item.job).filter(|_| door == Door::Gate && item.next == NextRequest::Send);
        match read_at.is_some_and(|at| view.now.saturating_duration_since(*at) > FRESH) {
            true => Admission::First(NextRequest::ReadBack { resend: true }),
            false => Admission::Go,
        }
    }
}
