//! What an entry of `protected` stands for in the tenant, and what is left open where that could not be read.
//!
//! In: kinds of objects, and what reads have shown. Out: a [`EntryMeaning`], and the table of what the read of a target shows by
//! itself. Must not: read, or take what was not read for nothing.
//!
//! An entry is resolved to its object once, and a target is read once. The two meet where they have an identity in
//! common: the read of a managed device shows its Entra device id, its serial number and its owner, but neither the id of
//! its object in Entra nor that of its Autopilot identity; so the entry that names one of those has to be resolved.

use serde::{Deserialize, Serialize};

use crate::catalog::TargetKind;
use crate::identity::Identity;

/// What an entry can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    ManagedDevice,
    User,
    EntraDevice,
    AutopilotIdentity,
}

impl Object {
    /// In the order in which they are looked for: what is found is looked for no further.
    pub const ALL: [Self; 4] = [Self::ManagedDevice, Self::User, Self::EntraDevice, Self::AutopilotIdentity];

    /// For people.
    pub fn many(self) -> &'static str {
        match self {
            Self::ManagedDevice => "managed devices",
            Self::User => "users",
            Self::EntraDevice => "devices in Entra",
            Self::AutopilotIdentity => "Autopilot identities",
        }
    }

    /// What reading them takes.
    pub fn permission(self) -> &'static str {
        match self {
            Self::ManagedDevice => "DeviceManagementManagedDevices.Read.All",
            Self::User => "User.ReadBasic.All (User.Read.All for all addresses of somebody)",
            Self::EntraDevice => "Device.Read.All",
            Self::AutopilotIdentity => "DeviceManagementServiceConfig.Read.All",
        }
    }
}

/// How an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryForm {
    /// An id of anything.
    Guid,
    /// A principal name or mail address.
    Address,
    /// A name or a serial number.
    Text,
}

impl EntryForm {
    pub fn of(text: &str) -> Self {
        match uuid::Uuid::try_parse(text.trim()) {
            Ok(_) => Self::Guid,
            Err(_) if text.contains('@') => Self::Address,
            Err(_) => Self::Text,
        }
    }

    /// Whether an entry of that form can stand for such an object.
    pub fn can_be(self, object: Object) -> bool {
        self != Self::Address || object == Object::User
    }
}

use TargetKind as Kind;

/// The targets whose own read shows whether an entry of that form means them, if the entry is such an object. Any other
/// target is open as long as the entry is not resolved.
const SHOWN: &[(EntryForm, Object, &[Kind])] = &[
    // `managedDeviceId` and `azureADDeviceId` or what they are called elsewhere.
    (EntryForm::Guid, Object::ManagedDevice, &[Kind::ManagedDevice, Kind::AutopilotIdentity]),
    (EntryForm::Guid, Object::User, &[Kind::ManagedDevice, Kind::User, Kind::DeletedUser, Kind::GroupMember]),
    (EntryForm::Guid, Object::EntraDevice, &[Kind::EntraDevice, Kind::GroupMember]),
    (EntryForm::Guid, Object::AutopilotIdentity, &[Kind::AutopilotIdentity]),
    // No read of a target shows every address of a user: a device may show no mail at all, and nothing shows the others.
    (EntryForm::Address, Object::User, &[]),
    (EntryForm::Text, Object::ManagedDevice, &[Kind::ManagedDevice]),
    (EntryForm::Text, Object::User, &[Kind::User, Kind::DeletedUser, Kind::GroupMember]),
    (EntryForm::Text, Object::EntraDevice, &[Kind::EntraDevice, Kind::GroupMember]),
    // The serial number.
    (EntryForm::Text, Object::AutopilotIdentity, &[Kind::ManagedDevice, Kind::AutopilotIdentity]),
];

/// Whether the read of such a target tells by itself: it is of a kind that shows what the entry would be known by, and, where
/// it was read, has shown that.
pub(super) fn is_shown(form: EntryForm, object: Object, target: Kind, read: Option<&Identity>) -> bool {
    let has_shown = read.is_none_or(|read| match (form, object, target) {
        (EntryForm::Guid, Object::User, Kind::ManagedDevice) => {
            read.owner_id.is_some() || read.user_principal_name.is_none()
        }
        // A member may be a device, which does not show whose it is.
        (_, Object::User, Kind::GroupMember) => read.user_principal_name.is_some(),
        (EntryForm::Guid, Object::ManagedDevice, Kind::AutopilotIdentity) => read.managed_device_id.is_some(),
        (EntryForm::Text, Object::AutopilotIdentity, _) => read.serial_number.is_some(),
        _ => true,
    });
    has_shown && is_of_kind(form, object, target)
}

fn is_of_kind(form: EntryForm, object: Object, target: Kind) -> bool {
    let row = SHOWN.iter().find(|(of, what, _)| (*of, *what) == (form, object));
    row.is_some_and(|(_, _, targets)| targets.contains(&target))
}

/// Whether a pattern is held against enough where only the target itself is read: its names, its serial number and its owner.
pub(crate) fn shows_all_names(target: Kind) -> bool {
    matches!(target, Kind::ManagedDevice | Kind::User | Kind::DeletedUser)
}

/// Whether the read of such a target shows a user, or whose it is. A member of a group does if it is a user.
pub(super) fn shows_its_user(target: Kind, read: Option<&Identity>) -> bool {
    match target {
        Kind::User | Kind::DeletedUser => true,
        Kind::ManagedDevice => read.is_none_or(|read| read.owner_id.is_some() || read.user_principal_name.is_some()),
        Kind::GroupMember => read.is_some_and(|read| read.user_principal_name.is_some()),
        _ => false,
    }
}

/// Whether such a target may be the owner of a device.
pub(crate) fn may_own(target: Kind) -> bool {
    matches!(target, Kind::User | Kind::GroupMember | Kind::Other)
}

/// What an entry stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryMeaning {
    /// What people call what was found: `managed device VIP-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Box<str>>,
    /// Everything that names it and nothing else: ids and serial numbers, the names of a user. Names of devices are no
    /// such thing: half a school's tablets are called `iPad`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Box<str>>,
    /// What its owner is known by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Box<str>>,
    /// What it may be, and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Object>,
    /// It is a user whose devices could not be listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// It is a device whose owner could not be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unowned: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
}

impl EntryMeaning {
    /// Whether everything was read, and nothing is it.
    pub fn is_nothing(&self) -> bool {
        self.own.is_empty() && !self.is_open()
    }

    /// Whether something that it stands for could not be read.
    pub fn is_open(&self) -> bool {
        self.unlisted || self.unowned || !self.unread.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_and_object_that_go_together_have_a_row() {
        for form in [EntryForm::Guid, EntryForm::Address, EntryForm::Text] {
            for object in Object::ALL {
                let rows = SHOWN.iter().filter(|(of, what, _)| (*of, *what) == (form, object)).count();
                assert_eq!(rows, usize::from(form.can_be(object)), "{form:?} {object:?}");
            }
        }
        assert!(
            !is_shown(EntryForm::Guid, Object::EntraDevice, Kind::ManagedDevice, None),
            "an object id is not shown there"
        );
    }
}
