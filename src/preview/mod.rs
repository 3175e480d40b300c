//! Preview: what would be sent, and what the guards say of it.
//!
//! In: jobs and the preflight findings. Out: rows, made one at a time; counts; a forecast; CSV and JSON.
//! Must not: touch the network, print, or hold text for every row, because a plan may have a million of them.

mod blocks;
mod consequences;
mod count;
pub(crate) mod diff;
mod guards;
mod keys;
mod of_jobs;
mod row;
mod rows;
pub(crate) mod saved;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use consequences::ConsequenceCount;
pub(crate) use count::BucketCount;
pub use of_jobs::Preview;
pub(crate) use row::{PreviewRow, PreviewState, UNVERIFIED};
pub(crate) use write::{write_csv, write_json};
