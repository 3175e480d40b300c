//! The last requests, so that tests can look at what really arrived.
//!
//! In: requests with their ends. Out: the last ten thousand. Must not: keep a token; and of a token request, the body.

use std::collections::{BTreeMap, VecDeque};

use http::HeaderMap;
use serde::Serialize;

use super::tenant::{Carrier, Incoming};

const KEPT: usize = 10_000;

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
pub struct Seen {
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

#[derive(Debug)]
pub struct Log {
    on: bool,
    seen: VecDeque<Seen>,
}

impl Log {
    pub fn new(on: bool) -> Self {
        Self { on, seen: VecDeque::new() }
    }

    pub fn keep(&mut self, incoming: &Incoming<'_>, at_ms: u64, status: Option<u16>, secret: bool) {
        if !self.on {
            return;
        }
        if self.seen.len() == KEPT {
            self.seen.pop_front();
        }
        let between = if incoming.query.is_empty() { "" } else { "?" };
        let body = match secret {
            true => "(withheld)".to_owned(),
            false => String::from_utf8_lossy(incoming.body).into_owned(),
        };
        self.seen.push_back(Seen {
            at_ms,
            method: incoming.method.as_str().to_owned(),
            path: format!("{}{between}{}", incoming.path, incoming.query),
            headers: chosen(incoming.headers),
            body,
            in_batch: incoming.carrier == Carrier::Batch,
            status,
        });
    }

    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }
}

fn chosen(headers: &HeaderMap) -> BTreeMap<&'static str, String> {
    let mut chosen: BTreeMap<_, _> = HEADERS
        .iter()
        .filter_map(|name| Some((*name, String::from_utf8_lossy(headers.get(*name)?.as_bytes()).into_owned())))
        .collect();
    if headers.contains_key(http::header::AUTHORIZATION) {
        chosen.insert("authorization", "(withheld)".to_owned());
    }
    chosen
}
