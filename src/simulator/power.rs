//! Power for a process, so that a power cut can be rehearsed.
//!
//! In: how many moments it lasts; before and after each request is one. Out: whether it is still on, and a word when it
//! has gone. Must not: end anything itself: what waits for a tenant without power waits for ever, and whoever rehearses
//! drops it.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Shared by all connections of one process.
#[derive(Debug)]
pub struct Power {
    lasts: usize,
    passed: AtomicUsize,
    moved: Notify,
    gone: Notify,
}

impl Power {
    /// Goes when so many moments have passed.
    pub fn lasting(moments: usize) -> Self {
        Self { lasts: moments, passed: AtomicUsize::new(0), moved: Notify::new(), gone: Notify::new() }
    }

    /// How many moments there were, those without power included.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// Waits until there is one more, if it has not come already.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// It goes now.
    pub fn cut(&self) {
        self.passed.store(self.lasts, Ordering::SeqCst);
        self.gone.notify_one();
    }

    /// Waits until it has gone.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }

    /// One more moment has come.
    pub(super) async fn moment(&self) {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst);
        self.moved.notify_one();
        if passed == self.lasts {
            self.gone.notify_one();
        }
        if passed >= self.lasts {
            std::future::pending::<()>().await;
        }
    }
}
