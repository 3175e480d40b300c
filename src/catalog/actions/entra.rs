//! Entra's device objects.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{CAREFUL, V1};
use crate::catalog::action::{Action, ReadBack, Repeat, Risk, Success};
use crate::catalog::bucket::ENTRA_DEVICES;
use crate::catalog::id::ENTRA_DEVICE;
use crate::catalog::route::{Method, Route};
use crate::catalog::target::TargetKind;

const ON_ENTRA_DEVICE: Action = Action {
    target: TargetKind::EntraDevice,
    permissions: &["Device.ReadWrite.All"],
    success: Success::Completed,
    service: &ENTRA_DEVICES,
    ..CAREFUL
};

const fn device(method: Method) -> Route {
    super::base::route("devices", method, "/devices/{entraDeviceObjectId}", V1, &[ENTRA_DEVICE])
}

const OBJECT_ID: &str = "Takes the object id, not the deviceId that Intune shows as azureADDeviceId.";

pub(super) const DISABLE_ENTRA_DEVICE: Action = Action {
    name: "disableEntraDevice",
    summary: "Disable a device in Entra: nobody can sign in with it.",
    routes: &[device(Method::Patch)],
    fixed_body: Some(r#"{"accountEnabled":false}"#),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    read_back: ReadBack::AsSent,
    notes: &[OBJECT_ID, "A device that is synchronised from a domain is disabled there."],
    ..ON_ENTRA_DEVICE
};

pub(super) const ENABLE_ENTRA_DEVICE: Action = Action {
    name: "enableEntraDevice",
    summary: "Enable a device in Entra again.",
    routes: DISABLE_ENTRA_DEVICE.routes,
    fixed_body: Some(r#"{"accountEnabled":true}"#),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    read_back: ReadBack::AsSent,
    notes: &[OBJECT_ID],
    ..ON_ENTRA_DEVICE
};

/// A 404 is not "already done" here: whoever gives the deviceId gets one too.
pub(super) const DELETE_ENTRA_DEVICE: Action = Action {
    name: "deleteEntraDevice",
    summary: "Delete a device from Entra, with the BitLocker keys and the local password kept there.",
    routes: &[device(Method::Delete)],
    risk: Risk::Irreversible,
    read_back: ReadBack::Absent,
    notes: &[
        OBJECT_ID,
        "Keep the BitLocker keys and the local administrator's password elsewhere before.",
        "Not for devices that are registered with Autopilot; a device that is synchronised from a domain comes back.",
    ],
    ..ON_ENTRA_DEVICE
};
