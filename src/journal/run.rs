//! Runs as their users hand them in and get them back.
//!
//! In: nothing. Out: a run about to start, one that was read, one line of the list. Must not: read, or write.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::id::RunId;
use super::known::Pending;
use super::state::RunState;
use super::stored::{PastAttempt, StoredJob};
use crate::catalog::Action;
use crate::job::Job;
use crate::outcome::{Settlement, Tally};

/// A file that the plan was read from.
#[derive(Debug, Clone)]
pub struct PlanFile {
    pub file: String,
    pub text: Vec<u8>,
}

/// What a run knows of a job from runs of the same plan before it.
#[derive(Debug, Clone)]
pub enum Inherited {
    /// Nothing is left to do.
    Settled(Box<Settlement>),
    /// These attempts of other runs are in doubt. They count as the job's first ones here.
    InDoubt { attempts: Vec<PastAttempt> },
    /// An approval request for it is open, and belongs to this run from now on.
    Asked { pending: Box<Pending>, settlement: Box<Settlement> },
}

/// A run about to start. `request` gives method, path and body of a job as they will be sent.
pub struct NewRun<'a, F> {
    pub id: &'a RunId,
    pub plan_key: &'a str,
    pub plan_file: &'a str,
    pub plan_digest: &'a str,
    pub plan_files: &'a [PlanFile],
    pub tenant: &'a str,
    /// The Graph it is run against, or [`super::memory::SIMULATED`].
    pub place: &'a str,
    /// Up to this place in the order it has taken account of what other runs have done.
    pub known: i64,
    pub settings: &'a Value,
    pub report: Option<&'a Path>,
    pub jobs: &'a [Job],
    /// By index.
    pub inherited: &'a [(u32, Inherited)],
    pub request: F,
    pub now: Timestamp,
}

/// One run as recorded, without its jobs.
#[derive(Debug)]
pub struct RunHead {
    pub number: i64,
    pub id: RunId,
    pub state: RunState,
    pub plan_key: String,
    pub plan_file: String,
    pub plan_digest: String,
    pub tenant: String,
    /// The Graph it is run against, or `simulated`.
    pub place: String,
    /// Up to this place in the order of all runs it has taken account of the others.
    pub known: i64,
    pub settings: Value,
    pub report: Option<String>,
    pub started_at: Timestamp,
    /// How many it has.
    pub jobs: u32,
    /// The actions that its plan defines.
    pub own: Vec<&'static Action>,
}

/// One run, whole.
#[derive(Debug)]
pub struct RunRecord {
    pub head: RunHead,
    pub jobs: Vec<StoredJob>,
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct RunSummary {
    pub id: RunId,
    /// As recorded, or broken off where a run that should be under way is not.
    pub state: RunState,
    pub plan_file: String,
    pub tenant: String,
    pub started_at: Timestamp,
    pub jobs: u32,
    /// Jobs that have settled.
    pub settled: Tally,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    pub runs: usize,
    pub jobs: u64,
}
