//! What a run is asked for.
//!
//! In: what the command line says. Out: [`RunRequest`]. Must not: read the plan.

use std::path::PathBuf;

use super::again::Repeats;
use super::limits::Choices;
use super::look_up::LookUp;
use super::spare::scenario;
use super::start::Start;
use super::stay::Stay;
use crate::catalog::Unresolvable;
use crate::plan::Plan;
use crate::session::TargetTenant;
use crate::settings::{PolicyFile, Settings};

/// What to run, and how.
#[derive(Debug)]
pub struct RunRequest {
    pub plan: PathBuf,
    pub tenant: TargetTenant,
    /// The policies that apply where they exist.
    pub policies: Vec<PolicyFile>,
    /// Where the report goes; a dated file in the working directory by default.
    pub report: Option<PathBuf>,
    pub confirm: Option<Confirm>,
    /// Whether somebody is there to be asked.
    pub interactive: bool,
    /// What is left alone because an earlier run has done it.
    pub repeats: Repeats,
    pub stay: Stay,
    /// A saved inventory to look targets up in, instead of asking the service.
    pub inventory: Option<PathBuf>,
    /// What the command line says becomes of rows that do not lead to one target.
    pub missing: Option<Unresolvable>,
    /// The reason that the command line gives for a plan that gives none.
    pub justification: Option<String>,
    pub choices: Choices,
    pub start: Start,
}

impl RunRequest {
    pub(super) fn look_up<'a>(&'a self, settings: &'a Settings) -> LookUp<'a> {
        LookUp {
            settings,
            tenant: &self.tenant,
            inventory: self.inventory.as_deref(),
            missing: self.missing,
            justification: self.justification.as_deref(),
            choices: self.choices,
            start: self.start,
        }
    }

    /// Every file that a new run is made of.
    pub(super) fn reads(&self, plan: &Plan, policy_files: &[PathBuf]) -> Vec<PathBuf> {
        let inputs = plan.inputs.iter().map(|input| &input.file).chain(policy_files).chain(&self.inventory);
        inputs.chain(scenario(&self.tenant)).cloned().collect()
    }
}

/// The number of jobs that somebody agreed to beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    Exactly(u32),
    /// For schedulers: a list may be a little longer or shorter each night.
    AtMost(u32),
}
