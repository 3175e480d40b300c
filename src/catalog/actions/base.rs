//! What the rows of the table are made of.
//!
//! In: nothing. Out: the careful row on which all others build, permissions, and makers of routes and parameters. Must not:
//! know any single action.

use crate::catalog::action::{Action, Gone, OncePer, ReadBack, Repeat, Risk, Success};
use crate::catalog::bucket::INTUNE_DEVICES;
use crate::catalog::id::IdName;
use crate::catalog::parameter::{Parameter, ParameterKind};
use crate::catalog::platform::Platform;
use crate::catalog::route::{Method, Route, Version};
use crate::catalog::target::TargetKind;

pub(super) const V1_AND_BETA: &[Version] = &[Version::V1, Version::Beta];

pub(super) const V1: &[Version] = &[Version::V1];

pub(super) const BETA: &[Version] = &[Version::Beta];

pub(super) const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";

pub(super) const READ: &str = "DeviceManagementManagedDevices.Read.All";

pub(super) const READ_WRITE: &str = "DeviceManagementManagedDevices.ReadWrite.All";

pub(super) const SERVICE_CONFIG: &str = "DeviceManagementServiceConfig.ReadWrite.All";

pub(super) const WINDOWS: &[Platform] = &[Platform::Windows];
pub(super) const MAC_OS: &[Platform] = &[Platform::MacOs];
pub(super) const COMPUTERS: &[Platform] = &[Platform::Windows, Platform::MacOs];
pub(super) const IOS: &[Platform] = &[Platform::Ios];
pub(super) const APPLE: &[Platform] = &[Platform::Ios, Platform::MacOs];
pub(super) const ANDROID: &[Platform] = &[Platform::Android];
pub(super) const CHROME_OS: &[Platform] = &[Platform::ChromeOs];
pub(super) const LOST_MODE: &[Platform] = &[Platform::Ios, Platform::ChromeOs];

/// What has not been said of an action is the careful answer: it is dangerous, must not be repeated, and no read tells.
pub(super) const CAREFUL: Action = Action {
    name: "",
    summary: "",
    target: TargetKind::ManagedDevice,
    routes: &[],
    parameters: &[],
    needs_one_of: &[],
    platforms: &[],
    fixed_body: None,
    permissions: &[],
    read_permission: None,
    risk: Risk::Destructive,
    repeat: Repeat::AfterReadBack,
    once_per: OncePer::Target,
    read_back: ReadBack::Nobody,
    success: Success::Accepted,
    success_codes: &[204],
    gone: Gone::Failed,
    service: &INTUNE_DEVICES,
    approvable: false,
    on_all_devices: false,
    locks_out: false,
    alters: &[],
    notes: &[],
    definition: None,
};

/// What most actions on a managed device have in common. Where Microsoft's pages name `DeviceManagementConfiguration.Read.All`
/// or nothing at all, they do not say what is really asked for; the siblings' permission is.
pub(super) const ON_DEVICE: Action = Action { permissions: &[PRIVILEGED], approvable: true, ..CAREFUL };

pub(super) const fn route(
    name: &'static str,
    method: Method,
    path: &'static str,
    versions: &'static [Version],
    ids: &'static [IdName],
) -> Route {
    Route { name, method, path, versions, ids }
}

pub(super) const fn post(
    name: &'static str,
    path: &'static str,
    versions: &'static [Version],
    ids: &'static [IdName],
) -> Route {
    route(name, Method::Post, path, versions, ids)
}

/// Both routes of an action on a managed device. Co-managed devices have every action, in beta only.
macro_rules! device_routes {
    ($action:literal, $versions:expr) => {
        &[
            $crate::catalog::actions::base::post(
                "managedDevices",
                concat!("/deviceManagement/managedDevices/{managedDeviceId}/", $action),
                $versions,
                &[$crate::catalog::id::MANAGED_DEVICE],
            ),
            $crate::catalog::actions::base::post(
                "comanagedDevices",
                concat!("/deviceManagement/comanagedDevices/{managedDeviceId}/", $action),
                $crate::catalog::actions::base::BETA,
                &[$crate::catalog::id::MANAGED_DEVICE],
            ),
        ]
    };
}

pub(super) use device_routes;

pub(super) const fn optional(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { name, kind, required: false, beta_only: false, place: None, acted_on: false, clearable: false, summary }
}

pub(super) const fn required(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { required: true, ..optional(name, kind, summary) }
}

pub(super) const fn beta_only(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { beta_only: true, ..optional(name, kind, summary) }
}

/// The parameter, at a place inside the body that is not its name.
pub(super) const fn at(place: &'static str, parameter: Parameter) -> Parameter {
    Parameter { place: Some(place), ..parameter }
}

/// The parameter, which names somebody or something that the action acts on beside its target.
pub(super) const fn acted_on(parameter: Parameter) -> Parameter {
    Parameter { acted_on: true, ..parameter }
}

/// The parameter, whose text is cleared by an empty one.
pub(super) const fn clearable(parameter: Parameter) -> Parameter {
    Parameter { clearable: true, ..parameter }
}
