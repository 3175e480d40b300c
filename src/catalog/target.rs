//! What an action acts on.
//!
//! In: nothing. Out: [`TargetKind`], with its name for people. Must not: know a single target.

/// What an action acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    ManagedDevice,
    AutopilotIdentity,
    User,
    EntraDevice,
    /// Somebody or something in a group.
    GroupMember,
    DeletedUser,
    ImportedAutopilotIdentity,
    ImportedDeviceIdentity,
    /// What an action acts on that a plan defines, where its path says no more.
    Other,
}

impl TargetKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::ManagedDevice => "managedDevice",
            Self::AutopilotIdentity => "windowsAutopilotDeviceIdentity",
            Self::User => "user",
            Self::EntraDevice => "entraDevice",
            Self::GroupMember => "groupMember",
            Self::DeletedUser => "deletedUser",
            Self::ImportedAutopilotIdentity => "importedWindowsAutopilotDeviceIdentity",
            Self::ImportedDeviceIdentity => "importedDeviceIdentity",
            Self::Other => "other",
        }
    }
}
