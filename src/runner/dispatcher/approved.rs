//! Jobs that somebody has approved: read, then sent with their code.
//!
//! In: what an earlier process or round left behind of them. Out: a read at the head of each send; an approved job that
//! was not sent goes on waiting. Must not: send unread, whatever came between; the executor's read asks for the request
//! too, so that a code leaves only while its request is approved and nothing is under way.

use tokio::time::Instant;

use super::super::Approved;
use super::super::queue::{Item, Step};
use super::Dispatcher;
use crate::approval::Request;
use crate::catalog::Bucket;
use crate::guard::preflight::Hold;
use crate::outcome::{Ending, Outcome, Standing};
use crate::pacing::Wait;

impl Dispatcher {
    pub(super) fn begin_approved(&mut self, job: u32, approved: Approved, hold: Option<&Hold>, now: Instant) {
        let Approved { tries, doubtful_since, ended, .. } = approved;
        self.take_up(job, tries, doubtful_since, now);
        self.ledger.progress(job).approved = Some(approved);
        if let Some(hold) = hold {
            let outcome = if doubtful_since.is_some() { Outcome::Unknown } else { Outcome::AwaitingApproval };
            return self.settle(job, outcome, Some(hold.to_string()), now);
        }
        let item = Item { job, step: Step::ReadBack { resend: ended.is_none() } };
        self.let_in(self.bucket_of(item), item);
    }

    /// The read before an approved send takes its turn among the writes, and heeds the gate of the reads all the same.
    pub(super) fn through_the_read_gate(&mut self, bucket: Bucket, item: Item, now: Instant) -> bool {
        let reads = self.jobs[item.job as usize].read_bucket();
        if item.step == Step::Look {
            return self.through_with_both(bucket, item, now);
        }
        if !matches!(item.step, Step::ReadBack { .. }) || bucket == reads {
            return true;
        }
        match self.gates.pass(reads, now) {
            Ok(()) => {
                // The place among the writes is free again.
                self.gates.never_left(bucket);
                return true;
            }
            Err(Wait::Until(at)) => self.queues.push_later(at, bucket, item),
            Err(Wait::Closed { asked }) => {
                let note = format!("the service asked {reads} to wait {} s", asked.as_secs());
                self.settle(item.job, Outcome::Unknown, Some(note), now);
            }
        }
        false
    }

    /// Whether it waits to be sent with its code, or was, and nothing of it is in doubt.
    pub(super) fn is_approved(&self, job: u32) -> bool {
        self.ledger.peek(job).is_some_and(|progress| progress.approved.is_some() && !progress.is_in_doubt())
    }

    /// An approved job is read before each send, also before one that a throttle answer has put off.
    pub(super) fn way_to_send(&self, job: u32) -> Step {
        match self.is_approved(job) {
            true => Step::ReadBack { resend: true },
            false => Step::Send,
        }
    }

    /// An approved job that was not sent after all, or whose target could not be read, waits as it did before. One that has
    /// gone well says under which request.
    pub(super) fn unless_still_approved(&self, job: u32, ending: Ending) -> Ending {
        let approved = self.ledger.peek(job).and_then(|progress| progress.approved.as_ref());
        if let Some(Approved { request, ended: Some(ended), .. }) = approved {
            return ending.after(format!("approval request {} is {}", request.code, ended.name()));
        }
        if let (Some(approved), Standing::Good) = (approved, ending.outcome().standing()) {
            return ending.after(format!("approval request {} was approved", approved.request.code));
        }
        let not_sent = ending.outcome().has_a_cause() || ending.outcome() == Outcome::Unknown;
        match approved.filter(|_| not_sent && self.is_approved(job)) {
            None => ending,
            Some(Approved { request, .. }) => {
                let why = ending.note().unwrap_or("it was not sent");
                Ending::settled(Outcome::AwaitingApproval, Some(format!("{request}; {why}")))
            }
        }
    }

    /// The service has filed the request of a job, or has one of it already. Returns the note.
    pub(super) fn filed(&mut self, job: u32, code: Box<str>, now: Instant) -> String {
        let now = self.clock.at(now);
        let known = self.ledger.peek(job).and_then(|progress| progress.approved.as_ref());
        // The service wants approval for what it has approved: it is waited for again.
        let known = known.map(|approved| approved.request.clone()).filter(|request| request.code == code);
        let progress = self.ledger.progress(job);
        let request = known.unwrap_or_else(|| Request::filed(code, now, progress.last_status() == Some(409)));
        let attempt = progress.recorded.saturating_sub(1);
        self.filing.filed(self.jobs[job as usize].action.name);
        if let Some(journal) = &self.journal {
            journal.filed(job, attempt, &request);
        }
        request.to_string()
    }
}
