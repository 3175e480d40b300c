//! Sign-in: access tokens, cached, renewed before they expire and once after a 401.
//!
//! In: credentials, and a transport. Out: the `Authorization` header for a request. Must not: let a secret or a token
//! reach a log, an error or a `Debug` string.
//!
//! Source: the OAuth 2.0 client credentials flow of the Microsoft identity platform.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::claims::Claims;
use super::error_body;
use super::transport::{Transport, TransportError, WireReply, WireRequest};

/// Tries of one token request before sign-in is given up.
const TRIES: u32 = 4;
/// Longer than any token lives, and short enough to be added to any time.
const LONGEST_LIFE: Duration = Duration::from_secs(48 * 3_600);
/// A token is renewed when this share of its life is over; the old one serves while that happens.
const RENEW_AFTER: f64 = 0.8;
/// Time between two tries to renew a token that still serves.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// Who we are.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A token that somebody else obtained. It cannot be renewed.
    AccessToken(SecretString),
    /// An app registration with a secret.
    ClientSecret { tenant: String, client_id: String, secret: SecretString },
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Entra's own words.
    #[error("{message}")]
    Refused { code: Option<String>, message: String },
    #[error("could not reach {url}: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("the access token was refused, and a token from MUSTEROUT_ACCESS_TOKEN cannot be renewed")]
    CannotRenew,
    #[error("the answer of the token endpoint could not be understood: {0}")]
    BadAnswer(String),
}

/// The tenant that a ready token names.
pub(crate) fn tenant_in(token: &SecretString) -> Option<String> {
    Claims::read(token.expose_secret()).and_then(|claims| claims.tid)
}

struct Token {
    header: HeaderValue,
    claims: Option<Claims>,
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
    number: u64,
}

/// Hands out tokens. Cheap to ask while the cached one is good.
pub struct TokenSource<T> {
    transport: T,
    credentials: Credentials,
    /// `https://login.microsoftonline.com`, without a slash at the end.
    login_url: String,
    scope: String,
    cached: RwLock<Option<Arc<Token>>>,
    renewing: Mutex<u64>,
}

/// The `Authorization` header of one request, and the number of the token in it.
#[derive(Clone)]
pub struct Authorization {
    pub header: HeaderValue,
    pub number: u64,
}

impl<T: Transport> TokenSource<T> {
    /// `graph_url` is the resource that tokens are for.
    pub fn new(transport: T, credentials: Credentials, login_url: &str, graph_url: &str) -> Self {
        Self {
            transport,
            credentials,
            login_url: login_url.trim_end_matches('/').to_owned(),
            scope: format!("{}/.default", graph_url.trim_end_matches('/')),
            cached: RwLock::new(None),
            renewing: Mutex::new(0),
        }
    }

    /// The header to send. Obtains a token if there is none, renews one that is near its end.
    pub async fn authorization(&self) -> Result<Authorization, SignInError> {
        if let Some(token) = self.cached() {
            let now = Instant::now();
            if token.renew_at.is_none_or(|at| now < at) {
                return Ok(authorization(&token));
            }
            if token.expires_at.is_some_and(|end| end <= now) {
                return self.obtain_once(token.number).await;
            }
            // Whoever is first renews it; the others do not wait for that.
            if let Ok(mut numbers) = self.renewing.try_lock() {
                return Ok(self.renew(&token, &mut numbers).await);
            }
            return Ok(authorization(&token));
        }
        self.obtain_once(u64::MAX).await
    }

    /// A request with that token was answered 401: it is not handed out again.
    pub fn refused(&self, number: u64) {
        if let Ok(mut cached) = self.cached.write()
            && cached.as_ref().is_some_and(|token| token.number == number)
        {
            *cached = None;
        }
    }

    /// What the current token says about itself; `None` if it is opaque.
    pub async fn claims(&self) -> Result<Option<Claims>, SignInError> {
        self.authorization().await?;
        Ok(self.cached().and_then(|token| token.claims.clone()))
    }

    /// The id of a tenant known by its domain, from Entra's public metadata. No token is sent.
    pub async fn tenant_id(&self, domain: &str) -> Result<String, SignInError> {
        #[derive(Deserialize)]
        struct Metadata {
            issuer: String,
        }
        let domain = utf8_percent_encode(domain, NON_ALPHANUMERIC).to_string().replace("%2E", ".").replace("%2D", "-");
        let url = format!("{}/{domain}/v2.0/.well-known/openid-configuration", self.login_url);
        let reply = self.send_patiently(Method::GET, &url, Bytes::new()).await?;
        let metadata: Metadata =
            serde_json::from_slice(&reply.body).map_err(|error| SignInError::BadAnswer(error.to_string()))?;
        let id = metadata.issuer.split('/').find(|part| uuid::Uuid::try_parse(part).is_ok());
        id.map(str::to_owned).ok_or_else(|| SignInError::BadAnswer(format!("no tenant id in {}", metadata.issuer)))
    }

    fn cached(&self) -> Option<Arc<Token>> {
        self.cached.read().ok()?.clone()
    }

    /// Renews a token that is still good. If that fails it serves on, and the next try comes a while later: asking
    /// before each request would be a storm of failed sign-ins.
    async fn renew(&self, token: &Token, numbers: &mut u64) -> Authorization {
        match self.obtain(numbers).await {
            Ok(renewed) => authorization(&renewed),
            Err(error) => {
                tracing::warn!(%error, "the token could not be renewed yet; the old one still serves");
                let renew_at = Some(Instant::now() + RENEW_AGAIN);
                let token = Token { header: token.header.clone(), claims: token.claims.clone(), renew_at, ..*token };
                let authorization = authorization(&token);
                self.keep_in_place(token);
                authorization
            }
        }
    }

    /// Puts a token into the place of the one with its number, unless that one was refused in the meantime.
    fn keep_in_place(&self, token: Token) {
        if let Ok(mut cached) = self.cached.write()
            && cached.as_ref().is_some_and(|old| old.number == token.number)
        {
            *cached = Some(Arc::new(token));
        }
    }

    /// Waits for whoever is renewing, and renews only if they did not.
    async fn obtain_once(&self, stale: u64) -> Result<Authorization, SignInError> {
        let mut numbers = self.renewing.lock().await;
        match self.cached().filter(|token| token.number != stale) {
            Some(token) => Ok(authorization(&token)),
            None => self.obtain(&mut numbers).await.map(|token| authorization(&token)),
        }
    }

    /// `numbers` is the lock that makes this the only request for a token, and the count of them.
    async fn obtain(&self, numbers: &mut u64) -> Result<Arc<Token>, SignInError> {
        let asked_at = Instant::now();
        let (secret, life) = match &self.credentials {
            Credentials::AccessToken(_) if *numbers > 0 => return Err(SignInError::CannotRenew),
            Credentials::AccessToken(token) => (token.clone(), None),
            Credentials::ClientSecret { tenant, client_id, secret } => {
                let (token, life) = self.request_token(tenant, client_id, secret).await?;
                (token, Some(life))
            }
        };
        let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()))
            .map_err(|_| SignInError::BadAnswer("the token holds characters that no header may hold".into()))?;
        header.set_sensitive(true);
        *numbers += 1;
        let token = Arc::new(Token {
            header,
            claims: Claims::read(secret.expose_secret()),
            renew_at: life.map(|life| asked_at + life.mul_f64(RENEW_AFTER)),
            expires_at: life.map(|life| asked_at + life),
            number: *numbers,
        });
        if let Ok(mut cached) = self.cached.write() {
            *cached = Some(Arc::clone(&token));
        }
        Ok(token)
    }

    async fn request_token(
        &self,
        tenant: &str,
        client_id: &str,
        secret: &SecretString,
    ) -> Result<(SecretString, Duration), SignInError> {
        #[derive(Deserialize)]
        struct TokenReply {
            access_token: SecretString,
            expires_in: u64,
        }
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.login_url);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let form = format!(
            "client_id={}&scope={}&client_secret={}&grant_type=client_credentials",
            encode(client_id),
            encode(&self.scope),
            encode(secret.expose_secret()),
        );
        let reply = self.send_patiently(Method::POST, &url, Bytes::from(form)).await?;
        // The answer is never quoted in an error: it may hold the token.
        let answer: TokenReply = serde_json::from_slice(&reply.body)
            .map_err(|_| SignInError::BadAnswer("neither a token nor an error".into()))?;
        Ok((answer.access_token, Duration::from_secs(answer.expires_in).min(LONGEST_LIFE)))
    }

    /// Token and metadata requests may be repeated freely.
    async fn send_patiently(&self, method: Method, url: &str, body: Bytes) -> Result<WireReply, SignInError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            if !body.is_empty() {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            }
            let request = WireRequest { method: method.clone(), url: url.to_owned(), headers, body: body.clone() };
            let error = match self.transport.send(request).await {
                Ok(reply) if reply.status.is_success() => return Ok(reply),
                Ok(reply) if tries >= TRIES || !worth_repeating(&reply) => return Err(refusal(&reply)),
                Ok(_) => None,
                Err(error) => Some(error),
            };
            if let Some(error) = error.filter(|_| tries >= TRIES) {
                return Err(SignInError::Unreachable { url: url.to_owned(), reason: reason(error) });
            }
            tokio::time::sleep(Duration::from_millis(250 << tries)).await;
        }
    }
}

fn reason(error: TransportError) -> String {
    match error {
        TransportError::Unreachable(reason) | TransportError::Lost(reason) => reason,
        TransportError::Timeout(_) => error.to_string(),
    }
}

fn worth_repeating(reply: &WireReply) -> bool {
    reply.status.is_server_error() || reply.status.as_u16() == 429
}

fn refusal(reply: &WireReply) -> SignInError {
    let body = error_body::read(&reply.body, Timestamp::UNIX_EPOCH);
    let message = body.message.unwrap_or_else(|| format!("the token endpoint answered {}", reply.status));
    SignInError::Refused { code: body.code, message }
}

fn authorization(token: &Token) -> Authorization {
    Authorization { header: token.header.clone(), number: token.number }
}

impl<T> std::fmt::Debug for TokenSource<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSource")
            .field("login_url", &self.login_url)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
