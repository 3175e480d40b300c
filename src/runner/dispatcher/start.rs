//! How a run begins: what is kept, what is held, what waits for what, what can go.
//!
//! In: the jobs' holds, and what an earlier process left behind. Out: full queues, and settlements of what is not sent.
//! Must not: send; the loop does.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::Earlier;
use super::super::event::Event;
use super::super::ledger::Doubt;
use super::super::queue::{Item, Step};
use super::Dispatcher;
use crate::guard::preflight::Hold;
use crate::journal::Tries;
use crate::outcome::{Outcome, Since};

impl Dispatcher {
    pub(super) fn take_in(&mut self, holds: &[Option<Hold>], mut earlier: HashMap<u32, Earlier>) {
        let jobs = Arc::clone(&self.jobs);
        let kept = |job: u32| matches!(earlier.get(&job), Some(Earlier::Kept(_)));
        let due = (0u32..).zip(holds).filter(|(job, hold)| hold.is_none() && !kept(*job)).count();
        self.tell(Event::Started { jobs: jobs.len() as u32, due: due as u32 });
        for (index, job) in (0u32..).zip(jobs.iter()) {
            if let Some(first) = job.after {
                self.next_steps.entry(first).or_default().push(index);
            }
        }
        // All that is kept is in its place before anything asks how the step before it stands.
        for (index, _) in (0u32..).zip(jobs.iter()) {
            match earlier.remove(&index) {
                Some(Earlier::Kept(settlement)) => {
                    self.tell(Event::Settled { job: index, outcome: settlement.outcome });
                    self.ledger.keep(index, *settlement);
                }
                Some(Earlier::Failed(settlement, open)) => {
                    self.failed.insert(index, *settlement);
                    earlier.insert(index, *open);
                }
                Some(open) => {
                    earlier.insert(index, open);
                }
                None => {}
            }
        }
        // Nor may a step be sent because the one before it went well, when it was sent already.
        let sent = |(index, open): (&u32, &Earlier)| match open {
            Earlier::Open { tries: Tries { recorded: 1.., .. }, .. } | Earlier::Open { read_first: true, .. } => {
                Some(*index)
            }
            Earlier::Approved(_) => Some(*index),
            Earlier::Open { .. } | Earlier::Kept(_) | Earlier::Failed(..) => None,
        };
        self.taken_up = earlier.iter().filter_map(sent).collect();
        let now = Instant::now();
        // What is held is settled before a step that is kept lets the next one go.
        let mut kept = Vec::new();
        for (index, hold) in (0u32..).zip(holds) {
            match self.ledger.settlement(index).map(|settlement| settlement.outcome) {
                Some(outcome) => kept.push((index, outcome)),
                None => self.begin(index, hold.as_ref(), earlier.remove(&index), now),
            }
        }
        for (index, outcome) in kept {
            self.go_on_after(index, outcome, now);
        }
    }

    fn begin(&mut self, index: u32, hold: Option<&Hold>, earlier: Option<Earlier>, now: Instant) {
        let (bucket, read_bucket, after) = {
            let job = &self.jobs[index as usize];
            (job.bucket(), job.read_bucket(), job.after)
        };
        if let Some(Earlier::Approved(approved)) = earlier {
            return self.begin_approved(index, approved, hold, now);
        }
        let mut after = after;
        if let Some(Earlier::Open { tries, doubtful_since, read_first }) = earlier {
            self.take_up(index, tries, doubtful_since, now);
            // Held is what nothing was sent for.
            if let (true, Some(hold)) = (read_first || doubtful_since.is_some(), hold) {
                let note = format!("sent by an earlier run and still in doubt; {hold}");
                return self.settle(index, Outcome::Unknown, Some(note), now);
            }
            if read_first {
                let item = Item { job: index, step: Step::ReadBack { resend: true } };
                return self.let_in(read_bucket, item);
            }
            // A step that was sent has had its turn: the one before it has settled well.
            after = after.filter(|_| tries.recorded == 0);
        }
        match (hold, after) {
            (Some(hold), _) => self.end(index, hold.ending(), now),
            (None, None) => self.let_in(bucket, Item { job: index, step: Step::Send }),
            (None, Some(_)) => {}
        }
    }

    /// Remembers what an earlier process did for a job. Its clock may have been another one: what it left in doubt has a
    /// full settling time from now on.
    pub(super) fn take_up(&mut self, job: u32, tries: Tries, doubt: Option<Timestamp>, now: Instant) {
        let settling_until = now + self.limits.settling;
        let progress = self.ledger.progress(job);
        progress.recorded = tries.recorded;
        progress.sends = tries.left;
        progress.first_sent = tries.first;
        progress.doubt = doubt.map(|since| Doubt { since: Since::by_another_clock(since), settling_until, lost: true });
        progress.last_id = tries.last_id;
    }
}
