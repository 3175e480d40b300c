//! The plan: what the operator wrote, read and validated.
//!
//! In: a YAML or CSV file, and the CSV files it names. Out: a [`Plan`] with its jobs in plan order, or every fault of
//! all files at once. Must not: touch the network, guess a target, or ignore anything silently.

mod columns;
mod daily;
mod definitions;
mod dialect;
mod document;
mod escrow;
mod expand;
mod filter;
mod guards;
mod heading;
mod identifier;
mod input;
mod json;
mod layout;
mod limits;
mod load;
mod loaded;
mod mapping;
mod missing;
mod order;
mod overrides;
mod places;
pub mod policy;
mod priority;
mod protected;
mod rows;
mod schedule;
mod serial;
mod stop_when;
mod table;
mod targets;
mod unresolved;
mod vocabulary;
mod waiting;
mod waves;
mod work;

pub use self::document::justification;
pub use self::expand::MAX_JOBS;
pub use self::filter::{Age, Filter, PROPERTIES, Property, Test};
pub use self::guards::KEYS as GUARDS;
pub use self::input::Input;
pub use self::load::load;
pub use self::loaded::Plan;
pub use self::places::Places;
pub use self::schedule::not_before;
pub use self::serial::says_nothing;
pub use self::unresolved::{Criterion, GroupGiven, Pointer, Unresolved, UnresolvedStep};
pub use crate::catalog::Limits;

#[cfg(test)]
mod tests;
