//! The brake on approval requests: no more are filed than can be carried out before they expire.
//!
//! In: what is about to leave. Out: jobs that wait until it is known what becomes of others, or that are left for later.
//! Must not: hold up what can file nothing: other actions, and what is approved already.

use crate::catalog::Action;
use crate::guard::filing::Filing as Requests;
use crate::outcome::{Cause, Verdict};
use crate::runner::dialogue::{Admission, Door, Happened, Policy, Then};
use crate::runner::job_state::{Item, JobState, NextRequest};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> FilingBrake {
    FilingBrake { requests: std::mem::take(&mut run.history.filing) }
}

#[derive(Debug)]
pub(super) struct FilingBrake {
    requests: Requests,
}

impl Policy for FilingBrake {
    fn on(&mut self, happened: &Happened, view: &RunView, _then: &mut Then) {
        if let Happened::Attempted(attempted) = happened
            && let Verdict::ApprovalRequired { .. } = attempted.reply.verdict
        {
            self.requests.filed(view.action(attempted.job).name);
        }
    }

    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        let action = view.action(item.job);
        // What was checked has its place already.
        if door != Door::Gate || !may_file(item, view) || view.ledger.state(item.job) == JobState::Checked {
            return Admission::Go;
        }
        let filing = filing_now(action, view);
        if self.requests.has_allowance_left(action.name, filing) {
            return Admission::Go;
        }
        if filing > 0 {
            return Admission::Wait;
        }
        let open = format!("{} approval requests for {}", self.requests.open(action.name), action.name);
        Admission::Hold(Cause::ApprovalRequestsFull.with(open))
    }
}

/// Whether the service may answer it with an approval request.
fn may_file(item: Item, view: &RunView) -> bool {
    matches!(item.next, NextRequest::Send | NextRequest::Check)
        && view.action(item.job).approvable
        && !view.is_approved(item.job)
}

/// What is out, or about to be: each may turn into a request.
fn filing_now(action: &Action, view: &RunView) -> u32 {
    let out = view.ledger.under_way().map(|(job, next)| Item { job, next });
    let checked = view.queues.all_checked().map(Item::send);
    let filing = |item: &Item| view.action(item.job) == action && may_file(*item, view);
    out.chain(checked).filter(filing).count() as u32
}
