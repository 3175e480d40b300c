//! Files that other programs write: what they are, and which of their columns points at the targets.
//!
//! In: the header of a file. Out: the one column that counts, for the kind of target that is acted on. Must not: take a
//! file for one of these on the strength of a column that anybody's list might have.
//!
//! Source: Intune's pages on Autopilot import, corporate identifiers and report exports, Entra's pages on bulk
//! operations. The portals' own export files are described nowhere; their headers are matched without regard to case,
//! spaces and punctuation.

use super::vocabulary::Meaning;
use crate::catalog::TargetKind::{self, AutopilotIdentity, EntraDevice, ManagedDevice, User};
use crate::catalog::fold;

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// For people: `Intune device export`.
    pub name: &'static str,
    /// Columns that it always has.
    always: &'static [&'static str],
    /// Columns of which it has two at least, and hardly anything else has one.
    telling: &'static [&'static str],
    /// Columns that point at a target, the best first, and what they mean for which kind.
    targets: &'static [(&'static str, &'static str, &'static [TargetKind])],
}

static DIALECTS: &[Dialect] = &[
    Dialect {
        name: "Autopilot import file",
        always: &["Device Serial Number"],
        telling: &["Windows Product ID", "Hardware Hash", "Group Tag", "Assigned User"],
        targets: &[("Device Serial Number", "serialNumber", &[ManagedDevice, AutopilotIdentity])],
    },
    // A compliance report has both `DeviceId` and `IntuneDeviceId`: the second says what it is.
    Dialect {
        name: "Intune device export",
        always: &["Device ID", "Device name"],
        telling: &[
            "Intune device ID",
            "Serial number",
            "Ownership",
            "Owner type",
            "Managed by",
            "Management state",
            "Last check-in",
            "Last contact",
            "Enrollment date",
            "Enrollment type",
            "Primary user UPN",
        ],
        targets: &[
            ("Intune device ID", "managedDeviceId", &[ManagedDevice]),
            ("Device ID", "managedDeviceId", &[ManagedDevice]),
            ("Serial number", "serialNumber", &[AutopilotIdentity]),
            ("User ID", "userId", &[User]),
            ("Primary user UPN", "userPrincipalName", &[User]),
            ("UPN", "userPrincipalName", &[User]),
        ],
    },
    // Here `deviceId` is what Intune calls azureADDeviceId, and `objectId` the id of the directory's own record.
    Dialect {
        name: "Entra device export",
        always: &["deviceId", "objectId"],
        telling: &["accountEnabled", "joinType", "trustType", "registrationTime", "approximateLastSignInDateTime"],
        targets: &[
            ("deviceId", "azureADDeviceId", &[ManagedDevice, AutopilotIdentity]),
            ("objectId", "entraDeviceObjectId", &[EntraDevice]),
        ],
    },
    Dialect {
        name: "Autopilot device export",
        always: &["Serial number", "Group tag"],
        telling: &["Profile status", "Purchase order", "Assigned user", "Manufacturer", "Last contacted"],
        targets: &[("Serial number", "serialNumber", &[ManagedDevice, AutopilotIdentity])],
    },
];

/// The kind of file that has these headers.
pub(super) fn of(headers: &[String]) -> Option<&'static Dialect> {
    let headers: Vec<_> = headers.iter().map(|header| fold(header)).collect();
    let has = |name: &&&str| headers.contains(&fold(name));
    DIALECTS.iter().find(|dialect| {
        dialect.always.iter().all(|name| has(&name)) && dialect.telling.iter().filter(has).take(2).count() == 2
    })
}

impl Dialect {
    /// The column that points at targets of that kind, and what stands in it.
    pub(super) fn target(&self, headers: &[String], kind: TargetKind) -> Option<(usize, Meaning)> {
        let fitting = self.targets.iter().filter(|(.., kinds)| kinds.contains(&kind));
        fitting.into_iter().find_map(|(name, word, _)| {
            let field = headers.iter().position(|header| fold(header) == fold(name))?;
            Some((field, Meaning::of_header(word, &[])?))
        })
    }
}

/// What a header of an Entra bulk template (`User name [userPrincipalName] Required`) says of a target.
pub(super) fn of_template(header: &str) -> Option<Meaning> {
    let (_, rest) = header.split_once('[')?;
    let (property, _) = rest.split_once(']')?;
    if property.eq_ignore_ascii_case("memberObjectIdOrUpn") {
        return Meaning::of_header("userId", &[]);
    }
    let meaning = Meaning::of_header(property, &[]);
    meaning.filter(|meaning| matches!(meaning, Meaning::Id(_) | Meaning::UserPrincipalName(_) | Meaning::Selector(_)))
}

/// How the row begins that a template shows as an example.
pub(super) fn is_example(first_cell: &str) -> bool {
    first_cell.trim().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("example:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &str) -> Option<&'static str> {
        of(&header.split(',').map(str::to_owned).collect::<Vec<_>>()).map(|dialect| dialect.name)
    }

    #[test]
    fn a_list_of_ones_own_is_no_export() {
        for own in ["action,managedDeviceId", "Serial number,Device name", "Device ID,Device name", "deviceId,objectId"]
        {
            assert_eq!(named(own), None, "{own}");
        }
        assert_eq!(named("Device ID,Device name,Serial number,Managed by"), Some("Intune device export"));
        assert_eq!(named("DeviceId,DeviceName,OwnerType,LastContact"), Some("Intune device export"));
    }

    #[test]
    fn every_column_of_the_table_has_a_meaning() {
        for dialect in DIALECTS {
            for (header, word, kinds) in dialect.targets {
                assert!(Meaning::of_header(word, &[]).is_some() && !kinds.is_empty(), "{}: {header}", dialect.name);
            }
        }
    }
}
