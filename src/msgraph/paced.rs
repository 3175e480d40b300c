//! Requests that nobody has passed the gate for: approval requests, names, the size of the fleet.
//!
//! In: a request and its bucket. Out: the answer, after the bucket's gate has let it through and has heard what came back.
//! Must not: retry; whoever asked does.

use fastrand::Rng;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::GraphClient;
use super::request::GraphRequest;
use super::transport::{Transport, WireReply};
use crate::catalog::Bucket;
use crate::outcome::{Reply, Verdict};
use crate::pacing::RoundTrip;

impl<T: Transport> GraphClient<T> {
    /// One request that is no attempt of a job, through the gate of its bucket.
    pub(super) async fn pass_and_exchange(
        &self,
        bucket: Bucket,
        request: GraphRequest<'_>,
        id: &str,
    ) -> (Reply, Option<WireReply>) {
        if let Err(asked) = self.gates().wait(bucket).await {
            let why = format!("the service asked {bucket} to wait {} s", asked.as_secs());
            return (Reply::none(Verdict::Throttled { after: Some(asked) }, why, id.into()), None);
        }
        let sent = Instant::now();
        let (reply, wire) = self.exchange(request, id).await;
        let now = Instant::now();
        self.gates().returned(bucket, Some(&reply), sent, now);
        // One of these at a time: it is drawn from its own id how long a pause is that nobody has named.
        let mut rng = Rng::with_seed(seed_of(id));
        if !self.gates().told_to_wait(bucket, &reply, RoundTrip { sent, back: now }, &mut rng) {
            self.gates().answered(bucket, sent);
        }
        (reply, wire)
    }
}

fn seed_of(id: &str) -> u64 {
    Uuid::try_parse(id).map_or(0, |id| id.as_u64_pair().1)
}
