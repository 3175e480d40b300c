//! The way to the writer of a run.
//!
//! In: attempts about to be made, answers, outcomes. Out: records for the writer of the store, which calls back for each
//! attempt that may leave. Must not: write, or know what does.

use jiff::Timestamp;

use super::error::JournalError;
use super::facade::Journal;
use super::record::{Attempt, JournalRecord, RivalAnswer, RivalQuestion, Written};
use super::sqlite::writer::Writer;
use crate::approval::ApprovalRequest;
use crate::catalog::TargetKind;
use crate::daily::{Take, UsedUp};
use crate::outcome::{Reply, RequestId, Settlement};

/// The way to the writer. Dropping it ends the writer; [`Recorder::finish`] waits for it.
#[derive(Debug)]
pub struct Recorder(Writer);

impl Recorder {
    /// Starts the writer of a run. `failed` is called once if it cannot go on; what waited for it is never released.
    pub fn start(
        journal: &Journal,
        run: i64,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, JournalError> {
        Writer::start(&journal.store, run, failed).map(Self)
    }

    /// An attempt is about to be made. It is released when that is durable, from the writer's thread.
    ///
    /// A writer that has ended drops the record, and its release with it: nothing leaves.
    pub fn attempt(&self, attempt: Attempt) {
        self.0.send(JournalRecord::Attempt(attempt));
    }

    /// An attempt has used up nothing of any daily limit.
    pub fn give_back(&self, client_request_id: &RequestId) {
        self.0.send(JournalRecord::GiveBack { client_request_id: client_request_id.clone() });
    }

    /// The service has said that a daily limit is used up, or seems to mean it.
    pub fn pause(&self, take: Take, used_up: UsedUp) {
        self.0.send(JournalRecord::Pause { take, used_up });
    }

    /// An attempt was answered, and the job goes on.
    pub fn answer(&self, job: u32, attempt: u32, answered_at: Timestamp, reply: &Reply) {
        self.0.send(JournalRecord::Answer { job, attempt, answered_at, reply: Box::new(reply.clone()) });
    }

    /// The service has answered an attempt with an approval request.
    pub fn filed(&self, job: u32, attempt: u32, request: &ApprovalRequest) {
        self.0.send(JournalRecord::Filed { job, attempt, request: Box::new(request.clone()) });
    }

    pub fn settled(&self, job: u32, settlement: &Settlement) {
        self.0.send(JournalRecord::Settled { job, settlement: settlement.clone() });
    }

    /// A read has shown the target of a job.
    pub fn shown(&self, job: u32, kind: TargetKind) {
        self.0.send(JournalRecord::Shown { job, kind });
    }

    /// Asks whether a run at the same place, this run included, has sent something else that may be what was seen.
    pub fn rival(&self, job: u32, question: RivalQuestion, told: RivalAnswer) {
        self.0.send(JournalRecord::Rival { job, question: Box::new(question), told });
    }

    /// A read has shown how far an accepted job is, and it may have settled anew.
    pub fn followed_up(&self, job: u32, settlement: &Settlement) {
        self.0.send(JournalRecord::FollowedUp { job, settlement: Box::new(settlement.clone()) });
    }

    /// Waits until everything is durable, or says why it is not.
    pub fn finish(self) -> Written {
        self.0.finish()
    }

    /// The same, for whoever must not block.
    pub async fn finished(self) -> Written {
        self.0.finished().await
    }
}
