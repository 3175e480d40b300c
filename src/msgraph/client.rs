//! The Graph client: performs attempts and reads.
//!
//! In: jobs. Out: classified replies, and evidence. Must not: retry, pace, or keep anything about a job.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use super::classify::classify;
use super::evidence;
use super::request::{self, GraphRequest};
use super::token::{SignInError, TokenSource};
use super::transport::{Transport, WireReply, WireRequest};
use crate::catalog::{Action, Method};
use crate::clock::Clock;
use crate::job::Job;
use crate::outcome::{Evidence, Reply, Verdict};
use crate::runner::executor::Executor;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const JUSTIFICATION: HeaderName = HeaderName::from_static("x-msft-approval-justification");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Speaks to one Graph endpoint with one identity.
#[derive(Debug)]
pub struct GraphClient<T> {
    transport: T,
    tokens: TokenSource<T>,
    /// `https://graph.microsoft.com`, without a slash at the end.
    graph_url: String,
    clock: Clock,
    justification: Option<HeaderValue>,
}

impl<T: Transport> GraphClient<T> {
    pub fn new(transport: T, tokens: TokenSource<T>, graph_url: &str, clock: Clock) -> Self {
        Self { transport, tokens, graph_url: graph_url.trim_end_matches('/').to_owned(), clock, justification: None }
    }

    /// The reason that goes along with what a second person may have to approve; tenants without such a policy ignore it.
    #[must_use]
    pub fn justified(self, reason: Option<&str>) -> Self {
        let encoded = reason.map(|reason| STANDARD.encode(reason));
        Self { justification: encoded.and_then(|encoded| HeaderValue::try_from(encoded).ok()), ..self }
    }

    pub fn tokens(&self) -> &TokenSource<T> {
        &self.tokens
    }

    /// Where Graph is, without a slash at the end.
    pub fn graph_url(&self) -> &str {
        &self.graph_url
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) async fn send(
        &self,
        request: GraphRequest<'_>,
        id: &str,
        justified: bool,
    ) -> (Reply, Option<WireReply>) {
        let authorization = match self.tokens.authorization().await {
            Ok(authorization) => authorization,
            Err(error) => return (not_signed_in(&error, id), None),
        };
        let mut headers = headers(&request, authorization.header, id);
        if let Some(reason) = self.justification.as_ref().filter(|_| justified) {
            headers.insert(JUSTIFICATION, reason.clone());
        }
        let wire = WireRequest {
            method: http_method(request.method),
            url: format!("{}{}", self.graph_url, request.path),
            headers,
            body: request.body.map(|body| Bytes::copy_from_slice(body.as_bytes())).unwrap_or_default(),
        };
        let result = self.transport.send(wire).await;
        let (reply, wire) = match result {
            Ok(wire) if wire.status.is_success() => {
                let kept = WireReply { status: wire.status, headers: HeaderMap::new(), body: wire.body.clone() };
                (classify(Ok(wire), id, self.clock.now()), Some(kept))
            }
            result => (classify(result, id, self.clock.now()), None),
        };
        if reply.verdict == Verdict::Unauthorized {
            self.tokens.refused(authorization.number);
        }
        (reply, wire)
    }
}

impl<T: Transport> Executor for GraphClient<T> {
    async fn attempt(&self, job: &Job, client_request_id: &str) -> Reply {
        let (reply, _) = self.send(request::build(job), client_request_id, job.action.approvable).await;
        let reply = only_expected(job.action, reply);
        tracing::debug!(
            job = %job.id, action = job.action.name, status = reply.http_status, verdict = ?reply.verdict,
            client_request_id, "attempt"
        );
        reply
    }

    async fn read_back(&self, job: &Job, since: Timestamp, client_request_id: &str) -> Evidence {
        let Some(request) = request::build_read_back(job) else {
            return Evidence::CannotTell(format!("no read tells whether {} took effect", job.action.name));
        };
        let (reply, wire) = self.send(request, client_request_id, false).await;
        tracing::debug!(job = %job.id, status = reply.http_status, client_request_id, "read back");
        let document = wire.and_then(|wire| serde_json::from_slice::<Value>(&wire.body).ok());
        match (&reply.verdict, document) {
            (Verdict::Succeeded, Some(document)) => evidence::judge(job, &document, since),
            (Verdict::Succeeded, None) => Evidence::CannotTell("the read gave nothing that could be understood".into()),
            (Verdict::Gone, _) => evidence::of_nothing(job),
            _ => Evidence::NotRead(reply),
        }
    }
}

/// A success that the action does not know as one is no answer to rely on: something happened, and nobody knows what.
fn only_expected(action: &Action, reply: Reply) -> Reply {
    let known = |status: &u16| action.success_codes.is_empty() || action.success_codes.contains(status);
    match (&reply.verdict, reply.http_status) {
        (Verdict::Succeeded, Some(status)) if !known(&status) => {
            let message = format!("{status} is not among the answers that mean success");
            Reply { verdict: Verdict::Lost, error_message: Some(message.into()), ..reply }
        }
        _ => reply,
    }
}

fn headers(request: &GraphRequest<'_>, authorization: HeaderValue, id: &str) -> HeaderMap {
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
        (None, Method::Post | Method::Patch) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        (None, Method::Get | Method::Delete) => {}
    }
    headers
}

fn http_method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

fn not_signed_in(error: &SignInError, id: &str) -> Reply {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Ids, JobParts};
    use crate::msgraph::token::Credentials;
    use crate::msgraph::transport::TransportError;
    use std::sync::{Arc, Mutex};

    /// Keeps the headers of what it is given, and answers 204.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<HeaderMap>>>);

    impl Transport for Recorder {
        async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
            self.0.lock().unwrap().push(request.headers);
            Ok(WireReply { status: http::StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Bytes::new() })
        }
    }

    fn job(action: &str) -> Job {
        let action = Action::named(action).unwrap();
        Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"]),
            parameters: None,
            not_before: None,
            note: None,
            after: None,
        })
    }

    #[tokio::test]
    async fn the_justification_goes_with_what_may_need_approval_and_with_nothing_else() {
        let recorder = Recorder::default();
        let tokens = TokenSource::new(
            recorder.clone(),
            Credentials::AccessToken("t".to_owned().into()),
            "https://l",
            "https://g",
        );
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let client =
            GraphClient::new(recorder.clone(), tokens, "https://g", clock).justified(Some("CHG0012345 Übergabe"));
        client.attempt(&job("retire"), "1").await;
        client.attempt(&job("syncDevice"), "2").await;
        client.read_back(&job("retire"), Timestamp::UNIX_EPOCH, "3").await;
        let sent = recorder.0.lock().unwrap();
        let reasons: Vec<_> = sent.iter().map(|headers| headers.get(JUSTIFICATION).cloned()).collect();
        assert_eq!(reasons, [Some(HeaderValue::from_static("Q0hHMDAxMjM0NSDDnGJlcmdhYmU=")), None, None]);
    }
}
