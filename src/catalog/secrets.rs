//! The secrets of a device that the tenant may keep for the day when nobody can sign in to it any more.
//!
//! In: nothing. Out: [`SECRETS`], which guards, previews, the reads and the simulator share. Must not: name a read that
//! brings a secret itself: that it is there is all that anybody here wants to know.
//!
//! Sources: Graph's pages "List recoveryKeys" (it never returns `key`), "Get deviceLocalCredentialInfo" (`credentials` only
//! where selected), and `getFileVaultKey` of managedDevice, whose answer is the key. The encryption report of Intune says
//! whether a FileVault policy escrows keys, not whether one is there.

use serde::{Deserialize, Serialize};

use super::action::{Action, Risk};
use super::target::TargetKind;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    BitLocker,
    Laps,
    FileVault,
}

/// What is known of a secret.
#[derive(Debug)]
pub struct SecretRow {
    pub secret: Secret,
    /// In plans, columns and files.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// After "no" and "a".
    pub what: &'static str,
    /// How `operatingSystem` begins, in lower case, where devices have such a secret.
    pub system: &'static str,
    pub proof: Proof,
}

/// How anybody can tell that it is on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A read that shows no secret, and the permissions of which one is needed for it, the least first.
    Read { permissions: &'static [&'static str] },
    /// Only a call that brings the secret would tell, so nobody asks.
    OnlyItself { call: &'static str },
}

pub(crate) static SECRETS: [SecretRow; 3] = [
    SecretRow {
        secret: Secret::BitLocker,
        name: "bitlocker",
        label: "BitLocker",
        what: "BitLocker key",
        system: "windows",
        proof: Proof::Read { permissions: &["BitlockerKey.ReadBasic.All", "BitlockerKey.Read.All"] },
    },
    SecretRow {
        secret: Secret::Laps,
        name: "laps",
        label: "LAPS",
        what: "LAPS password",
        system: "windows",
        proof: Proof::Read { permissions: &["DeviceLocalCredential.ReadBasic.All", "DeviceLocalCredential.Read.All"] },
    },
    SecretRow {
        secret: Secret::FileVault,
        name: "filevault",
        label: "FileVault",
        what: "FileVault key",
        system: "macos",
        proof: Proof::OnlyItself { call: "getFileVaultKey" },
    },
];

impl Secret {
    pub fn row(self) -> &'static SecretRow {
        // In the order of the enum; a test holds it.
        &SECRETS[self as usize]
    }

    pub fn named(name: &str) -> Option<Self> {
        SECRETS.iter().find(|row| row.name == name).map(|row| row.secret)
    }
}

/// On whose secrets an action bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearing {
    /// Nobody's.
    None,
    /// Its target's: what is on the device cannot be had back, or only with them.
    Target,
    /// Those of devices that no plan lists.
    Unlisted,
}

/// On whose secrets that action bears. What a plan defines itself is taken for the worst that can be done to a device.
pub(crate) fn bearing(action: &Action) -> Bearing {
    match action.target {
        TargetKind::ManagedDevice if action.risk == Risk::Irreversible || action.is_unverified() => Bearing::Target,
        TargetKind::User if action.name == "removeAllDevicesFromManagement" => Bearing::Unlisted,
        _ => Bearing::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        assert!(SECRETS.iter().enumerate().all(|(at, row)| row.secret as usize == at));
        assert!(SECRETS.iter().all(|row| Secret::named(row.name) == Some(row.secret)));
    }

    #[test]
    fn what_cannot_be_undone_on_a_device_bears_on_its_secrets() {
        let of = |bearing_wanted| {
            let bears = |action: &&&Action| bearing(action) == bearing_wanted;
            ACTIONS.iter().filter(|action| bears(&action)).map(|action| action.name).collect::<Vec<_>>()
        };
        let targets = of(Bearing::Target);
        assert!(["retire", "wipe", "delete", "cleanWindowsDevice"].iter().all(|name| targets.contains(name)));
        assert!(!targets.contains(&"syncDevice") && !targets.contains(&"deleteEntraDevice"), "{targets:?}");
        assert_eq!(of(Bearing::Unlisted), ["removeAllDevicesFromManagement"]);
    }
}
