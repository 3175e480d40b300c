//! What is missing when the service says that something is not there, and what that means for the job.
//!
//! In: an answer or a read that says so. Out: reads of each id of the route, in their order; then a settlement. Must not:
//! take the service's word that something is missing for a word on which it is, or call done what nobody has ever seen.
//!
//! | missing | it was shown before | nothing has shown it |
//! |---|---|---|
//! | an id before the target (a group, a script) | `not_found` | `not_found` |
//! | the target, where that is what is wanted | `already_done` | `not_found` |
//! | the target of anything else | `failed` | `not_found` |
//! | the target, after an attempt in doubt | `already_done`, or the effect; for anything else `unknown` | `unknown` |
//! | nothing: every id is there | by what a read shows of the state | the same |
//!
//! With `missing: done`, what is not there is `already_done` where nothing is in doubt.

use std::collections::{HashMap, HashSet};

use super::super::queue::{Item, Step};
use super::super::retry;
use super::Dispatcher;
use super::answers::{Times, look_at};
use crate::catalog::{Missing, ReadBack, TargetKind};
use crate::job::Job;
use crate::outcome::Presence;
use crate::outcome::{Evidence, Outcome, Reply};
use tokio::time::Instant;

/// What is known of targets besides the progress of a job.
#[derive(Debug, Default)]
pub struct Shown {
    /// Jobs whose target a read has shown, in this run or in another one.
    jobs: HashSet<u32>,
    /// Jobs that share their target, by that; made when it is first asked for.
    siblings: Option<HashMap<(TargetKind, String), Vec<u32>>>,
}

impl Shown {
    pub fn new(jobs: HashSet<u32>) -> Self {
        Self { jobs, siblings: None }
    }

    /// What the next round goes on with.
    pub fn into_jobs(self) -> HashSet<u32> {
        self.jobs
    }

    /// The jobs of one target, this one among them; empty where it is the only one.
    fn siblings(&mut self, job: u32, jobs: &[Job]) -> &[u32] {
        let siblings = self.siblings.get_or_insert_with(|| {
            let mut by_target: HashMap<(TargetKind, String), Vec<u32>> = HashMap::new();
            for (index, job) in (0u32..).zip(jobs) {
                by_target.entry(named_by(job)).or_default().push(index);
            }
            by_target.retain(|_, jobs| jobs.len() > 1);
            by_target
        });
        siblings.get(&named_by(&jobs[job as usize])).map_or(&[], Vec::as_slice)
    }
}

/// An id is that of one kind of thing.
fn named_by(job: &Job) -> (TargetKind, String) {
    (job.action.target, job.target().to_ascii_lowercase())
}

impl Dispatcher {
    /// The service does not know something that the path names: each id is read.
    pub(super) fn find_what_is_missing(&mut self, job: u32, now: Instant) {
        self.again(job, Step::Find { at: 0 }, now);
    }

    /// A read of the target has found nothing. Where the route names nothing else, that is what is missing.
    pub(super) fn read_found_nothing(&mut self, job: u32, now: Instant) {
        let it = &self.jobs[job as usize];
        let reads_more = matches!(
            it.action.read_back,
            ReadBack::Unlisted | ReadBack::Emptied | ReadBack::BackAt { .. } | ReadBack::UserDevices { .. }
        );
        match it.route.ids.len() == 1 && !reads_more {
            true => self.settle_missing(job, 0, now),
            false => self.find_what_is_missing(job, now),
        }
    }

    /// A look right before the send has found no target.
    pub(super) fn look_found_nothing(&mut self, job: u32, now: Instant) {
        let it = &self.jobs[job as usize];
        let last = it.route.ids.len().saturating_sub(1);
        match last == 0 || it.action.target == TargetKind::GroupMember {
            true => self.settle_missing(job, last, now),
            false => self.find_what_is_missing(job, now),
        }
    }

    pub(super) fn after_find(&mut self, job: u32, at: usize, presence: Presence, times: Times) {
        if !matches!(presence, Presence::NotRead(_)) {
            self.was_read(job);
            self.ledger.progress(job).unauthorized = 0;
        }
        match presence {
            Presence::There => {
                if at + 1 == self.jobs[job as usize].route.ids.len() {
                    self.saw_target(job);
                }
                self.find_next(job, at, times.now);
            }
            Presence::Missing => self.settle_missing(job, at, times.now),
            Presence::NotRead(reply) => self.after_failed_find(job, at, &reply, times),
        }
    }

    /// The id after that one; after the last one, the state that the action is about.
    fn find_next(&mut self, job: u32, at: usize, now: Instant) {
        let it = &self.jobs[job as usize];
        let next = at + 1;
        match next < it.route.ids.len() || it.action.read_back.tells() {
            true => self.again(job, Step::Find { at: u8::try_from(next).unwrap_or(u8::MAX) }, now),
            false => self.settle_unexplained(job, None, now),
        }
    }

    /// Every id is there; what does a read show of the state?
    pub(super) fn after_state(&mut self, job: u32, evidence: Evidence, times: Times) {
        let now = times.now;
        let it = &self.jobs[job as usize];
        let (action, at) = (it.action, it.route.ids.len());
        let in_doubt = self.ledger.progress(job).is_in_doubt();
        match evidence {
            Evidence::NotRead(reply) => self.after_failed_find(job, at, &reply, times),
            evidence @ Evidence::Effect(_) if in_doubt && self.done_before.contains(&job) => {
                self.after_read(job, evidence, false, times);
            }
            Evidence::Effect(seen) if in_doubt => self.settle(job, retry::success(action), Some(seen), now),
            Evidence::Effect(seen) => self.settle(job, Outcome::AlreadyDone, Some(seen), now),
            evidence @ (Evidence::NoEffect(_) | Evidence::CannotTell(_)) if in_doubt => {
                self.after_read(job, evidence, false, times);
            }
            Evidence::NoEffect(seen) | Evidence::CannotTell(seen) | Evidence::Gone(seen) => {
                self.settle_unexplained(job, Some(seen), now);
            }
        }
    }

    fn after_failed_find(&mut self, job: u32, at: usize, reply: &Reply, times: Times) {
        let item = Item { job, step: Step::Find { at: u8::try_from(at).unwrap_or(u8::MAX) } };
        let Some(why) = self.read_again(item, reply, times) else { return };
        let it = &self.jobs[job as usize];
        // That the list of the group does not show a member tells without a look at the member itself.
        let is_member = it.action.target == TargetKind::GroupMember && at + 1 == it.route.ids.len();
        if is_member && self.was_shown(job) {
            self.ledger.progress(job).failed_reads = 0;
            return self.find_next(job, at, times.now);
        }
        let note = format!("the service does not know something that it names; what, could not be read ({why})");
        self.settle_absence(job, Outcome::Failed, note, times.now);
    }

    /// What the id at that place names is not there.
    fn settle_missing(&mut self, job: u32, at: usize, now: Instant) {
        let it = &self.jobs[job as usize];
        let (action, read_back) = (it.action, it.action.read_back);
        let done = it.missing == Some(Missing::Done);
        let is_target = at + 1 == it.route.ids.len();
        let in_doubt = self.ledger.progress(job).is_in_doubt();
        let shown = is_target && self.was_shown(job);
        let wanted = is_target && retry::gone(action) == Outcome::AlreadyDone;
        let what = self.named(job, at);
        let (outcome, note) = match (shown, in_doubt) {
            (true, true) if wanted => {
                let effect = matches!(read_back, ReadBack::Absent | ReadBack::AbsentLater);
                let outcome = if effect { retry::success(action) } else { Outcome::AlreadyDone };
                (outcome, format!("{what} is not there any more, after an attempt whose answer was lost"))
            }
            (true, true) => (Outcome::Unknown, format!("{what} is not there any more")),
            (false, true) if wanted && done => (
                Outcome::AlreadyDone,
                format!("this tenant has never shown {what} (missing: {})", Missing::Done.name()),
            ),
            (false, true) => {
                (Outcome::Unknown, format!("{what} is not there, and nothing has ever shown it in this tenant"))
            }
            (true, false) if wanted || done => (Outcome::AlreadyDone, format!("{what} is not there any more")),
            (true, false) => (Outcome::Failed, format!("{what} is not there any more")),
            (false, false) if done => (
                Outcome::AlreadyDone,
                format!("this tenant has never shown {what} (missing: {})", Missing::Done.name()),
            ),
            (false, false) => (Outcome::NotFound, format!("nothing has ever shown {what} in this tenant")),
        };
        self.settle_absence(job, outcome, note, now);
    }

    /// Nothing is missing, and the service says that something is.
    fn settle_unexplained(&mut self, job: u32, seen: Option<String>, now: Instant) {
        let seen = seen.map(|seen| format!(": {seen}")).unwrap_or_default();
        let note = format!("the service says that it does not know it, and a read shows that it is there{seen}");
        self.settle_absence(job, Outcome::Failed, note, now);
    }

    /// What was sent and is in doubt stays in doubt, whatever else is found.
    fn settle_absence(&mut self, job: u32, outcome: Outcome, note: String, now: Instant) {
        let in_doubt = self.ledger.progress(job).is_in_doubt();
        match in_doubt && matches!(outcome, Outcome::Failed | Outcome::NotFound | Outcome::Unknown) {
            true => {
                let wanted = retry::gone(self.jobs[job as usize].action) == Outcome::AlreadyDone;
                let advice = match outcome == Outcome::Unknown && wanted {
                    true => "an attempt whose answer was lost may have done it".to_owned(),
                    false => look_at(job, &self.jobs),
                };
                self.settle(job, Outcome::Unknown, Some(format!("{note}; {advice}")), now);
            }
            false => self.settle(job, outcome, Some(note), now),
        }
    }

    /// `group 9000…`, `managedDevice 7f4e…`
    fn named(&self, job: u32, at: usize) -> String {
        let job = &self.jobs[job as usize];
        let name = job.route.ids.get(at).map_or("target", |id| id.name);
        let id = job.ids.iter().nth(at).unwrap_or_default();
        format!("{} {id}", name.strip_suffix("Id").unwrap_or(name))
    }

    /// Whether any read or answer has shown the target in this tenant: when it was looked up, when the preview was saved,
    /// in this run, or in another one.
    fn was_shown(&mut self, job: u32) -> bool {
        let it = &self.jobs[job as usize];
        let known = it.found.is_some() || self.lookout.has_seen(job) || self.shown.jobs.contains(&job);
        // What somebody was asked to approve was there.
        if known || self.ledger.progress(job).approved.is_some() {
            return true;
        }
        let siblings = self.shown.siblings(job, &self.jobs).to_vec();
        let showed = |other: &u32| {
            if self.shown.jobs.contains(other) {
                return true;
            }
            let settled = self.ledger.settlement(*other).map(|settled| settled.outcome);
            let there = [Outcome::Completed, Outcome::Accepted, Outcome::AwaitingApproval];
            settled.is_some_and(|outcome| there.contains(&outcome))
        };
        siblings.iter().any(showed)
    }

    /// What a read back shows of the target itself.
    pub(super) fn note_what_shows(&mut self, job: u32, evidence: &Evidence) {
        let read_back = self.jobs[job as usize].action.read_back;
        let shows = match (evidence, read_back) {
            (Evidence::Gone(_) | Evidence::NotRead(_), _) | (_, ReadBack::Nobody) => false,
            // A list in which it is not, and a place to which it has not come back.
            (Evidence::Effect(_) | Evidence::CannotTell(_), ReadBack::Unlisted) => false,
            (Evidence::NoEffect(_) | Evidence::CannotTell(_), ReadBack::BackAt { .. }) => false,
            (Evidence::Effect(_) | Evidence::NoEffect(_) | Evidence::CannotTell(_), _) => true,
        };
        if shows {
            self.saw_target(job);
        }
    }

    /// A read has shown the target: whoever asks for it later, in whatever run, knows that it was there.
    pub(super) fn saw_target(&mut self, job: u32) {
        if let (true, Some(journal)) = (self.shown.jobs.insert(job), &self.journal) {
            journal.shown(job, self.jobs[job as usize].action.target);
        }
    }
}
