//! Requests to stop: from Ctrl-C, from the system, from another terminal, from the journal.
//!
//! In: signals. Out: [`StopRequest`]s on a channel. Must not: stop anything itself; the dispatcher does, in its own
//! time.

use tokio::sync::mpsc;

/// The run is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopRequest {
    /// Ctrl-C, or a request to terminate. The second one abandons what is in flight.
    Interrupt,
    /// SIGTERM, or a closed terminal. It drains, and never abandons: such signals come twice by themselves.
    Terminate,
    /// `musterout stop` in another terminal. It drains as SIGTERM does.
    Stop,
    /// The journal cannot be written: nothing more may leave.
    JournalFailed(Box<str>),
}

/// `timeout` and some shells send one signal to the process and to its group, so that it comes twice. Nobody presses a key
/// twice in so short a time.
#[cfg(unix)]
const ONE_PRESS: std::time::Duration = std::time::Duration::from_millis(20);

/// Forwards every Ctrl-C, SIGTERM and SIGHUP (a closed terminal) to `sender`, for as long as somebody receives.
pub(crate) fn listen(sender: &mpsc::UnboundedSender<StopRequest>) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let requests = [
            (SignalKind::interrupt(), StopRequest::Interrupt),
            (SignalKind::terminate(), StopRequest::Terminate),
            (SignalKind::hangup(), StopRequest::Terminate),
        ];
        for (kind, request) in requests {
            let mut signals = signal(kind)?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() && sender.send(request.clone()).is_ok() {
                    tokio::time::sleep(ONE_PRESS).await;
                    // What came meanwhile is one signal at most, and the echo of the one before it.
                    tokio::select! {
                        biased;
                        _ = signals.recv() => {}
                        () = std::future::ready(()) => {}
                    }
                }
            });
        }
    }
    #[cfg(not(unix))]
    {
        let sender = sender.clone();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() && sender.send(StopRequest::Interrupt).is_ok() {}
        });
    }
    Ok(())
}
