//! The files of a plan as they were agreed to.
//!
//! In: a plan that was read. Out: the plan anew, where a file is not what it was. Must not: say what a difference means.

use std::fs;
use std::path::PathBuf;

use super::guards::first_error;
use crate::diagnostics::Diagnostics;
use crate::plan::{self, Input, Plan};
use crate::source::Fingerprint;

/// The files of a plan as they were read.
#[derive(Debug, Clone)]
pub(super) struct AgreedPlan {
    pub file: PathBuf,
    inputs: Vec<(PathBuf, Fingerprint)>,
}

impl AgreedPlan {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { file: plan.file.clone(), inputs: inputs(&plan.inputs) }
    }
    /// The files that it is made of.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.inputs.iter().map(|(file, _)| file)
    }

    /// What was read of it last is what it is compared with from now on.
    pub(super) fn is_now(&mut self, plan: &Plan) {
        self.inputs = inputs(&plan.inputs);
    }

    /// The plan, where it is not what was agreed to.
    pub(super) fn as_it_is(&self) -> Result<Option<Plan>, Box<str>> {
        let is_as_read = |(file, known): &(PathBuf, Fingerprint)| {
            fs::read(file).is_ok_and(|bytes| Fingerprint::of(&bytes) == *known)
        };
        if self.inputs.iter().all(is_as_read) {
            return Ok(None);
        }
        let unreadable = |faults: Diagnostics| {
            let why = first_error(&faults).unwrap_or_default();
            format!("the plan {} has changed and has faults: {why}", self.file.display()).into_boxed_str()
        };
        plan::load(&self.file).map(Some).map_err(unreadable)
    }
}

fn inputs(inputs: &[Input]) -> Vec<(PathBuf, Fingerprint)> {
    inputs.iter().map(|input| (input.file.clone(), input.fingerprint)).collect()
}
