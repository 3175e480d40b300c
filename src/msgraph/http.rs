//! The transport over real HTTP.
//!
//! In: [`WireRequest`]s. Out: replies with bounded bodies. Must not: retry, follow redirects, or decide.
//!
//! The client's own conveniences are off: a redirect would turn a POST into a GET that carries the token, and a hidden
//! retry would send what nobody accounted for.

use std::error::Error;
use std::time::Duration;

use bytes::BytesMut;
use http::Uri;
use reqwest::redirect;

use crate::address::is_loopback;

use super::transport::{LONGEST_BODY, LONGEST_ERROR, Transport, TransportError, WireReply, WireRequest};

/// A reply must be complete within this time. Graph itself gives up after about a minute.
const TIMEOUT: Duration = Duration::from_secs(100);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than the idle time-out of the gateways, so that we close first.
const IDLE: Duration = Duration::from_secs(30);
/// How often an HTTP/2 connection in use shows that it is alive.
const PING: Duration = Duration::from_secs(20);

/// reqwest, with its surprises switched off.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    /// By whatever proxy the system names.
    client: reqwest::Client,
    /// By none.
    direct: reqwest::Client,
}

impl HttpTransport {
    /// `connections`: idle connections to keep, one for each worker. What goes to this machine goes straight there: plain
    /// http is accepted for nothing else, and a proxy would read the token in it.
    pub fn new(connections: usize) -> Result<Self, TransportError> {
        let client = |builder| Self::client(builder, connections);
        Ok(Self { client: client(reqwest::Client::builder())?, direct: client(reqwest::Client::builder().no_proxy())? })
    }

    fn client(builder: reqwest::ClientBuilder, connections: usize) -> Result<reqwest::Client, TransportError> {
        builder
            .user_agent(concat!("musterout/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE)
            .tcp_nodelay(true)
            // HTTP/2 is taken wherever TLS offers it; a connection that died silently is found while something waits.
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| TransportError::Unreachable(causes(&error)))
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        let client = if stays_here(&request.url) { &self.direct } else { &self.client };
        let mut builder = client.request(request.method, request.url).headers(request.headers);
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        let mut response = builder.send().await.map_err(explain)?;
        let mut body = BytesMut::new();
        let status = response.status();
        while let Some(chunk) = response.chunk().await.map_err(explain)? {
            if !status.is_success() && body.len() + chunk.len() >= LONGEST_ERROR {
                body.extend_from_slice(&chunk);
                break;
            }
            if body.len() + chunk.len() > LONGEST_BODY {
                return Err(TransportError::Lost(format!("the reply is longer than {LONGEST_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(WireReply::new(status, headers, body.freeze()))
    }
}

/// Whether an address is this machine's. One in plain http is no other's, and is sent to no proxy in any case.
fn stays_here(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() != Some("https") || uri.host().is_some_and(is_loopback))
}

/// Only a failure to connect proves that nothing left.
fn explain(error: reqwest::Error) -> TransportError {
    let host = error.url().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        return TransportError::Unreachable(format!("{host}: {}", causes(&error)));
    }
    if error.is_timeout() {
        return TransportError::Timeout(TIMEOUT.as_secs());
    }
    TransportError::Lost(causes(&error))
}

/// The two innermost causes are the ones that say something.
fn causes(error: &dyn Error) -> String {
    let mut words = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        next = cause.source();
    }
    match words.len() {
        0 => error.to_string(),
        length => words.split_off(length.saturating_sub(2)).join(": "),
    }
}
