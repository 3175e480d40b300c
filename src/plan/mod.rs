//! The plan: what the operator wrote, read and validated.
//!
//! In: a YAML or CSV file, and the CSV files it names. Out: a [`Plan`] with its jobs in plan order, or every fault of
//! all files at once. Must not: touch the network, guess a target, or ignore anything silently.

mod blank;
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
pub(crate) mod policy;
mod priority;
mod protected;
mod rows;
mod schedule;
mod serial;
mod stop_when;
mod table;
mod targets;
mod unresolved;
pub(crate) mod values;
mod vocabulary;
mod waiting;
mod waves;
mod work;

pub(crate) use self::document::justification;
pub(crate) use self::expand::MAX_JOBS;
pub use self::filter::PROPERTIES;
pub(crate) use self::filter::{DeviceFilter, FilterTest, Property};
pub use self::guards::KEYS as GUARDS;
pub(crate) use self::input::Input;
pub use self::load::load;
pub use self::loaded::Plan;
pub use self::places::Places;
pub(crate) use self::schedule::not_before;
pub(crate) use self::serial::says_nothing;
pub(crate) use self::unresolved::GroupGiven;
pub use self::unresolved::{Criterion, Pointer, Unresolved, UnresolvedStep};
pub(crate) use crate::catalog::StatedLimits;

#[cfg(test)]
mod tests;
