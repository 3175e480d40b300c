//! Where a token comes from.
//!
//! In: an identity of the settings, a source of tokens. Out: credentials, a token that is good, or Entra's own words. Must
//! not: show a secret.

use jiff::Timestamp;
use secrecy::SecretString;

use super::error::SessionError;
use crate::diagnostics::Diagnostic;
use crate::msgraph::token::{Credentials, SignInError, TokenSource};
use crate::msgraph::transport::Transport;
use crate::pacing::Gates;
use crate::settings::SignInIdentity;

/// What a token is asked for with.
pub(super) fn credentials(identity: &SignInIdentity) -> Credentials {
    match identity.clone() {
        SignInIdentity::AccessToken(token) => Credentials::AccessToken(token),
        SignInIdentity::ClientSecret { tenant, client_id, secret } => {
            Credentials::ClientSecret { tenant, client_id, secret }
        }
    }
}

/// Whoever has no credentials at hand signs in to the embedded tenant with these.
pub(super) fn rehearsal(tenant: Option<&str>) -> Credentials {
    Credentials::ClientSecret {
        tenant: tenant.unwrap_or("contoso.onmicrosoft.com").to_owned(),
        client_id: "simulated".into(),
        secret: SecretString::from("simulated".to_owned()),
    }
}

/// Obtains a token, so that a wrong secret is found before anything else happens. The gates learn who it is for.
pub(super) async fn sign_in<T: Transport>(
    tokens: &TokenSource<T>,
    gates: &Gates,
    now: Timestamp,
) -> Result<(), SessionError> {
    let claims = tokens.claims().await.map_err(|error| SessionError::SignIn(Box::new(explain(&error))))?;
    // A person is signed in rather than an app, as far as the token says.
    gates.signed_in(claims.as_ref().is_some_and(|claims| claims.scp.is_some() && claims.roles.is_empty()));
    let ended = claims.and_then(|claims| claims.exp).and_then(|exp| Timestamp::from_second(exp).ok());
    match ended.filter(|end| *end <= now) {
        Some(end) => Err(SessionError::SignIn(Box::new(
            Diagnostic::error("token-expired", format!("the access token expired at {end}"))
                .help("get a new token, or use AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to sign in"),
        ))),
        None => Ok(()),
    }
}

/// Sign-in errors with Entra's own words.
pub(super) fn explain(error: &SignInError) -> Diagnostic {
    let diagnostic = Diagnostic::error("sign-in", format!("sign-in failed: {error}"));
    match error {
        SignInError::Refused { .. } => {
            diagnostic.help("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
        }
        SignInError::Unreachable { .. } => diagnostic.help("check the network, the proxy, --login-url and --cloud"),
        SignInError::CannotRenew | SignInError::BadAnswer(_) => diagnostic,
    }
}
