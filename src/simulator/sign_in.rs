//! Sign-in: the token endpoint, the discovery document, and which tokens are good.
//!
//! In: token requests, and the `Authorization` headers of Graph requests. Out: tokens, Entra's refusals, Graph's 401.
//! Must not: show a token or a secret to anybody but the one who sent it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::clock::Moment;
use super::errors::{AnswerStamp, Refusal};
use super::resources::{guid, guid_from};
use super::scenario::{Guid, Scenario};
use crate::catalog::{ACTIONS, Proof, SECRETS};
use crate::msgraph::transport::WireReply;

const AUTHORITY: &str = "https://login.microsoftonline.com";

/// The tokens that are out.
#[derive(Default)]
pub(super) struct Tokens {
    /// When each stops being good, since the tenant began.
    issued: HashMap<Box<str>, Duration>,
    revoked: HashSet<Box<str>>,
}

impl Tokens {
    /// Whether a Graph request with these headers may come in.
    pub(super) fn admit(&self, scenario: &Scenario, headers: &HeaderMap, now: Moment) -> Result<(), Refusal> {
        let token = bearer(headers).ok_or_else(|| unauthorized("Access token is empty."))?;
        if self.revoked.contains(token) {
            return Err(unauthorized("Lifetime validation failed, the token is expired."));
        }
        match self.issued.get(token) {
            Some(end) if now.since < *end => Ok(()),
            Some(_) => Err(unauthorized("Lifetime validation failed, the token is expired.")),
            None if scenario.sign_in.any_token || scenario.sign_in.tokens.iter().any(|known| known.is(token)) => Ok(()),
            None => Err(unauthorized("IDX14100: JWT is not well formed.")),
        }
    }

    /// From now on the token in these headers is no good.
    pub(super) fn revoke(&mut self, headers: &HeaderMap) {
        if let Some(token) = bearer(headers) {
            self.revoked.insert(token.into());
        }
    }

    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub(super) fn issue(&mut self, scenario: &Scenario, tenant: &str, form: &[u8], stamp: &AnswerStamp) -> WireReply {
        match request_of(scenario, tenant, form) {
            Err(error) => error.reply(stamp),
            Ok(request) => {
                let token = self.mint(scenario, &request, stamp);
                let answer = json!({
                    "token_type": "Bearer",
                    "expires_in": scenario.sign_in.token_lifetime.0.as_secs(),
                    "ext_expires_in": scenario.sign_in.token_lifetime.0.as_secs(),
                    "access_token": token,
                });
                stamp.json(StatusCode::OK, &answer)
            }
        }
    }

    fn mint(&mut self, scenario: &Scenario, request: &TokenRequest, stamp: &AnswerStamp) -> String {
        let issued_at = stamp.now.wall.as_second();
        let lifetime = scenario.sign_in.token_lifetime.0;
        let payload = json!({
            "aud": request.audience,
            "iss": format!("https://sts.windows.net/{}/", request.tenant),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + lifetime.as_secs() as i64,
            "appid": request.client,
            "idtyp": "app",
            "roles": roles(scenario),
            "tid": request.tenant,
            "uti": stamp.request_id,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(&json!({ "typ": "JWT", "alg": "RS256", "kid": "simulator" }));
        let token = format!("{header}.{}.{}", part(&payload), URL_SAFE_NO_PAD.encode("not a signature"));
        self.issued.insert(token.as_str().into(), stamp.now.since + lifetime);
        token
    }
}

/// Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(super) fn discover(scenario: &Scenario, tenant: &str, base: &str, stamp: &AnswerStamp) -> WireReply {
    match tenant_id(scenario, tenant) {
        Err(error) => error.reply(stamp),
        Ok(id) => stamp.json(
            StatusCode::OK,
            &json!({
                "token_endpoint": format!("{base}/{id}/oauth2/v2.0/token"),
                "issuer": format!("{AUTHORITY}/{id}/v2.0"),
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }),
        ),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthorized(message: &'static str) -> Refusal {
    Refusal::new(401, "InvalidAuthenticationToken", message).with(
        WWW_AUTHENTICATE,
        format!(
            "Bearer realm=\"\", authorization_uri=\"{AUTHORITY}/common/oauth2/authorize\", error=\"invalid_token\""
        ),
    )
}

/// What to put into a token.
struct TokenRequest {
    tenant: String,
    client: String,
    audience: String,
}

/// Entra's way of saying no.
struct EntraError {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

impl EntraError {
    fn bad_request(error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, number, text: text.into() }
    }

    fn reply(&self, stamp: &AnswerStamp) -> WireReply {
        let trace = &stamp.request_id;
        let correlation = guid_from(trace, 1);
        let time = stamp.now.wall.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            self.number, self.text
        );
        let document = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{AUTHORITY}/error?code={}", self.number),
        });
        stamp.json(self.status, &document)
    }
}

fn request_of(scenario: &Scenario, tenant: &str, form: &[u8]) -> Result<TokenRequest, EntraError> {
    let tenant = tenant_id(scenario, tenant)?;
    let field = |name: &str| {
        field(form, name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let text = format!("The request body must contain the following parameter: '{name}'.");
            EntraError::bad_request("invalid_request", 900_144, text)
        })
    };
    let grant = field("grant_type")?;
    if grant != "client_credentials" {
        let text = format!("The provided grant type '{grant}' is not supported.");
        return Err(EntraError::bad_request("unsupported_grant_type", 70_003, text));
    }
    let client = field("client_id")?;
    let scope = field("scope")?;
    let Some(audience) = scope.strip_suffix("/.default").filter(|resource| resource.contains("://")) else {
        let text = format!("The provided request must include a 'scope' input parameter. '{scope}' is not valid.");
        return Err(EntraError::bad_request("invalid_scope", 70_011, text));
    };
    let secret = field("client_secret")?;
    let sign_in = &scenario.sign_in;
    if sign_in.refuse || sign_in.secret.as_ref().is_some_and(|right| !right.is(&secret)) {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID, for a secret added to app '{client}'."
        );
        return Err(EntraError { status: StatusCode::UNAUTHORIZED, error: "invalid_client", number: 7_000_215, text });
    }
    Ok(TokenRequest { tenant, client, audience: audience.to_owned() })
}

/// The id behind what stands in a path: a domain, or an id.
fn tenant_id(scenario: &Scenario, tenant: &str) -> Result<String, EntraError> {
    let own = &scenario.tenant;
    let listed = own.domains.iter().any(|domain| domain.eq_ignore_ascii_case(tenant));
    match own.domains.is_empty() {
        _ if own.id.0.eq_ignore_ascii_case(tenant) || listed => Ok(own.id.0.clone()),
        true if Guid::is(tenant) => Ok(tenant.to_ascii_lowercase()),
        true => Ok(own.id.0.clone()),
        false => {
            let text = format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
                 the correct cloud."
            );
            Err(EntraError::bad_request("invalid_request", 90_002, text))
        }
    }
}

fn roles(scenario: &Scenario) -> Vec<&str> {
    match &scenario.sign_in.roles {
        Some(roles) => roles.iter().map(String::as_str).collect(),
        None => {
            let of_keys = SECRETS.iter().filter_map(|row| match row.proof {
                Proof::Read { permissions: [least, ..] } => Some(*least),
                _ => None,
            });
            let of_actions = ACTIONS.iter().flat_map(|action| action.permissions).copied();
            let all: BTreeSet<_> = of_actions.chain(of_keys).collect();
            all.into_iter().collect()
        }
    }
}

fn field(form: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let (_, value) = form.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// The ids that requests get, one after the other.
pub(super) fn request_id(dice: &mut fastrand::Rng) -> String {
    guid(dice.u64(..), dice.u64(..))
}
