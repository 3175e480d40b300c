//! The same tenant over real HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::simulator::server::Server;

struct Wire {
    tenant: Arc<Tenant>,
    stream: TcpStream,
    /// Ends the server when it is dropped.
    _server: tokio::task::JoinSet<()>,
}

impl Wire {
    async fn to(scenario: &str) -> Self {
        let tenant = Client::of(scenario).tenant;
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Arc::clone(&tenant)).await.unwrap();
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        let mut running = tokio::task::JoinSet::new();
        running.spawn(server.run());
        Self { tenant, stream, _server: running }
    }

    /// Sends bytes, and reads until the reply is whole or the connection closes.
    async fn say(&mut self, text: &str) -> String {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = self.stream.read(&mut part).await.unwrap_or(0);
            reply.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&reply);
            let body = text.split_once("\r\n\r\n").map(|(head, body)| (head.to_ascii_lowercase(), body.len()));
            let whole = body.is_some_and(|(head, size)| {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                size >= length.unwrap_or(0)
            });
            if read == 0 || whole {
                return text.into_owned();
            }
        }
    }
}

fn post(id: &str, headers: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer static\r\n{headers}\r\n",
        device(id, "/retire")
    )
}

#[tokio::test]
async fn effects_are_counted_and_the_counts_are_served() {
    let mut wire = Wire::to("").await;
    for _ in 0..2 {
        let reply = wire.say(&post(ID, "Content-Length: 0\r\n")).await;
        assert!(reply.starts_with("HTTP/1.1 204 No Content\r\n"), "{reply}");
        assert!(reply.contains("request-id: "), "{reply}");
    }
    assert_eq!(wire.tenant.counts().of("retire", ID).effects, 2);
    let counts = wire.say("GET /simulator/counts HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(counts.contains(r#""totals":{"retire":{"calls":2,"#), "{counts}");
    let seen = wire.say("GET /simulator/requests HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(seen.contains(r#""content-length":"0""#) && !seen.contains("static"), "{seen}");
    wire.say("POST /simulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(wire.tenant.counts().effects(), 0);
}

#[tokio::test]
async fn a_post_that_does_not_say_its_length_is_refused() {
    let mut wire = Wire::to("").await;
    let reply = wire.say(&post(ID, "")).await;
    assert!(reply.starts_with("HTTP/1.1 411 "), "{reply}");
    assert_eq!(wire.tenant.counts().of("retire", ID).effects, 0);
}

#[tokio::test]
async fn dropped_and_reset_connections_close_without_a_word() {
    for (fault, effects) in [("drop_reply", 1), ("reset", 0)] {
        let mut wire = Wire::to(&format!("faults: [{{ do: {fault} }}]")).await;
        assert_eq!(wire.say(&post(ID, "Content-Length: 0\r\n")).await, "");
        let counts = wire.tenant.counts().of("retire", ID);
        assert_eq!((counts.calls, counts.lost, counts.effects), (1, 1, effects), "{fault}");
    }
}

#[tokio::test]
async fn links_lead_back_to_the_server() {
    let mut wire = Wire::to(&format!("page_size: 1\ndevices: [{{ id: {ID} }}, {{ id: {OTHER} }}]")).await;
    let request =
        "GET /v1.0/deviceManagement/managedDevices HTTP/1.1\r\nHost: localhost:99\r\nAuthorization: Bearer x\r\n\r\n";
    let page = wire.say(request).await;
    assert!(
        page.contains(r#""@odata.nextLink":"http://localhost:99/v1.0/deviceManagement/managedDevices?$skiptoken=1""#),
        "{page}"
    );
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let tenant = Client::of("").tenant;
    let refused = Server::bind("0.0.0.0:0".parse().unwrap(), tenant).await;
    assert_eq!(refused.err().map(|error| error.kind()), Some(std::io::ErrorKind::InvalidInput));
}
