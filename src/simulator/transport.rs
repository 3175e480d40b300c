//! The tenant in process: no sockets, and whatever clock tokio runs, paused ones too.
//!
//! In: a [`WireRequest`]. Out: what the tenant answers, after the time it takes. Must not: look at the request.

use std::sync::Arc;

use http::Uri;

use super::tenant::{Carrier, Delivery, Incoming, Tenant};
use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};

#[derive(Clone)]
pub struct SimTransport(Arc<Tenant>);

impl SimTransport {
    pub fn new(tenant: Arc<Tenant>) -> Self {
        Self(tenant)
    }

    pub fn tenant(&self) -> &Arc<Tenant> {
        &self.0
    }
}

impl Transport for SimTransport {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        let url: Uri = request.url.parse().map_err(|_| TransportError::Unreachable("not a URL".to_owned()))?;
        let base = format!(
            "{}://{}",
            url.scheme_str().unwrap_or("https"),
            url.authority().map_or("graph.microsoft.com", |authority| authority.as_str())
        );
        let answer = self.0.handle(&Incoming {
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
        match answer.delivery {
            Delivery::Reply(reply) => Ok(reply),
            Delivery::Lost => Err(TransportError::Lost("connection closed before the reply".to_owned())),
            Delivery::Refused => Err(TransportError::Unreachable("connection refused".to_owned())),
        }
    }
}
