//! The tenant in process: no sockets, and whatever clock tokio runs, paused ones too.
//!
//! In: a [`WireRequest`]. Out: what the tenant answers, after the time it takes. Must not: look at the request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use super::kept::Kept;
use super::power::Power;
use super::tenant::{Carrier, Delivery, Incoming, SimulatedAnswer, Tenant};
use super::wire::{Fate, Spoil, Wire};
use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};

#[derive(Clone)]
pub struct SimTransport {
    tenant: Arc<Tenant>,
    /// Of the process that is on this side; `None`: it does not fail.
    power: Option<Arc<Power>>,
    /// What stands in between; `None`: nothing.
    wire: Option<Arc<Wire>>,
    /// Where the tenant is kept; `None`: it ends with the process.
    kept: Option<Arc<Kept>>,
}

impl SimTransport {
    pub fn new(tenant: Arc<Tenant>) -> Self {
        Self { tenant, power: None, wire: None, kept: None }
    }

    /// To a tenant that stays.
    pub(crate) fn to_kept(kept: Arc<Kept>) -> Self {
        Self { kept: Some(Arc::clone(&kept)), ..Self::new(Arc::clone(kept.tenant())) }
    }

    /// Where the tenant is kept.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    /// Over a wire that watches and spoils what goes through it.
    #[must_use]
    pub fn wired(self, wire: Arc<Wire>) -> Self {
        Self { wire: Some(wire), ..self }
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

impl SimTransport {
    /// What the tenant makes of it.
    fn handle(&self, request: &WireRequest) -> Result<SimulatedAnswer, TransportError> {
        let url: Uri = request.url.parse().map_err(|_| TransportError::Unreachable("not a URL".to_owned()))?;
        let base = format!(
            "{}://{}",
            url.scheme_str().unwrap_or("https"),
            url.authority().map_or("graph.microsoft.com", |authority| authority.as_str())
        );
        let answer = self.tenant.handle(&Incoming {
            method: &request.method,
            base: &base,
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &request.headers,
            body: &request.body,
            carrier: Carrier::InProcess,
        });
        if let Some(kept) = &self.kept {
            kept.touched();
        }
        Ok(answer)
    }
}

impl Transport for SimTransport {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        self.moment().await;
        let spoil = self.wire.as_ref().map_or(Spoil::Nothing, |wire| wire.spoil(&request));
        if let Spoil::Before(fate) = spoil {
            if let Some(wire) = &self.wire {
                wire.kept_back(&request);
            }
            return fate.told();
        }
        let answer = self.handle(&request)?;
        if let Some(wire) = &self.wire {
            wire.passed(&request, &answer);
        }
        let slow = if let Spoil::Slow(time) = spoil { time } else { Duration::ZERO };
        let delay = answer.delay + slow;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        self.moment().await;
        match (spoil, answer.delivery) {
            (Spoil::After(fate), _) => fate.told(),
            (_, Delivery::Reply(reply)) => Ok(reply),
            (_, Delivery::Lost) => Fate::Lost.told(),
            (_, Delivery::Refused) => Fate::Unreachable.told(),
        }
    }
}
