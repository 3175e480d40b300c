//! How a run ends early.
//!
//! In: a reason to stop. Out: nothing new is sent, what is in flight settles, the rest is `not_attempted`.
//! Must not: lose a row, or call something not attempted that may have had an effect.

use tokio::time::Instant;

use super::state::Dispatcher;
use crate::catalog::ReadBack;
use crate::outcome::{Ending, Outcome};
use crate::runner::dialogue::{Happened, QueuePlace};
use crate::runner::event::{Event, StopReason};
use crate::runner::job_state::{BeingRead, Item, JobState, NextRequest};
use crate::runner::shutdown::StopRequest;

impl Dispatcher {
    /// Stops on request. Whether that was Ctrl-C: a second one gives up what is in flight.
    pub(super) fn stop_for(&mut self, request: StopRequest) -> bool {
        let now = Instant::now();
        let is_interrupt = request == StopRequest::Interrupt;
        if is_interrupt && self.stopped.is_some() {
            self.tell(Event::Draining { in_flight: self.ledger.in_flight() as u32, reason: StopReason::Interrupted });
        }
        self.stop(
            match request {
                StopRequest::Interrupt | StopRequest::Terminate => StopReason::Interrupted,
                StopRequest::Stop => StopReason::Requested,
                StopRequest::JournalFailed(why) => StopReason::Journal(why),
            },
            now,
        );
        self.apply_all(now);
        is_interrupt
    }

    /// Stops sending: what has not left does not leave. What is in flight is waited for; reads that settle a doubt still go out.
    pub(super) fn stop(&mut self, reason: StopReason, now: Instant) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(reason.clone());
        self.withdraw_all(None, now);
        // Nobody needs to know any more what has landed.
        for (job, state) in self.ledger.states_under_way().collect::<Vec<_>>() {
            if state == JobState::Settled(BeingRead::Out) {
                self.ledger.moves(job, JobState::Settled(BeingRead::No));
            }
        }
        let being_recorded = |(_, state): &(u32, JobState)| matches!(state, JobState::BeingRecorded { .. });
        let out = self.ledger.in_flight() - self.ledger.states_under_way().filter(being_recorded).count();
        self.tell(Event::Draining { in_flight: out as u32, reason });
        self.queues.clear();
        let put_off = |(job, state): (u32, JobState)| Some(Item { job, next: state.put_off()? });
        let waiting: Vec<Item> = self.ledger.states().filter_map(put_off).collect();
        for item in waiting {
            self.leave(item, now);
        }
        self.hear(&Happened::Stopping, now);
    }

    /// Takes a waiting job out of a run that is ending.
    pub(super) fn leave(&mut self, item: Item, now: Instant) {
        let leaves_time = self.stopped.as_ref().is_some_and(StopReason::leaves_time);
        let can_read = leaves_time && self.jobs[item.job as usize].action.read_back != ReadBack::Nobody;
        let view = self.view(now);
        let (in_doubt, look_at, why) = (view.is_in_doubt(item.job), view.look_at(item.job), view.why_stopped());
        match item.next {
            NextRequest::FollowUp => {}
            // The service has said no, and what is left is to read why.
            NextRequest::Find { .. } if leaves_time => self.put(item, QueuePlace::Back, now),
            next if in_doubt && can_read => {
                let next = NextRequest::ReadBack { resend: next != NextRequest::ReadBack { resend: false } };
                self.put(Item { next, ..item }, QueuePlace::Back, now);
            }
            _ if in_doubt => self.settle(item.job, Ending::settled(Outcome::Unknown, Some(look_at)), now),
            _ => self.settle(item.job, why.into(), now),
        }
    }

    /// Gives up what is in flight.
    pub(super) fn abandon(&mut self) {
        let now = Instant::now();
        self.tell(Event::Abandoned { in_flight: self.ledger.in_flight() as u32 });
        self.pool.abort();
        for (job, next) in self.ledger.under_way().collect::<Vec<_>>() {
            let view = self.view(now);
            // A check has sent nothing, and what is looked for was answered.
            let ending = match matches!(next, NextRequest::Check | NextRequest::Find { .. }) && !view.is_in_doubt(job) {
                true => view.why_stopped().into(),
                false => {
                    let note = format!("abandoned before the answer came; {}", view.look_at(job));
                    Ending::settled(Outcome::Unknown, Some(note))
                }
            };
            self.settle(job, ending, now);
        }
        self.apply_all(now);
        self.happens(&Happened::Stuck, now);
    }

    /// What is left open when the run ends settles here, so that the journal has what the report says.
    pub(super) fn leave_the_rest(&mut self) {
        let now = Instant::now();
        for job in 0..self.jobs.len() as u32 {
            if self.ledger.state(job).is_settled() {
                continue;
            }
            let view = self.view(now);
            let ending = match view.is_in_doubt(job) {
                true => Ending::settled(Outcome::Unknown, Some(view.look_at(job))),
                false => view.why_stopped().into(),
            };
            self.settle(job, ending, now);
            self.apply_all(now);
        }
    }
}
