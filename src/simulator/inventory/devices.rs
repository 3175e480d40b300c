//! What a device does about an action that was accepted for it.
//!
//! In: the action, its end, the moment of the check-in. Out: the device as the service shows it then. Must not: decide when
//! or how; the scenario does.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Inventory;
use crate::catalog::{Action, ReadBack, TargetKind};
use crate::simulator::clock::iso_date;
use crate::simulator::scenario::{End, ListedDevice, ListedUser};
use crate::simulator::shelf::{ActionResult, Given};

/// What a device shows of actions from before the tenant began.
pub(super) fn results(device: &ListedDevice, start: Timestamp) -> Vec<ActionResult> {
    let result = |listed: &crate::simulator::scenario::ListedResult| {
        let asked = start.checked_sub(SignedDuration::try_from(listed.age.0).unwrap_or_default()).unwrap_or(start);
        ActionResult { action: listed.action.0.name, state: listed.end.state(), asked, updated: asked }
    };
    device.results.iter().map(result).collect()
}

impl Inventory {
    /// What leads from the Autopilot identity with that serial number to the device that has it, if there is one.
    pub(in crate::simulator) fn links_to_device(&mut self, serial: &str) -> Vec<(&'static str, Given)> {
        let found = self.look_up(TargetKind::ManagedDevice, "serialNumber", serial).unwrap_or_default();
        let there = found.into_iter().find(|at| !self.is_gone(TargetKind::ManagedDevice, *at));
        let value = |name| there.and_then(|at| self.value(TargetKind::ManagedDevice, at, name));
        let links = [("managedDeviceId", value("id")), ("azureActiveDirectoryDeviceId", value("azureADDeviceId"))];
        links.into_iter().filter_map(|(name, value)| Some((name, Given::Listed(value?)))).collect()
    }

    /// Whether an Entra device is registered with Autopilot, by the identity that names its deviceId.
    pub(in crate::simulator) fn is_registered(&mut self, entra_device: usize) -> bool {
        let device_id = self.value(TargetKind::EntraDevice, entra_device, "deviceId").unwrap_or_default();
        let property = "azureActiveDirectoryDeviceId";
        let device_id = device_id.as_str().unwrap_or_default().to_owned();
        let found = self.look_up(TargetKind::AutopilotIdentity, property, &device_id).unwrap_or_default();
        found.into_iter().any(|at| !self.is_gone(TargetKind::AutopilotIdentity, at))
    }

    /// The devices of the target do what was accepted for it: the device itself, or all of a user's.
    pub(crate) fn act(&mut self, action: &'static Action, at: usize, end: End, body: &Value, wall: Timestamp) {
        let devices = match action.target {
            TargetKind::ManagedDevice => vec![at],
            TargetKind::User => self.devices_of(at),
            _ => Vec::new(),
        };
        for device in devices {
            self.device_acts(action, device, end, body, wall);
        }
    }

    fn device_acts(&mut self, action: &'static Action, at: usize, end: End, body: &Value, wall: Timestamp) {
        let device = &mut self.devices.things[at];
        if end != End::Cancel {
            device.set("lastSyncDateTime", Given::Listed(json!(iso_date(wall))));
        }
        if let Some(result) = device.results.iter_mut().rev().find(|result| result.action == action.name) {
            (result.state, result.updated) = (end.state(), wall);
        }
        let stays = |names: &[&str]| names.iter().any(|name| body[*name] == true);
        let (leaves, failed, cancelled) = match action.read_back {
            ReadBack::ManagementState { stays: names, failed, cancelled, .. } => (!stays(names), failed, cancelled),
            ReadBack::UserDevices { .. } => (true, "retireFailed", "retireCanceled"),
            _ => return,
        };
        match end {
            End::Complete if leaves => device.gone = true,
            End::Complete | End::NotSupported => device.set("managementState", Given::Word("managed")),
            End::Fail => device.set("managementState", Given::Word(failed)),
            End::Cancel => device.set("managementState", Given::Word(cancelled)),
            End::Ignore => {}
        }
    }
}

/// Whose a device is that says so by a name, or that its owner lists: both services know that by the id of the account.
pub(super) fn owner_of(device: &ListedDevice, users: &[ListedUser]) -> Option<(&'static str, Given)> {
    let lists = |user: &ListedUser| {
        user.devices.iter().flatten().any(|id| id.0.eq_ignore_ascii_case(&device.id.0))
            && device
                .user_principal_name
                .as_deref()
                .is_none_or(|name| name.eq_ignore_ascii_case(&user.user_principal_name))
    };
    let is_named = |user: &ListedUser| {
        device.user_principal_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&user.user_principal_name))
    };
    let owner = users.iter().find(|user| !user.deleted && (lists(user) || is_named(user)))?;
    device.user_id.is_none().then(|| ("userId", Given::Listed(json!(owner.id.0))))
}
