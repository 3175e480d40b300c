//! What a `resume` is asked for.
//!
//! In: what the command line says. Out: [`ResumeRequest`]. Must not: read the journal.

use std::path::PathBuf;

use crate::journal::resume::Only;
use crate::ops::start::Start;
use crate::ops::stay::Stay;
use crate::simulator::transport::SimTransport;

/// What to go on with.
#[derive(Debug)]
pub struct ResumeRequest {
    /// The run's id, the beginning of it, or `latest`.
    pub run: String,
    pub only: Only,
    /// File again what nobody approved in time.
    pub refile: bool,
    /// The reason from now on; by default the one that the run was begun with, or else the plan's of today.
    pub justification: Option<String>,
    /// A plan that cannot be read any more is no reason to stop: what was agreed to goes on.
    pub as_agreed: bool,
    pub stay: Stay,
    /// The tenant, where the run's own was one in process.
    pub in_process: Option<SimTransport>,
    /// A policy that applies beside the well-known ones; by default the one that the run was begun with.
    pub policy: Option<PathBuf>,
    /// Where the report goes; to the run's own report by default.
    pub report: Option<PathBuf>,
    /// The number of jobs that are left and that somebody agreed to beforehand.
    pub confirm: Option<u32>,
    /// Whether somebody is there to be asked.
    pub interactive: bool,
    pub start: Start,
}
