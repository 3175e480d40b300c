//! The kinds of things a tenant holds: their properties, when a read shows them, and what `$filter` understands of them.
//!
//! In: nothing. Out: one table for each kind. Must not: hold values; `resources` makes them up, and the inventory keeps them.

mod autopilot;
mod devices;
mod directory;
mod kind;
mod of;

pub(crate) use autopilot::IDENTITY;
pub(crate) use devices::{DEVICE, OVERVIEW, RESULTS};
pub(crate) use directory::{
    ALIASES, DIRECTORY_OBJECT, ENTRA_DEVICE, GROUP, LICENCES, LOCAL_CREDENTIAL, RECOVERY_KEY, USER,
};
pub(crate) use kind::{Expansion, Kind, Logic, Property, Shown, Sorting, Test};
pub(crate) use of::kind_of;
