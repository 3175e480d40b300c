//! Approval requests over the wire, and what people do with them in the portal.
//!
//! In: requests to the collection, time. Out: pages, cancellations, effects of what somebody completed by hand.
//! Must not: know how a request is filed or judged; `approvals` does.

use http::StatusCode;
use serde_json::{Value, json};

use super::approvals::{self, ApprovalCounts, ApprovalSeen};
use super::clock::Moment;
use super::errors::Refusal;
use super::exchange::{Delivery, Incoming, Ruling, SimulatedAnswer};
use super::faults::Facts;
use super::scenario::{Fault, Guid};
use super::tenant::{State, Tenant};
use super::{effects, spoil};
use crate::catalog::{ACTIONS, Version};

/// What lists the requests of the caller. Sources: Graph's beta pages, and the beta SDK 1.66, which has other names.
const OWN: &[&str] = &["getmyrequests", "retrievemyrequests"];
/// What shows one of them.
const ONE_OF_OWN: &[&str] = &["getmyrequestbyid", "retrievemyrequestbyid"];

/// The id that a path names, in lower case, and whether only a request of the caller is meant.
fn id_of(name: &str) -> Option<(&str, bool)> {
    if Guid::is(name) {
        return Some((name, false));
    }
    if let Some(key) = name.strip_prefix("('").and_then(|rest| rest.strip_suffix("')")) {
        return Guid::is(key).then_some((key, false));
    }
    let (function, rest) = name.split_once('(')?;
    let id = rest.strip_suffix(')')?.strip_prefix("id=")?.trim_matches('\'');
    (ONE_OF_OWN.contains(&function) && Guid::is(id)).then_some((id, true))
}

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
    ) -> SimulatedAnswer {
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
        let rest = percent_encoding::percent_decode_str(rest.trim_end_matches('/')).decode_utf8_lossy();
        let name = rest.trim_start_matches('/').trim_start_matches("microsoft.graph.").to_ascii_lowercase();
        match (version, incoming.method.as_str(), name.as_str()) {
            (Version::Beta, "GET", "") => state.requests.page(self.scenario(), incoming, now).map(Some),
            (Version::Beta, "POST", "cancelmyrequest") => {
                state.requests.cancel(self.scenario(), incoming, now).map(|()| None)
            }
            (Version::Beta, "GET", name) if OWN.contains(&name.trim_end_matches("()")) => {
                Ok(Some(state.requests.own(self.scenario(), now)))
            }
            (Version::Beta, "GET", name) if id_of(name).is_some() => {
                let (id, own) = id_of(name).unwrap_or_default();
                state.requests.one(self.scenario(), id, own, now).map(Some)
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
