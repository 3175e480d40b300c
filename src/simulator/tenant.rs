//! The simulated tenant itself: everything that happens to one request, in order.
//!
//! In: a [`Scenario`] and requests. Out: for each request an [`SimulatedAnswer`], and [`Counts`] of them all. Must not: sleep,
//! open sockets, or ask for the time of day; whoever carries the answer waits out its delay.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::perform::find;
use super::approvals::{self, FiledRequests};
use super::clock::{Moment, TenantClock, http_date};
use super::counts::Counts;
use super::effects::SuccessReply;
use super::errors::{AnswerStamp, Refusal};
use super::exchange::Ruling;
use super::faults::{Facts, Faults};
use super::inventory::Inventory;
use super::judge::{self, Call};
use super::late::Late;
use super::log::Log;
use super::quota::{self, Quotas};
use super::reads;
use super::resources::{Setting, digest};
use super::routes::{Endpoint, PathId};
use super::scenario::{Fault, Scenario};
use super::sign_in::{self, Tokens};
use super::throttle::Windows;
use super::{batch, effects, keys, permissions, spoil, units};
use crate::catalog::{ACTIONS, TargetKind, Version};

mod kept;
mod perform;
mod reading;

pub(super) use self::kept::StateRead;
pub(crate) use super::exchange::{Carrier, Delivery, Incoming, SimulatedAnswer};
pub(crate) use super::log::SeenRequest;

/// What a fault says of the time until there is room.
const A_DAY: Duration = Duration::from_secs(86_400);
/// Tokens that were not issued here name no application.
const NO_APPLICATION: &str = "00000000-0000-0000-0000-000000000000";
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// The tenant. Shared by all connections; each request holds its lock once, and briefly.
pub struct Tenant {
    scenario: Scenario,
    clock: TenantClock,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) inventory: Inventory,
    windows: Windows,
    pub(super) faults: Faults,
    pub(super) quotas: Quotas,
    pub(super) requests: FiledRequests,
    late: Late,
    pub(super) tokens: Tokens,
    pub(super) counts: Counts,
    log: Log,
    pub(super) dice: fastrand::Rng,
    /// The `Date` header of this second.
    date: (i64, HeaderValue),
}

impl State {
    fn new(scenario: &Scenario, start: Timestamp, tokens: Tokens) -> Self {
        let setting = Setting { domain: scenario.tenant.domain().to_owned(), start };
        Self {
            inventory: Inventory::new(scenario, setting),
            windows: Windows::new(scenario),
            faults: Faults::new(&scenario.faults),
            quotas: Quotas::default(),
            requests: FiledRequests::new(scenario, Moment { since: Duration::ZERO, wall: start }),
            late: Late::default(),
            tokens,
            counts: Counts::default(),
            log: Log::new(scenario.log.0),
            dice: fastrand::Rng::with_seed(scenario.seed),
            date: (i64::MIN, HeaderValue::from_static("")),
        }
    }

    pub(super) fn stamp(&mut self, headers: &HeaderMap, now: Moment) -> AnswerStamp {
        if self.date.0 != now.wall.as_second() {
            let text = HeaderValue::from_str(&http_date(now.wall));
            self.date = (now.wall.as_second(), text.unwrap_or(HeaderValue::from_static("")));
        }
        let id = sign_in::request_id(&mut self.dice);
        AnswerStamp::new(id, headers.get(CLIENT_REQUEST_ID), now, self.date.1.clone())
    }

    pub(super) fn keep(&mut self, incoming: &Incoming<'_>, now: Moment, status: Option<u16>, secret: bool) {
        self.log.keep(incoming, now.since.as_millis() as u64, status, secret);
    }
}

impl Tenant {
    /// A tenant whose wall clock shows `start` now.
    pub fn new(scenario: Scenario, start: Timestamp) -> Arc<Self> {
        let state = State::new(&scenario, start, Tokens::default());
        Arc::new(Self { scenario, clock: TenantClock::starting_at(start), state: Mutex::new(state) })
    }

    /// Decides what comes back; every effect has happened when this returns.
    pub fn handle(&self, incoming: &Incoming<'_>) -> SimulatedAnswer {
        let mut answer = self.dispatch(incoming);
        answer.delay += self.latency();
        answer
    }

    /// Takes over what an earlier rehearsal has shown of things that it made up.
    pub fn take_over_seen(&self, kind: TargetKind, document: &Value) {
        self.lock().inventory.take_over_seen(kind, document);
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        let mut state = self.lock();
        state.counts.of_strangers = state.windows.of_strangers();
        state.counts.clone()
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.lock().log.seen().collect()
    }

    /// Back to the beginning, but for time and the tokens that are out.
    pub fn reset(&self) {
        let now = self.clock.now();
        let mut state = self.lock();
        let tokens = std::mem::take(&mut state.tokens);
        *state = State::new(&self.scenario, now.wall, tokens);
    }

    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// What a wall clock shows when the tenant is so old.
    pub(super) fn wall_at(&self, since: Duration) -> Timestamp {
        self.clock.wall_at(since)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latency(&self) -> Duration {
        let latency = self.scenario.latency;
        match latency.max.saturating_sub(latency.min) {
            Duration::ZERO => latency.min,
            spread => latency.min + spread.mul_f64(self.lock().dice.f64()),
        }
    }

    fn dispatch(&self, incoming: &Incoming<'_>) -> SimulatedAnswer {
        let (first, rest) = split(incoming.path);
        let version = match first {
            first if first.eq_ignore_ascii_case("v1.0") => Version::V1,
            first if first.eq_ignore_ascii_case("beta") => Version::Beta,
            "simulator" => return self.window(incoming, rest),
            tenant => return self.entra(incoming, tenant, rest),
        };
        match rest {
            "/$batch" | "/%24batch" => batch::handle(self, incoming, version),
            path => self.graph(incoming, version, path),
        }
    }

    /// What tests look through: counts, requests, a way to another day, and one back to the beginning.
    fn window(&self, incoming: &Incoming<'_>, path: &str) -> SimulatedAnswer {
        let mut state = self.lock();
        let stamp = state.stamp(incoming.headers, self.clock.now());
        let reply = match (incoming.method.as_str(), path) {
            ("GET", "/counts") => {
                let counts = state.counts.to_json(|bucket| state.windows.length(bucket));
                stamp.json(StatusCode::OK, &counts)
            }
            ("GET", "/requests") => {
                let seen: Vec<_> = state.log.seen().collect();
                stamp.json(StatusCode::OK, &json!({ "requests": seen }))
            }
            ("GET", "/marks") => stamp.json(StatusCode::OK, &state.inventory.marks()),
            ("GET", "/approvals") => stamp.json(StatusCode::OK, &self.told_of_approvals(&mut state)),
            ("POST", "/advance") => match self.clock.jump(incoming.query) {
                Some(()) => stamp.empty(StatusCode::NO_CONTENT),
                None => stamp.empty(StatusCode::BAD_REQUEST),
            },
            ("POST", "/reset") => {
                drop(state);
                self.reset();
                stamp.empty(StatusCode::NO_CONTENT)
            }
            _ => stamp.empty(StatusCode::NOT_FOUND),
        };
        Ruling::reply(reply).answer
    }

    fn entra(&self, incoming: &Incoming<'_>, tenant: &str, path: &str) -> SimulatedAnswer {
        let now = self.clock.now();
        let mut state = self.lock();
        let stamp = state.stamp(incoming.headers, now);
        let reply = match (incoming.method.as_str(), path) {
            ("POST", "/oauth2/v2.0/token") => {
                state.counts.token_requests += 1;
                state.tokens.issue(&self.scenario, tenant, incoming.body, &stamp)
            }
            ("GET", "/v2.0/.well-known/openid-configuration") => {
                sign_in::discover(&self.scenario, tenant, incoming.base, &stamp)
            }
            _ => {
                state.counts.unexpected += 1;
                let refusal = Refusal::bad_request(format!("Invalid version: {tenant}."));
                stamp.refuse(incoming.path, &refusal)
            }
        };
        state.keep(incoming, now, Some(reply.status.as_u16()), true);
        Ruling::reply(reply).answer
    }

    /// One request to Graph, alone or out of a batch.
    pub(super) fn graph(&self, incoming: &Incoming<'_>, version: Version, path: &str) -> SimulatedAnswer {
        if let Some((first, rest)) = path.split_at_checked(approvals::PATH.len())
            && first.eq_ignore_ascii_case(approvals::PATH)
        {
            return self.approval_requests(incoming, version, path, rest);
        }
        let mut call = judge::read(incoming, version, path);
        let now = self.clock.now();
        let mut state = self.lock();
        state.inventory.now = now.wall;
        if let Ok(call) = &mut call {
            state.inventory.name_by_id(&mut call.ids);
            call.target = call.ids.last().map(|id| id.value.to_ascii_lowercase()).unwrap_or_default();
        }
        self.do_in_portal(&mut state, now);
        let stamp = state.stamp(incoming.headers, now);
        state.counts.secrets_asked += u64::from(keys::is_for_a_secret(path, incoming.query));
        let mut ruling = match &call {
            Ok(call) => self.rule(&mut state, incoming, path, call, &stamp),
            Err(refusal) => {
                state.counts.unexpected += 1;
                let verdict = state.tokens.admit(&self.scenario, incoming.headers, now);
                Ruling::reply(stamp.refuse(path, verdict.as_ref().err().unwrap_or(refusal)))
            }
        };
        if matches!(ruling.answer.delivery, Delivery::Refused) {
            return ruling.answer;
        }
        if let Ok(call) = &call
            && let Some(bucket) = call.bucket.filter(|own| own.service.tells_load)
        {
            let scope = units::scope(bucket.access, NO_APPLICATION, &self.scenario.tenant.id.0);
            ruling.tell_units(units::of(call.endpoint, &call.query), &scope, units::information(bucket.access));
            ruling.tell_load(state.windows.load(bucket, now.since));
        }
        let ending = ruling.ending();
        state.counts.ended(ending);
        if let Ok(call) = &call {
            if let Some(bucket) = call.bucket {
                state.counts.arrived(bucket, now.since);
            }
            match call.action() {
                Some(action) => state.counts.acted(action, &call.target, ending),
                None => state.counts.reads += 1,
            }
        }
        state.keep(incoming, now, ending.status, false);
        ruling.answer
    }

    /// Sign-in, allowance, fault, validity, existence, effect: in the order in which a real request meets them.
    fn rule(
        &self,
        state: &mut State,
        incoming: &Incoming<'_>,
        path: &str,
        call: &Call<'_>,
        stamp: &AnswerStamp,
    ) -> Ruling {
        let now = stamp.now;
        if let Err(refusal) = state.tokens.admit(&self.scenario, incoming.headers, now) {
            return Ruling::reply(stamp.refuse(path, &refusal));
        }
        if let Some(Err(wait)) = call.bucket.map(|bucket| state.windows.look(bucket, now.since)) {
            let refusal = Refusal::throttled(self.scenario.retry_after, wait);
            return Ruling::reply(stamp.refuse(path, &refusal));
        }
        let facts =
            Facts { action: call.action(), target: &call.target, method: incoming.method.as_str(), since: now.since };
        let fault = state.faults.pick(&self.scenario.faults, facts, &mut state.dice);
        match fault {
            Some(Fault::RefuseConnection) => return Ruling::undelivered(Delivery::Refused),
            Some(Fault::Reset) => return Ruling::undelivered(Delivery::Lost),
            _ => {}
        }
        if let Some(bucket) = call.bucket {
            state.windows.count(bucket, now.since);
        }
        if let Some(refusal) = self.spoil(state, fault, incoming, call) {
            return Ruling::reply(stamp.refuse(path, &refusal));
        }
        state.late.land(&mut state.inventory, now);
        let mut ruling = match self.carry_out(state, incoming, call, fault, stamp) {
            Ok(ruling) => ruling,
            Err(refusal) => Ruling::reply(stamp.refuse(path, &refusal)),
        };
        match fault {
            Some(Fault::DropReply) => ruling.answer.delivery = Delivery::Lost,
            Some(Fault::Delay(time)) => ruling.answer.delay += time.0,
            _ => {}
        }
        if let Some(said) = fault.and_then(spoil::after_effect) {
            ruling.answer.delivery = Delivery::Reply(stamp.refuse(path, &said));
        }
        ruling
    }

    /// The answer that a fault puts in place of the real one.
    fn spoil(
        &self,
        state: &mut State,
        fault: Option<&Fault>,
        incoming: &Incoming<'_>,
        call: &Call<'_>,
    ) -> Option<Refusal> {
        let name = call.action().map_or("read", |action| ACTIONS[action].name);
        match fault? {
            Fault::ExpireToken => {
                state.tokens.revoke(incoming.headers);
                state.tokens.admit(&self.scenario, incoming.headers, self.clock.now()).err()
            }
            Fault::DailyQuota => Some(quota::used_up(&self.scenario, name, A_DAY)),
            Fault::Approval(approval) => {
                spoil::approval(approval, incoming.headers, digest(name) ^ digest(&call.target))
            }
            other => spoil::answer(other),
        }
    }

    fn carry_out(
        &self,
        state: &mut State,
        incoming: &Incoming<'_>,
        call: &Call<'_>,
        fault: Option<&Fault>,
        stamp: &AnswerStamp,
    ) -> Result<Ruling, Refusal> {
        call.verdict.clone()?;
        permissions::admit(&self.scenario, call)?;
        let is_missing = |id: &&PathId<'_>| id.alternate.is_some() || state.inventory.lacks(&id.value);
        if let Some(id) = call.ids.iter().find(is_missing) {
            return Err(judge::not_found(call.endpoint, &id.value));
        }
        match call.endpoint {
            Endpoint::Perform { action } => self.perform(state, action, (incoming, fault), call, stamp),
            Endpoint::DeleteMember => Self::delete_member(state, call, stamp),
            _ => self.read(state, incoming, call).map(|document| Ruling::reply(stamp.shown(&document))),
        }
    }
}

/// The first segment of a path, and the rest with its slash.
pub(super) fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_at(path.find('/').unwrap_or(path.len()))
}
