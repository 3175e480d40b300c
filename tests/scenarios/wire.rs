//! The wire between the client and the simulated tenant, with a witness on it.
//!
//! In: requests and replies as they pass. Out: what was sent when, and which sends came too early after a throttle
//! answer. It reads `Retry-After` in its own way, so that a mistake in ours cannot hide behind itself.
//! Must not: change what passes, but for the secret in a sign-in after it was rotated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use musterout::testing::catalog::{Access, Bucket, INTUNE_DEVICES, INTUNE_OTHER};
use musterout::testing::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
use musterout::testing::simulator::transport::SimTransport;
use serde_json::Value;
use tokio::time::Instant;

const AN_HOUR: Duration = Duration::from_secs(3_600);

/// A request to Graph that reached the tenant.
#[derive(Debug, Clone)]
struct Passed {
    bucket: Bucket,
    /// What it asked for: the end of its path.
    what: String,
    sent: Instant,
    answered: Instant,
    /// 401: it was not let in, and uses up no allowance.
    turned_away: bool,
    /// Nobody may send in the bucket for that long after the answer.
    quiet: Option<Duration>,
}

#[derive(Clone)]
pub struct Wire {
    tenant: SimTransport,
    began: Instant,
    secret_rotated_after: Option<Duration>,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Wire {
    pub fn new(tenant: SimTransport, secret_rotated_after: Option<Duration>) -> Self {
        Self { tenant, began: Instant::now(), secret_rotated_after, passed: Arc::default() }
    }

    /// When the last request of a bucket left, since the beginning.
    pub fn last_sent(&self, bucket: Bucket) -> Option<Duration> {
        let passed = self.passed();
        passed.iter().filter(|other| other.bucket == bucket).map(|other| other.sent - self.began).max()
    }

    /// Requests that left while their bucket had been told to be quiet.
    pub fn too_early(&self) -> Vec<String> {
        let passed = self.passed();
        let mut early = Vec::new();
        for told in passed.iter() {
            let Some(quiet) = told.quiet else { continue };
            let until = told.answered + quiet;
            // So long is no window of a bucket: it is the day's limit of one action.
            let concerns = |other: &Passed| quiet <= AN_HOUR || other.what == told.what;
            let disobedient = |other: &&Passed| {
                other.bucket == told.bucket && concerns(other) && other.sent > told.answered && other.sent < until
            };
            early.extend(passed.iter().find(disobedient).map(|other| {
                format!(
                    "{} was told at {:?} to wait {quiet:?}, and sent at {:?}",
                    told.bucket,
                    told.answered - self.began,
                    other.sent - self.began
                )
            }));
        }
        early
    }

    /// The most requests that a bucket let in within any stretch of time of that length.
    pub fn busiest(&self, bucket: Bucket, window: Duration) -> usize {
        let passed = self.passed();
        let own = passed.iter().filter(|other| other.bucket == bucket && !other.turned_away);
        let mut sent: Vec<_> = own.map(|other| other.sent).collect();
        sent.sort_unstable();
        let (mut first, mut most) = (0, 0);
        for (last, at) in sent.iter().enumerate() {
            while sent[first] + window <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    /// Requests of a bucket that left between these times since the beginning.
    pub fn sent_between(&self, bucket: Bucket, from: Duration, to: Duration) -> usize {
        let own = |other: &&Passed| other.bucket == bucket && (from..to).contains(&(other.sent - self.began));
        self.passed().iter().filter(own).count()
    }

    fn passed(&self) -> MutexGuard<'_, Vec<Passed>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_rotated(&self, request: &WireRequest) -> bool {
        let signs_in = request.url.ends_with("/oauth2/v2.0/token");
        signs_in && self.secret_rotated_after.is_some_and(|after| self.began.elapsed() >= after)
    }
}

impl Transport for Wire {
    async fn send(&self, mut request: WireRequest) -> Result<WireReply, TransportError> {
        if self.is_rotated(&request) {
            let form = String::from_utf8_lossy(&request.body).replace("client_secret=", "client_secret=old-");
            request.body = Bytes::from(form);
        }
        let bucket = bucket_of(&request);
        let what = request.url.rsplit('/').next().unwrap_or_default().to_owned();
        let sent = Instant::now();
        let result = self.tenant.send(request).await;
        if let Some(bucket) = bucket.filter(|_| !matches!(result, Err(TransportError::Unreachable(_)))) {
            let quiet = result.as_ref().ok().and_then(quiet);
            let turned_away = result.as_ref().is_ok_and(|reply| reply.status == http::StatusCode::UNAUTHORIZED);
            let answered = Instant::now();
            self.passed().push(Passed { bucket, what, sent, answered, turned_away, quiet });
        }
        result
    }
}

/// The allowance that a request uses up; `None` for those to the sign-in service.
fn bucket_of(request: &WireRequest) -> Option<Bucket> {
    let (_, path) = request.url.split_once("://")?.1.split_once('/')?;
    let service = match path.split('/').take(3).collect::<Vec<_>>()[..] {
        [_, "deviceManagement", "managedDevices" | "comanagedDevices"] => &INTUNE_DEVICES,
        ["v1.0" | "beta", ..] => &INTUNE_OTHER,
        _ => return None,
    };
    let access = if request.method == http::Method::GET { Access::Read } else { Access::Write };
    Some(Bucket { service, access })
}

/// How long a throttle answer asks everybody in its bucket to wait.
fn quiet(reply: &WireReply) -> Option<Duration> {
    let seconds = header_seconds(reply).or_else(|| body_seconds(&reply.body));
    match reply.status.as_u16() {
        429 | 503 | 509 => seconds.map(Duration::from_secs_f64),
        _ => None,
    }
}

fn header_seconds(reply: &WireReply) -> Option<f64> {
    let text = reply.headers.get("retry-after")?.to_str().ok()?;
    let at = |text: &str| rfc2822::parse(text).ok().map(|at| at.timestamp());
    text.parse().ok().or_else(|| {
        let now: Timestamp = at(reply.headers.get("date")?.to_str().ok()?)?;
        Some(at(text)?.duration_since(now).as_secs_f64())
    })
}

fn body_seconds(body: &[u8]) -> Option<f64> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let inner: Value = serde_json::from_str(body["error"]["message"].as_str()?).ok()?;
    let headers: Value = serde_json::from_str(inner["HttpHeaders"].as_str()?).ok()?;
    inner["RetryAfter"].as_f64().or_else(|| headers["Retry-After"].as_str()?.parse().ok())
}
