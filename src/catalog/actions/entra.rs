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

/// A 404 is not "already done" here: it is the answer to a deviceId as well, and to a device that can still be had back.
///
/// Sources: Entra's page on the soft deletion of devices (preview) and Graph's beta page of the action.
pub(super) const DELETE_ENTRA_DEVICE: Action = Action {
    name: "deleteEntraDevice",
    summary: "Delete a device from Entra; a joined or registered one can be restored for 30 days, with its keys.",
    routes: &[device(Method::Delete)],
    risk: Risk::Destructive,
    read_back: ReadBack::Absent,
    notes: &[
        OBJECT_ID,
        "For 30 days a joined or registered device can be restored in beta, with its BitLocker keys and local password. \
         After that they are lost.",
        "A device joined to a domain as well, or without a trust type, may be gone at once: back up its keys first.",
        "A device that is registered with Autopilot cannot be deleted (403): delete its Autopilot identity first. \
         A device that is synchronised from a domain comes back.",
    ],
    ..ON_ENTRA_DEVICE
};
