//! `simulate`: the embedded tenant alone, on a loopback socket.
//!
//! In: an address and a scenario. Out: a server that runs until the process is told to stop. Must not: listen on
//! anything but this machine.

use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::runner::shutdown::{self, StopRequest};
use crate::simulator::scenario::Scenario;
use crate::simulator::server::Server;
use crate::simulator::tenant::Tenant;

/// A server that listens and has not begun to answer.
pub(crate) struct Serving {
    server: Server,
    stop: mpsc::UnboundedReceiver<StopRequest>,
}

/// Reads the scenario and takes the address.
pub(crate) async fn serve(address: SocketAddr, scenario: Option<&Path>, now: Timestamp) -> Result<Serving, Error> {
    if !address.ip().is_loopback() {
        return Err(Error::usage(
            Diagnostic::error("not-loopback", format!("{address} is not a loopback address"))
                .help("the simulated tenant has no real sign-in; use 127.0.0.1 or [::1]"),
        ));
    }
    let scenario = match scenario {
        Some(file) => Scenario::load(file)?,
        None => Scenario::rehearsal(),
    };
    let server = Server::bind(address, Tenant::new(scenario, now))
        .await
        .map_err(|cause| Error::Io { what: format!("could not listen on {address}"), cause })?;
    // Whoever is told the address may stop us at once.
    let (sender, stop) = mpsc::unbounded_channel();
    shutdown::listen(&sender).map_err(|cause| Error::Io { what: "Ctrl-C could not be listened for".into(), cause })?;
    Ok(Serving { server, stop })
}

impl Serving {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Answers until Ctrl-C.
    pub(crate) async fn until_stopped(mut self) {
        tokio::select! {
            () = self.server.run() => {}
            _ = self.stop.recv() => {}
        }
    }
}
