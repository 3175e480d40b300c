//! A client that can read and nothing else.
//!
//! In: [`Get`]s, alone or up to [`BATCH`] in one envelope; jobs whose targets are to be looked at. Out: an [`ReadAnswer`] for
//! each, or who the target is. Must not: retry, pace, or send anything but GET; the one POST that it makes is the envelope
//! of a `$batch`, and nothing but a [`Get`] goes into that. (Sign-in has its own requests, to the sign-in host.)

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::classify::classify;
use super::client::GraphClient;
pub(crate) use super::get::Get;
use super::request::GraphRequest;
pub(crate) use super::trail::{NoEnd, Trail};
use super::transport::{Transport, TransportError, WireReply};
use crate::catalog::{Method, Version};
use crate::job::Job;
use crate::outcome::Seen;
use crate::outcome::{Reply, Verdict};
use crate::pacing::Gates;

/// Requests in one envelope, at most.
pub(crate) const BATCH: usize = 20;

/// What came back for one read.
#[derive(Debug)]
pub struct ReadAnswer {
    pub reply: Reply,
    /// Where it succeeded and is JSON.
    pub document: Option<Value>,
}

/// A client of which only the reading half can be reached: what a preview holds cannot change a tenant.
#[derive(Debug)]
pub(crate) struct GraphReader<T>(GraphClient<T>);

impl<T: Transport> From<GraphClient<T>> for GraphReader<T> {
    fn from(client: GraphClient<T>) -> Self {
        Self(client)
    }
}

impl<T: Transport> GraphReader<T> {
    pub(crate) fn gates(&self) -> &Gates {
        self.0.gates()
    }

    pub(crate) fn read_only(&self) -> ReadOnly<'_, T> {
        ReadOnly::new(&self.0)
    }

    /// Reads who the job's target is.
    pub(crate) async fn inspect(&self, job: &Job, client_request_id: &str) -> Seen {
        self.0.inspect(job, client_request_id).await
    }
}

/// The reading half of a client.
#[derive(Debug)]
pub struct ReadOnly<'c, T>(&'c GraphClient<T>);

impl<'c, T: Transport> ReadOnly<'c, T> {
    pub fn new(client: &'c GraphClient<T>) -> Self {
        Self(client)
    }

    pub fn gates(&self) -> &'c Gates {
        self.0.gates()
    }

    pub fn graph_url(&self) -> &str {
        self.0.graph_url()
    }

    pub async fn get(&self, get: &Get, id: &str) -> ReadAnswer {
        let (reply, wire) = self.0.exchange(get.request(), id).await;
        let document = wire.and_then(|wire| serde_json::from_slice(&wire.body).ok());
        self.noted(get, ReadAnswer { reply, document })
    }

    /// All of `gets`, at most [`BATCH`], in one envelope: an answer for each in their order, or the one that the envelope
    /// got instead. `ids` are the request ids of the reads.
    pub async fn batch(&self, gets: &[Get], ids: &[String], id: &str) -> Result<Vec<ReadAnswer>, Reply> {
        let parts = gets.iter().zip(ids).enumerate().map(|(number, (get, id))| {
            let headers = json!({ "client-request-id": id });
            json!({ "id": number.to_string(), "method": "GET", "url": get.path(), "headers": headers })
        });
        let body = json!({ "requests": parts.collect::<Vec<_>>() }).to_string().into();
        let version = gets.first().map_or(Version::V1, Get::version);
        let path = format!("/{}/$batch", version.name());
        let envelope = GraphRequest { method: Method::Post, version, path, body: Some(&body) };
        let (reply, wire) = self.0.exchange(envelope, id).await;
        let Some(wire) = wire else { return Err(reply) };
        let Ok(BatchReply { responses }) = serde_json::from_slice::<BatchReply>(&wire.body) else {
            let error_message = Some("the answer to a batch could not be understood".into());
            return Err(Reply { verdict: Verdict::Transient { after: None }, error_message, ..reply });
        };
        let mut by_id: HashMap<String, BatchPart> = HashMap::with_capacity(responses.len());
        for part in responses {
            by_id.entry(part.id.clone()).or_insert(part);
        }
        let answers = gets.iter().zip(ids).enumerate().map(|(number, (get, id))| {
            let answer = self.answer(by_id.remove(&number.to_string()), id);
            self.noted(get, answer)
        });
        Ok(answers.collect())
    }

    fn noted(&self, get: &Get, answer: ReadAnswer) -> ReadAnswer {
        if let Some(document) = &answer.document {
            self.0.sights().note(get.path(), document);
        }
        answer
    }

    /// A read that the envelope does not answer was lost.
    fn answer(&self, part: Option<BatchPart>, id: &str) -> ReadAnswer {
        let now = self.0.clock().now();
        let Some((status, part)) = part.and_then(|part| Some((StatusCode::from_u16(part.status).ok()?, part))) else {
            let lost = TransportError::Lost("the batch came back without it".into());
            return ReadAnswer { reply: classify(Err(lost), id, now), document: None };
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &part.headers {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        // Judged as if it had come alone: a page in the place of a document is no answer here either.
        let body = part.body.as_ref().map(text_of).map(Bytes::from).unwrap_or_default();
        let reply = classify(Ok(WireReply::new(status, headers, body)), id, now);
        let document = part.body.filter(|_| reply.verdict == Verdict::Succeeded);
        ReadAnswer { reply, document }
    }
}

/// A body in an envelope, as it would have come alone: what is no JSON stands there as a text.
fn text_of(body: &Value) -> String {
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}

#[derive(Deserialize)]
struct BatchReply {
    responses: Vec<BatchPart>,
}

#[derive(Deserialize)]
#[serde(from = "RawPart")]
struct BatchPart {
    id: String,
    status: u16,
    headers: HashMap<String, Value>,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct RawPart {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    body: Option<Value>,
}

impl From<RawPart> for BatchPart {
    fn from(raw: RawPart) -> Self {
        let status = raw.status.as_u64().or_else(|| raw.status.as_str()?.parse().ok());
        Self {
            id: text_of(&raw.id),
            status: status.and_then(|status| u16::try_from(status).ok()).unwrap_or_default(),
            headers: raw.headers.unwrap_or_default(),
            body: raw.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::msgraph::token::{Credentials, TokenSource};
    use crate::msgraph::transport::WireRequest;
    use jiff::Timestamp;

    /// What a part of an envelope comes to that has that status and body.
    async fn part(status: u16, body: Value) -> ReadAnswer {
        #[derive(Clone)]
        struct Says(String);
        impl Transport for Says {
            async fn send(&self, _: WireRequest) -> Result<WireReply, TransportError> {
                let body = self.0.clone().into();
                Ok(WireReply { status: StatusCode::OK, headers: HeaderMap::new(), body })
            }
        }
        let said = json!({ "responses": [{ "id": "0", "status": status, "body": body }] });
        let transport = Says(said.to_string());
        let token = Credentials::AccessToken("t".to_owned().into());
        let tokens = TokenSource::new(transport.clone(), token, "https://l", "https://g");
        let client = GraphClient::new(
            transport,
            tokens,
            "https://g",
            Clock::starting_at(Timestamp::UNIX_EPOCH),
            Gates::new(crate::pacing::Pacing::Off),
        );
        let answers = ReadOnly::new(&client).batch(&[Get::new("/users".into())], &["1".to_owned()], "2").await;
        answers.unwrap().remove(0)
    }

    #[tokio::test]
    async fn a_part_of_an_envelope_is_judged_as_if_it_had_come_alone() {
        let found = part(200, json!({ "value": [] })).await;
        assert!(found.reply.verdict == Verdict::Succeeded && found.document.is_some());
        let error = json!({ "error": { "code": "ResourceNotFound", "message": "No." } });
        assert_eq!(part(404, error.clone()).await.reply.verdict, Verdict::Gone);
        for (status, body) in
            [(200, json!("<html>Sign in</html>")), (404, json!("<html>404</html>")), (200, error), (404, json!(null))]
        {
            let answer = part(status, body.clone()).await;
            let verdict = if status < 300 { Verdict::Lost } else { Verdict::Foreign };
            assert!(answer.reply.verdict == verdict && answer.document.is_none(), "{status} {body}");
        }
    }
}
