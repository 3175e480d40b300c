//! What every request of the client goes out with, and what stands for an answer where none could be asked for.
//!
//! In: a request, the header of a token. Out: headers, the method as HTTP has it, a reply without an answer. Must not: hold a
//! token longer than it takes.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::request::GraphRequest;
use super::token::SignInError;
use crate::catalog::Method;
use crate::outcome::{Reply, Verdict};

const LONGEST_FOR_A_TOKEN: Duration = Duration::from_secs(1);

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn headers(request: &GraphRequest<'_>, authorization: HeaderValue, id: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, JSON);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(CLIENT_REQUEST_ID, id);
    }
    match (request.body, request.method) {
        (Some(_), _) => {
            headers.insert(CONTENT_TYPE, JSON);
        }
        // Without it a gateway may answer 411: the client leaves it out where there is no body.
        (None, Method::Post | Method::Put | Method::Patch) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        (None, Method::Get | Method::Delete) => {}
    }
    headers
}

pub(super) fn http_method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

/// A request that changes something, and for which a token was waited for so long, does not leave: guards, gate and stop were asked
/// before that. `asked`: when the wait began.
pub(super) fn late(request: &GraphRequest<'_>, asked: Instant, id: &str) -> Option<Reply> {
    let is_late = request.method != Method::Get && asked.elapsed() > LONGEST_FOR_A_TOKEN;
    is_late.then(|| Reply::none(Verdict::Late, "it waited for a new token, and did not leave", id.into()))
}

pub(super) fn not_signed_in(error: &SignInError, id: &str) -> Reply {
    let (verdict, code) = match error {
        SignInError::Unreachable { .. } => (Verdict::Unreachable, None),
        SignInError::Refused { code, .. } => (Verdict::SignInFailed, code.clone()),
        SignInError::CannotRenew | SignInError::BadAnswer(_) => (Verdict::SignInFailed, None),
    };
    Reply {
        verdict,
        http_status: None,
        error_code: code.map(Into::into),
        error_message: Some(error.to_string().into()),
        request_id: None,
        client_request_id: id.into(),
        load_percent: None,
    }
}
