//! A worker performs one attempt or one read at a time.
//!
//! In: [`Task`]s from the dispatcher. Out: [`TaskDone`] messages back to it. Must not: keep state between tasks, retry, or
//! wait for anything but the answer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::executor::Executor;
use crate::job::Job;
use crate::journal::TurnedAway;
use crate::outcome::{Evidence, FollowUpRead, Reply, RequestId, Since, Verdict};
use crate::outcome::{Presence, Seen};

/// One thing to do.
#[derive(Debug)]
pub(super) enum Task {
    Attempt {
        job: u32,
        client_request_id: RequestId,
    },
    /// Read who the target is.
    Check {
        job: u32,
        client_request_id: RequestId,
    },
    /// Read whether an attempt since then had an effect.
    ReadBack {
        job: u32,
        since: Since,
        client_request_id: RequestId,
    },
    /// Read how far an action is that was accepted after it had left then.
    FollowUp {
        job: u32,
        since: Timestamp,
        client_request_id: RequestId,
    },
    /// Read what the id at that place of its route names.
    Find {
        job: u32,
        at: u8,
        client_request_id: RequestId,
    },
}

impl Task {
    pub(super) fn job(&self) -> u32 {
        match self {
            Self::Attempt { job, .. }
            | Self::Check { job, .. }
            | Self::ReadBack { job, .. }
            | Self::FollowUp { job, .. }
            | Self::Find { job, .. } => *job,
        }
    }

    pub(super) fn client_request_id(&self) -> RequestId {
        self.outline().2
    }

    /// Which job, what of it, and under which id.
    fn outline(&self) -> (u32, TaskKind, RequestId) {
        match self {
            Self::Attempt { job, client_request_id } => (*job, TaskKind::Attempt, client_request_id.clone()),
            Self::Check { job, client_request_id } => (*job, TaskKind::Check, client_request_id.clone()),
            Self::ReadBack { job, client_request_id, .. } => (*job, TaskKind::ReadBack, client_request_id.clone()),
            Self::FollowUp { job, client_request_id, .. } => (*job, TaskKind::FollowUp, client_request_id.clone()),
            Self::Find { job, client_request_id, .. } => (*job, TaskKind::Find, client_request_id.clone()),
        }
    }
}

#[derive(Clone, Copy)]
enum TaskKind {
    Attempt,
    Check,
    ReadBack,
    FollowUp,
    Find,
}

/// Speaks for a worker that ends in the middle of a task: what it has sent, nobody knows.
struct Outcry {
    worker: usize,
    task: Option<(u32, TaskKind, RequestId)>,
    done: mpsc::UnboundedSender<TaskDone>,
}

impl Drop for Outcry {
    fn drop(&mut self) {
        let Some((job, kind, client_request_id)) = self.task.take() else { return };
        let lost = Reply::none(Verdict::Lost, "the worker ended unexpectedly", client_request_id);
        let answer = match kind {
            TaskKind::ReadBack => WorkerAnswer::ReadBack(Evidence::NotRead(lost)),
            TaskKind::FollowUp => WorkerAnswer::FollowUp(Err(lost)),
            TaskKind::Check => WorkerAnswer::Check(Seen::NotRead(lost)),
            TaskKind::Find => WorkerAnswer::Find(Presence::NotRead(lost)),
            TaskKind::Attempt => WorkerAnswer::Attempt(lost),
        };
        let now = Instant::now();
        // Nobody listens any more when the run is over.
        let _ = self.done.send(TaskDone { worker: self.worker, job, sent: now, answered: now, answer });
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct TaskDone {
    pub worker: usize,
    pub job: u32,
    pub sent: Instant,
    pub answered: Instant,
    pub answer: WorkerAnswer,
}

#[derive(Debug)]
pub(super) enum WorkerAnswer {
    Attempt(Reply),
    Check(Seen),
    ReadBack(Evidence),
    FollowUp(Result<FollowUpRead, Reply>),
    Find(Presence),
}

/// What became of the record of an attempt.
#[derive(Debug)]
pub(super) enum AttemptRecord {
    Durable,
    /// There is none, and it does not leave.
    TurnedAway(TurnedAway),
    /// It could not be made durable.
    Lost,
}

/// A task whose attempt is to be recorded before it leaves.
#[derive(Debug)]
pub(super) struct RecordedTask {
    pub task: Task,
    pub record: AttemptRecord,
}

/// A task on its way through the journal. It comes back once, whatever becomes of its record: dropped on the way, it says
/// that there is none.
#[derive(Debug)]
pub(super) struct Slip {
    task: Option<Task>,
    back: mpsc::UnboundedSender<RecordedTask>,
}

impl Slip {
    pub(super) fn new(task: Task, back: mpsc::UnboundedSender<RecordedTask>) -> Self {
        Self { task: Some(task), back }
    }

    pub(super) fn come_back(mut self, room: Result<(), TurnedAway>) {
        self.send(match room {
            Ok(()) => AttemptRecord::Durable,
            Err(why) => AttemptRecord::TurnedAway(why),
        });
    }

    fn send(&mut self, record: AttemptRecord) {
        let Some(task) = self.task.take() else { return };
        // Nobody listens any more when the run is over.
        let _ = self.back.send(RecordedTask { task, record });
    }
}

impl Drop for Slip {
    fn drop(&mut self) {
        self.send(AttemptRecord::Lost);
    }
}

/// A worker and the way to give it work.
#[derive(Debug)]
pub(super) struct Worker {
    tasks: mpsc::UnboundedSender<Task>,
    handle: JoinHandle<()>,
}

impl Worker {
    pub(super) fn start<E: Executor>(
        number: usize,
        jobs: Arc<[Job]>,
        executor: Arc<E>,
        done: mpsc::UnboundedSender<TaskDone>,
    ) -> Self {
        let (tasks, mut inbox) = mpsc::unbounded_channel::<Task>();
        let handle = tokio::spawn(async move {
            while let Some(task) = inbox.recv().await {
                let mut outcry = Outcry { worker: number, task: Some(task.outline()), done: done.clone() };
                let answer = perform(number, task, &jobs, executor.as_ref()).await;
                outcry.task = None;
                if done.send(answer).is_err() {
                    break;
                }
            }
        });
        Self { tasks, handle }
    }

    /// Gives it something to do; it must be idle. One that has ended gives it back.
    pub(super) fn give(&self, task: Task) -> Result<(), Task> {
        self.tasks.send(task).map_err(|refused| refused.0)
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.tasks.is_closed()
    }

    /// Drops whatever it is doing.
    pub(super) fn abort(&self) {
        self.handle.abort();
    }
}

async fn perform<E: Executor>(worker: usize, task: Task, jobs: &[Job], executor: &E) -> TaskDone {
    let sent = Instant::now();
    let id = &mut RequestId::buffer();
    let (job, answer) = match task {
        Task::Attempt { job, client_request_id } => {
            (job, WorkerAnswer::Attempt(executor.attempt(&jobs[job as usize], client_request_id.write(id)).await))
        }
        Task::Check { job, client_request_id } => {
            (job, WorkerAnswer::Check(executor.inspect(&jobs[job as usize], client_request_id.write(id)).await))
        }
        Task::ReadBack { job, since, client_request_id } => (
            job,
            WorkerAnswer::ReadBack(executor.read_back(&jobs[job as usize], since, client_request_id.write(id)).await),
        ),
        Task::FollowUp { job, since, client_request_id } => (
            job,
            WorkerAnswer::FollowUp(executor.follow_up(&jobs[job as usize], since, client_request_id.write(id)).await),
        ),
        Task::Find { job, at, client_request_id } => {
            let (of, id) = (&jobs[job as usize], client_request_id.write(id));
            (job, WorkerAnswer::Find(executor.find(of, at.into(), id).await))
        }
    };
    TaskDone { worker, job, sent, answered: Instant::now(), answer }
}
