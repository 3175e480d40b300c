//! The jobs of a plan as they are made. Of a long list, a second thread makes them.
//!
//! In: what is said of each job, in plan order. Out: the jobs in the same order. Must not: lose one, or hold more than a few blocks
//! of what is said.
//!
//! A plan may have a million rows. To name their jobs and to put them into memory takes as long as to read the rows, and
//! neither waits for the other.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::catalog::Missing;
use crate::job::{Job, JobParts};

/// Jobs that are handed over at once.
const BLOCK: usize = 512;
/// Blocks that may wait for the second thread.
const AHEAD: usize = 4;

/// All that a plan says of a job.
pub(crate) struct Said {
    pub parts: JobParts,
    pub priority: i16,
    pub missing: Option<Missing>,
    pub verified_within: Option<Duration>,
}

impl Said {
    fn job(self) -> Job {
        let mut job = Job::new(self.parts);
        job.priority = self.priority;
        job.missing = self.missing;
        job.set_verified_within(self.verified_within);
        job
    }
}

/// Jobs in plan order.
#[derive(Default)]
pub(crate) struct Jobs {
    /// Not handed over yet.
    block: Vec<Said>,
    handed_over: usize,
    /// How many there may be.
    expected: usize,
    second: Option<Second>,
    /// Made here, where there is no second thread.
    made: Vec<Job>,
}

impl Jobs {
    pub(crate) fn len(&self) -> usize {
        self.handed_over + self.block.len()
    }

    /// So many more may come.
    pub(crate) fn expect(&mut self, more: usize) {
        self.expected = self.len() + more;
    }

    pub(crate) fn push(&mut self, said: Said) {
        self.block.push(said);
        if self.block.len() == BLOCK {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        if self.handed_over == 0 {
            self.second = Second::start(self.expected);
        }
        self.handed_over += self.block.len();
        match &self.second {
            Some(second) => second.make(&mut self.block),
            None => self.made.extend(self.block.drain(..).map(Said::job)),
        }
    }

    /// All of them.
    pub(crate) fn finish(self) -> Vec<Job> {
        let mut jobs = self.second.map_or(self.made, Second::finish);
        jobs.extend(self.block.into_iter().map(Said::job));
        jobs
    }
}

/// A thread that makes jobs.
struct Second {
    blocks: SyncSender<Vec<Said>>,
    /// Blocks that are done with, to be filled again.
    empty: Receiver<Vec<Said>>,
    thread: JoinHandle<Vec<Job>>,
}

impl Second {
    /// `None`: the system has no thread for us.
    fn start(expected: usize) -> Option<Self> {
        let (blocks, inbox) = sync_channel::<Vec<Said>>(AHEAD);
        let (done, empty) = channel();
        let make = move || {
            let mut jobs = Vec::with_capacity(expected);
            for mut block in inbox {
                jobs.extend(block.drain(..).map(Said::job));
                // At the end nobody fills it again.
                let _ = done.send(block);
            }
            jobs
        };
        let thread = thread::Builder::new().name("jobs".into()).spawn(make).ok()?;
        Some(Self { blocks, empty, thread })
    }

    /// Takes what is in `block`.
    fn make(&self, block: &mut Vec<Said>) {
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        // A thread that has panicked takes nothing; `finish` tells it.
        let _ = self.blocks.send(std::mem::replace(block, next));
    }

    fn finish(self) -> Vec<Job> {
        drop(self.blocks);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::Ids;

    fn said(row: u32) -> Said {
        let id = row.to_string();
        let parts = JobParts::plain(row, Action::named("retire").unwrap(), Ids::new([id.as_str()]));
        Said { parts, priority: row as i16 % 7, missing: None, verified_within: None }
    }

    #[test]
    fn every_job_is_there_once_and_in_its_order() {
        for count in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK, 20 * BLOCK + 3] {
            let mut jobs = Jobs::default();
            jobs.expect(count / 2);
            for row in 0..count {
                assert_eq!(jobs.len(), row);
                jobs.push(said(row as u32));
            }
            let jobs = jobs.finish();
            assert_eq!(jobs.len(), count);
            for (row, job) in (0u32..).zip(&jobs) {
                let alone = said(row).job();
                assert_eq!((job.row, job.id, job.priority), (row, alone.id, alone.priority), "of {count}");
                assert_eq!(job.target(), row.to_string());
            }
        }
    }

    #[test]
    fn without_a_second_thread_they_are_the_same() {
        let mut jobs = Jobs::default();
        (0..3 * BLOCK as u32 + 5).for_each(|row| {
            jobs.push(said(row));
            jobs.made.extend(jobs.second.take().into_iter().flat_map(Second::finish));
        });
        let rows: Vec<u32> = jobs.finish().iter().map(|job| job.row).collect();
        assert_eq!(rows, (0..3 * BLOCK as u32 + 5).collect::<Vec<_>>());
    }
}
