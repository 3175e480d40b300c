//! The store: one SQLite database in the state directory.
//!
//! In: what the façade of the journal asks for. Out: the same values, whatever lies on the disk. Must not: be known to
//! anything but the façade, its recorder and the place of a journal in memory; no SQL stands outside this folder.

mod answers;
pub(super) mod approvals;
pub(super) mod begin;
pub(super) mod daily;
pub(super) mod done_before;
mod elsewhere;
mod follow_ups;
mod in_place;
mod in_step;
mod mark;
pub(super) mod in_memory;
mod jobs;
pub(super) mod list;
pub(super) mod looked_up;
pub(super) mod memory;
mod open_jobs;
mod order;
mod page;
mod parts;
pub(super) mod reader;
pub(super) mod recent;
mod rivals;
mod rows;
mod schema;
pub(super) mod shown;
mod sieve;
mod statements;
mod steps;
pub(super) mod store;
pub(super) mod writer;
