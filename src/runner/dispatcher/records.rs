//! The way of attempts through the journal.
//!
//! In: attempts about to leave. Out: the same, with what became of their record. Must not: let one come back twice.

use tokio::sync::mpsc;

use crate::daily::{Take, UsedUp};
use crate::guard::contradictions::may_follow;
use crate::journal::{Attempt, Recorder, TurnedAway};
use crate::runner::worker::{RecordedTask, Slip, Task};

#[derive(Debug)]
pub(super) struct Records {
    pub journal: Option<Recorder>,
    recording: mpsc::UnboundedSender<RecordedTask>,
    pub back: mpsc::UnboundedReceiver<RecordedTask>,
}

/// An attempt as it is to be recorded.
#[derive(Debug)]
pub(super) struct Draft {
    pub task: Task,
    pub number: u32,
    pub sent_at: jiff::Timestamp,
    /// What it takes of a day's limit.
    pub take: Result<Option<Take>, UsedUp>,
}

impl Records {
    pub(super) fn new(journal: Option<Recorder>) -> Self {
        let (recording, back) = mpsc::unbounded_channel();
        Self { journal, recording, back }
    }

    /// Has an attempt recorded. Without a journal, it comes back at once.
    pub(super) fn record(&self, draft: Draft) {
        let Draft { task, number, sent_at, take } = draft;
        let (job, id) = (task.job(), task.client_request_id());
        let slip = Slip::new(task, self.recording.clone());
        match (&self.journal, take) {
            (_, Err(used_up)) => slip.come_back(Err(TurnedAway::UsedUp(used_up))),
            (None, Ok(_)) => slip.come_back(Ok(())),
            (Some(journal), Ok(take)) => {
                let release = Box::new(|answer| slip.come_back(answer));
                let client_request_id = id;
                journal.attempt(Attempt { job, number, client_request_id, sent_at, take, may_follow, release });
            }
        }
    }
}
