//! The plan: what the operator wrote, read and validated.
//!
//! In: a YAML or CSV file, and the CSV files it names. Out: a [`Plan`] with its jobs in plan order, or every fault of
//! all files at once. Must not: touch the network, guess a target, or ignore anything silently.

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostics;
use crate::job::Job;

/// A plan that has been read, found right, and expanded into jobs.
#[derive(Debug)]
pub struct Plan {
    pub file: PathBuf,
    pub name: Option<String>,
    /// Domain or id of the tenant it is meant for.
    pub tenant: Option<String>,
    pub justification: Option<String>,
    pub limits: Limits,
    /// In plan order.
    pub jobs: Vec<Job>,
    /// What was read and how it was understood, the plan itself first.
    pub inputs: Vec<Input>,
    pub warnings: Diagnostics,
}

/// The `limits:` of a plan; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight, at most: 1 to 256.
    pub concurrency: Option<u16>,
    /// Share of the service's allowance that is left to others: 0 to 95.
    pub reserve_percent: Option<u8>,
    /// Tries of one job, at most: 1 to 20.
    pub max_attempts: Option<u8>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub file: PathBuf,
    /// `YAML`, or how the CSV was understood: `CSV, UTF-8, separated by ;`.
    pub format: String,
    pub rows: usize,
    /// Columns that were not used, as the file spells them.
    pub unused_columns: Vec<String>,
}

/// Reads, validates and expands the plan at `path`.
pub fn load(path: &Path) -> Result<Plan, Diagnostics> {
    let _ = path;
    Err(Diagnostics::default())
}
