//! What earlier runs have made of rows, by what these say of their targets.
//!
//! In: the jobs that runs have looked up for a row, and how they stand. Out: the target that a row had when nothing is found by
//! it any more, and what to tell of the jobs of a set that is empty today. Pure. Must not: stand in for a target that is there.

use std::collections::HashMap;

use crate::catalog::{Action, OncePer, Repeat, TargetKind};
use crate::job::{Job, Parameters};
use crate::plan::{Unresolved, UnresolvedStep};
use crate::text;

/// A job that an earlier run has made of a row.
#[derive(Debug, Clone)]
pub struct EarlierJob {
    /// On the ids that were found then.
    pub job: Job,
    /// What the target was called.
    pub name: Option<Box<str>>,
    /// The managed device that had led to it.
    pub device: Option<Box<str>>,
    pub standing: EarlierStanding,
    /// Whether it is done, or nothing was left to do for it.
    pub is_done: bool,
    /// What became of it, for people.
    pub told: Box<str>,
}

/// How such a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierStanding {
    /// It was sent, or an approval request for it filed: done, in doubt, waiting or turned down. At that place in the order of all runs.
    Dealt(i64),
    /// Nothing was left to do for it.
    NothingLeft,
    /// It was looked up, and no more.
    Open,
}

impl EarlierJob {
    /// The machine or the user that it is about.
    pub fn thing(&self) -> &str {
        self.device.as_deref().unwrap_or(self.job.target())
    }

    /// Whether it is what that action with those parameters does.
    pub fn is_of(&self, action: &'static Action, parameters: Option<&Parameters>) -> bool {
        // What is sent calls a user as the directory does, and the plan may spell it otherwise.
        let body =
            |parameters: Option<&Parameters>| parameters.map(Parameters::body).unwrap_or_default().to_lowercase();
        let whole = action.repeat == Repeat::AfterReadBack && action.once_per == OncePer::Target;
        self.job.action == action && (whole || body(self.job.parameters.as_deref()) == body(parameters))
    }

    fn is_of_step(&self, step: &UnresolvedStep) -> bool {
        self.is_of(step.action, step.parameters.as_deref())
    }
}

/// What runs have made of rows, by the key of the row.
#[derive(Debug, Default)]
pub struct Before(HashMap<Box<str>, Vec<EarlierJob>>);

/// So many jobs of a set are named.
const NAMED: usize = 10;

impl Before {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a job that was made of the row with that key.
    pub fn add(&mut self, key: &str, made: EarlierJob) {
        self.0.entry(text::key(key).into()).or_default().push(made);
    }

    fn of(&self, row: &Unresolved) -> &[EarlierJob] {
        self.0.get(text::key(&row.key()).as_ref()).map_or(&[], Vec::as_slice)
    }

    /// What a row was about that nothing is found by: what the newest deed was done to.
    fn thing(&self, row: &Unresolved) -> Option<&str> {
        let of_steps = self.of(row).iter().filter(|made| row.steps.iter().any(|step| made.is_of_step(step)));
        let dealt = of_steps.clone().filter_map(|made| match made.standing {
            EarlierStanding::Dealt(seq) => Some((seq, made.thing())),
            EarlierStanding::NothingLeft | EarlierStanding::Open => None,
        });
        dealt.max_by_key(|(seq, _)| *seq).map(|(_, thing)| thing)
    }

    /// The target of the steps on that kind of a row that leads to nothing any more, because runs have dealt with it.
    pub fn target(&self, row: &Unresolved, kind: TargetKind) -> Option<&EarlierJob> {
        let thing = self.thing(row)?;
        let steps = || row.steps.iter().filter(|step| step.kind == kind);
        let made = self.of(row).iter().filter(|made| made.thing() == thing);
        made.clone().find(|made| steps().any(|step| made.is_of_step(step)))
    }

    /// The same where the device is there, and only this is not: a step on it was dealt with.
    pub fn target_of(&self, row: &Unresolved, kind: TargetKind, device: &str) -> Option<&EarlierJob> {
        let mut made = self.of(row).iter().filter(|made| made.device.as_deref() == Some(device));
        made.find(|made| {
            let is_dealt = matches!(made.standing, EarlierStanding::Dealt(_));
            is_dealt && row.steps.iter().any(|step| step.kind == kind && made.is_of_step(step))
        })
    }

    /// A step on a target that is gone, for which nothing was left to do the last time.
    pub(super) fn step_left(&self, row: &Unresolved, step: &UnresolvedStep, target: &str) -> Option<&EarlierJob> {
        let mut made = self.of(row).iter().filter(|made| made.standing == EarlierStanding::NothingLeft);
        made.find(|made| made.is_of_step(step) && made.job.target() == target)
    }

    /// The target for which nothing was left to do the last time, where nothing is found by the row any more.
    pub fn nothing_left(&self, row: &Unresolved, kind: TargetKind) -> Option<&EarlierJob> {
        let steps = || row.steps.iter().filter(|step| step.kind == kind);
        let of_step = |step| {
            self.of(row).iter().rfind(|made| made.is_of_step(step) && made.standing == EarlierStanding::NothingLeft)
        };
        let last: Option<Vec<&EarlierJob>> = steps().map(of_step).collect();
        last?.first().copied()
    }

    /// Whether runs have dealt with a row.
    pub(super) fn is_dealt(&self, row: &Unresolved) -> bool {
        self.thing(row).is_some()
    }

    /// Whether nothing is left of the jobs that a set has had.
    pub fn is_done(&self, row: &Unresolved) -> bool {
        let made = self.of(row);
        !made.is_empty() && made.iter().all(|made| made.is_done)
    }

    /// The group that a row has meant.
    pub fn group(&self, row: &Unresolved) -> Option<&str> {
        let thing = self.thing(row)?;
        let made = self.of(row).iter().find(|made| made.thing() == thing && made.job.route.ids.len() > 1)?;
        made.job.ids.iter().next()
    }

    /// Whether no run has ever looked up a job for a row.
    pub fn is_new(&self, row: &Unresolved) -> bool {
        self.of(row).is_empty()
    }

    /// What became of the jobs that a set has had.
    pub fn told(&self, row: &Unresolved) -> String {
        let made = self.of(row);
        if made.is_empty() {
            return "no earlier run has had a job for it".into();
        }
        let mut told: Vec<_> = made.iter().take(NAMED).map(|made| made.told.to_string()).collect();
        if made.len() > NAMED {
            told.push(format!("and {} more", made.len() - NAMED));
        }
        format!("jobs of earlier runs: {}", told.join(", "))
    }
}
