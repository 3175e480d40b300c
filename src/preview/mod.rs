//! Preview: what would be sent, and what the guards say of it.
//!
//! In: jobs and the preflight findings. Out: rows, made one at a time; counts; a forecast; CSV and JSON.
//! Must not: touch the network, print, or hold text for every row, because a plan may have a million of them.

mod blocks;
mod consequences;
mod count;
pub mod diff;
mod guards;
mod keys;
mod of_jobs;
mod row;
mod rows;
pub mod saved;
#[cfg(test)]
mod tests;
mod write;

pub use consequences::ConsequenceCount;
pub use count::{ActionCount, BucketCount};
pub use keys::KeyCount;
pub use of_jobs::Preview;
pub use row::{Row, State, UNVERIFIED};
pub use write::{COLUMNS, write_csv, write_json};
