//! Tests of the tenant as its clients see it: requests in, replies and counts out.

mod actions;
mod faults;
mod http;
mod limits;
mod reads;
mod refusals;
mod shown;
mod sign_in;

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;

use super::scenario::Scenario;
use super::tenant::Tenant;
use super::transport::SimTransport;
use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};

const ID: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
const OTHER: &str = "8f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c12";

/// A client with a token in its pocket.
#[derive(Clone)]
struct Client {
    tenant: Arc<Tenant>,
    transport: SimTransport,
    token: String,
}

impl Client {
    fn of(scenario: &str) -> Self {
        let tenant = Tenant::new(Scenario::from_yaml(scenario).unwrap(), "2026-11-22T12:00:00Z".parse().unwrap());
        Self { transport: SimTransport::new(Arc::clone(&tenant)), tenant, token: "static".into() }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply, TransportError> {
        let mut all = HeaderMap::new();
        if !self.token.is_empty() {
            all.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap());
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            all.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let request = WireRequest {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            url: format!("https://graph.microsoft.com{path}"),
            headers: all,
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        self.transport.send(request).await.map(Reply::from)
    }

    async fn ask(&self, method: &str, path: &str) -> Reply {
        self.send(method, path, &[], "").await.unwrap()
    }

    async fn post(&self, path: &str, body: &str) -> Reply {
        let json = [("content-type", "application/json")];
        self.send("POST", path, if body.is_empty() { &[] } else { &json }, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).await
    }

    async fn retire(&self, id: &str) -> Result<Reply, TransportError> {
        self.send("POST", &device(id, "/retire"), &[], "").await
    }
}

fn device(id: &str, rest: &str) -> String {
    format!("/v1.0/deviceManagement/managedDevices/{id}{rest}")
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl From<WireReply> for Reply {
    fn from(reply: WireReply) -> Self {
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status: reply.status.as_u16(), headers: reply.headers, text, json }
    }
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// The sentence for people, whatever it is wrapped in.
    fn message(&self) -> String {
        let message = self.json["error"]["message"].as_str().unwrap_or_default();
        self.inner()["Message"].as_str().unwrap_or(message).to_owned()
    }

    /// The document inside Intune's message.
    fn inner(&self) -> Value {
        serde_json::from_str(self.json["error"]["message"].as_str().unwrap_or_default()).unwrap_or_default()
    }
}
