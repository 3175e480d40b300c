//! The brake on approval requests: no more are filed than can be carried out before they expire.
//!
//! In: what waits in a bucket. Out: whether its head may leave; jobs for which there is no room settle, open.
//! Must not: hold up what can file nothing: other actions, and what is approved already.

use tokio::time::Instant;

use super::super::queue::{Item, Step};
use super::Dispatcher;
use crate::catalog::{Action, Bucket};
use crate::outcome::Cause;

impl Dispatcher {
    /// Whether the next job of a bucket waits for room. What is out, or about to be, may each turn into a request.
    pub(super) fn is_out_of_room(&mut self, bucket: Bucket, now: Instant) -> bool {
        while let Some(head) = self.queues.peek(bucket) {
            let action = self.jobs[head.job as usize].action;
            if !self.may_file(head) || self.filing.has_room(action.name, self.filing_now(action)) {
                return false;
            }
            if self.filing_now(action) > 0 {
                return true;
            }
            self.leave_for_later(bucket, action, now);
        }
        false
    }

    fn may_file(&self, item: Item) -> bool {
        matches!(item.step, Step::Send | Step::Look)
            && self.jobs[item.job as usize].action.approvable
            && !self.is_approved(item.job)
    }

    fn filing_now(&self, action: &Action) -> u32 {
        let out = self.in_flight.iter().map(|(job, step)| Item { job: *job, step: *step });
        let looked = self.looked.jobs().map(|job| Item { job, step: Step::Send });
        let filing = |item: &Item| self.jobs[item.job as usize].action == action && self.may_file(*item);
        out.chain(looked).filter(filing).count() as u32
    }

    fn leave_for_later(&mut self, bucket: Bucket, action: &Action, now: Instant) {
        let open = format!("{} approval requests for {}", self.filing.open(action.name), action.name);
        let why = Cause::ApprovalRequestsFull.with(open);
        for item in self.queues.drain_bucket(bucket) {
            match self.may_file(item) && self.jobs[item.job as usize].action == action {
                true => self.end(item.job, why.clone(), now),
                false => self.queues.push_back(bucket, item),
            }
        }
    }
}
