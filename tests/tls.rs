//! What crosses the wire where the service is behind TLS: which version of HTTP is spoken, and over how many connections.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::Version;

use crate::support::guid;
use crate::support::program::{Desk, column, run};
use crate::support::tls::{HTTP1, HTTP2, TlsServer};

const DEVICES: u64 = 200;

/// Runs a plan of [`DEVICES`] syncs against a server, so many at a time, and gives how each request arrived.
fn synced(server: &TlsServer, concurrency: &str) -> Vec<(usize, Version)> {
    let mut plan = "action,managedDeviceId\n".to_owned();
    for number in 0..DEVICES {
        writeln!(plan, "syncDevice,{}", guid(number as usize)).unwrap();
    }
    let desk = Desk::with(&[("plan.csv", &plan)]);
    server.write_certificate(&desk.path("trusted.pem"));
    let mut command = desk.musterout(["run", "plan.csv", "--unpaced", "--report", "report.csv", "--graph-url"]);
    command.arg(server.url()).args(["--login-url", &server.url(), "--concurrency", concurrency]);
    command.env("MUSTEROUT_ACCESS_TOKEN", "a-ready-token").env("SSL_CERT_FILE", desk.path("trusted.pem"));
    run(&mut command).ended_with(0);
    assert!(column(&desk.report(), "outcome").iter().all(|outcome| *outcome == "accepted"));
    let arrivals = server.arrivals();
    assert_eq!(arrivals.len() as u64, DEVICES, "every device is asked once");
    arrivals
}

fn connections(arrivals: &[(usize, Version)]) -> usize {
    arrivals.iter().map(|(connection, _)| connection).collect::<BTreeSet<_>>().len()
}

#[test]
fn http_2_is_spoken_where_it_is_offered_and_requests_share_a_connection() {
    let arrivals = synced(&TlsServer::offering(&[HTTP2, HTTP1]), "16");
    assert!(arrivals.iter().all(|(_, version)| *version == Version::HTTP_2), "{arrivals:?}");
    assert_eq!(connections(&arrivals), 1);
}

#[test]
fn http_1_is_spoken_where_nothing_else_is_offered_and_its_connection_is_used_again() {
    let arrivals = synced(&TlsServer::offering(&[HTTP1]), "1");
    assert!(arrivals.iter().all(|(_, version)| *version == Version::HTTP_11), "{arrivals:?}");
    assert_eq!(connections(&arrivals), 1);
}

#[test]
fn a_server_that_nobody_vouches_for_is_sent_nothing() {
    let (trusted, stranger) = (TlsServer::offering(&[HTTP2]), TlsServer::offering(&[HTTP2]));
    let desk = Desk::with(&[("plan.csv", &format!("action,managedDeviceId\nsyncDevice,{}\n", guid(1)))]);
    trusted.write_certificate(&desk.path("trusted.pem"));
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--graph-url"]);
    command.arg(stranger.url()).args(["--login-url", &stranger.url()]);
    command.env("MUSTEROUT_ACCESS_TOKEN", "a-ready-token").env("SSL_CERT_FILE", desk.path("trusted.pem"));
    let ran = run(&mut command);
    assert_ne!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    assert!(stranger.arrivals().is_empty());
}
