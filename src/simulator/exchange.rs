//! What goes into the tenant and what comes out of it.
//!
//! In: nothing. Out: the types of one exchange, whatever carries it. Must not: decide anything.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::counts::RequestEnd;
use crate::msgraph::transport::WireReply;

const LOAD: HeaderName = HeaderName::from_static("x-ms-throttle-limit-percentage");
const UNITS: HeaderName = HeaderName::from_static("x-ms-resource-unit");
const SCOPE: HeaderName = HeaderName::from_static("x-ms-throttle-scope");
const INFORMATION: HeaderName = HeaderName::from_static("x-ms-throttle-information");

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    InProcess,
    Socket,
    /// Inside a `$batch`.
    Batch,
}

/// A request as the tenant sees it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    pub method: &'a Method,
    /// Scheme and host, for links to further pages.
    pub base: &'a str,
    /// Still encoded.
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    pub carrier: Carrier,
}

/// What comes back.
pub struct SimulatedAnswer {
    /// How long it takes; the effect, if any, has happened already.
    pub delay: Duration,
    pub delivery: Delivery,
    /// Whether something was acted on.
    pub effect: bool,
}

impl SimulatedAnswer {
    pub(super) fn of(delivery: Delivery) -> Self {
        Self { delay: Duration::ZERO, delivery, effect: false }
    }
}

pub enum Delivery {
    Reply(WireReply),
    /// The connection closes without a reply.
    Lost,
    /// No connection came about.
    Refused,
}

/// What was decided about one request.
pub(super) struct Ruling {
    pub answer: SimulatedAnswer,
}

impl Ruling {
    pub(super) fn reply(reply: WireReply) -> Self {
        Self { answer: SimulatedAnswer::of(Delivery::Reply(reply)) }
    }

    pub(super) fn undelivered(delivery: Delivery) -> Self {
        Self { answer: SimulatedAnswer::of(delivery) }
    }

    /// The directory says how near its limit is, from eight tenths on.
    pub(super) fn tell_load(&mut self, load: f64) {
        let header = HeaderValue::from_str(&format!("{load:.2}"));
        if let (Delivery::Reply(reply), Ok(header), true) = (&mut self.answer.delivery, header, load >= 0.8) {
            reply.headers.insert(LOAD, header);
        }
    }

    /// It says what an answer cost as well, and of a request that was throttled, by which limit.
    pub(super) fn tell_units(&mut self, units: u32, scope: &str, information: &'static str) {
        let Delivery::Reply(reply) = &mut self.answer.delivery else { return };
        if reply.status.is_success() {
            reply.headers.insert(UNITS, HeaderValue::from(units));
        }
        if let (StatusCode::TOO_MANY_REQUESTS, Ok(scope)) = (reply.status, HeaderValue::from_str(scope)) {
            reply.headers.insert(SCOPE, scope);
            reply.headers.insert(INFORMATION, HeaderValue::from_static(information));
        }
    }

    pub(super) fn ending(&self) -> RequestEnd {
        let status = match &self.answer.delivery {
            Delivery::Reply(reply) => Some(reply.status.as_u16()),
            Delivery::Lost | Delivery::Refused => None,
        };
        RequestEnd { status, effect: self.answer.effect }
    }
}
