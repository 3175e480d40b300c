//! What a person at the terminal sees.
//!
//! In: events, previews, outcomes. Out: a bar, lines, tables, a question; mostly as strings, so that they are tested
//! without a terminal. Must not: decide anything about a run.

pub(crate) mod actions;
pub(crate) mod approvals;
pub(crate) mod bar;
pub(crate) mod checked;
pub(crate) mod consequences;
pub(crate) mod diff;
pub(crate) mod confirm;
pub(crate) mod days;
pub(crate) mod faults;
mod guards;
#[cfg(test)]
mod fixtures;
mod keys;
pub(crate) mod next;
mod pace;
pub(crate) mod preview;
pub(crate) mod progress;
pub(crate) mod result;
pub(crate) mod resuming;
pub(crate) mod runs;
pub(crate) mod saved;
pub(crate) mod stderr;
mod steps;
mod stopping;
pub(crate) mod style;
pub(crate) mod subject;
mod tables;
pub(crate) mod text;
mod waits;
mod trouble;
mod typed_ahead;
mod verifying;
pub(crate) mod waves;
pub(crate) mod wrap;
