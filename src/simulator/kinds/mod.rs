//! The kinds of things a tenant holds: their properties, when a read shows them, and what `$filter` understands of them.
//!
//! In: nothing. Out: one table for each kind. Must not: hold values; `resources` makes them up, and the inventory keeps them.

mod autopilot;
mod devices;
mod directory;
mod kind;
mod of;

pub(super) use autopilot::IDENTITY;
pub(super) use devices::{DEVICE, OVERVIEW, RESULTS};
pub(super) use directory::{
    ALIASES, DIRECTORY_OBJECT, ENTRA_DEVICE, GROUP, LICENCES, LOCAL_CREDENTIAL, RECOVERY_KEY, USER,
};
pub(super) use kind::{Expansion, Kind, KindProperty, Logic, Shown, Sorting, Test};
pub(super) use of::kind_of;
