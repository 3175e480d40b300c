//! What is missing when the service says that something is not there, and what that means for the job.
//!
//! In: an answer or a read that says so. Out: reads of each id of the route, in their order; then a settlement. Must not:
//! take the service's word that something is missing for a word on which it is, or call done what nothing has ever shown.
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

use crate::catalog::{Action, Missing, ReadBack as Kind, TargetKind};
use crate::job::Job;
use crate::outcome::{Evidence, Outcome, Presence, Seen};
use crate::runner::dialogue::{
    Announcement, Command, Happened, JournalEntry, Policy, Rank, ReadBackAnswer, Then, Times,
};
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::mailbox::Mailbox;
use crate::runner::retry;
use crate::runner::run::{LeftBehind, Run};
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Absence {
    let jobs = (0u32..).zip(run.jobs.iter());
    let known = |(index, job): &(u32, &Job)| job.found.is_some() || run.lookout.has_seen(*index);
    let known: HashSet<u32> = jobs.filter(known).map(|(index, _)| index).collect();
    let shown = std::mem::take(&mut run.history.shown);
    Absence { known, shown, siblings: None, done_before: run.history.done_before.clone() }
}

#[derive(Debug)]
pub(super) struct Absence {
    /// Jobs whose target was shown when it was looked up, or when the preview was saved.
    known: HashSet<u32>,
    /// Jobs whose target a read has shown, in this run or in another one.
    shown: HashSet<u32>,
    /// Jobs that share their target, by that; made when it is first asked for.
    siblings: Option<HashMap<(TargetKind, String), Vec<u32>>>,
    done_before: HashSet<u32>,
}

impl Policy for Absence {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::Checked { job, seen: Seen::Identity(_), .. } => self.saw_target(*job, then),
            Happened::ReadBack(read) if !read.judged && shows_target(&read.evidence, view.action(read.job)) => {
                self.saw_target(read.job, then);
            }
            Happened::Found { job, at, presence: Presence::There, .. } if is_target(view.job(*job), (*at).into()) => {
                self.saw_target(*job, then);
            }
            _ => {}
        }
        let next = match happened {
            Happened::Announced(Announcement::Missing { job, found_by }) => self.missing(*job, *found_by, view),
            Happened::Found { job, at, presence: Presence::There, .. } => find_next(*job, (*at).into(), view),
            Happened::Found { job, at, presence: Presence::Missing, .. } => {
                self.settle_missing(*job, (*at).into(), view)
            }
            Happened::StateRead { job, evidence, times } => match self.after_state(*job, evidence, *times, view) {
                Some(command) => command,
                None => return,
            },
            Happened::Announced(Announcement::Unread {
                item: Item { job, next: NextRequest::Find { at } },
                why,
                ..
            }) => self.not_read(*job, (*at).into(), why, view),
            _ => return,
        };
        then.propose(Rank::GoOn, [next]);
    }

    fn leave(self: Box<Self>, left: &mut LeftBehind) {
        left.shown = self.shown;
    }
}

/// An id is that of one kind of thing.
fn named_by(job: &Job) -> (TargetKind, String) {
    (job.action.target, job.target().to_ascii_lowercase())
}

fn find(job: u32, at: usize) -> Command {
    Command::send(job, NextRequest::Find { at: u8::try_from(at).unwrap_or(u8::MAX) })
}

/// Whether the id at that place is the one that something is done to.
fn is_target(job: &Job, at: usize) -> bool {
    at + 1 == job.route.ids.len()
}

/// The id after that one; after the last one, the state that the action is about.
fn find_next(job: u32, at: usize, view: &RunView) -> Command {
    let it = view.job(job);
    match at + 1 < it.route.ids.len() || it.action.read_back.tells() {
        true => find(job, at + 1),
        false => settle_unexplained(job, None, view),
    }
}

impl Absence {
    fn missing(&mut self, job: u32, found_by: NextRequest, view: &RunView) -> Command {
        let it = view.job(job);
        let last = it.route.ids.len().saturating_sub(1);
        let reads_more = matches!(
            it.action.read_back,
            Kind::Unlisted | Kind::Emptied | Kind::BackAt { .. } | Kind::UserDevices { .. }
        );
        match found_by {
            // A read of the target has found nothing. Where the route names nothing else, that is what is missing.
            NextRequest::ReadBack { .. } if last == 0 && !reads_more => self.settle_missing(job, 0, view),
            NextRequest::Check if last == 0 || it.action.target == TargetKind::GroupMember => {
                self.settle_missing(job, last, view)
            }
            // The service does not know something that the path names: each id is read.
            _ => find(job, 0),
        }
    }

    /// Every id is there; what does a read show of the state?
    fn after_state(&self, job: u32, evidence: &Evidence, times: Times, view: &RunView) -> Option<Command> {
        let in_doubt = view.is_in_doubt(job);
        let by_the_read = || {
            let read = ReadBackAnswer { job, evidence: evidence.clone(), resend: false, times, judged: false };
            Command::Announce(Announcement::ReadBack(read))
        };
        Some(match evidence {
            Evidence::NotRead(_) => return None,
            Evidence::Effect(_) if in_doubt && self.done_before.contains(&job) => by_the_read(),
            Evidence::Effect(seen) if in_doubt => {
                Command::settle(job, retry::success(view.action(job)), Some(seen.clone()))
            }
            Evidence::Effect(seen) => Command::settle(job, Outcome::AlreadyDone, Some(seen.clone())),
            Evidence::NoEffect(_) | Evidence::CannotTell(_) if in_doubt => by_the_read(),
            Evidence::NoEffect(seen) | Evidence::CannotTell(seen) | Evidence::Gone(seen) => {
                settle_unexplained(job, Some(seen), view)
            }
        })
    }

    fn not_read(&mut self, job: u32, at: usize, why: &str, view: &RunView) -> Command {
        let it = view.job(job);
        // That the list of the group does not show a member tells without a read of the member itself.
        if it.action.target == TargetKind::GroupMember && is_target(it, at) && self.was_shown(job, view) {
            return find_next(job, at, view);
        }
        let note = format!("the service does not know something that it names; what, could not be read ({why})");
        settle_absence(job, Outcome::Failed, note, view)
    }

    /// What the id at that place names is not there.
    fn settle_missing(&mut self, job: u32, at: usize, view: &RunView) -> Command {
        let it = view.job(job);
        let done = it.missing == Some(Missing::Done);
        let is_target = is_target(it, at);
        let shown = is_target && self.was_shown(job, view);
        let wanted = is_target && retry::gone(it.action) == Outcome::AlreadyDone;
        let what = named(it, at);
        let not_any_more = format!("{what} is not there any more");
        let never = || format!("this tenant has never shown {what} (missing: {})", Missing::Done.name());
        let (outcome, note) = match (shown, view.is_in_doubt(job)) {
            (true, true) if wanted => {
                let effect = matches!(it.action.read_back, Kind::Absent | Kind::AbsentLater);
                let outcome = if effect { retry::success(it.action) } else { Outcome::AlreadyDone };
                (outcome, format!("{not_any_more}, after an attempt whose answer was lost"))
            }
            (true, true) => (Outcome::Unknown, not_any_more),
            (false, true) if wanted && done => (Outcome::AlreadyDone, never()),
            (false, true) => {
                (Outcome::Unknown, format!("{what} is not there, and nothing has ever shown it in this tenant"))
            }
            (true, false) if wanted || done => (Outcome::AlreadyDone, not_any_more),
            (true, false) => (Outcome::Failed, not_any_more),
            (false, false) if done => (Outcome::AlreadyDone, never()),
            (false, false) => (Outcome::NotFound, format!("nothing has ever shown {what} in this tenant")),
        };
        settle_absence(job, outcome, note, view)
    }

    /// Whether any read or answer has shown the target in this tenant: when it was looked up, when the preview was saved,
    /// in this run, or in another one.
    fn was_shown(&mut self, job: u32, view: &RunView) -> bool {
        // What a person was asked to approve was there.
        let approved = view.ledger.progress(job).is_some_and(|progress| progress.approved.is_some());
        if approved || self.known.contains(&job) || self.shown.contains(&job) {
            return true;
        }
        let siblings = self.siblings(job, view.jobs).to_vec();
        let showed = |other: &u32| {
            let settled = view.settlement(*other).map(|settled| settled.outcome);
            let there = [Outcome::Completed, Outcome::Accepted, Outcome::AwaitingApproval];
            self.shown.contains(other) || settled.is_some_and(|outcome| there.contains(&outcome))
        };
        siblings.iter().any(showed)
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

    /// A read has shown the target: every later run knows that it was there.
    fn saw_target(&mut self, job: u32, then: &mut Then) {
        if self.shown.insert(job) {
            then.push(Command::Write(JournalEntry::Seen(job)));
        }
    }
}

/// Whether a read back shows the target itself.
fn shows_target(evidence: &Evidence, action: &Action) -> bool {
    match (evidence, action.read_back) {
        (Evidence::Gone(_) | Evidence::NotRead(_), _) | (_, Kind::Nobody) => false,
        // A list in which it is not, and a place to which it has not come back.
        (Evidence::Effect(_) | Evidence::CannotTell(_), Kind::Unlisted) => false,
        (Evidence::NoEffect(_) | Evidence::CannotTell(_), Kind::BackAt { .. }) => false,
        (Evidence::Effect(_) | Evidence::NoEffect(_) | Evidence::CannotTell(_), _) => true,
    }
}

/// Nothing is missing, and the service says that something is.
fn settle_unexplained(job: u32, seen: Option<&str>, view: &RunView) -> Command {
    let seen = seen.map(|seen| format!(": {seen}")).unwrap_or_default();
    let note = format!("the service says that it does not know it, and a read shows that it is there{seen}");
    settle_absence(job, Outcome::Failed, note, view)
}

/// What was sent and is in doubt stays in doubt, whatever else is found.
fn settle_absence(job: u32, outcome: Outcome, note: String, view: &RunView) -> Command {
    let open = matches!(outcome, Outcome::Failed | Outcome::NotFound | Outcome::Unknown);
    match view.is_in_doubt(job) && open {
        true => {
            let wanted = retry::gone(view.action(job)) == Outcome::AlreadyDone;
            let advice = match outcome == Outcome::Unknown && wanted {
                true => "an attempt whose answer was lost may have done it".to_owned(),
                false => view.look_at(job),
            };
            Command::settle(job, Outcome::Unknown, Some(format!("{note}; {advice}")))
        }
        false => Command::settle(job, outcome, Some(note)),
    }
}

/// `group 9000…`, `managedDevice 7f4e…`
fn named(job: &Job, at: usize) -> String {
    let name = job.route.ids.get(at).map_or("target", |id| id.name);
    let id = job.ids.iter().nth(at).unwrap_or_default();
    format!("{} {id}", name.strip_suffix("Id").unwrap_or(name))
}
