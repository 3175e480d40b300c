//! The names under which a plan gives a target: immutable ids, and selectors that have to be looked up.
//!
//! In: a column or key of a plan. Out: the [`IdName`] or [`Selector`] it stands for, found without regard to case,
//! spaces and punctuation. Must not: look anything up in a tenant.

use super::target::TargetKind;

/// What the value of an id must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// 8-4-4-4-12 hexadecimal digits.
    Guid,
    /// A GUID, or a user principal name (`someone@contoso.com`), which becomes one before anything is sent.
    User,
    /// Anything without white space, slashes and control characters: Graph composes it (`guid:guid`, hashes).
    Opaque,
}

/// An id column of a plan, named after the parameter in Microsoft's URL templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdName {
    pub name: &'static str,
    /// Other spellings that mean the same id.
    pub aliases: &'static [&'static str],
    pub kind: IdKind,
}

impl IdName {
    /// All of them.
    pub const ALL: &'static [Self] = IDS;

    /// Whether it is the state of a script on a device, and so that device.
    pub fn is_state(&self) -> bool {
        [HEALTH_SCRIPT_STATE, MANAGEMENT_SCRIPT_STATE, COMPLIANCE_SCRIPT_STATE].contains(self)
    }

    /// The collection in which what it names can be read, whatever route it stands in. `None`: only where a route names it.
    pub fn home(&self) -> Option<&'static str> {
        HOMES.iter().find(|(name, _)| *name == self.name).map(|(_, home)| *home)
    }

    /// Whether `value` names what is meant without being its id. What stands for somebody whom looking up has not found has a
    /// space in it, and is no name.
    pub fn is_alias(&self, value: &str) -> bool {
        self.kind == IdKind::User && value.contains('@') && !value.contains(' ')
    }
}

const fn id(name: &'static str, aliases: &'static [&'static str], kind: IdKind) -> IdName {
    IdName { name, aliases, kind }
}

pub(crate) const MANAGED_DEVICE: IdName = id("managedDeviceId", &["intuneDeviceId"], IdKind::Guid);
pub(super) const AUTOPILOT_IDENTITY: IdName =
    id("windowsAutopilotDeviceIdentityId", &["autopilotDeviceId"], IdKind::Guid);
/// Microsoft's pages print the name of the identity twice in the `deploymentProfile` routes; they are two ids.
pub(super) const ASSIGNED_DEVICE: IdName = id("assignedDeviceId", &[], IdKind::Guid);
pub(crate) const USER: IdName = id("userId", &["usersId", "userPrincipalName", "upn"], IdKind::User);
pub(super) const HEALTH_SCRIPT: IdName = id("deviceHealthScriptId", &[], IdKind::Guid);
pub(super) const HEALTH_SCRIPT_STATE: IdName = id("deviceHealthScriptDeviceStateId", &[], IdKind::Opaque);
pub(super) const MANAGEMENT_SCRIPT: IdName = id("deviceManagementScriptId", &[], IdKind::Guid);
pub(super) const MANAGEMENT_SCRIPT_STATE: IdName = id("deviceManagementScriptDeviceStateId", &[], IdKind::Opaque);
pub(super) const COMPLIANCE_SCRIPT: IdName = id("deviceComplianceScriptId", &[], IdKind::Guid);
pub(super) const COMPLIANCE_SCRIPT_STATE: IdName = id("deviceComplianceScriptDeviceStateId", &[], IdKind::Opaque);
pub(super) const DETECTED_APP: IdName = id("detectedAppId", &[], IdKind::Opaque);
pub(crate) const GROUP: IdName = id("groupId", &[], IdKind::Guid);
/// The object id of a user, device or group that is in a group; a principal name is not accepted there.
pub(crate) const MEMBER: IdName = id("memberId", &["memberObjectId"], IdKind::Guid);
pub(super) const DELETED_USER: IdName = id("deletedUserId", &[], IdKind::Guid);
/// The `id` of Entra's device object. Not its `deviceId`, which Intune shows as `azureADDeviceId`: the two are mixed up
/// so often that no name here leaves room for it.
pub(crate) const ENTRA_DEVICE: IdName = id("entraDeviceObjectId", &["deviceObjectId"], IdKind::Guid);
pub(super) const IMPORTED_AUTOPILOT: IdName = id("importedWindowsAutopilotDeviceIdentityId", &[], IdKind::Guid);
/// No page says what this id looks like.
pub(super) const IMPORTED_IDENTITY: IdName = id("importedDeviceIdentityId", &[], IdKind::Opaque);

/// Whoever is in a group is an object of the directory, of whatever kind.
const HOMES: &[(&str, &str)] = &[
    (MANAGED_DEVICE.name, "/deviceManagement/managedDevices"),
    (AUTOPILOT_IDENTITY.name, "/deviceManagement/windowsAutopilotDeviceIdentities"),
    (ASSIGNED_DEVICE.name, "/deviceManagement/windowsAutopilotDeviceIdentities"),
    (USER.name, "/users"),
    (GROUP.name, "/groups"),
    (MEMBER.name, "/directoryObjects"),
    (DELETED_USER.name, "/directory/deletedItems"),
    (ENTRA_DEVICE.name, "/devices"),
];

const IDS: &[IdName] = &[
    MANAGED_DEVICE,
    AUTOPILOT_IDENTITY,
    ASSIGNED_DEVICE,
    USER,
    HEALTH_SCRIPT,
    HEALTH_SCRIPT_STATE,
    MANAGEMENT_SCRIPT,
    MANAGEMENT_SCRIPT_STATE,
    COMPLIANCE_SCRIPT,
    COMPLIANCE_SCRIPT_STATE,
    DETECTED_APP,
    GROUP,
    MEMBER,
    DELETED_USER,
    ENTRA_DEVICE,
    IMPORTED_AUTOPILOT,
    IMPORTED_IDENTITY,
];

/// Whether a word can name an action, a parameter or an id of a plan's own.
pub(crate) fn is_name(word: &str) -> bool {
    word.len() <= 64
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a word can name a parameter of a plan's own: a property of Graph's may have `@` and dots in its name.
pub(crate) fn is_parameter_name(word: &str) -> bool {
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@');
    begins && word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte))
}

/// A way to point at a target that is not its id and has to be looked up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector {
    pub name: &'static str,
    pub form: SelectorForm,
    /// The kinds of target that can be found by it.
    pub finds: &'static [TargetKind],
}

/// What the value of a selector must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectorForm {
    /// Any text; the serial numbers that makers leave in by default are refused.
    Serial,
    Text,
    Guid,
    /// A user principal name.
    PrincipalName,
    /// A user principal name or the id of a user; stands for every device of that user.
    DevicesOfUser,
    /// The id by which the service has it.
    OwnId,
    /// The id of Entra's device object, which leads to its `deviceId`.
    EntraObject,
    /// The id of a group, or its name where the selector says so; stands for every member.
    MembersOfGroup,
    /// The name of the group that something is done in; the target is somebody else.
    GroupName,
}

impl SelectorForm {
    /// Whether one value may stand for several targets. Everything else stands for exactly one, or for none.
    pub fn is_many(self) -> bool {
        matches!(self, Self::DevicesOfUser | Self::MembersOfGroup)
    }
}

const fn selector(name: &'static str, form: SelectorForm, finds: &'static [TargetKind]) -> Selector {
    Selector { name, form, finds }
}

use TargetKind::{AutopilotIdentity, EntraDevice, ManagedDevice, User};

/// Entra's device object as a way to what Intune and Autopilot know of the device: an id where the target is the object.
pub(crate) static ENTRA_OBJECT: Selector =
    selector(ENTRA_DEVICE.name, SelectorForm::EntraObject, &[ManagedDevice, AutopilotIdentity]);

/// Intune's id of a device as a way to what Autopilot and Entra know of it: where nothing but the device is acted on, it
/// needs no looking up.
pub(crate) static MANAGED_DEVICE_BY_ID: Selector = selector(MANAGED_DEVICE.name, SelectorForm::OwnId, &[ManagedDevice]);

/// What a managed device has in common with what else is known of the same device. Its user is not the same device.
const LINKS: &[(TargetKind, &str)] = &[(AutopilotIdentity, "serialNumber"), (EntraDevice, "azureADDeviceId")];

/// By what a managed device leads to a target of that kind.
pub(crate) fn link_to(kind: TargetKind) -> Option<&'static Selector> {
    let link = LINKS.iter().find(|(to, _)| *to == kind);
    link.and_then(|(_, name)| selector_named(name))
}

/// A name of a user as a way to a device: an id where the target is a user, so that it is not among [`SELECTORS`].
pub(crate) static PRINCIPAL_NAME: Selector =
    selector("userPrincipalName", SelectorForm::PrincipalName, &[ManagedDevice]);

/// A name of a user as a way to the id of that user: what is sent goes to the id.
pub(crate) static USER_BY_NAME: Selector = selector("userPrincipalName", SelectorForm::PrincipalName, &[User]);

/// The id of a user, where it matters whether there is one of that id.
pub(crate) static USER_BY_ID: Selector = selector(USER.name, SelectorForm::OwnId, &[User]);

/// What people take for the name of a user. It is looked at for the fault, and nobody is found by it.
pub(crate) static USER_BY_MAIL: Selector = selector("mail", SelectorForm::PrincipalName, &[User]);

/// Members of a group by its name.
pub(crate) const MEMBERS_OF_GROUP_NAMED: &str = "members_of_group_named";

/// Graph's own names keep Graph's spelling; the others are ours.
pub static SELECTORS: &[Selector] = &[
    selector("serialNumber", SelectorForm::Serial, &[ManagedDevice, AutopilotIdentity]),
    selector("deviceName", SelectorForm::Text, &[ManagedDevice, EntraDevice]),
    selector("azureADDeviceId", SelectorForm::Guid, &[ManagedDevice, AutopilotIdentity, EntraDevice]),
    selector("imei", SelectorForm::Text, &[ManagedDevice]),
    selector("devices_of_user", SelectorForm::DevicesOfUser, &[ManagedDevice]),
    selector("members_of_group", SelectorForm::MembersOfGroup, &[ManagedDevice, EntraDevice, User]),
    selector(MEMBERS_OF_GROUP_NAMED, SelectorForm::MembersOfGroup, &[ManagedDevice, EntraDevice, User]),
    selector("groupName", SelectorForm::GroupName, &[User]),
];

/// The kind of target that an id column alone names, where such targets can be looked up.
pub(crate) fn kind_behind(id: IdName) -> Option<TargetKind> {
    let kinds = [
        (MANAGED_DEVICE, ManagedDevice),
        (AUTOPILOT_IDENTITY, AutopilotIdentity),
        (ENTRA_DEVICE, EntraDevice),
        (USER, User),
    ];
    kinds.into_iter().find_map(|(known, kind)| (known.name == id.name).then_some(kind))
}

/// Folds a header or key so that `Managed Device ID`, `managed_device_id` and `managedDeviceId` are one.
pub(crate) fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The id column of that name or alias.
pub(crate) fn id_named(name: &str) -> Option<IdName> {
    let wanted = fold(name);
    IDS.iter().copied().find(|id| fold(id.name) == wanted || id.aliases.iter().any(|alias| fold(alias) == wanted))
}

/// The selector of that name.
pub(crate) fn selector_named(name: &str) -> Option<&'static Selector> {
    let wanted = fold(name);
    SELECTORS.iter().find(|selector| fold(selector.name) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_spelling() {
        for spelling in ["managedDeviceId", "Managed Device ID", "MANAGED_DEVICE_ID", " managed-device-id "] {
            assert_eq!(id_named(spelling), Some(MANAGED_DEVICE), "{spelling}");
        }
        assert_eq!(id_named("usersId"), Some(USER));
        assert_eq!(id_named("Device object ID"), Some(ENTRA_DEVICE));
        assert_eq!(id_named("deviceId"), None, "the Intune exports use it for two different ids");
        assert_eq!(selector_named("Serial Number").map(|s| s.name), Some("serialNumber"));
    }
}
