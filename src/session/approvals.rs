//! Approval requests looked up, with a little patience.
//!
//! In: a client that is signed in, the codes of requests. Out: how each stands, or why that could not be read, in words
//! for people. Must not: wait for an approval; whoever calls this does.

use std::time::Duration;

use fastrand::Rng;

use crate::msgraph::approvals::{NotRead, READ_PERMISSIONS, Statuses};
use crate::msgraph::client::GraphClient;
use crate::msgraph::transport::Transport;
use crate::outcome::Reply;
use crate::pacing::backoff::connect_pause;
use crate::pacing::failed_read::{AfterRead, after_failed_read};

/// Tries of one look.
const TRIES: u32 = 4;
/// No look waits longer than this between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// How these requests stand.
pub(crate) async fn poll_requests<T: Transport>(
    client: &GraphClient<T>,
    codes: &[&str],
    rng: &mut Rng,
) -> Result<Statuses, String> {
    match codes {
        [] => Ok(Statuses::new()),
        codes => patiently(rng, async |id| client.statuses(codes, &id).await).await,
    }
}

/// All requests that are approved, if the service understands the question.
pub(crate) async fn poll_approved<T: Transport>(
    client: &GraphClient<T>,
    rng: &mut Rng,
) -> Result<Option<Statuses>, String> {
    patiently(rng, async |id| client.approved(&id).await).await
}

/// Asks under a fresh id each time.
async fn patiently<A>(rng: &mut Rng, ask: impl AsyncFn(String) -> Result<A, NotRead>) -> Result<A, String> {
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match ask(fresh_id(rng)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match pause(&error.0, tries, rng) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(explain(&error)),
        }
    }
}

/// When to try again, if that may help. The gates let nothing through before it is time.
pub(crate) fn pause(reply: &Reply, tries: u32, rng: &mut Rng) -> Option<Duration> {
    let pause = match after_failed_read(&reply.verdict, tries, TRIES, rng) {
        AfterRead::AtTheGate | AfterRead::Outage { .. } | AfterRead::NoHost => connect_pause(tries, rng),
        AfterRead::Later { after } => after,
        // The token was renewed; a second one that is refused is the tenant's word.
        AfterRead::FreshToken if tries == 1 => Duration::ZERO,
        AfterRead::FreshToken | AfterRead::NotSignedIn | AfterRead::Never => return None,
    };
    (tries < TRIES).then_some(pause.min(LONGEST))
}

fn explain(error: &NotRead) -> String {
    let permissions = match error.0.http_status {
        Some(403) => format!("; grant {}", READ_PERMISSIONS.join(" or ")),
        _ => String::new(),
    };
    format!("warning: the approval requests could not be read, so they keep waiting ({error}){permissions}")
}

/// An id for a request that belongs to no attempt.
pub(crate) fn fresh_id(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(std::array::from_fn(|_| rng.u8(..))).into_uuid().to_string()
}
