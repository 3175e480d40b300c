//! The tenant in process: no sockets, and whatever clock tokio runs, paused ones too.
//!
//! In: a [`WireRequest`]. Out: what the tenant answers, after the time it takes. Must not: look at the request.

use std::fmt;
use std::sync::Arc;

use http::Uri;

use super::power::Power;
use super::tenant::{Carrier, Delivery, Incoming, Tenant};
use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};

#[derive(Clone)]
pub struct SimTransport {
    tenant: Arc<Tenant>,
    /// Of the process that is on this side; `None`: it does not fail.
    power: Option<Arc<Power>>,
}

impl SimTransport {
    pub fn new(tenant: Arc<Tenant>) -> Self {
        Self { tenant, power: None }
    }

    /// For a process that loses its power: from then on, nothing leaves and nothing comes back.
    #[must_use]
    pub fn powered(self, power: Arc<Power>) -> Self {
        Self { power: Some(power), ..self }
    }

    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    async fn moment(&self) {
        if let Some(power) = &self.power {
            power.moment().await;
        }
    }
}

impl fmt::Debug for SimTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimTransport").field("power", &self.power).finish_non_exhaustive()
    }
}

/// Two ways to one tenant are the same.
impl PartialEq for SimTransport {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tenant, &other.tenant)
    }
}

impl Eq for SimTransport {}

impl Transport for SimTransport {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        let url: Uri = request.url.parse().map_err(|_| TransportError::Unreachable("not a URL".to_owned()))?;
        let base = format!(
            "{}://{}",
            url.scheme_str().unwrap_or("https"),
            url.authority().map_or("graph.microsoft.com", |authority| authority.as_str())
        );
        self.moment().await;
        let answer = self.tenant.handle(&Incoming {
            method: &request.method,
            base: &base,
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &request.headers,
            body: &request.body,
            carrier: Carrier::InProcess,
        });
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        self.moment().await;
        match answer.delivery {
            Delivery::Reply(reply) => Ok(reply),
            Delivery::Lost => Err(TransportError::Lost("connection closed before the reply".to_owned())),
            Delivery::Refused => Err(TransportError::Unreachable("connection refused".to_owned())),
        }
    }
}
