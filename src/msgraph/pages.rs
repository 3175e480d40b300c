//! Lists that are longer than one page.
//!
//! In: the first page. Out: all that the list holds, or why it could not be read to its end. Must not: follow a link to
//! another service, or take half of a list for the whole of it.

use serde_json::Value;

use super::client::GraphClient;
use super::request::GraphRequest;
use super::request_of_approval::companion;
use super::transport::Transport;
use crate::catalog::{Bucket, Method, Version};
use crate::outcome::{Reply, Verdict};

/// Pages read at most: a link that leads round in a circle must end.
const PAGES: usize = 1_000;

const NEXT: &str = "@odata.nextLink";

/// What does not show a list, or where it goes on.
const NO_LIST: &str = "the list could not be understood";

impl<T: Transport> GraphClient<T> {
    /// The same page with everything that the pages after it hold. Each of them passes the gate of that bucket.
    pub(super) async fn to_the_end(&self, first: Value, bucket: Bucket, id: &str) -> Result<Value, Reply> {
        let (mut whole, mut id) = (first, id.to_owned());
        let mut next = taken_off(&mut whole);
        for _ in 1..PAGES {
            let not_understood = |id: String| Reply::none(Verdict::Refused, NO_LIST, id.as_str().into());
            let link = match next {
                Value::Null => return Ok(whole),
                Value::String(link) => link,
                _ => return Err(not_understood(id)),
            };
            // A link that leads elsewhere would carry the token there.
            let Some(path) = self.below(&link).map(str::to_owned) else { return Err(not_understood(id)) };
            id = companion(&id);
            let request = GraphRequest { method: Method::Get, version: Version::V1, path, body: None };
            let (reply, wire) = self.pass_and_exchange(bucket, request, &id).await;
            let Some(wire) = wire.filter(|_| reply.verdict == Verdict::Succeeded) else { return Err(reply) };
            let mut page: Value = serde_json::from_slice(&wire.body).unwrap_or_default();
            next = taken_off(&mut page);
            match (whole.get_mut("value"), page.get_mut("value")) {
                (Some(Value::Array(all)), Some(Value::Array(more))) => all.append(more),
                _ => return Err(not_understood(id)),
            }
        }
        Err(Reply::none(Verdict::Refused, "the list has no end", id.as_str().into()))
    }
}

fn taken_off(page: &mut Value) -> Value {
    page.as_object_mut().and_then(|page| page.remove(NEXT)).unwrap_or_default()
}
