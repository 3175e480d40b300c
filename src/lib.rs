//! musterout: bulk operations on Microsoft Graph and Intune, declared in a plan.
//!
//! The flow, in the order of the modules below: `clock` keeps the time, `catalog` knows the actions. `plan` reads a file into [`job::Job`]s,
//! or into `diagnostics` of every fault at once, and `resolve` looks up what is not named by its id. `guard` says which jobs are held. `preview` shows each job as the
//! request that `msgraph` builds for it. `runner` hands jobs to an executor, paced and retried; the executor is
//! `msgraph`'s client, over HTTP or over the `simulator`. Each job settles with an `outcome`, `report` writes one row
//! for each, and `ui` shows it all while it happens. `ops` has one function per verb, `cli` calls them.
#![deny(unreachable_pub)]

mod address;
mod clock;
mod moment;
mod text;
mod catalog;
mod identity;
mod escrow;
mod job;
mod outcome;
mod approval;
mod pacing;
mod daily;
mod diagnostics;
mod source;
mod yaml;
mod settings;
mod plan;
mod resolve;
mod guard;
mod preview;
mod journal;
mod runner;
mod msgraph;
mod session;
mod report;
mod ui;
mod ops;
mod cli;
mod simulator;

#[doc(hidden)]
pub mod testing;

pub use cli::main;
