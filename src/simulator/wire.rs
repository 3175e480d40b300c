//! What stands between one process and the tenant: cables, proxies, gateways. It watches, and it spoils.
//!
//! In: requests on their way, and what the tenant makes of them. Out: whether and how each is spoilt, and a record of what
//! has gone through. Must not: change the tenant; what a scenario spoils, the tenant spoils itself.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::tenant::{Delivery, SimulatedAnswer};
use crate::msgraph::transport::{TransportError, WireReply, WireRequest};

/// What happens to one request.
pub enum Spoil {
    Nothing,
    /// The tenant never sees it.
    Before(Fate),
    /// The tenant sees it, and what it answers is lost.
    After(Fate),
    /// The answer takes so much longer.
    Slow(Duration),
}

/// What the process is told in place of the tenant's answer.
pub enum Fate {
    /// No connection comes about.
    Unreachable,
    /// The connection closes.
    Lost,
    /// Somebody on the way answers.
    Answer(WireReply),
}

impl Fate {
    pub(super) fn told(self) -> Result<WireReply, TransportError> {
        match self {
            Self::Unreachable => Err(TransportError::Unreachable("connection refused".to_owned())),
            Self::Lost => Err(TransportError::Lost("connection closed before the reply".to_owned())),
            Self::Answer(reply) => Ok(reply),
        }
    }
}

/// One request that has gone, and what the tenant made of it.
#[derive(Debug, Clone)]
pub struct Passed {
    pub at: Instant,
    pub method: String,
    pub url: String,
    pub body: Bytes,
    /// Whether something was acted on.
    pub effect: bool,
    /// What the tenant answered; `None` where it never saw the request, or gave no answer.
    pub answer: Option<(u16, Bytes)>,
}

/// How each request is spoilt, by whoever plays.
type Choose = dyn Fn(&WireRequest) -> Spoil + Send + Sync;
/// Who watches.
type Watch = dyn Fn(Passed) + Send + Sync;

/// Of one process, and as long as it.
pub struct Wire {
    choose: Box<Choose>,
    watch: Box<Watch>,
}

impl Wire {
    pub fn new(
        choose: impl Fn(&WireRequest) -> Spoil + Send + Sync + 'static,
        watch: impl Fn(Passed) + Send + Sync + 'static,
    ) -> Self {
        Self { choose: Box::new(choose), watch: Box::new(watch) }
    }

    pub(super) fn spoil(&self, request: &WireRequest) -> Spoil {
        (self.choose)(request)
    }

    pub(super) fn passed(&self, request: &WireRequest, answer: &SimulatedAnswer) {
        let told = match &answer.delivery {
            Delivery::Reply(reply) => Some((reply.status.as_u16(), reply.body.clone())),
            Delivery::Lost | Delivery::Refused => None,
        };
        self.saw(request, answer.effect, told);
    }

    pub(super) fn kept_back(&self, request: &WireRequest) {
        self.saw(request, false, None);
    }

    fn saw(&self, request: &WireRequest, effect: bool, answer: Option<(u16, Bytes)>) {
        let WireRequest { method, url, body, .. } = request;
        let (at, method) = (Instant::now(), method.to_string());
        (self.watch)(Passed { at, method, url: url.clone(), body: body.clone(), effect, answer });
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}
