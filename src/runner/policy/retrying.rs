//! What follows from an answer, if nothing else speaks against it.
//!
//! In: answers to attempts, reads, and reads that failed. Out: a settlement, or the job back in a queue, by the decision of
//! [`crate::runner::retry`]. Must not: classify answers or choose delays.

mod attempts;
mod failed_reads;
mod patience;
mod read_backs;

use std::collections::HashSet;

use self::patience::Patience;
use crate::outcome::Verdict;
use crate::runner::dialogue::{Announcement, Happened, Policy, Rank, Then};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Retrying {
    // What the dispatcher draws stays as it was: the delays here are drawn by themselves.
    let rng = run.rng.clone().fork();
    Retrying { patience: Patience::new(rng), done_before: run.history.done_before.clone() }
}

#[derive(Debug)]
pub(super) struct Retrying {
    patience: Patience,
    /// Jobs whose action a run before has done.
    done_before: HashSet<u32>,
}

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
            Happened::Settled { job, .. } => return self.patience.forget(*job),
            _ => return,
        };
        then.propose(Rank::GoOn, commands);
    }
}
