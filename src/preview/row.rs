//! One row of a preview: a job, the request it becomes, and whether it would be sent.
//!
//! In: a job and the guard's finding. Out: a [`PreviewRow`], made when it is asked for, and its request likewise. Must not: build a
//! request in any other way than the run does.

use super::keys;
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::preflight::Hold;
use crate::guard::waves::length;
use crate::job::Job;
use crate::msgraph::request::{self, GraphRequest};

/// Whether a run would send it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewState {
    Send,
    Held,
    NotDue,
    Done,
}

impl PreviewState {
    pub(super) fn of(hold: Option<&Hold>) -> Self {
        match hold {
            None => Self::Send,
            Some(Hold::NotDue { .. } | Hold::NotLookedUp { .. }) => Self::NotDue,
            Some(
                Hold::Duplicate { .. }
                | Hold::AfterHeld { .. }
                | Hold::Removed
                | Hold::Protected(_)
                | Hold::MaybeProtected(_)
                | Hold::Unseen
                | Hold::Moved(_)
                | Hold::OpenElsewhere(_)
                | Hold::LeftTo { .. }
                | Hold::NotEscrowed(_)
                | Hold::Denied(_)
                | Hold::Several(_)
                | Hold::NotThere { done: false, .. },
            ) => Self::Held,
            Some(Hold::Done | Hold::NothingLeft(_) | Hold::NotThere { done: true, .. }) => Self::Done,
        }
    }

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Held => "held",
            Self::NotDue => "not_due",
            Self::Done => "done",
        }
    }
}

/// What is said of an action that the plan defines.
pub(crate) const UNVERIFIED: &str = "unverified: the plan defines this action";

/// One row.
#[derive(Debug)]
pub struct PreviewRow<'a> {
    pub job: &'a Job,
    pub state: PreviewState,
    /// Why it would not be sent.
    pub hold: Option<&'a Hold>,
    /// The step that must settle well before.
    pub after: Option<&'a Job>,
    /// What was seen of its target.
    pub sighting: Option<&'a Sighting>,
    /// What is on file of it, where anybody has looked.
    pub keys: Option<&'a Keys>,
}

impl<'a> PreviewRow<'a> {
    pub(super) fn new(jobs: &'a [Job], at: usize, hold: Option<&'a Hold>, sighting: Option<&'a Sighting>) -> Self {
        let job = &jobs[at];
        let after = job.after.and_then(|after| jobs.get(after as usize));
        Self { job, state: PreviewState::of(hold), hold, after, sighting, keys: None }
    }

    /// What it becomes.
    pub fn request(&self) -> GraphRequest<'a> {
        request::build(self.job)
    }

    /// What the target is called: as the preview saw it, or as it was looked up.
    pub fn name(&self) -> Option<&'a str> {
        self.job.called()
    }

    /// The operator's remark, how the target was found, why it would not be sent, what it waits for, how urgent it is, and whether
    /// anybody has checked the action.
    pub fn note(&self) -> Option<String> {
        let after = self.after.map(|first| match self.job.verified_within() {
            None => format!("after {} of row {}", first.action.name, first.row),
            Some(within) => format!(
                "after {} of row {} was seen to have happened, within {}",
                first.action.name,
                first.row,
                length(within)
            ),
        });
        let hold = self.hold.map(|hold| hold.to_string());
        let found = self.job.found.as_ref().map(|found| match &found.name {
            Some(name) => format!("{name}, found by {}", found.by),
            None => format!("found by {}", found.by),
        });
        let unverified = self.job.action.is_unverified().then(|| UNVERIFIED.to_owned());
        let priority = (self.job.priority != 0).then(|| format!("priority {}", self.job.priority));
        let not_known = self.keys.filter(|_| self.hold.is_none()).and_then(keys::not_known);
        let parts = [self.job.note.as_deref().map(str::to_owned), found, hold, not_known, after, priority, unverified];
        let note: Vec<_> = parts.into_iter().flatten().collect();
        (!note.is_empty()).then(|| note.join("; "))
    }
}

pub(super) fn hold_at(holds: &[Option<Hold>], at: usize) -> Option<&Hold> {
    holds.get(at)?.as_ref()
}
