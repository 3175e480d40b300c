//! A writer that keeps step with the runtime, for a journal in memory.
//!
//! In: records, and what commits them. Out: commits, a moment after the first record of each, as the writer's thread makes
//! them. Must not: run on a thread of its own: under a paused clock, what a seed leads to must be the same every time.
//! Dropped, it commits nothing more: what a killed process has not written, is not written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::journal::error::JournalError;

/// Makes records durable, and lets go what waited for that.
type Commit<R> = Box<dyn FnMut(Vec<R>) -> Result<(), JournalError> + Send>;

pub(in crate::journal) struct InStep<R> {
    desk: Arc<Mutex<Desk<R>>>,
    come: Arc<Notify>,
    /// Aborted when it is dropped.
    _task: JoinSet<()>,
}

struct Desk<R> {
    waiting: Vec<R>,
    commit: Commit<R>,
    failed: Option<JournalError>,
}

impl<R> Desk<R> {
    fn commit(&mut self) {
        let records = std::mem::take(&mut self.waiting);
        if self.failed.is_none() && !records.is_empty() {
            self.failed = (self.commit)(records).err();
        }
    }
}

impl<R: Send + 'static> InStep<R> {
    /// To be started within a runtime.
    pub(super) fn start(gathering: Duration, commit: Commit<R>) -> Self {
        let desk = Arc::new(Mutex::new(Desk { waiting: Vec::new(), commit, failed: None }));
        let come = Arc::new(Notify::new());
        let mut task = JoinSet::new();
        task.spawn({
            let (desk, come) = (Arc::clone(&desk), Arc::clone(&come));
            async move {
                loop {
                    come.notified().await;
                    tokio::time::sleep(gathering).await;
                    lock(&desk).commit();
                }
            }
        });
        Self { desk, come, _task: task }
    }

    pub(super) fn send(&self, record: R) {
        lock(&self.desk).waiting.push(record);
        self.come.notify_one();
    }

    /// Commits what waits, and says how it went.
    pub(super) fn finish(self) -> Result<(), JournalError> {
        let mut desk = lock(&self.desk);
        desk.commit();
        desk.failed.take().map_or(Ok(()), Err)
    }
}

fn lock<R>(desk: &Mutex<Desk<R>>) -> MutexGuard<'_, Desk<R>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R> std::fmt::Debug for InStep<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InStep").finish_non_exhaustive()
    }
}
