//! The `guards` of a plan.
//!
//! In: its node. Out: what brakes the run, and faults. Must not: skip a guard that it does not know.

use super::reader::{Entry, Reader};
use super::yaml::Node;
use super::{stop_when, waves};
use crate::guard::breaker::StopWhen;
use crate::guard::waves::Wave;

const KEYS: &[&str] = &["stop_when", "waves"];

/// What a plan says of its run under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    pub stop_when: StopWhen,
    /// Empty: everything goes at once.
    pub waves: Vec<Wave>,
}

/// Reads them.
pub fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Guards {
    let mut guards = Guards::default();
    for Entry { name, value, .. } in reader.map_of(node, "`guards`", KEYS).unwrap_or_default() {
        match name {
            "stop_when" => guards.stop_when = stop_when::read(value, reader),
            _ => guards.waves = waves::read(value, reader),
        }
    }
    guards
}
