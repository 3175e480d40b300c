//! What a person at the terminal sees.
//!
//! In: events, previews, outcomes. Out: a bar, lines, tables, a question; mostly as strings, so that they are tested
//! without a terminal. Must not: decide anything about a run.

pub mod actions;
pub mod approvals;
pub mod bar;
pub mod checked;
pub mod consequences;
pub mod diff;
pub mod confirm;
pub mod days;
pub mod faults;
mod guards;
#[cfg(test)]
mod fixtures;
mod keys;
pub mod next;
mod pace;
pub mod preview;
pub mod progress;
pub mod result;
pub mod resuming;
pub mod runs;
pub mod saved;
pub mod stderr;
mod steps;
mod stopping;
pub mod style;
pub mod subject;
mod tables;
pub mod text;
mod waits;
mod trouble;
mod typed_ahead;
mod verifying;
pub mod waves;
pub mod wrap;
