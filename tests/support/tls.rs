//! A server behind TLS that lets client and server agree on the version of HTTP, as Graph does.
//!
//! In: the protocols to offer. Out: a certificate to trust, and which connection and version each request came by.
//! Must not: judge requests; every one is answered with 204.

use std::convert::Infallible;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use http::{Response, Version};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Whoever tries to speak anything else is refused by the handshake.
pub const HTTP2: &[u8] = b"h2";
pub const HTTP1: &[u8] = b"http/1.1";

/// By which connection a request came, counted from zero, and in which version.
pub type Arrival = (usize, Version);

pub struct TlsServer {
    port: u16,
    certificate: String,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl TlsServer {
    pub fn offering(protocols: &[&[u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let arrivals = Arc::default();
        let server = Self { port, certificate: made.cert.pem(), arrivals: Arc::clone(&arrivals) };
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(config)), arrivals));
        });
        server
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Lays out the certificate that a client has to trust.
    pub fn write_certificate(&self, file: &Path) {
        std::fs::write(file, &self.certificate).unwrap();
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, arrivals: Arc<Mutex<Vec<Arrival>>>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut connections = 0..;
    while let Ok((stream, _)) = listener.accept().await {
        let (number, tls, arrivals) = (connections.next().unwrap_or_default(), tls.clone(), Arc::clone(&arrivals));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let answer = service_fn(move |request: http::Request<Incoming>| {
                arrivals.lock().unwrap().push((number, request.version()));
                let reply = Response::builder().status(204).body(Empty::<Bytes>::new());
                std::future::ready(Ok::<_, Infallible>(reply.unwrap_or_default()))
            });
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
