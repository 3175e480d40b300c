//! The look right before a send: who is checked, and what is found.
//!
//! In: what a preview or an inventory saw of each target, and what a read shows now. Out: whether a job wants a look, and why
//! it is held. Pure: the runner reads, this judges. Must not: let a target pass that was seen and is another one now.

use std::collections::HashMap;

use super::drift::{self, Sighting};
use super::protected::Protected;
use crate::catalog::{Action, Alters, Risk};
use crate::identity::Identity;
use crate::job::Job;
use crate::outcome::{Cause, Unsent};

/// What is checked of a target before something is sent. The default checks nothing, and nothing is read then.
#[derive(Debug, Clone, Default)]
pub struct PreSendCheck {
    /// By the job's index in the plan.
    seen: HashMap<u32, (Sighting, SeenBy)>,
    /// What the steps before a job change of its target themselves, by index.
    altered: HashMap<u32, Vec<Alters>>,
    protected: Protected,
}

/// Who has seen a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenBy {
    Preview,
    Inventory,
}

impl SeenBy {
    /// Whether an action is sent only to a target that is still what was seen. What a preview has shown was agreed to; an
    /// inventory may be old, and what can be undone is not stopped by it.
    fn binds(self, action: &Action) -> bool {
        match self {
            Self::Preview => is_compared(action),
            Self::Inventory => action.risk.wants_confirmation(),
        }
    }
}

/// Whether the target of an action is compared with what the preview saw of it: wherever something changes.
pub(super) fn is_compared(action: &Action) -> bool {
    action.risk >= Risk::Reversible
}

impl PreSendCheck {
    /// Compares targets with what was seen of them, and by whom.
    pub fn for_drift(seen: HashMap<u32, (Sighting, SeenBy)>) -> Self {
        Self { seen, ..Self::default() }
    }

    /// Takes what one step does to a target for no reason to hold the next.
    #[must_use]
    pub fn in_steps(self, jobs: &[Job]) -> Self {
        let mut altered: HashMap<u32, Vec<Alters>> = HashMap::new();
        for (index, job) in (0u32..).zip(jobs) {
            let Some((at, before)) = job.after.and_then(|at| Some((at, jobs.get(at as usize)?))) else { continue };
            let same = before.action.target == job.action.target && before.target().eq_ignore_ascii_case(job.target());
            let own = before.action.alters.iter().filter(|_| same).copied();
            let all: Vec<Alters> = altered.get(&at).into_iter().flatten().copied().chain(own).collect();
            if !all.is_empty() {
                altered.insert(index, all);
            }
        }
        Self { altered, ..self }
    }

    /// Holds every target against that list too, as far as its ids have not told already.
    #[must_use]
    pub fn sparing(self, protected: Protected) -> Self {
        Self { protected, ..self }
    }

    /// The list is another one now.
    pub fn spare(&mut self, protected: Protected) {
        self.protected = protected;
    }

    /// Whether the target is read right before the job is sent. What is protected is spared whatever the action, and an
    /// id alone does not tell who its target is. A name that the body holds may have moved since it was looked up.
    pub fn wants(&self, index: u32, job: &Job) -> bool {
        let names_somebody = job.names.as_ref().is_some_and(|names| !names.in_body.is_empty());
        names_somebody || !self.protected.is_empty() || self.agreed(index, job).is_some()
    }

    fn agreed(&self, index: u32, job: &Job) -> Option<&(Sighting, SeenBy)> {
        self.seen.get(&index).filter(|(_, source)| source.binds(job.action))
    }

    /// Whether the preview saw the target.
    pub fn has_seen(&self, index: u32) -> bool {
        matches!(self.seen.get(&index), Some((Sighting::Identity(_), _)))
    }

    /// Why the job is held, now that its target was read.
    pub fn judge(&self, index: u32, job: &Job, now: &Identity) -> Option<Unsent> {
        if let Some(finding) = self.protected.covers(job, Some(now)) {
            let cause = if finding.is_certain() { Cause::Protected } else { Cause::MaybeProtected };
            return Some(cause.with(finding.to_string()));
        }
        let (was, source) = self.agreed(index, job)?;
        let found: Vec<String> = match was {
            Sighting::Identity(was) => {
                drift::differences(was, now, self.altered.get(&index).map_or(&[], Vec::as_slice))
            }
            Sighting::Gone => vec!["was not there, and is there now".into()],
            Sighting::NotRead(why) => vec![format!("it could not be read then ({why})")],
        };
        let by = match source {
            SeenBy::Preview => "the preview saw it",
            SeenBy::Inventory => "the inventory has it",
        };
        (!found.is_empty()).then(|| Cause::TargetChanged.with(format!("{by}: {}", found.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::protected::ProtectedEntry;
    use crate::job::{Ids, JobParts};

    fn job(action: &str) -> Job {
        Job::new(JobParts::plain(1, Action::named(action).unwrap(), Ids::new(["a"])))
    }

    fn called(name: &str) -> Identity {
        Identity { id: "a".into(), name: Some(name.into()), ..Identity::default() }
    }

    fn lookout(source: SeenBy) -> PreSendCheck {
        PreSendCheck::for_drift([(0, (Sighting::Identity(Box::new(called("LAB-1"))), source))].into())
    }

    #[test]
    fn whatever_changes_something_is_compared_with_the_preview() {
        let lookout = lookout(SeenBy::Preview);
        for (action, compared) in
            [("wipe", true), ("disableUser", true), ("setDeviceName", true), ("syncDevice", false)]
        {
            assert_eq!(lookout.wants(0, &job(action)), compared, "{action}");
            let held = lookout.judge(0, &job(action), &called("LAB-2"));
            assert_eq!(held.is_some(), compared, "{action}");
            assert!(
                held.is_none_or(|why| why.note().contains("not as the preview saw it: renamed from LAB-1 to LAB-2"))
            );
        }
        assert!(!lookout.wants(1, &job("wipe")), "nobody has seen it");
    }

    #[test]
    fn a_step_is_not_held_for_what_the_one_before_it_did() {
        let behind = |first: &str| {
            let jobs = [job(first), Job { after: Some(0), ..job("wipe") }];
            let seen = (Sighting::Identity(Box::new(called("LAB-1"))), SeenBy::Preview);
            PreSendCheck::for_drift([(1, seen)].into()).in_steps(&jobs).judge(1, &jobs[1], &called("LAB-2"))
        };
        assert_eq!(behind("setDeviceName"), None);
        assert!(behind("syncDevice").is_some_and(|why| why.note().contains("renamed")));
    }

    #[test]
    fn an_inventory_binds_what_cannot_be_undone() {
        let lookout = lookout(SeenBy::Inventory);
        assert!(lookout.wants(0, &job("wipe")) && !lookout.wants(0, &job("disableUser")));
        let why = lookout.judge(0, &job("wipe"), &called("LAB-2")).unwrap();
        assert!(why.note().contains("not as the inventory has it"), "{why:?}");
        assert_eq!(lookout.judge(0, &job("disableUser"), &called("LAB-2")), None);
    }

    #[test]
    fn a_list_of_ids_alone_wants_a_look_as_well() {
        let entry = ProtectedEntry::new("61000000-0000-4000-8000-0000000000d1", &"vip.csv".into(), 2);
        let lookout = PreSendCheck::default().sparing(vec![entry].into());
        assert!(lookout.wants(0, &job("syncDevice")));
        let mut device = called("VIP-1");
        device.azure_ad_device_id = Some("61000000-0000-4000-8000-0000000000D1".into());
        assert!(lookout.judge(0, &job("syncDevice"), &device).unwrap().note().contains("its Entra device id"));
        assert_eq!(lookout.judge(0, &job("syncDevice"), &called("LAB-1")), None);
    }
}
