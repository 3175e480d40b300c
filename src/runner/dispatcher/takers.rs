//! A device that is not there any more: has our action removed it, or another one that was sent to it too?
//!
//! In: what a read has shown, the journal. Out: the same, or that nothing tells. Must not: call an action done because another
//! one, of whatever run, has taken its record away.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::Dispatcher;
use crate::journal::Taker;
use crate::outcome::{FollowUp, Stage};

/// What was asked of the journal, and the way back for its answers.
#[derive(Debug)]
pub(super) struct Takers {
    asked: HashMap<u32, FollowUp>,
    answer: mpsc::UnboundedSender<(u32, Option<Taker>)>,
    answers: mpsc::UnboundedReceiver<(u32, Option<Taker>)>,
}

impl Takers {
    pub fn new() -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        Self { asked: HashMap::new(), answer, answers }
    }

    pub fn are_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    pub async fn told(&mut self) -> Option<(u32, Option<Taker>)> {
        self.answers.recv().await
    }
}

impl Dispatcher {
    /// A read has shown that the target of an accepted job is gone.
    pub(super) fn after_gone(&mut self, job: u32, seen: FollowUp) {
        let removals = self.jobs[job as usize].removals();
        match &self.journal {
            Some(journal) if seen.stage == Stage::Done && !removals.is_empty() => {
                let answer = self.takers.answer.clone();
                // Nobody hears it where the run is over by then.
                journal.who_took_away(job, removals, Box::new(move |taker| drop(answer.send((job, taker)))));
                self.takers.asked.insert(job, seen);
            }
            _ => self.take_follow_up(job, seen, tokio::time::Instant::now()),
        }
    }

    /// The journal knows who else may have removed it.
    pub(super) fn told_who_took(&mut self, job: u32, taker: Option<Taker>) {
        let Some(seen) = self.takers.asked.remove(&job) else { return };
        let seen = match taker {
            None => seen,
            Some(Taker { action, run }) => {
                let words = format!(
                    "{}, and {action} was sent to it too, by run {run}: nothing tells which it was",
                    seen.words
                );
                FollowUp { stage: Stage::Untold, words: words.into(), ..seen }
            }
        };
        self.take_follow_up(job, seen, tokio::time::Instant::now());
    }
}
