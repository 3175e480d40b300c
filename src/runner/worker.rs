//! A worker performs one attempt or one read at a time.
//!
//! In: [`Task`]s from the dispatcher. Out: [`Done`] messages back to it. Must not: keep state between tasks, retry, or
//! wait for anything but the answer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::executor::{Executor, Seen};
use crate::guard::daily::UsedUp;
use crate::job::Job;
use crate::outcome::{Evidence, FollowUp, Reply, Verdict};

/// One thing to do.
#[derive(Debug)]
pub enum Task {
    Attempt {
        job: u32,
        client_request_id: Box<str>,
    },
    /// Read who the target is.
    Look {
        job: u32,
        client_request_id: Box<str>,
    },
    /// Read whether an attempt since then had an effect.
    ReadBack {
        job: u32,
        since: Timestamp,
        client_request_id: Box<str>,
    },
    /// Read how far an action is that was accepted after it had left then.
    FollowUp {
        job: u32,
        since: Timestamp,
        client_request_id: Box<str>,
    },
}

impl Task {
    /// Which job, what of it, and under which id.
    fn outline(&self) -> (u32, Kind, Box<str>) {
        match self {
            Self::Attempt { job, client_request_id } => (*job, Kind::Attempt, client_request_id.clone()),
            Self::Look { job, client_request_id } => (*job, Kind::Look, client_request_id.clone()),
            Self::ReadBack { job, client_request_id, .. } => (*job, Kind::ReadBack, client_request_id.clone()),
            Self::FollowUp { job, client_request_id, .. } => (*job, Kind::FollowUp, client_request_id.clone()),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Attempt,
    Look,
    ReadBack,
    FollowUp,
}

/// Speaks for a worker that ends in the middle of a task: what it has sent, nobody knows.
struct Outcry {
    worker: usize,
    task: Option<(u32, Kind, Box<str>)>,
    done: mpsc::UnboundedSender<Done>,
}

impl Drop for Outcry {
    fn drop(&mut self) {
        let Some((job, kind, client_request_id)) = self.task.take() else { return };
        let lost = Reply {
            verdict: Verdict::Lost,
            http_status: None,
            error_code: None,
            error_message: Some("the worker ended unexpectedly".into()),
            request_id: None,
            client_request_id,
            load_percent: None,
        };
        let answer = match kind {
            Kind::ReadBack => Answer::ReadBack(Evidence::NotRead(lost)),
            Kind::FollowUp => Answer::FollowUp(Err(lost)),
            Kind::Look => Answer::Look(Seen::NotRead(lost)),
            Kind::Attempt => Answer::Attempt(lost),
        };
        let now = Instant::now();
        // Nobody listens any more when the run is over.
        let _ = self.done.send(Done { worker: self.worker, job, sent: now, answered: now, answer });
    }
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
    Look(Seen),
    ReadBack(Evidence),
    FollowUp(Result<FollowUp, Reply>),
    /// It was never let go: its record could not be made durable.
    NeverReleased,
    /// Nor was it recorded: a daily limit has no room for it.
    TurnedAway(UsedUp),
}

/// A task that waits for its record to be durable. Dropped without having been let go, it says so.
#[derive(Debug)]
pub struct Held {
    worker: usize,
    job: u32,
    task: Option<Task>,
    tasks: mpsc::UnboundedSender<Task>,
    done: mpsc::UnboundedSender<Done>,
}

impl Held {
    pub fn let_go(mut self) {
        // A worker ends only by a panic of its executor; the task stays, and is reported as never released.
        self.task = self.task.take().and_then(|task| self.tasks.send(task).err()).map(|refused| refused.0);
    }
}

impl Held {
    /// A daily limit has no room for it.
    pub fn turn_away(mut self, used_up: UsedUp) {
        self.task = None;
        self.say(Answer::TurnedAway(used_up));
    }

    fn say(&self, answer: Answer) {
        let now = Instant::now();
        // Nobody listens any more when the run is over.
        let _ = self.done.send(Done { worker: self.worker, job: self.job, sent: now, answered: now, answer });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.task.is_some() {
            self.say(Answer::NeverReleased);
        }
    }
}

/// A task whose record is durable, or for which a daily limit had no room.
pub type Released = (Held, Result<(), UsedUp>);

/// How many are let go at once.
const TOGETHER: usize = 64;

/// Lets go whatever is sent here. Tasks are released from another thread, a whole commit of them at a time: one wake-up
/// of the runtime serves them all, where a message to each worker would be one for each.
pub fn releases() -> mpsc::UnboundedSender<Released> {
    let (released, mut inbox) = mpsc::unbounded_channel::<Released>();
    tokio::spawn(async move {
        let mut together = Vec::with_capacity(TOGETHER);
        while inbox.recv_many(&mut together, TOGETHER).await > 0 {
            for (held, room) in together.drain(..) {
                match room {
                    Ok(()) => held.let_go(),
                    Err(used_up) => held.turn_away(used_up),
                }
            }
        }
    });
    released
}

/// A worker and the way to give it work.
#[derive(Debug)]
pub struct Worker {
    number: usize,
    tasks: mpsc::UnboundedSender<Task>,
    done: mpsc::UnboundedSender<Done>,
    handle: JoinHandle<()>,
}

impl Worker {
    pub fn start<E: Executor>(
        number: usize,
        jobs: Arc<[Job]>,
        executor: Arc<E>,
        done: mpsc::UnboundedSender<Done>,
    ) -> Self {
        let (tasks, mut inbox) = mpsc::unbounded_channel::<Task>();
        let report = done.clone();
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
        Self { number, tasks, done: report, handle }
    }

    /// Sets a task aside for this worker, which is idle: the channel holds at most one.
    pub fn hold(&self, job: u32, task: Task) -> Held {
        Held { worker: self.number, job, task: Some(task), tasks: self.tasks.clone(), done: self.done.clone() }
    }

    pub fn is_alive(&self) -> bool {
        !self.tasks.is_closed()
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
        Task::Look { job, client_request_id } => {
            (job, Answer::Look(executor.inspect(&jobs[job as usize], &client_request_id).await))
        }
        Task::ReadBack { job, since, client_request_id } => {
            (job, Answer::ReadBack(executor.read_back(&jobs[job as usize], since, &client_request_id).await))
        }
        Task::FollowUp { job, since, client_request_id } => {
            (job, Answer::FollowUp(executor.follow_up(&jobs[job as usize], since, &client_request_id).await))
        }
    };
    Done { worker, job, sent, answered: Instant::now(), answer }
}
