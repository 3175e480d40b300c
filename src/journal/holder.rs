//! Who runs a plan.
//!
//! In: what a process says of itself. Out: a [`Holder`], in words too. Must not: say whether it still lives; the lock does.

use std::fmt;

use crate::moment::moment;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who runs a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub run_id: String,
    pub process: u32,
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run_id.is_empty() {
            true => write!(f, "another process"),
            false => {
                let since = moment(self.since);
                write!(f, "run {} (process {}, since {since})", self.run_id, self.process)
            }
        }
    }
}
