//! A worker performs one attempt or one read at a time.
//!
//! In: [`Task`]s from the dispatcher. Out: [`Done`] messages back to it. Must not: keep state between tasks, retry, or
//! wait for anything but the answer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::executor::Executor;
use crate::job::Job;
use crate::outcome::{Evidence, Reply};

/// One thing to do.
#[derive(Debug)]
pub enum Task {
    Attempt {
        job: u32,
        client_request_id: Box<str>,
    },
    /// Read whether an attempt since then had an effect.
    ReadBack {
        job: u32,
        since: Timestamp,
        client_request_id: Box<str>,
    },
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    pub worker: usize,
    pub job: u32,
    pub sent: Instant,
    pub answered: Instant,
    pub answer: Answer,
}

#[derive(Debug)]
pub enum Answer {
    Attempt(Reply),
    ReadBack(Evidence),
}

/// A worker and the way to give it work.
#[derive(Debug)]
pub struct Worker {
    tasks: mpsc::UnboundedSender<Task>,
    handle: JoinHandle<()>,
}

impl Worker {
    pub fn start<E: Executor>(
        number: usize,
        jobs: Arc<[Job]>,
        executor: Arc<E>,
        done: mpsc::UnboundedSender<Done>,
    ) -> Self {
        let (tasks, mut inbox) = mpsc::unbounded_channel();
        let handle = tokio::spawn(async move {
            while let Some(task) = inbox.recv().await {
                if done.send(perform(number, task, &jobs, executor.as_ref()).await).is_err() {
                    break;
                }
            }
        });
        Self { tasks, handle }
    }

    /// Only ever called while the worker is idle, so the channel holds at most one task.
    pub fn give(&self, task: Task) -> Result<(), Task> {
        self.tasks.send(task).map_err(|refused| refused.0)
    }

    /// Drops whatever it is doing.
    pub fn abort(&self) {
        self.handle.abort();
    }
}

async fn perform<E: Executor>(worker: usize, task: Task, jobs: &[Job], executor: &E) -> Done {
    let sent = Instant::now();
    let (job, answer) = match task {
        Task::Attempt { job, client_request_id } => {
            (job, Answer::Attempt(executor.attempt(&jobs[job as usize], &client_request_id).await))
        }
        Task::ReadBack { job, since, client_request_id } => {
            (job, Answer::ReadBack(executor.read_back(&jobs[job as usize], since, &client_request_id).await))
        }
    };
    Done { worker, job, sent, answered: Instant::now(), answer }
}
