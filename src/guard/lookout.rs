//! The look right before a send: who is checked, and what is found.
//!
//! In: what a preview saw of each target, and what a read shows now. Out: whether a job wants a look, and why it is held.
//! Pure: the runner reads, this judges. Must not: let a target pass that was seen and is another one now.

use std::collections::HashMap;

use super::drift::{self, Sighting};
use crate::identity::Identity;
use crate::job::Job;

/// What is checked of a target before something is sent that cannot be taken back. The default checks nothing, and
/// nothing is read then.
#[derive(Debug, Default)]
pub struct Lookout {
    /// By the job's index in the plan.
    seen: HashMap<u32, Sighting>,
}

impl Lookout {
    /// Compares targets with what a preview saw of them.
    pub fn for_drift(seen: HashMap<u32, Sighting>) -> Self {
        Self { seen }
    }

    /// Whether the target is read right before the job is sent.
    pub fn wants(&self, index: u32, job: &Job) -> bool {
        job.action.risk.wants_confirmation() && self.seen.contains_key(&index)
    }

    /// Why the job is held, now that its target was read.
    pub fn judge(&self, index: u32, now: &Identity) -> Option<String> {
        let found: Vec<String> = match self.seen.get(&index) {
            None => Vec::new(),
            Some(Sighting::Identity(was)) => drift::differences(was, now),
            Some(Sighting::Gone) => vec!["was not there, and is there now".into()],
            Some(Sighting::NotRead(why)) => vec![format!("it could not be read then ({why})")],
        };
        (!found.is_empty()).then(|| format!("not as the preview saw it: {}", found.join("; ")))
    }
}
