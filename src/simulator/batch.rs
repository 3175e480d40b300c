//! `$batch`: up to twenty requests in one.
//!
//! In: the envelope. Out: one answer to each request in it, each judged, counted and throttled by itself.
//! Must not: know what the requests do.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{AnswerStamp, Refusal};
use super::exchange::{Carrier, Delivery, Incoming, SimulatedAnswer};
use super::tenant::{Tenant, split};
use crate::catalog::Version;
use crate::msgraph::transport::WireReply;

const MOST: usize = 20;

#[derive(Deserialize)]
struct Envelope {
    requests: Vec<BatchedRequest>,
}

#[derive(Deserialize)]
struct BatchedRequest {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    body: Option<Value>,
    #[serde(default, rename = "dependsOn")]
    depends_on: Vec<String>,
}

pub(super) fn handle(tenant: &Tenant, incoming: &Incoming<'_>, version: Version) -> SimulatedAnswer {
    let now = tenant.now();
    let mut state = tenant.lock();
    let stamp = state.stamp(incoming.headers, now);
    state.counts.batches += 1;
    let parts = state.tokens.admit(tenant.scenario(), incoming.headers, now).and_then(|()| open(incoming));
    drop(state);
    let answer = match parts {
        Ok(parts) => answer_parts(tenant, incoming, version, &parts, &stamp),
        Err(refusal) => at_once(stamp.refuse("/$batch", &refusal)),
    };
    let status = match &answer.delivery {
        Delivery::Reply(reply) => Some(reply.status.as_u16()),
        _ => None,
    };
    tenant.lock().keep(incoming, now, status, false);
    answer
}

fn at_once(reply: WireReply) -> SimulatedAnswer {
    SimulatedAnswer::of(Delivery::Reply(reply))
}

/// The requests in an envelope, if it is one that Graph accepts.
fn open(incoming: &Incoming<'_>) -> Result<Vec<BatchedRequest>, Refusal> {
    if incoming.method != Method::POST {
        return Err(Refusal::new(405, "Request_BadRequest", "Specified HTTP method is not allowed."));
    }
    let envelope: Envelope = serde_json::from_slice(incoming.body)
        .map_err(|error| Refusal::bad_request(format!("Invalid batch payload format: {error}.")))?;
    let parts = envelope.requests;
    if parts.is_empty() || parts.len() > MOST {
        return Err(Refusal::bad_request(format!("The number of requests in a batch must be 1 to {MOST}.")));
    }
    let mut ids = HashSet::new();
    for part in &parts {
        let fresh = ids.insert(part.id.to_ascii_lowercase());
        let known = part.depends_on.iter().all(|id| ids.contains(&id.to_ascii_lowercase()));
        let nested = part.url.trim_start_matches('/').starts_with("$batch");
        let fault = match (fresh, known, part.url.contains("://") || nested) {
            (false, ..) => "duplicate request id",
            (_, false, _) => "unknown request id in dependsOn",
            (.., true) => "invalid request URL",
            _ => continue,
        };
        return Err(Refusal::bad_request(format!("Invalid batch payload format: {fault} at '{}'.", part.id)));
    }
    Ok(parts)
}

/// Answers come in the opposite order: Graph promises none, and a client must not rely on one.
fn answer_parts(
    tenant: &Tenant,
    incoming: &Incoming<'_>,
    version: Version,
    parts: &[BatchedRequest],
    stamp: &AnswerStamp,
) -> SimulatedAnswer {
    let mut responses = Vec::with_capacity(parts.len());
    let mut failed = HashSet::new();
    let mut delay = std::time::Duration::ZERO;
    for part in parts {
        let stopped = part.depends_on.iter().any(|id| failed.contains(&id.to_ascii_lowercase()));
        let answer = match stopped {
            true => at_once(stamp.refuse("/$batch", &Refusal::new(424, "FailedDependency", "Failed Dependency"))),
            false => answer_part(tenant, incoming, version, part, stamp),
        };
        delay = delay.max(answer.delay);
        // One lost answer is all of them lost: they share a connection.
        let Delivery::Reply(reply) = answer.delivery else {
            return SimulatedAnswer { delay, ..SimulatedAnswer::of(Delivery::Lost) };
        };
        if !reply.status.is_success() {
            failed.insert(part.id.to_ascii_lowercase());
        }
        responses.push(response(&part.id, &reply));
    }
    responses.reverse();
    let reply = stamp.json(StatusCode::OK, &json!({ "responses": responses }));
    SimulatedAnswer { delay, ..SimulatedAnswer::of(Delivery::Reply(reply)) }
}

fn answer_part(
    tenant: &Tenant,
    envelope: &Incoming<'_>,
    version: Version,
    part: &BatchedRequest,
    stamp: &AnswerStamp,
) -> SimulatedAnswer {
    let Some((method, headers)) = line_of(part, envelope.headers) else {
        return at_once(stamp.refuse("/$batch", &Refusal::bad_request("Invalid method or header in batch request.")));
    };
    // An empty object stands for no body: the documentation wants it there for actions without one.
    let body = match &part.body {
        None => Bytes::new(),
        Some(Value::Object(body)) if body.is_empty() => Bytes::new(),
        Some(body) => Bytes::from(body.to_string()),
    };
    if part.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        let message = "Write request id : {id} does not contain Content-Type header or body.";
        return at_once(stamp.refuse("/$batch", &Refusal::bad_request(message.replace("{id}", &part.id))));
    }
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    let path = format!("/{}/{}", version.name(), path.trim_start_matches('/'));
    let incoming = Incoming {
        method: &method,
        base: envelope.base,
        path: &path,
        query,
        headers: &headers,
        body: &body,
        carrier: Carrier::Batch,
    };
    tenant.graph(&incoming, version, split(&path).1)
}

/// Method and headers of a part; the sign-in is the envelope's.
fn line_of(part: &BatchedRequest, envelope: &HeaderMap) -> Option<(Method, HeaderMap)> {
    let method = Method::from_bytes(part.method.to_ascii_uppercase().as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in &part.headers {
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
    }
    headers.remove(AUTHORIZATION);
    if let Some(value) = envelope.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, value.clone());
    }
    Some((method, headers))
}

/// Headers in the spelling in which Graph puts them into a batch. Microsoft's JavaScript client looks for `Content-Type` and
/// for nothing else.
const SPELLINGS: &[(&str, &str)] = &[
    ("content-type", "Content-Type"),
    ("date", "Date"),
    ("location", "Location"),
    ("retry-after", "Retry-After"),
    ("www-authenticate", "WWW-Authenticate"),
];

fn spelt(name: &str) -> &str {
    SPELLINGS.iter().find(|(known, _)| *known == name).map_or(name, |(_, spelling)| spelling)
}

fn response(id: &str, reply: &WireReply) -> Value {
    let headers: Map<_, _> = reply
        .headers
        .iter()
        .map(|(name, value)| (spelt(name.as_str()).to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let mut response = json!({ "id": id, "status": reply.status.as_u16(), "headers": headers });
    if !reply.body.is_empty() {
        let text = || json!(String::from_utf8_lossy(&reply.body));
        response["body"] = serde_json::from_slice(&reply.body).unwrap_or_else(|_| text());
    }
    response
}
