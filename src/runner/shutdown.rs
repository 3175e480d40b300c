//! Requests to stop: from Ctrl-C, and from the system.
//!
//! In: signals. Out: [`StopRequest`]s on a channel. Must not: stop anything itself; the dispatcher does, in its own
//! time.

use tokio::sync::mpsc;

/// Somebody wants the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopRequest;

/// Forwards every Ctrl-C, SIGTERM and SIGHUP (a closed terminal) for as long as the receiver lives.
pub fn listen() -> std::io::Result<mpsc::UnboundedReceiver<StopRequest>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            let sender = sender.clone();
            tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(StopRequest).is_ok() {} });
        }
    }
    #[cfg(not(unix))]
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && sender.send(StopRequest).is_ok() {} });
    Ok(receiver)
}
