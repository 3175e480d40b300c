//! What is deleted in the directory and can be had back for a while.
//!
//! In: deletions and restorations. Out: what is among the deleted items, and whose secrets are lost. Must not: know paths.
//!
//! Sources: Entra's page on the soft deletion of devices (preview, April 2026) and Graph's pages on deleted items. A device
//! that is joined or registered stays for 30 days with its id, its deviceId and its keys; of one that is joined to a domain
//! as well the page says that it is gone at once, and one field report that it stays, so that a scenario can have both;
//! one without a trust type is gone at once.

use jiff::SignedDuration;
use serde_json::json;

use super::Inventory;
use crate::catalog::TargetKind;
use crate::simulator::scenario::HybridDeletion;
use crate::simulator::shelf::Given;

const DAYS_KEPT: i64 = 30;

/// Devices that Entra keeps for a while when they are deleted, by `trustType`.
const KEPT: &[&str] = &["azuread", "workplace"];
const HYBRID: &str = "serverad";

impl Inventory {
    /// Takes an object out of the directory.
    pub(in crate::simulator) fn delete_object(&mut self, kind: TargetKind, at: usize) {
        let is_kept = match kind {
            TargetKind::EntraDevice => self.is_kept(at),
            _ => true,
        };
        let now = self.now;
        let thing = &mut self.shelf_mut(kind).things[at];
        thing.gone = true;
        thing.deleted = is_kept.then_some(now);
    }

    fn is_kept(&self, device: usize) -> bool {
        let trust = self.value(TargetKind::EntraDevice, device, "trustType").unwrap_or_default();
        let trust = trust.as_str().unwrap_or_default().to_ascii_lowercase();
        KEPT.contains(&trust.as_str()) || (trust == HYBRID && self.hybrid_deletion == HybridDeletion::Recoverable)
    }

    /// The object is back, as far as it goes: nothing is known of its compliance before it checks in.
    pub(in crate::simulator) fn restore_object(&mut self, kind: TargetKind, at: usize) {
        let thing = &mut self.shelf_mut(kind).things[at];
        (thing.gone, thing.deleted) = (false, None);
        if kind == TargetKind::EntraDevice {
            thing.set("isCompliant", Given::Listed(json!(false)));
        }
    }

    /// Whether it can be had back.
    pub(in crate::simulator) fn is_recoverable(&self, kind: TargetKind, at: usize) -> bool {
        let kept = SignedDuration::from_hours(24 * DAYS_KEPT);
        let thing = &self.shelf(kind).things[at];
        thing.gone && thing.deleted.is_some_and(|deleted| self.now.duration_since(deleted) < kept)
    }

    /// The place of a deleted device, by its object id.
    pub(in crate::simulator) fn deleted_device(&self, id: &str) -> Option<usize> {
        let at = self.entra_devices.by_key.get(&*id.to_ascii_lowercase()).copied()?;
        self.is_recoverable(TargetKind::EntraDevice, at).then_some(at)
    }

    /// The places of everything of that kind that can be had back.
    pub(in crate::simulator) fn all_deleted(&self, kind: TargetKind) -> Vec<usize> {
        (0..self.places(kind)).filter(|at| self.is_recoverable(kind, *at)).collect()
    }

    /// What became of the record of the device with that deviceId: BitLocker keys and LAPS passwords go with it.
    pub(in crate::simulator) fn record_of(&mut self, device_id: &str) -> Record {
        let found = self.look_up(TargetKind::EntraDevice, "deviceId", device_id).unwrap_or_default();
        match found.as_slice() {
            [] => Record::There,
            places if places.iter().any(|at| !self.is_gone(TargetKind::EntraDevice, *at)) => Record::There,
            places if places.iter().any(|at| self.is_recoverable(TargetKind::EntraDevice, *at)) => Record::Deleted,
            _ => Record::Lost,
        }
    }
}

/// Whether the directory has the record of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Record {
    /// It does, or nobody has said anything of it.
    There,
    /// It can be had back.
    Deleted,
    Lost,
}
