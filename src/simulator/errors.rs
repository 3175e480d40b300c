//! Answers, and above all refusals, in the shapes that Graph, Intune and the gateways before them use.
//!
//! In: what is to be said, and the [`AnswerStamp`] of the request it answers. Out: a [`WireReply`]. Must not: decide anything.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::{Moment, http_date};
use super::scenario::{Body, RetryAfter};
use crate::msgraph::transport::WireReply;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What Graph calls the documents that it answers with, when nobody asks for less or more about their types.
const MINIMAL: HeaderValue = HeaderValue::from_static(
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
);
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A no, with all that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: Cow<'static, str>,
    pub message: Cow<'static, str>,
    pub headers: Vec<(HeaderName, String)>,
    /// When to come back, and how that is said.
    pub wait: Option<(RetryAfter, Duration)>,
    pub body: Body,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: code.into(), message: message.into(), headers: Vec::new(), wait: None, body: Body::Json }
    }

    /// 400 `BadRequest`, Graph's word for most things.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 429.
    pub(crate) fn throttled(form: RetryAfter, wait: Duration) -> Self {
        Self::new(429, "TooManyRequests", "Too many requests. Please try again later.").waiting(form, wait)
    }

    pub(crate) fn waiting(self, form: RetryAfter, wait: Duration) -> Self {
        Self { wait: Some((form, wait)), ..self }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What every answer to one request carries.
#[derive(Debug)]
pub(super) struct AnswerStamp {
    pub request_id: String,
    pub client_request_id: HeaderValue,
    pub now: Moment,
    pub date: HeaderValue,
}

impl AnswerStamp {
    pub(crate) fn new(
        request_id: String,
        client_request_id: Option<&HeaderValue>,
        now: Moment,
        date: HeaderValue,
    ) -> Self {
        let own = || HeaderValue::from_str(&request_id).unwrap_or(HeaderValue::from_static(NOBODY));
        let client_request_id = client_request_id.cloned().unwrap_or_else(own);
        Self { request_id, client_request_id, now, date }
    }

    /// An answer without a body.
    pub(super) fn empty(&self, status: StatusCode) -> WireReply {
        let mut headers = HeaderMap::with_capacity(8);
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert(REQUEST_ID, id);
        }
        headers.insert(CLIENT_REQUEST_ID, self.client_request_id.clone());
        headers.insert(DATE, self.date.clone());
        WireReply { status, headers, body: Bytes::new() }
    }

    pub(super) fn json(&self, status: StatusCode, document: &Value) -> WireReply {
        let mut reply = self.empty(status);
        reply.headers.insert(CONTENT_TYPE, JSON);
        reply.body = document.to_string().into();
        reply
    }

    /// An answer of Graph's. A number alone is plain text.
    pub(crate) fn shown(&self, document: &Value) -> WireReply {
        let mut reply = self.json(StatusCode::OK, document);
        let kind = if document.is_number() { HeaderValue::from_static("text/plain") } else { MINIMAL };
        reply.headers.insert(CONTENT_TYPE, kind);
        reply
    }

    /// `path` decides between Graph's shape and Intune's.
    pub(super) fn refuse(&self, path: &str, refusal: &Refusal) -> WireReply {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = match refusal.body {
            Body::Json => self.json(status, &self.document(path, refusal)),
            Body::Empty => self.empty(status),
            Body::Html => self.page(status),
        };
        if let Some(text) = refusal.wait.and_then(|(form, wait)| self.retry_after(form, wait)) {
            insert(&mut reply.headers, RETRY_AFTER, &text);
        }
        for (name, value) in &refusal.headers {
            insert(&mut reply.headers, name.clone(), value);
        }
        reply
    }

    fn page(&self, status: StatusCode) -> WireReply {
        let mut reply = self.empty(status);
        let reason = status.canonical_reason().unwrap_or("Error");
        let title = format!("{} {reason}", status.as_u16());
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        reply.body = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"
        )
        .into();
        reply
    }

    /// The value of the `Retry-After` header, unless the form keeps it elsewhere.
    fn retry_after(&self, form: RetryAfter, wait: Duration) -> Option<String> {
        match form {
            RetryAfter::Integer => Some(whole_seconds(wait).to_string()),
            RetryAfter::Decimal => {
                let millis = wait.as_micros().div_ceil(1_000);
                Some(format!("{}.{:03}", millis / 1_000, millis % 1_000))
            }
            RetryAfter::HttpDate => {
                let back = self.now.wall.checked_add(wait).unwrap_or(Timestamp::MAX);
                // A date has no fractions; the second after it is the first that is not too early.
                let late = i64::from(back.subsec_nanosecond() > 0);
                Some(http_date(Timestamp::from_second(back.as_second() + late).unwrap_or(back)))
            }
            RetryAfter::Body | RetryAfter::BodyHeaders | RetryAfter::Absent => None,
        }
    }

    fn document(&self, path: &str, refusal: &Refusal) -> Value {
        let inside = matches!(refusal.wait, Some((RetryAfter::Body | RetryAfter::BodyHeaders, _)));
        let message = match inside || path.contains("/deviceManagement/") || path.ends_with("/deviceManagement") {
            true => self.intune_message(path, refusal),
            false => refusal.message.to_string(),
        };
        json!({ "error": {
            "code": refusal.code,
            "message": message,
            "innerError": {
                "date": self.now.wall.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "request-id": self.request_id,
                "client-request-id": String::from_utf8_lossy(self.client_request_id.as_bytes()),
            },
        }})
    }

    /// Intune's message is itself a JSON document.
    fn intune_message(&self, path: &str, refusal: &Refusal) -> String {
        let seconds = refusal.wait.map(|(form, wait)| (form, whole_seconds(wait)));
        let (retry_after, headers) = match seconds {
            Some((RetryAfter::Body, seconds)) => (json!(seconds), "{}".to_owned()),
            Some((RetryAfter::BodyHeaders, seconds)) => {
                (Value::Null, json!({ "Retry-After": seconds.to_string() }).to_string())
            }
            _ => (Value::Null, "{}".to_owned()),
        };
        let message = format!(
            "{} - Operation ID (for customer support): {NOBODY} - Activity ID: {} - Url: \
             https://fef.simulator.manage.microsoft.com/DeviceFE/StatelessDeviceFEService{path}?api-version=2026-09-01",
            refusal.message, self.request_id,
        );
        json!({
            "_version": 3,
            "Message": message,
            "CustomApiErrorPhrase": "",
            "RetryAfter": retry_after,
            "ErrorSourceService": "",
            "HttpHeaders": headers,
        })
        .to_string()
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1_000).max(1) as u64
}
