//! What carries requests to the tenant: HTTP, or the embedded tenant.
//!
//! In: which tenant. Out: a [`SessionTransport`]. Must not: be chosen anywhere else.

use jiff::Timestamp;
use serde_json::Value;

use super::error::SessionError;
use super::target::TargetTenant;
use crate::catalog::TargetKind;
use crate::msgraph::http::HttpTransport;
use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
use crate::simulator::scenario::Scenario;
use crate::simulator::tenant::Tenant as SimulatedTenant;
use crate::simulator::transport::SimTransport;

/// The transport of a session.
#[derive(Debug, Clone)]
pub enum SessionTransport {
    Http(HttpTransport),
    Simulated(SimTransport),
}

impl SessionTransport {
    /// Nothing is sent yet. `connections`: how many requests may be out at once; `now`: when a tenant of our own begins.
    pub fn to(tenant: &TargetTenant, connections: u16, now: Timestamp) -> Result<Self, SessionError> {
        match tenant {
            TargetTenant::Real => {
                let transport = HttpTransport::new(usize::from(connections));
                transport.map(Self::Http).map_err(|error| SessionError::NoTransport(error.to_string()))
            }
            TargetTenant::Simulated(scenario) => {
                let scenario = match scenario {
                    Some(file) => Scenario::load(file)?,
                    None => Scenario::rehearsal(),
                };
                Ok(Self::Simulated(SimTransport::new(SimulatedTenant::new(scenario, now))))
            }
            TargetTenant::InProcess(transport) => Ok(Self::Simulated(transport.clone())),
            TargetTenant::Kept(_) => Err(SessionError::NoTransport("the simulated tenant was not opened".into())),
        }
    }

    /// A tenant of our own has not made up what an earlier one has shown: it takes that over. Any other one is what it is.
    pub fn take_over_seen(&self, kind: TargetKind, document: &Value) {
        if let Self::Simulated(transport) = self {
            transport.tenant().take_over_seen(kind, document);
        }
    }
}

impl Transport for SessionTransport {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        match self {
            Self::Http(transport) => transport.send(request).await,
            Self::Simulated(transport) => transport.send(request).await,
        }
    }
}
