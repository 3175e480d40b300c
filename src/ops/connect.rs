//! Wiring: from settings to a Graph client over the right transport, signed in.
//!
//! In: settings, which tenant, the clock. Out: a client that holds a good token. Must not: send anything that changes
//! anything.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Error, Tenant};
use crate::clock::Clock;
use crate::diagnostics::Diagnostic;
use crate::guard::drift::Sighting;
use crate::job::Job;
use crate::msgraph::client::GraphClient;
use crate::msgraph::http::HttpTransport;
use crate::msgraph::token::{Credentials, SignInError, TokenSource};
use crate::msgraph::transport::Transport;
use crate::pacing::Gates;
use crate::runner::Limits;
use crate::settings::{Identity, Settings};
use crate::simulator::scenario::Scenario;
use crate::simulator::tenant::Tenant as SimulatedTenant;
use crate::simulator::transport::SimTransport;

/// A client, over HTTP or over the embedded tenant.
pub enum Client {
    Http(GraphClient<HttpTransport>),
    Simulated(GraphClient<SimTransport>),
}

/// Makes the client; nothing is sent yet.
pub fn connect(
    settings: &Settings,
    tenant: &Tenant,
    plan_tenant: Option<&str>,
    clock: &Clock,
    limits: Limits,
) -> Result<Client, Error> {
    match tenant {
        Tenant::Real => {
            let identity = settings.identity().map_err(Error::SignIn)?;
            let transport =
                HttpTransport::new(usize::from(limits.concurrency), settings.is_local() && settings.signs_in_locally())
                    .map_err(|error| Error::Io {
                        what: "the HTTP client could not be set up".into(),
                        cause: std::io::Error::other(error),
                    })?;
            Ok(Client::Http(client(transport, credentials(identity), settings, (clock, limits))))
        }
        Tenant::Simulated(scenario) => {
            let scenario = match scenario {
                Some(file) => Scenario::load(file)?,
                None => Scenario::rehearsal(),
            };
            let transport = SimTransport::new(SimulatedTenant::new(scenario, clock.now()));
            Ok(rehearse(transport, settings, plan_tenant, (clock, limits)))
        }
        Tenant::InProcess(transport) => Ok(rehearse(transport.clone(), settings, plan_tenant, (clock, limits))),
    }
}

/// A rehearsal goes on in a tenant of its own, which has not made up what an earlier one has shown: it takes that over.
/// `None` where nothing is rehearsed in a tenant of its own.
pub fn rehearsed(
    settings: &Settings,
    tenant: &Tenant,
    plan_tenant: Option<&str>,
    (jobs, sightings): (&[Job], &[Option<Sighting>]),
    (limits, now): (Limits, Timestamp),
) -> Result<Option<(Client, Clock)>, Error> {
    if !matches!(tenant, Tenant::Simulated(_)) {
        return Ok(None);
    }
    let clock = Clock::starting_at(now);
    let client = connect(settings, tenant, plan_tenant, &clock, limits)?;
    if let Client::Simulated(client) = &client {
        for (job, sighting) in jobs.iter().zip(sightings) {
            if let Some(Sighting::Identity(seen)) = sighting {
                client.transport().tenant().take_over_seen(job.action.target, &seen.document(job.action.target));
            }
        }
    }
    Ok(Some((client, clock)))
}

fn rehearse(transport: SimTransport, settings: &Settings, plan_tenant: Option<&str>, with: (&Clock, Limits)) -> Client {
    let credentials = match settings.identity() {
        Ok(identity) => credentials(identity),
        Err(_) => rehearsal(plan_tenant.or(settings.tenant.as_deref())),
    };
    Client::Simulated(client(transport, credentials, settings, with))
}

fn client<T: Transport>(
    transport: T,
    credentials: Credentials,
    settings: &Settings,
    (clock, limits): (&Clock, Limits),
) -> GraphClient<T> {
    let tokens = TokenSource::new(transport.clone(), credentials, &settings.login_url, &settings.graph_url);
    GraphClient::new(transport, tokens, &settings.graph_url, clock.clone(), Gates::new(limits.pacing))
}

fn credentials(identity: &Identity) -> Credentials {
    match identity.clone() {
        Identity::AccessToken(token) => Credentials::AccessToken(token),
        Identity::ClientSecret { tenant, client_id, secret } => Credentials::ClientSecret { tenant, client_id, secret },
    }
}

/// Whoever has no credentials at hand signs in to the embedded tenant with these.
fn rehearsal(tenant: Option<&str>) -> Credentials {
    Credentials::ClientSecret {
        tenant: tenant.unwrap_or("contoso.onmicrosoft.com").to_owned(),
        client_id: "simulated".into(),
        secret: SecretString::from("simulated".to_owned()),
    }
}

/// Obtains a token, so that a wrong secret is found before anything else happens. The gates learn who it is for.
pub async fn sign_in<T: Transport>(tokens: &TokenSource<T>, gates: &Gates, now: Timestamp) -> Result<(), Error> {
    let claims = tokens.claims().await.map_err(|error| Error::sign_in(explain(&error)))?;
    // A person is signed in rather than an app, as far as the token says.
    gates.signed_in(claims.as_ref().is_some_and(|claims| claims.scp.is_some() && claims.roles.is_empty()));
    let ended = claims.and_then(|claims| claims.exp).and_then(|exp| Timestamp::from_second(exp).ok());
    match ended.filter(|end| *end <= now) {
        Some(end) => Err(Error::sign_in(
            Diagnostic::error("token-expired", format!("the access token expired at {end}"))
                .help("obtain a new one, or let musterout sign in with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"),
        )),
        None => Ok(()),
    }
}

/// Sign-in errors with Entra's own words.
pub fn explain(error: &SignInError) -> Diagnostic {
    let diagnostic = Diagnostic::error("sign-in", format!("sign-in failed: {error}"));
    match error {
        SignInError::Refused { .. } => {
            diagnostic.help("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
        }
        SignInError::Unreachable { .. } => diagnostic.help("check the network, the proxy, --login-url and --cloud"),
        SignInError::CannotRenew | SignInError::BadAnswer(_) => diagnostic,
    }
}
