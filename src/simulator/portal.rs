//! Approval requests over the wire, and what people do with them in the portal.
//!
//! In: requests to the collection, time. Out: pages, cancellations, effects of what somebody completed by hand.
//! Must not: know how a request is filed or judged; `approvals` does.

use http::StatusCode;
use serde_json::{Value, json};

use super::approvals::{self, ApprovalCounts, ApprovalSeen};
use super::clock::Moment;
use super::errors::Refusal;
use super::exchange::{Answer, Delivery, Incoming, Ruling};
use super::faults::Facts;
use super::scenario::Fault;
use super::tenant::{State, Tenant};
use super::{effects, spoil};
use crate::catalog::{ACTIONS, Version};

impl Tenant {
    /// The approval requests, in the order in which they were filed.
    pub fn approvals(&self) -> Vec<ApprovalSeen> {
        let now = self.now();
        let mut state = self.lock();
        self.do_in_portal(&mut state, now);
        state.requests.seen(self.scenario(), now)
    }

    pub fn approval_counts(&self) -> ApprovalCounts {
        self.lock().requests.counts
    }

    /// The same for `GET /simulator/approvals`.
    pub(super) fn told_of_approvals(&self, state: &mut State) -> Value {
        let now = self.now();
        self.do_in_portal(state, now);
        let seen = state.requests.seen(self.scenario(), now);
        let ApprovalCounts { refused_codes, reused_codes, most_open } = state.requests.counts;
        json!({ "requests": seen, "refused_codes": refused_codes, "reused_codes": reused_codes, "most_open": most_open })
    }

    /// A request to the collection of approval requests; `rest` is what follows its path.
    pub(super) fn approval_requests(
        &self,
        incoming: &Incoming<'_>,
        version: Version,
        path: &str,
        rest: &str,
    ) -> Answer {
        let now = self.now();
        let mut state = self.lock();
        self.do_in_portal(&mut state, now);
        let stamp = state.stamp(incoming.headers, now);
        let admitted = state.tokens.admit(self.scenario(), incoming.headers, now);
        let fault = match admitted {
            Ok(()) => self.pick(&mut state, incoming, now),
            Err(_) => None,
        };
        let ruling = match fault {
            Some(Fault::RefuseConnection) => return Ruling::undelivered(Delivery::Refused).answer,
            Some(Fault::Reset | Fault::DropReply) => Ruling::undelivered(Delivery::Lost),
            fault => {
                let refused = fault.and_then(spoil::answer).map_or(admitted, Err);
                let reply = match refused.and_then(|()| self.serve(&mut state, incoming, version, rest, now)) {
                    Ok(Some(page)) => stamp.json(StatusCode::OK, &page),
                    Ok(None) => stamp.empty(StatusCode::NO_CONTENT),
                    Err(refusal) => stamp.refuse(path, &refusal),
                };
                Ruling::reply(reply)
            }
        };
        let ending = ruling.ending();
        state.counts.ended(ending);
        state.counts.reads += u64::from(incoming.method == http::Method::GET);
        state.keep(incoming, now, ending.status, false);
        ruling.answer
    }

    fn pick(&self, state: &mut State, incoming: &Incoming<'_>, now: Moment) -> Option<&Fault> {
        let facts = Facts { action: None, target: "", method: incoming.method.as_str(), since: now.since };
        let State { faults, dice, .. } = state;
        faults.pick(&self.scenario().faults, facts, dice)
    }

    fn serve(
        &self,
        state: &mut State,
        incoming: &Incoming<'_>,
        version: Version,
        rest: &str,
        now: Moment,
    ) -> Result<Option<Value>, Refusal> {
        match (version, incoming.method.as_str(), rest) {
            (Version::Beta, "GET", "") => state.requests.page(self.scenario(), incoming, now).map(Some),
            (Version::Beta, "POST", "/cancelMyRequest") => {
                state.requests.cancel(self.scenario(), incoming, now).map(|()| None)
            }
            _ => Err(Refusal::bad_request(format!("Resource not found for the segment '{}'.", &approvals::PATH[18..]))),
        }
    }

    /// Carries out what people have completed by hand meanwhile.
    pub(super) fn do_in_portal(&self, state: &mut State, now: Moment) {
        for (at, action, target) in state.requests.done_in_portal(now) {
            state.quotas.by_hand(self.scenario(), action, self.wall_at(at));
            let row = &ACTIONS[action];
            let place = state.inventory.find(row.target, &target);
            if let (Some(effect), Some(place)) = (effects::of(row.name), place) {
                // What can be intercepted does nothing that follows from its body.
                state.inventory.perform(row.name, effect.deeds, (row.target, place), &Value::Null, now);
            }
        }
    }
}
