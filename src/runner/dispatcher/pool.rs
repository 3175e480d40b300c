//! The workers of a run, and what waits for them.
//!
//! In: tasks. Out: tasks given to idle workers, their answers. Must not: choose what is done.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::job::Job;
use crate::runner::executor::Executor;
use crate::runner::worker::{Task, TaskDone, Worker};

pub(super) struct WorkerPool {
    workers: Vec<Worker>,
    /// Starts the worker of that number, at first and in place of one that has ended.
    start: Box<dyn Fn(usize) -> Worker + Send>,
    idle: Vec<usize>,
    /// What may leave, and waits for an idle worker.
    ready: VecDeque<Task>,
    pub done: mpsc::UnboundedReceiver<TaskDone>,
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers).field("ready", &self.ready).finish_non_exhaustive()
    }
}

impl WorkerPool {
    pub(super) fn new<E: Executor>(jobs: Arc<[Job]>, executor: Arc<E>, concurrency: u16) -> Self {
        let (report, done) = mpsc::unbounded_channel();
        let count = usize::from(concurrency).min(jobs.len()).max(1);
        let start = move |number| Worker::start(number, Arc::clone(&jobs), Arc::clone(&executor), report.clone());
        let workers = (0..count).map(&start).collect();
        Self { workers, start: Box::new(start), idle: (0..count).rev().collect(), ready: VecDeque::new(), done }
    }

    pub(super) fn size(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn push(&mut self, task: Task) {
        self.ready.push_back(task);
    }

    /// Before all attempts that wait, behind other reads: many of those may be recorded ahead.
    pub(super) fn push_read(&mut self, task: Task) {
        let reads = self.ready.iter().take_while(|task| !matches!(task, Task::Attempt { .. })).count();
        self.ready.insert(reads, task);
    }

    /// What comes next, if a worker is idle.
    pub(super) fn next(&self) -> Option<&Task> {
        self.ready.front().filter(|_| !self.idle.is_empty())
    }

    /// Takes it back instead.
    pub(super) fn take_next(&mut self) -> Option<Task> {
        self.ready.pop_front()
    }

    /// Gives the next task to an idle worker. Which one it was, if it was given.
    pub(super) fn give_next(&mut self) -> Option<u32> {
        let (task, worker) = (self.ready.pop_front()?, self.idle.pop()?);
        let job = task.job();
        match self.workers[worker].give(task) {
            Ok(()) => Some(job),
            Err(task) => {
                // It has ended since its last answer.
                self.workers[worker] = (self.start)(worker);
                self.idle.push(worker);
                self.ready.push_front(task);
                None
            }
        }
    }

    /// A worker has answered.
    pub(super) fn is_idle(&mut self, worker: usize) {
        // One that has ended takes no more work.
        if !self.workers[worker].is_alive() {
            self.workers[worker] = (self.start)(worker);
        }
        self.idle.push(worker);
    }

    /// Takes back the attempts that no worker has yet.
    pub(super) fn take_attempts(&mut self) -> Vec<Task> {
        let (attempts, others): (VecDeque<Task>, VecDeque<Task>) =
            std::mem::take(&mut self.ready).into_iter().partition(|task| matches!(task, Task::Attempt { .. }));
        self.ready = others;
        attempts.into()
    }

    /// Drops whatever they are doing.
    pub(super) fn abort(&self) {
        self.workers.iter().for_each(Worker::abort);
    }
}
