//! The runner: jobs in, one settlement per job out.
//!
//! In: jobs, an [`executor::Executor`], limits, a clock and a seed. Out: events while it works, settlements in plan
//! order at the end. Must not: know Graph, HTTP, files or terminals.

pub mod event;
pub mod executor;
