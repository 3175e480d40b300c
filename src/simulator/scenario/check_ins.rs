//! What devices do about what was accepted for them: when they check in, and how it ends.
//!
//! In: YAML. Out: [`CheckIn`]s. Must not: play them; `late` does.

use serde::{Deserialize, Serialize};

use super::approvals::DecisionOn;
use super::limits::Latency;
use super::value::{ActionName, Seconds};

/// What the devices do that an accepted action matches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    #[serde(default)]
    pub on: DecisionOn,
    /// Since it was accepted.
    #[serde(default)]
    pub after: Latency,
    #[serde(rename = "do")]
    pub end: End,
}

/// How an action ends on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It happens: what is retired or wiped is gone from the inventory, unless it keeps its enrolment.
    Complete,
    /// The device cannot do it.
    Fail,
    /// It does not know how.
    NotSupported,
    /// Somebody takes it back; the device does not check in.
    Cancel,
    /// It checks in, and does nothing about it.
    Ignore,
}

impl End {
    /// The `actionState` that Graph shows.
    pub fn state(self) -> &'static str {
        match self {
            Self::Complete => "done",
            Self::Fail => "failed",
            Self::NotSupported => "notSupported",
            Self::Cancel => "canceled",
            Self::Ignore => "pending",
        }
    }
}

/// An entry of `deviceActionResults` that is there from the beginning.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedResult {
    pub action: ActionName,
    pub end: End,
    /// So long ago.
    #[serde(default)]
    pub age: Seconds,
}
