//! What all runs of this machine know of the jobs of a plan.
//!
//! In: whose jobs, and where. Out: for each job that somebody has done, left in doubt or asked an approval for, which run,
//! how and when; and up to which place in the order of all runs that is so. Must not: read; the store does.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::job::JobId;

pub(crate) use super::known::{DoneBefore, InDoubt, Known, Pending, TurnedDown};
pub(crate) use super::open::OpenJob;

/// The place of tenants that are embedded in the process that runs against them, each a new one.
pub(crate) const SIMULATED: &str = "simulated";

/// Whose jobs, and what to look for.
#[derive(Debug, Clone, Copy)]
pub struct MemoryQuery<'a> {
    pub plan_key: &'a str,
    /// The Graph, or [`SIMULATED`]: there nothing but the plan's own runs is known.
    pub place: &'a str,
    /// As somebody has spelled it.
    pub tenant: &'a str,
    /// Whether what runs of the plan have done counts, whatever it is; otherwise only what may not be repeated does.
    pub once: bool,
    /// What is open is so until a certain time.
    pub now: Timestamp,
}

/// A job that a run has made of a row that names no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasLookedUp {
    /// Of the same plan.
    pub own: bool,
    pub job: JobId,
    pub action: String,
    pub route: String,
    pub ids: Vec<String>,
    pub body: Option<String>,
    /// What the target was called.
    pub name: Option<String>,
    /// The managed device that had led to it.
    pub device: Option<String>,
    /// The run in which nothing was left to do for it, if that was pruned.
    pub left_by: Option<String>,
}

/// What is known of the jobs of a plan, by index.
#[derive(Debug, Default)]
pub struct JobMemory {
    pub jobs: HashMap<u32, Known>,
    /// Up to this place in the order of all runs.
    pub order: i64,
    /// By index: what may be repeated and runs of the same plan have done, where that does not count.
    pub repeated: HashMap<u32, DoneBefore>,
    /// By index: what runs of other plans have open on the target.
    pub open: Vec<(u32, Vec<OpenJob>)>,
}
