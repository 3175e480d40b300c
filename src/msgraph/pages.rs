//! Lists that are longer than one page.
//!
//! In: the first page. Out: all that the list holds, or why it could not be read to its end. Must not: follow a link to
//! another service, or take half of a list for the whole of it.

use serde_json::Value;

use super::client::GraphClient;
use super::request_of_approval::companion;
use super::trail::Trail;
use super::transport::Transport;
use crate::catalog::Bucket;
use crate::outcome::{Reply, Verdict};

const NEXT: &str = "@odata.nextLink";

impl<T: Transport> GraphClient<T> {
    /// The same page with everything that the pages after it hold. Each of them passes the gate of that bucket. `path`: of
    /// the first one.
    pub(super) async fn to_the_end(
        &self,
        (first, path): (Value, &str),
        bucket: Bucket,
        id: &str,
    ) -> Result<Value, Reply> {
        let (mut whole, mut id, mut trail) = (first, id.to_owned(), Trail::new(path));
        let mut next = taken_off(&mut whole);
        loop {
            let link = match next {
                Value::Null => return Ok(whole),
                Value::String(link) => link,
                _ => return Err(ended(&not_understood(&trail), &id)),
            };
            let get = trail.follow(&link, self.graph_url()).map_err(|why| ended(&why.to_string(), &id))?;
            id = companion(&id);
            let (reply, wire) = self.pass_and_exchange(bucket, get.request(), &id).await;
            let Some(wire) = wire.filter(|_| reply.verdict == Verdict::Succeeded) else { return Err(reply) };
            let mut page: Value = serde_json::from_slice(&wire.body).unwrap_or_default();
            next = taken_off(&mut page);
            match (whole.get_mut("value"), page.get_mut("value")) {
                (Some(Value::Array(all)), Some(Value::Array(more))) => all.append(more),
                _ => return Err(ended(&not_understood(&trail), &id)),
            }
        }
    }
}

fn ended(why: &str, id: &str) -> Reply {
    Reply::none(Verdict::Refused, why, id.into())
}

fn not_understood(trail: &Trail) -> String {
    format!("GET {}: the list could not be understood", trail.path())
}

fn taken_off(page: &mut Value) -> Value {
    page.as_object_mut().and_then(|page| page.remove(NEXT)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, INTUNE_OTHER};
    use crate::clock::Clock;
    use crate::msgraph::token::{Credentials, TokenSource};
    use crate::msgraph::transport::{TransportError, WireReply, WireRequest};
    use crate::pacing::{Gates, Pacing};
    use http::{HeaderMap, StatusCode};
    use jiff::Timestamp;
    use serde_json::json;

    /// A page that leads on to that link.
    #[derive(Clone)]
    struct LeadsTo(&'static str);

    impl Transport for LeadsTo {
        async fn send(&self, _: WireRequest) -> Result<WireReply, TransportError> {
            let body = json!({ "value": [], "@odata.nextLink": self.0 }).to_string().into();
            Ok(WireReply { status: StatusCode::OK, headers: HeaderMap::new(), body })
        }
    }

    #[tokio::test]
    async fn a_list_that_does_not_end_is_a_fault_that_names_the_read() {
        for (link, said) in [
            ("https://g/v1.0/users?$skip=1", "GET /beta/users: the pages lead in a circle, after 2"),
            (
                "https://h/v1.0/users",
                "GET /beta/users: the link to the next page leads elsewhere, and is not followed: https://h/v1.0/users",
            ),
        ] {
            let transport = LeadsTo(link);
            let token = Credentials::AccessToken("t".to_owned().into());
            let tokens = TokenSource::new(transport.clone(), token, "https://l", "https://g");
            let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
            let client = GraphClient::new(transport, tokens, "https://g", clock, Gates::new(Pacing::Off));
            let first = json!({ "value": [], NEXT: link });
            let bucket = Bucket { service: &INTUNE_OTHER, access: Access::Read };
            let whole = client.to_the_end((first, "/beta/users?$top=1"), bucket, "1").await;
            assert_eq!(whole.unwrap_err().error_message.as_deref(), Some(said));
        }
    }
}
