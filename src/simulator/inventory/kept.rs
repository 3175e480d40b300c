//! What the tenant holds, for a file and out of one.
//!
//! In: shelves that were written. Out: shelves. Must not: keep what the scenario says anyhow.

use super::Inventory;
use crate::simulator::shelf::{Shelf, ShelfRead};

impl Inventory {
    /// In an order that the file knows.
    pub(crate) fn shelves(&self) -> Vec<&Shelf> {
        vec![
            &self.devices,
            &self.identities,
            &self.users,
            &self.entra_devices,
            &self.members,
            &self.imported_autopilot,
            &self.imported_identities,
            &self.others,
        ]
    }

    /// Holds what it held when that was written.
    pub(crate) fn restore(&mut self, read: Vec<ShelfRead>) {
        let shelves = [
            &mut self.devices,
            &mut self.identities,
            &mut self.users,
            &mut self.entra_devices,
            &mut self.members,
            &mut self.imported_autopilot,
            &mut self.imported_identities,
            &mut self.others,
        ];
        shelves.into_iter().zip(read).for_each(|(shelf, read)| shelf.restore(read));
    }
}
