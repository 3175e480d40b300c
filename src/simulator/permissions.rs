//! What a token has to hold for a request.
//!
//! In: the roles that the scenario gives, and a call. Out: go ahead, or the refusal of the service. Must not: look at a
//! token; where the scenario gives no roles, everything is allowed.
//!
//! Sources: for actions the catalog's own lists; for reads, and for what covers more than the least permission, the tables
//! on Graph's pages and `permissions.json` of microsoft-graph-devx-content.

use super::errors::Refusal;
use super::judge::Call;
use super::kinds::ALIASES;
use super::routes::Endpoint;
use super::scenario::Scenario;
use crate::catalog::{ACTIONS, TargetKind};

const BASIC_OF_USERS: &[&str] = &["User.ReadBasic.All"];
const USERS: &[&str] = &["User.Read.All", "User.ReadWrite.All", READ_DIRECTORY, WRITE_DIRECTORY];
const READ_DIRECTORY: &str = "Directory.Read.All";
const WRITE_DIRECTORY: &str = "Directory.ReadWrite.All";
const ENTRA_DEVICES: &[&str] = &["Device.Read.All", "Device.ReadWrite.All", READ_DIRECTORY, WRITE_DIRECTORY];
const GROUPS: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    READ_DIRECTORY,
    WRITE_DIRECTORY,
];
const DEVICES: &[&str] = &["DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"];
const IDENTITIES: &[&str] = &["DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"];

/// What covers a permission of the catalog and more.
const WIDER: &[(&str, &[&str])] = &[
    ("User.EnableDisableAccount.All", &["User.ReadWrite.All", WRITE_DIRECTORY]),
    ("User.RevokeSessions.All", &["User.ReadWrite.All", WRITE_DIRECTORY]),
    ("LicenseAssignment.ReadWrite.All", &["User.ReadWrite.All", WRITE_DIRECTORY]),
    ("User.DeleteRestore.All", &["User.ReadWrite.All"]),
    ("GroupMember.ReadWrite.All", &["Group.ReadWrite.All", WRITE_DIRECTORY]),
    ("Device.ReadWrite.All", &[WRITE_DIRECTORY]),
];

/// Whether the token may do this.
pub(crate) fn admit(scenario: &Scenario, call: &Call<'_>) -> Result<(), Refusal> {
    let Some(roles) = &scenario.sign_in.roles else { return Ok(()) };
    let wanted = wanted(call);
    let holds = |permission: &&str| roles.iter().any(|role| role == permission);
    match wanted.is_empty() || wanted.iter().any(holds) {
        true => Ok(()),
        false => Err(refusal(call, &wanted)),
    }
}

/// The permissions of which one is enough; none where nothing is asked for, or where the endpoint asks itself.
fn wanted(call: &Call<'_>) -> Vec<&'static str> {
    match call.endpoint {
        Endpoint::Perform { action } => {
            let own = ACTIONS[action].permissions;
            let wider = WIDER.iter().filter(|(least, _)| own.contains(least)).flat_map(|(_, wider)| *wider);
            own.iter().chain(wider).copied().collect()
        }
        // The member is deleted itself, whatever it is.
        Endpoint::DeleteMember => {
            vec!["User.DeleteRestore.All", "User.ReadWrite.All", "Device.ReadWrite.All", WRITE_DIRECTORY]
        }
        Endpoint::ReadOne(kind) | Endpoint::ReadAll(kind) | Endpoint::Count(kind) | Endpoint::ReadDeleted(kind) => {
            of_kind(kind, call)
        }
        Endpoint::ReadDevicesOfUser | Endpoint::ReadPrimaryUser | Endpoint::ReadOverview => DEVICES.to_vec(),
        Endpoint::ReadOwnedDevices | Endpoint::ReadRegisteredOwners => [ENTRA_DEVICES, USERS].concat(),
        Endpoint::ReadMembers | Endpoint::ReadGroups | Endpoint::ReadGroup => GROUPS.to_vec(),
        Endpoint::ReadObject => [GROUPS, ENTRA_DEVICES, USERS, BASIC_OF_USERS].concat(),
        // Reads of keys ask for theirs; nobody asks for scripts but for their being there.
        Endpoint::ReadRecoveryKeys | Endpoint::ReadLocalCredential | Endpoint::ReadAny => Vec::new(),
    }
}

fn of_kind(kind: TargetKind, call: &Call<'_>) -> Vec<&'static str> {
    match kind {
        TargetKind::User | TargetKind::DeletedUser => {
            let query = &call.query;
            let selected = query.select.iter().flatten().any(|name| *name == ALIASES);
            let filtered = query
                .filter
                .as_ref()
                .is_some_and(|filter| filter.clauses().iter().any(|clause| clause.property.name == ALIASES));
            if selected || filtered { USERS.to_vec() } else { [BASIC_OF_USERS, USERS].concat() }
        }
        TargetKind::ManagedDevice => DEVICES.to_vec(),
        TargetKind::AutopilotIdentity | TargetKind::ImportedAutopilotIdentity | TargetKind::ImportedDeviceIdentity => {
            IDENTITIES.to_vec()
        }
        TargetKind::EntraDevice => ENTRA_DEVICES.to_vec(),
        TargetKind::GroupMember => GROUPS.to_vec(),
        TargetKind::Other => Vec::new(),
    }
}

/// Intune says what it wants, the directory does not.
fn refusal(call: &Call<'_>, wanted: &[&str]) -> Refusal {
    match call.place.starts_with("deviceManagement") || call.place.ends_with("managedDevices") {
        true => Refusal::new(
            403,
            "Forbidden",
            format!(
                "Application is not authorized to perform this operation. Application must have one of the following \
                 scopes: {}",
                wanted.join(", ")
            ),
        ),
        false => Refusal::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    }
}
