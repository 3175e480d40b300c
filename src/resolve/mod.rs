//! Resolve: rows that name no id become jobs with one, or faults of their rows.
//!
//! In: a plan's [`Unresolved`] rows, and what the service (or a saved inventory) holds. Out: jobs in plan order, each on
//! one immutable id, or every row that leads to none or to several, with the candidates. Must not: guess, prefer one
//! candidate to another, or send anything but reads.
//!
//! The core is pure: `needs` says what has to be read, `matching` finds in a [`Pool`] what was read, `jobs` puts the
//! results in their places. Only `reading` and `gather` speak to a client. However the pool was filled, by pages of the
//! whole inventory, by single reads or from a file, the matching is the same and exact.

mod before;
mod fault;
mod filter;
mod gather;
mod inventory;
mod jobs;
mod keys;
mod link;
mod matching;
mod meanings;
mod naming;
mod needs;
mod owners;
mod pool;
mod query;
mod reading;
mod record;
mod slots;
mod ways;
mod words;
#[cfg(test)]
mod keys_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod users_tests;

pub use self::before::Before;
pub(crate) use self::before::{EarlierJob, EarlierStanding};
pub use self::gather::gather;
pub(crate) use self::gather::take_inventory;
pub use self::inventory::SavedInventory;
pub use self::jobs::{Knowledge, resolve};
pub(crate) use self::keys::{DeviceToCheck, read_keys};
pub(crate) use self::meanings::read_meanings;
pub(crate) use self::owners::{Owners, names_of, owners};
pub use self::pool::Pool;
pub(crate) use self::reading::ReadError;
pub use self::reading::Reading;
pub use self::record::FoundRecord;
pub(crate) use self::slots::gone;
