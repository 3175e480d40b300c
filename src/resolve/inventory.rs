//! An inventory in a file: what a tenant held at some moment, to look up in without asking it again.
//!
//! In: records, a tenant, a moment. Out: canonical JSON, the same bytes for the same records, and back. Must not:
//! accept a file that it does not understand whole.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pool::Pool;
use super::record::FoundRecord;
use crate::catalog::TargetKind;

/// The version of the format. The first one had no users, and is read as an inventory without them.
const VERSION: u32 = 2;
const FIRST: u32 = 1;
/// The largest file that is read: half a million devices fit.
const LIMIT: u64 = 512 << 20;

/// What a tenant held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedInventory {
    musterout_inventory: u32,
    /// Id or name of the tenant, as far as it is known.
    pub tenant: Option<String>,
    pub graph_url: String,
    pub taken_at: Timestamp,
    /// Without, reading them was not permitted.
    pub autopilot: Option<Vec<FoundRecord>>,
    /// What the directory knows of devices. Without, reading it was not permitted, or the file is an old one.
    #[serde(default)]
    pub entra_devices: Option<Vec<FoundRecord>>,
    /// Those of the directory. Without, reading them was not permitted, or the file is an old one.
    #[serde(default)]
    pub users: Option<Vec<FoundRecord>>,
    pub devices: Vec<FoundRecord>,
}

impl Default for SavedInventory {
    fn default() -> Self {
        Self {
            musterout_inventory: VERSION,
            tenant: None,
            graph_url: String::new(),
            taken_at: Timestamp::UNIX_EPOCH,
            autopilot: None,
            entra_devices: None,
            users: None,
            devices: Vec::new(),
        }
    }
}

/// Why a file is no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("it is not a regular file")]
    NoFile,
    #[error("it is larger than {} MiB", LIMIT >> 20)]
    TooLarge,
    #[error("it is not an inventory of musterout, or it is incomplete: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it is of version {0}, and this program knows versions {FIRST} to {VERSION}")]
    Version(u32),
    #[error("it contains {0} twice")]
    Twice(Box<str>),
}

impl SavedInventory {
    /// Reads a file, whole.
    pub fn load(file: &Path) -> Result<Self, InventoryError> {
        let about = std::fs::metadata(file)?;
        if !about.is_file() {
            return Err(InventoryError::NoFile);
        }
        if about.len() > LIMIT {
            return Err(InventoryError::TooLarge);
        }
        let inventory: Self = serde_json::from_slice(&std::fs::read(file)?)?;
        match inventory.musterout_inventory {
            FIRST..=VERSION => inventory.without_doubles(),
            version => Err(InventoryError::Version(version)),
        }
    }

    fn without_doubles(self) -> Result<Self, InventoryError> {
        let others = [&self.autopilot, &self.entra_devices, &self.users];
        let lists = std::iter::once(Some(&self.devices)).chain(others.map(Option::as_ref));
        for records in lists.flatten() {
            let mut seen = std::collections::HashSet::with_capacity(records.len());
            if let Some(twice) = records.iter().find(|record| !seen.insert(record.identity.id.to_ascii_lowercase())) {
                return Err(InventoryError::Twice(twice.identity.id.clone()));
            }
        }
        Ok(self)
    }

    /// One record a line, in the order of their ids: two inventories can be compared by `diff`.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut text = String::with_capacity(self.devices.len() * 400 + 400);
        let head = [
            ("musterout_inventory", serde_json::to_string(&self.musterout_inventory)?),
            ("tenant", serde_json::to_string(&self.tenant)?),
            ("graph_url", serde_json::to_string(&self.graph_url)?),
            ("taken_at", serde_json::to_string(&self.taken_at)?),
        ];
        text.push('{');
        for (name, value) in head {
            let _ = writeln!(text, "\"{name}\":{value},");
        }
        let lists = [("autopilot", &self.autopilot), ("entra_devices", &self.entra_devices), ("users", &self.users)];
        for (name, records) in lists {
            match records {
                Some(records) => write_list(&mut text, name, records)?,
                None => drop(write!(text, "\"{name}\":null")),
            }
            text.push_str(",\n");
        }
        write_list(&mut text, "devices", &self.devices)?;
        text.push_str("}\n");
        Ok(text)
    }

    pub fn into_pool(self) -> Pool {
        let mut pool = Pool::default();
        let shelves = [
            (TargetKind::ManagedDevice, Some(self.devices)),
            (TargetKind::AutopilotIdentity, self.autopilot),
            (TargetKind::EntraDevice, self.entra_devices),
            (TargetKind::User, self.users),
        ];
        for (kind, records) in shelves {
            let Some(records) = records else {
                pool.unread.push(kind);
                continue;
            };
            pool.reserve(kind, records.len());
            records.into_iter().for_each(|record| pool.add(kind, record));
        }
        pool
    }
}

fn write_list(text: &mut String, name: &str, records: &[FoundRecord]) -> serde_json::Result<()> {
    let mut sorted: Vec<&FoundRecord> = records.iter().collect();
    sorted.sort_by(|a, b| a.identity.id.cmp(&b.identity.id));
    let _ = write!(text, "\"{name}\":[");
    for (index, record) in sorted.into_iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        text.push_str(&serde_json::to_string(record)?);
    }
    text.push_str("\n]");
    Ok(())
}
