//! The last requests, so that tests can look at what really arrived.
//!
//! In: requests with their ends. Out: the last ten thousand. Must not: keep a token; and of a token request, the body.

use std::collections::{BTreeMap, VecDeque};

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method};
use serde::Serialize;

use super::tenant::{Carrier, Incoming};

const KEPT: usize = 10_000;
/// So much of a body is kept: more than any write of the catalog has.
const BODY: usize = 64 << 10;
const WITHHELD: &str = "(withheld)";

/// The headers worth keeping. `authorization` is kept as the mere fact.
const HEADERS: &[&str] = &[
    "accept",
    "client-request-id",
    "consistencylevel",
    "content-length",
    "content-type",
    "prefer",
    "transfer-encoding",
    "user-agent",
    "x-ms-throttle-priority",
    "x-msft-approval-code",
    "x-msft-approval-justification",
];

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenRequest {
    /// Milliseconds since the tenant began.
    pub at_ms: u64,
    pub method: String,
    /// With version and query.
    pub path: String,
    pub headers: BTreeMap<&'static str, String>,
    pub body: String,
    /// Whether it came inside a batch.
    pub in_batch: bool,
    /// `None` where no answer was given.
    pub status: Option<u16>,
}

/// One request as it is kept: copied out of the connection's buffers, and put into shape only when somebody looks.
#[derive(Debug)]
struct KeptRequest {
    at_ms: u64,
    method: Method,
    path: Box<str>,
    query: Box<str>,
    headers: Vec<(&'static str, Box<[u8]>)>,
    body: Option<Box<[u8]>>,
    in_batch: bool,
    status: Option<u16>,
}

impl KeptRequest {
    fn show(&self) -> SeenRequest {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let between = if self.query.is_empty() { "" } else { "?" };
        SeenRequest {
            at_ms: self.at_ms,
            method: self.method.as_str().to_owned(),
            path: format!("{}{between}{}", self.path, self.query),
            headers: self.headers.iter().map(|(name, value)| (*name, text(value))).collect(),
            body: self.body.as_deref().map_or_else(|| WITHHELD.to_owned(), text),
            in_batch: self.in_batch,
            status: self.status,
        }
    }
}

#[derive(Debug)]
pub(super) struct Log {
    on: bool,
    kept: VecDeque<KeptRequest>,
}

impl Log {
    pub(super) fn new(on: bool) -> Self {
        Self { on, kept: VecDeque::new() }
    }

    pub(super) fn keep(&mut self, incoming: &Incoming<'_>, at_ms: u64, status: Option<u16>, secret: bool) {
        if !self.on {
            return;
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(KeptRequest {
            at_ms,
            method: incoming.method.clone(),
            path: incoming.path.into(),
            query: incoming.query.into(),
            headers: incoming.headers.iter().filter_map(|(name, value)| keep_header(name, value)).collect(),
            body: (!secret).then(|| Box::from(&incoming.body[..incoming.body.len().min(BODY)])),
            in_batch: incoming.carrier == Carrier::Batch,
            status,
        });
    }

    pub(super) fn seen(&self) -> impl Iterator<Item = SeenRequest> {
        self.kept.iter().map(KeptRequest::show)
    }
}

fn keep_header(name: &HeaderName, value: &HeaderValue) -> Option<(&'static str, Box<[u8]>)> {
    if name == AUTHORIZATION {
        return Some(("authorization", WITHHELD.as_bytes().into()));
    }
    let name = HEADERS.iter().find(|known| **known == name.as_str())?;
    Some((name, value.as_bytes().into()))
}
