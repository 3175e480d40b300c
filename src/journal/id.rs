//! What a run is called.
//!
//! In: a time and randomness. Out: a [`RunId`]. Must not: know what is recorded of the run.

use std::fmt;

use jiff::Timestamp;

/// What a run is called. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(pub(super) String);

impl RunId {
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
