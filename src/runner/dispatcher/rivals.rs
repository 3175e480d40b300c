//! Is what was seen due to our action, or to another one that was sent to the same target?
//!
//! In: what a read has shown, the journal. Out: the same, or that nothing tells. Must not: take what another job, of whatever run,
//! may have brought about for what ours has.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Dispatcher;
use super::answers::Times;
use crate::catalog::ReadBack;
use crate::journal::{Question, Rival};
use crate::outcome::{Evidence, FollowUp, Followed, Stage};

/// What was seen, and waits for the journal's word.
#[derive(Debug)]
enum Seen {
    FollowUp(FollowUp),
    /// An effect, in these words.
    Effect {
        seen: String,
        resend: bool,
        times: Times,
    },
}

/// The journal's word; `Err`: it has none, because its writer has ended.
type Word = Result<Option<Rival>, ()>;

/// What was asked of the journal, and the way back for its answers.
#[derive(Debug)]
pub(super) struct Rivals {
    asked: HashMap<u32, Seen>,
    answer: mpsc::UnboundedSender<(u32, Word)>,
    answers: mpsc::UnboundedReceiver<(u32, Word)>,
}

impl Rivals {
    pub fn new() -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        Self { asked: HashMap::new(), answer, answers }
    }

    pub fn are_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    pub async fn told(&mut self) -> Option<(u32, Word)> {
        self.answers.recv().await
    }
}

/// An answer comes back in any case.
struct Answer {
    job: u32,
    word: Word,
    to: mpsc::UnboundedSender<(u32, Word)>,
}

impl Answer {
    fn give(mut self, rival: Option<Rival>) {
        self.word = Ok(rival);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Nobody hears it where the run is over by then.
        let _ = self.to.send((self.job, std::mem::replace(&mut self.word, Err(()))));
    }
}

impl Dispatcher {
    /// A read has shown how far an accepted job is.
    pub(super) fn after_seen(&mut self, job: u32, seen: Followed) {
        let (seen, is_gone) = match seen {
            Followed::There(seen) => (seen, false),
            Followed::Gone(seen) => (seen, true),
        };
        let is_final = seen.stage == Stage::Done || seen.stage.came_to_nothing();
        match is_final && self.may_have_rivals(job) {
            true => self.ask_for_rivals(job, is_gone, Seen::FollowUp(seen)),
            false => self.take_follow_up(job, seen, Instant::now()),
        }
    }

    /// A read has shown whether an attempt in doubt had an effect.
    pub(super) fn after_read(&mut self, job: u32, evidence: Evidence, resend: bool, times: Times) {
        match evidence {
            Evidence::Effect(seen) if self.may_have_rivals(job) => {
                self.ask_for_rivals(job, false, Seen::Effect { seen, resend, times });
            }
            evidence => self.take_read(job, evidence, resend, times),
        }
    }

    /// Whether what a read shows of the action does not tell whose it was.
    fn may_have_rivals(&self, job: u32) -> bool {
        let read_back = self.jobs[job as usize].action.read_back;
        self.journal.is_some() && matches!(read_back, ReadBack::ManagementState { .. } | ReadBack::ActionResult { .. })
    }

    fn ask_for_rivals(&mut self, job: u32, is_gone: bool, seen: Seen) {
        let Some(journal) = &self.journal else { return };
        let same = self.jobs[job as usize].clone();
        let removals = if is_gone { same.removals() } else { Vec::new() };
        let answer = Answer { job, word: Err(()), to: self.rivals.answer.clone() };
        journal.rival(job, Question { same, removals }, Box::new(move |rival| answer.give(rival)));
        self.rivals.asked.insert(job, seen);
    }

    pub(super) fn told_of_rivals(&mut self, job: u32, word: Word) {
        let Some(seen) = self.rivals.asked.remove(&job) else { return };
        let why = match word {
            Ok(None) => None,
            Ok(Some(Rival { action, run })) => {
                Some(format!("{action} was sent too, by run {run}, and nothing tells which it was"))
            }
            Err(()) => Some("the journal does not say what else was sent to it".to_owned()),
        };
        match seen {
            Seen::FollowUp(seen) => {
                let seen = match why {
                    None => seen,
                    Some(why) => {
                        let words = format!("{}; {why}", seen.words).into();
                        FollowUp { stage: Stage::Untold, words, ..seen }
                    }
                };
                self.take_follow_up(job, seen, Instant::now());
            }
            Seen::Effect { seen, resend, times } => {
                let evidence = match why {
                    None => Evidence::Effect(seen),
                    Some(why) => Evidence::CannotTell(format!("{seen}; {why}")),
                };
                self.take_read(job, evidence, resend, times);
            }
        }
    }
}
