//! The tenant on a loopback socket: real HTTP/1.1 for real clients.
//!
//! In: connections from this machine. Out: the tenant's answers; a connection that closes where the tenant gives none.
//! Must not: listen anywhere but on loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::tenant::{Carrier, Delivery, Incoming, Tenant};

/// No request to Graph is larger.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// So many connections are served at once. A process may hold a thousand files open on most machines.
const MOST_CONNECTIONS: usize = 512;
/// How long a connection may be silent before the head of its next request is whole.
const SILENCE: Duration = Duration::from_secs(120);
/// What a connection is told that is one too many.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tenant: Arc<Tenant>,
}

/// The tenant gave no answer; hyper closes the connection when it sees this.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

impl Server {
    /// Listens on `address`, which must be a loopback address; port 0 picks one.
    pub(crate) async fn bind(address: SocketAddr, tenant: Arc<Tenant>) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("the simulator listens on loopback addresses only, not on {address}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, tenant })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped; its connections end with it.
    pub(crate) async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() >= MOST_CONNECTIONS => {
                        if let Err(error) = stream.try_write(BUSY) {
                            tracing::debug!(%error, "a connection too many went away");
                        }
                    }
                    Ok((stream, _)) => {
                        connections.spawn(serve(stream, Arc::clone(&self.tenant)));
                    }
                    // Out of file handles, most likely: let some connections end first.
                    Err(error) => {
                        tracing::debug!(%error, "could not accept a connection");
                        connections.join_next().await;
                        tokio::task::yield_now().await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve(stream: TcpStream, tenant: Arc<Tenant>) {
    // Without it, the kernel would hold small answers back.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&tenant)));
    // A client that goes away, and an answer that is not given, both end here.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SILENCE);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer(request: Request<Body>, tenant: Arc<Tenant>) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(response);
        }
    };
    let base = base(&head.headers);
    let answer = tenant.handle(&Incoming {
        method: &head.method,
        base: &base,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &body,
        carrier: Carrier::Socket,
    });
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    let Delivery::Reply(reply) = answer.delivery else { return Err(NoAnswer) };
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

fn base(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}
