//! A session: connected when somebody first has to know something of the tenant, and signed in once.
//!
//! In: settings, which tenant, limits, a clock. Out: a client that holds a good token of the tenant that everybody means.
//! Must not: send anything before it is asked to sign in, or hand out a client that has not been compared with whoever
//! says which tenant is meant.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use super::error::SessionError;
use super::expected::{self, ExpectedBy};
use super::sign_in::{self, credentials, rehearsal};
use super::target::{TargetTenant, signed_in_to};
use super::wire::SessionTransport;
use crate::catalog::TargetKind;
use crate::clock::Clock;
use crate::msgraph::client::GraphClient;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::token::{Credentials, TokenSource};
use crate::pacing::Gates;
use crate::runner::Limits;
use crate::settings::Settings;

/// The client of a session.
pub(crate) type Client = GraphClient<SessionTransport>;

/// A tenant, and whoever works in it.
#[derive(Debug)]
pub struct Session<'a> {
    settings: &'a Settings,
    tenant: &'a TargetTenant,
    limits: Limits,
    clock: Clock,
    seed: u64,
    /// Who says which tenant is meant, and which.
    meant: Vec<(ExpectedBy, String)>,
    /// How many of them have been compared with the tenant that we are signed in to.
    compared: usize,
    client: Option<Client>,
}

impl<'a> Session<'a> {
    /// Nothing is connected yet. The clock of the session is that of everything that is done in it.
    pub fn new(settings: &'a Settings, tenant: &'a TargetTenant, limits: Limits, clock: Clock, seed: u64) -> Self {
        Self { settings, tenant, limits, clock, seed, meant: Vec::new(), compared: 0, client: None }
    }

    /// The tenant must be that one, too.
    pub fn must_be(&mut self, source: ExpectedBy, tenant: Option<&str>) {
        self.meant.extend(tenant.map(|tenant| (source, tenant.to_owned())));
    }

    /// Lets a tenant of our own know a target that an earlier one has made up.
    pub fn take_over_seen(&mut self, kind: TargetKind, document: &Value) -> Result<(), SessionError> {
        if let TargetTenant::Simulated(_) = self.tenant {
            let client = self.connected()?;
            client.transport().take_over_seen(kind, document);
            self.client = Some(client);
        }
        Ok(())
    }

    /// The client, signed in to the tenant that is meant.
    pub async fn signed_in(&mut self) -> Result<&Client, SessionError> {
        let client = self.ready().await?;
        Ok(self.client.insert(client))
    }

    /// The half of it that reads, signed in.
    pub async fn reading(&mut self) -> Result<ReadOnly<'_, SessionTransport>, SessionError> {
        self.signed_in().await.map(ReadOnly::new)
    }

    /// The client for good, signed in.
    pub async fn into_client(mut self) -> Result<Client, SessionError> {
        self.ready().await
    }

    async fn ready(&mut self) -> Result<Client, SessionError> {
        let client = self.connected()?;
        sign_in::sign_in(client.tokens(), client.gates(), self.now()).await?;
        for (source, expected) in self.meant.iter().skip(self.compared) {
            expected::verify(client.tokens(), (*source, expected), self.signed_in_to()).await?;
        }
        self.compared = self.meant.len();
        Ok(client)
    }

    /// The client that there is, or a new one.
    fn connected(&mut self) -> Result<Client, SessionError> {
        if let Some(client) = self.client.take() {
            return Ok(client);
        }
        let credentials = who(self.settings, self.tenant, of_the_plan(&self.meant))?;
        let wire = SessionTransport::to(self.tenant, self.limits.concurrency, self.clock.now())?;
        let (login, graph) = (&self.settings.login_url, &self.settings.graph_url);
        let tokens = TokenSource::new(wire.clone(), credentials, login, graph);
        let gates = Gates::new(self.limits.pacing);
        Ok(GraphClient::new(wire, tokens, graph, self.clock.clone(), gates))
    }

    /// How many requests have left for the tenant.
    pub fn requests(&self) -> u64 {
        self.client.as_ref().map_or(0, |client| client.gates().passed())
    }

    /// Whether there is anybody to sign in.
    pub fn can_sign_in(&self) -> bool {
        *self.tenant != TargetTenant::Real || self.settings.identity().is_ok()
    }

    /// Whether anything has been asked of the tenant.
    pub fn is_open(&self) -> bool {
        self.client.is_some()
    }

    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    pub fn tenant(&self) -> &'a TargetTenant {
        self.tenant
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Randomness of its own for each who asks, the same one for the same seed.
    pub fn rng(&self) -> Rng {
        Rng::with_seed(self.seed)
    }

    /// The tenant that the token is asked of, as far as somebody has named it.
    pub fn signed_in_to(&self) -> Option<&str> {
        signed_in_to(self.settings, of_the_plan(&self.meant))
    }
}

fn of_the_plan(meant: &[(ExpectedBy, String)]) -> Option<&str> {
    meant.iter().find(|(source, _)| *source == ExpectedBy::Plan).map(|(_, tenant)| tenant.as_str())
}

/// Whoever has no credentials at hand signs in to a tenant of our own with made-up ones.
fn who(settings: &Settings, tenant: &TargetTenant, of_the_plan: Option<&str>) -> Result<Credentials, SessionError> {
    match (settings.identity(), tenant) {
        (Ok(identity), _) => Ok(credentials(identity)),
        (Err(fault), TargetTenant::Real) => Err(SessionError::SignIn(fault)),
        (Err(_), TargetTenant::Simulated(_) | TargetTenant::Kept(_) | TargetTenant::InProcess(_)) => {
            Ok(rehearsal(of_the_plan.or(settings.tenant.as_deref())))
        }
    }
}
