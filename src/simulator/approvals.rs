//! Approval requests of the tenant: filed, decided, completed, expired, listed, cancelled.
//!
//! In: writes that a policy stands before, and requests to the collection. Out: go ahead with a code that is good, or the
//! refusal; pages of requests. Must not: carry anything out; the tenant does, also what somebody completes in the portal.

mod alone;

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::{Moment, iso_date};
use super::errors::Refusal;
use super::resources::{digest, guid, mix};
use super::scenario::{ApprovalDeed, CodeIn, FiledStatus, Filters, Latency, Scenario, ScriptedDecision};
use super::tenant::Incoming;
use crate::approval::RequestStatus;
use crate::catalog::ACTIONS;

const CODE: HeaderName = HeaderName::from_static("x-msft-approval-code");
const JUSTIFICATION: HeaderName = HeaderName::from_static("x-msft-approval-justification");
const LONGEST_JUSTIFICATION: usize = 1_024;
const PAGE: usize = 1_000;

/// Path of the collection, below the version.
pub(crate) const PATH: &str = "/deviceManagement/operationApprovalRequests";

/// One request, for whoever looks from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalSeen {
    pub code: String,
    pub action: &'static str,
    pub target: String,
    pub status: &'static str,
    /// Carried out by a request with its code.
    pub used: bool,
    /// Carried out by a person in the portal.
    pub in_portal: bool,
}

/// What is counted of all requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalCounts {
    /// Codes that came although they were not, or no longer, good.
    pub refused_codes: u64,
    /// Those of them that were good once, and had been used by whoever they were given to.
    pub reused_codes: u64,
    /// The most requests that were open at a time.
    pub most_open: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    id: String,
    /// Index in the catalog.
    action: usize,
    target: String,
    /// Method, path and body: what is completed must be what was filed.
    write: Option<u64>,
    justification: String,
    filed: Moment,
    age: Duration,
    /// When somebody does what.
    decision: Option<(Duration, ApprovalDeed)>,
    /// Of what is completed by hand in the end: since when it is approved.
    approved: Option<Duration>,
    /// What is so whatever the time.
    fixed: Option<RequestStatus>,
    ours: bool,
    used: bool,
    in_portal: bool,
}

impl Request {
    fn status(&self, now: Moment, lifetime: Duration) -> RequestStatus {
        if let Some(status) =
            self.fixed.filter(|status| !matches!(status, RequestStatus::NeedsApproval | RequestStatus::Approved))
        {
            return status;
        }
        let old = now.since.saturating_sub(self.filed.since) + self.age;
        let decided = self.decision.filter(|(at, _)| now.since >= *at).map(|(_, deed)| deed);
        match decided {
            Some(ApprovalDeed::Complete) => RequestStatus::Completed,
            Some(ApprovalDeed::Reject) => RequestStatus::Rejected,
            Some(ApprovalDeed::Cancel) => RequestStatus::Cancelled,
            _ if old >= lifetime => RequestStatus::Expired,
            Some(ApprovalDeed::Approve) => RequestStatus::Approved,
            None if self.approved.is_some_and(|at| now.since >= at) => RequestStatus::Approved,
            None => self.fixed.unwrap_or(RequestStatus::NeedsApproval),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FiledRequests {
    all: Vec<Request>,
    by_id: HashMap<String, usize>,
    /// The last request about a target.
    by_target: HashMap<String, usize>,
    /// When somebody presses Complete next.
    next_in_portal: Option<Duration>,
    pub counts: ApprovalCounts,
}

impl FiledRequests {
    pub(crate) fn new(scenario: &Scenario, now: Moment) -> Self {
        let mut requests = Self::default();
        for listed in &scenario.approvals.requests {
            requests.add(Request {
                id: listed.id.0.to_ascii_lowercase(),
                action: listed.action.index(),
                target: listed.target.to_ascii_lowercase(),
                write: None,
                justification: String::new(),
                filed: now,
                age: listed.age.0,
                decision: None,
                approved: None,
                fixed: Some(listed.status),
                ours: listed.ours.0,
                used: false,
                in_portal: false,
            });
        }
        requests
    }

    fn add(&mut self, request: Request) {
        let at = self.all.len();
        if let Some((when, ApprovalDeed::Complete)) = request.decision {
            self.next_in_portal = Some(self.next_in_portal.map_or(when, |next| next.min(when)));
        }
        self.by_id.insert(request.id.clone(), at);
        self.by_target.insert(request.target.clone(), at);
        self.all.push(request);
    }

    pub(crate) fn seen(&self, scenario: &Scenario, now: Moment) -> Vec<ApprovalSeen> {
        let seen = |request: &Request| ApprovalSeen {
            code: request.id.clone(),
            action: ACTIONS[request.action].name,
            target: request.target.clone(),
            status: request.status(now, scenario.approvals.lifetime.0).name(),
            used: request.used,
            in_portal: request.in_portal,
        };
        self.all.iter().map(seen).collect()
    }

    /// What people have completed in the portal since somebody last asked: when, which action, on what.
    pub(super) fn done_in_portal(&mut self, now: Moment) -> Vec<(Duration, usize, String)> {
        if self.next_in_portal.is_none_or(|next| next > now.since) {
            return Vec::new();
        }
        let (mut done, mut next) = (Vec::new(), None);
        for request in self.all.iter_mut().filter(|request| !request.in_portal && request.fixed.is_none()) {
            match request.decision {
                Some((at, ApprovalDeed::Complete)) if at <= now.since => {
                    request.in_portal = true;
                    done.push((at, request.action, request.target.clone()));
                }
                Some((at, ApprovalDeed::Complete)) => next = Some(next.map_or(at, |next: Duration| next.min(at))),
                _ => {}
            }
        }
        self.next_in_portal = next;
        done.sort_unstable_by_key(|(at, ..)| *at);
        done
    }

    /// Whether a write may happen: with which request, or without any because no policy stands before it.
    pub(super) fn admit(
        &mut self,
        scenario: &Scenario,
        (action, target): (usize, &str),
        incoming: &Incoming<'_>,
        now: Moment,
        dice: &mut fastrand::Rng,
    ) -> Result<Option<usize>, Refusal> {
        let policy = &scenario.approvals;
        if !policy.actions.iter().any(|name| name.index() == action) {
            return Ok(None);
        }
        let write =
            digest(&format!("{} {} {}", incoming.method, incoming.path, String::from_utf8_lossy(incoming.body)));
        if let Some(code) = text(incoming.headers, CODE) {
            return self.complete(code, (action, target), write, now, policy.lifetime.0).map(Some);
        }
        let justification = justification(incoming.headers)?;
        let active = self.by_target.get(target).map(|at| &self.all[*at]);
        if active.is_some_and(|request| request.status(now, policy.lifetime.0).is_open()) {
            let message = "An active Approval Request already exists for this entity.";
            return Err(Refusal::new(409, "Conflict", message));
        }
        let number = digest(ACTIONS[action].name) ^ digest(target) ^ mix(self.filings(target));
        let id = guid(mix(number), mix(!number));
        let (approved, decision) = decide(&policy.decisions, action, target, now, dice).unzip();
        self.add(Request {
            id: id.clone(),
            action,
            target: target.to_owned(),
            write: Some(write),
            justification,
            filed: now,
            age: Duration::ZERO,
            decision,
            approved,
            fixed: None,
            ours: true,
            used: false,
            in_portal: false,
        });
        let open = self.all.iter().filter(|request| request.status(now, policy.lifetime.0).is_open()).count();
        self.counts.most_open = self.counts.most_open.max(open as u64);
        Err(filed(policy.status, policy.code_in, &id))
    }

    fn filings(&self, target: &str) -> u64 {
        self.all.iter().filter(|request| request.target == target).count() as u64
    }

    fn complete(
        &mut self,
        code: &str,
        (action, target): (usize, &str),
        write: u64,
        now: Moment,
        lifetime: Duration,
    ) -> Result<usize, Refusal> {
        let at = self.by_id.get(&code.to_ascii_lowercase()).copied();
        let good = at.map(|at| &self.all[at]).is_some_and(|request| {
            let same = request.action == action && request.target == target;
            let same = same && request.write.is_none_or(|filed| filed == write);
            same && request.ours && request.status(now, lifetime) == RequestStatus::Approved
        });
        match at.filter(|_| good) {
            Some(at) => Ok(at),
            None => {
                self.counts.refused_codes += 1;
                self.counts.reused_codes += u64::from(at.is_some_and(|at| self.all[at].used));
                Err(Refusal::new(403, "Forbidden", "An error has occurred"))
            }
        }
    }

    /// The write that an approval was for has happened.
    pub(crate) fn used(&mut self, at: usize) {
        if let Some(request) = self.all.get_mut(at) {
            request.used = true;
            request.fixed = Some(RequestStatus::Completed);
        }
    }

    /// A page of the collection.
    pub(crate) fn page(&self, scenario: &Scenario, incoming: &Incoming<'_>, now: Moment) -> Result<Value, Refusal> {
        let (mut wanted, mut skip) = (None, 0);
        for option in incoming.query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "$filter" => wanted = Some(self.filtered(&value, scenario, now)?),
                "$skiptoken" => skip = value.parse().map_err(|_| Refusal::bad_request("Invalid skip token."))?,
                _ => return Err(Refusal::bad_request(format!("The query parameter '{name}' is not supported."))),
            }
        }
        let found: Vec<usize> = wanted.unwrap_or_else(|| (0..self.all.len()).collect());
        let size = scenario.page_size.map_or(PAGE, |most| most.get() as usize);
        let shown: Vec<_> = found.iter().skip(skip).take(size).map(|at| show(&self.all[*at], scenario, now)).collect();
        let mut page = json!({ "value": shown });
        if found.len() > skip + size {
            let rest = incoming.query.split('&').filter(|option| option.starts_with("$filter="));
            let filter: String = rest.map(|filter| format!("{filter}&")).collect();
            let next = format!("{}{}?{filter}$skiptoken={}", incoming.base, incoming.path, skip + size);
            page["@odata.nextLink"] = json!(next);
        }
        Ok(page)
    }

    /// Those that a filter lets through.
    fn filtered(&self, filter: &str, scenario: &Scenario, now: Moment) -> Result<Vec<usize>, Refusal> {
        let policy = &scenario.approvals;
        let status = filter.strip_prefix("status eq '").and_then(|rest| rest.strip_suffix('\''));
        if let (Some(status), Filters::Status) = (status, policy.filter) {
            let is = |at: &usize| self.all[*at].status(now, policy.lifetime.0).name() == status;
            return Ok((0..self.all.len()).filter(is).collect());
        }
        let ids = ids(filter, policy.filter)?;
        Ok(ids.iter().filter_map(|id| self.by_id.get(id).copied()).collect())
    }

    /// `cancelMyRequest`, which takes the id in its body.
    pub(crate) fn cancel(&mut self, scenario: &Scenario, incoming: &Incoming<'_>, now: Moment) -> Result<(), Refusal> {
        let body: Option<Value> = serde_json::from_slice(incoming.body).ok();
        let id = body.as_ref().and_then(|body| body.get("id")).and_then(Value::as_str);
        let id = id.ok_or_else(|| Refusal::bad_request("Empty Payload. JSON content expected."))?;
        let lifetime = scenario.approvals.lifetime.0;
        let at = self.by_id.get(&id.to_ascii_lowercase()).copied();
        let request = at.and_then(|at| self.all.get_mut(at)).filter(|request| request.ours);
        let Some(request) = request else { return Err(Refusal::new(404, "NotFound", "An error has occurred")) };
        match request.status(now, lifetime).is_open() {
            true => {
                request.fixed = Some(RequestStatus::Cancelled);
                Ok(())
            }
            false => Err(Refusal::bad_request("The request cannot be cancelled any more.")),
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The reason that came along.
fn justification(headers: &HeaderMap) -> Result<String, Refusal> {
    let decoded = text(headers, JUSTIFICATION).and_then(|text| STANDARD.decode(text).ok());
    let required = "Header 'x-msft-approval-justification' is required to request approval";
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(|| Refusal::bad_request(required))?;
    match decoded.chars().count() > LONGEST_JUSTIFICATION {
        true => Err(Refusal::bad_request(
            "Decoded content of 'x-msft-approval-justification' header must be no greater than 1024 characters",
        )),
        false => Ok(decoded),
    }
}

fn filed(status: FiledStatus, code_in: CodeIn, id: &str) -> Refusal {
    let (status, code) = match status {
        FiledStatus::Forbidden => (403, "ApprovalRequired"),
        FiledStatus::PreconditionFailed => (412, "BadRequest"),
    };
    let said = match code_in {
        CodeIn::Header => String::new(),
        CodeIn::Both | CodeIn::Text => format!(" x-msft-approval-code: {id}"),
    };
    let refusal = Refusal::new(status, code, format!("The request requires approval by another administrator.{said}"));
    match code_in {
        CodeIn::Text => refusal,
        CodeIn::Both | CodeIn::Header => refusal.with(CODE, id),
    }
}

fn decide(
    rules: &[ScriptedDecision],
    action: usize,
    target: &str,
    now: Moment,
    dice: &mut fastrand::Rng,
) -> Option<(Duration, (Duration, ApprovalDeed))> {
    let rule = rules.iter().find(|rule| rule.on.matches(action, target, dice))?;
    let mut any = |time: Latency| time.min + time.max.saturating_sub(time.min).mul_f64(dice.f64());
    let at = now.since + any(rule.after);
    match rule.deed {
        ApprovalDeed::Complete if !rule.approved_for.max.is_zero() => {
            Some((at, (at + any(rule.approved_for), rule.deed)))
        }
        deed => Some((at, (at, deed))),
    }
}

/// The ids of a filter.
fn ids(filter: &str, understood: Filters) -> Result<Vec<String>, Refusal> {
    let refused = || Refusal::bad_request(format!("Invalid filter clause: '{filter}'."));
    let clauses: Vec<&str> = filter.split(" or ").collect();
    if understood == Filters::None || (understood == Filters::Eq && clauses.len() > 1) {
        return Err(refused());
    }
    let id = |clause: &str| {
        let literal = clause.trim().strip_prefix("requestId eq '")?.strip_suffix('\'')?;
        Some(literal.to_ascii_lowercase())
    };
    clauses.into_iter().map(|clause| id(clause).ok_or_else(refused)).collect()
}

fn show(request: &Request, scenario: &Scenario, now: Moment) -> Value {
    let filed = request.filed.wall.checked_sub(request.age).unwrap_or(request.filed.wall);
    let expires = filed.checked_add(scenario.approvals.lifetime.0).unwrap_or(filed);
    let mut shown = json!({
        "id": request.id,
        "requestDateTime": iso_date(filed),
        "expirationDateTime": iso_date(expires),
        "status": request.status(now, scenario.approvals.lifetime.0).name(),
        "requestJustification": request.justification,
    });
    if scenario.approvals.shows_objects.0 {
        shown["payloadId"] = json!(request.target);
        shown["payloadOperation"] = json!(ACTIONS[request.action].name);
    }
    shown
}
