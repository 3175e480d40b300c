//! Whether the secrets of a device are on file: what was read of them, which is never a secret itself.
//!
//! In: the device as a read shows it, and what the reads of its secrets came to. Out: [`Keys`], which guards judge, previews
//! show and saved previews keep. Must not: hold a secret, or take what is not known for a yes.

use serde::{Deserialize, Serialize};

use crate::catalog::{Proof, SECRETS, Secret};
use crate::identity::Identity;

/// How it stands with one secret of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    OnFile,
    Missing,
    /// Such a device has none.
    NotApplicable,
    /// It could not be told.
    Unknown,
    /// It may not be read with this sign-in.
    Forbidden,
}

impl KeyStatus {
    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnFile => "on_file",
            Self::Missing => "missing",
            Self::NotApplicable => "not_applicable",
            Self::Unknown => "unknown",
            Self::Forbidden => "forbidden",
        }
    }
}

/// What was found out about one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub status: KeyStatus,
    /// Where the word alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
}

impl Finding {
    pub fn new(status: KeyStatus) -> Self {
        Self { status, why: None }
    }

    pub fn because(status: KeyStatus, why: impl Into<Box<str>>) -> Self {
        Self { status, why: Some(why.into()) }
    }
}

/// What was found out about one device, by secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    bitlocker: Finding,
    laps: Finding,
    filevault: Finding,
}

impl Keys {
    /// The same of every secret.
    pub fn all(finding: &Finding) -> Self {
        Self { bitlocker: finding.clone(), laps: finding.clone(), filevault: finding.clone() }
    }

    pub fn of(&self, secret: Secret) -> &Finding {
        match secret {
            Secret::BitLocker => &self.bitlocker,
            Secret::Laps => &self.laps,
            Secret::FileVault => &self.filevault,
        }
    }

    pub fn set(&mut self, secret: Secret, finding: Finding) {
        match secret {
            Secret::BitLocker => self.bitlocker = finding,
            Secret::Laps => self.laps = finding,
            Secret::FileVault => self.filevault = finding,
        }
    }

    /// What can be said of a device before anything is read of its secrets. What is left to be read is unknown.
    pub fn before_reading(device: &Identity) -> Self {
        let mut keys = Self::all(&Finding::because(KeyStatus::Unknown, "it was not read"));
        let system = device.operating_system.as_deref().map(str::to_lowercase);
        for row in &SECRETS {
            let finding = match (&system, row.proof) {
                (None, _) => Finding::because(KeyStatus::Unknown, "Intune does not say what the device runs"),
                (Some(system), _) if !system.starts_with(row.system) => Finding::new(KeyStatus::NotApplicable),
                (Some(_), Proof::OnlyItself { .. }) => {
                    Finding::because(KeyStatus::Unknown, "it cannot be checked without reading the key itself")
                }
                (Some(_), Proof::Read { .. }) if device.azure_ad_device_id.is_none() => {
                    Finding::because(KeyStatus::Unknown, "the device has no Entra device id to look under")
                }
                (Some(_), Proof::Read { .. }) => continue,
            };
            keys.set(row.secret, finding);
        }
        keys
    }

    /// Whether the secret of that device has to be read to know.
    pub fn wants_a_read(device: &Identity, secret: Secret) -> bool {
        let row = secret.row();
        let system = device.operating_system.as_deref().map(str::to_lowercase);
        matches!(row.proof, Proof::Read { .. })
            && system.is_some_and(|system| system.starts_with(row.system))
            && device.azure_ad_device_id.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(system: &str, entra: &str) -> Identity {
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        Identity { operating_system: text(system), azure_ad_device_id: text(entra), ..Identity::default() }
    }

    fn statuses(device: &Identity) -> [KeyStatus; 3] {
        let keys = Keys::before_reading(device);
        [Secret::BitLocker, Secret::Laps, Secret::FileVault].map(|secret| keys.of(secret).status)
    }

    #[test]
    fn what_a_device_cannot_have_is_not_looked_for_and_what_is_not_known_is_no_yes() {
        use KeyStatus::{NotApplicable as None, Unknown};
        for (system, entra, expected, reads) in [
            ("Windows", "e", [Unknown, Unknown, None], true),
            ("windows 11", "e", [Unknown, Unknown, None], true),
            ("Windows", "", [Unknown, Unknown, None], false),
            ("macOS", "e", [None, None, Unknown], false),
            ("iOS", "e", [None; 3], false),
            ("", "e", [Unknown; 3], false),
        ] {
            let device = device(system, entra);
            assert_eq!(statuses(&device), expected, "{system}");
            assert_eq!(Keys::wants_a_read(&device, Secret::BitLocker), reads, "{system}");
            assert!(!Keys::wants_a_read(&device, Secret::FileVault), "{system}");
        }
    }
}
