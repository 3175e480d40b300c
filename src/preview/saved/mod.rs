//! The saved preview: one file that says what was agreed to, whole.
//!
//! In: a preview with what was seen of its targets, and where it is meant to be sent. Out: a canonical file, and the same
//! read back with every job rebuilt. Must not: trust what it reads; a byte that differs, a job that is no longer what the
//! file says, a finding that would be another one today: each refuses the whole file.
//!
//! One JSON document: the head on the first line, one job a line, the digest on the last one. Keys stand in the order of
//! the structs below, there are no fractions, and lines end in `\n`: the same preview makes the same bytes everywhere.
//! The digest is SHA-256 over all lines before its own.

mod format;
mod limits;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use format::{Head, PlanOfPreview};
pub(crate) use limits::LimitsOfPreview;
pub(crate) use read::{SavedPreview, Unusable, read, read_of_run};
pub(crate) use write::write;
