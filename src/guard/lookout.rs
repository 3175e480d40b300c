//! The look right before a send: who is checked, and what is found.
//!
//! In: what a preview saw of each target, and what a read shows now. Out: whether a job wants a look, and why it is held.
//! Pure: the runner reads, this judges. Must not: let a target pass that was seen and is another one now.

use std::collections::HashMap;

use super::drift::{self, Sighting};
use super::protected::Protected;
use crate::identity::Identity;
use crate::job::Job;

/// What is checked of a target before something is sent that cannot be taken back. The default checks nothing, and
/// nothing is read then.
#[derive(Debug, Clone, Default)]
pub struct Lookout {
    /// By the job's index in the plan.
    seen: HashMap<u32, Sighting>,
    protected: Protected,
}

impl Lookout {
    /// Compares targets with what a preview saw of them.
    pub fn for_drift(seen: HashMap<u32, Sighting>) -> Self {
        Self { seen, ..Self::default() }
    }

    /// Holds every target against that list too, as far as its ids have not told already.
    #[must_use]
    pub fn sparing(self, protected: Protected) -> Self {
        Self { protected, ..self }
    }

    /// Whether the target is read right before the job is sent. A protected name is spared whatever the action.
    pub fn wants(&self, index: u32, job: &Job) -> bool {
        let agreed = job.action.risk.wants_confirmation() && self.seen.contains_key(&index);
        agreed || self.protected.wants_a_look()
    }

    /// Whether the preview saw the target.
    pub fn has_seen(&self, index: u32) -> bool {
        matches!(self.seen.get(&index), Some(Sighting::Identity(_)))
    }

    /// Why the job is held, now that its target was read.
    pub fn judge(&self, index: u32, job: &Job, now: &Identity) -> Option<String> {
        if let Some(finding) = self.protected.covers(job, Some(now)) {
            return Some(finding.to_string());
        }
        let found: Vec<String> = match self.seen.get(&index) {
            None => Vec::new(),
            Some(Sighting::Identity(was)) => drift::differences(was, now),
            Some(Sighting::Gone) => vec!["was not there, and is there now".into()],
            Some(Sighting::NotRead(why)) => vec![format!("it could not be read then ({why})")],
        };
        (!found.is_empty()).then(|| format!("not as the preview saw it: {}", found.join("; ")))
    }
}
