//! musterout: bulk operations on Microsoft Graph and Intune, declared in a plan.
//!
//! The flow, in the order of the modules below: `clock` keeps the time, `catalog` knows the actions. `plan` reads a file into [`job::Job`]s,
//! or into `diagnostics` of every fault at once, and `resolve` looks up what is not named by its id. `guard` says which jobs are held. `preview` shows each job as the
//! request that `msgraph` builds for it. `runner` hands jobs to an executor, paced and retried; the executor is
//! `msgraph`'s client, over HTTP or over the `simulator`. Each job settles with an `outcome`, `report` writes one row
//! for each, and `ui` shows it all while it happens. `ops` has one function per verb, `cli` calls them.

pub mod address;
pub mod clock;
pub mod moment;
pub mod text;
pub mod catalog;
pub mod identity;
pub mod escrow;
pub mod job;
pub mod outcome;
pub mod approval;
pub mod pacing;
pub mod daily;
pub mod diagnostics;
pub mod source;
pub mod yaml;
pub mod settings;
pub mod plan;
pub mod resolve;
pub mod guard;
pub mod preview;
pub mod journal;
pub mod runner;
pub mod msgraph;
pub mod session;
pub mod report;
pub mod ui;
pub mod ops;
pub mod cli;
pub mod simulator;
