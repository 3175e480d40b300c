//! What is done about approval requests.
//!
//! In: what the command line says. Out: [`Requests`]. Must not: look at any.

use std::collections::HashSet;

use crate::journal::resume::Only;

/// What is done about approval requests.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    pub only: Only,
    /// File again what nobody approved in time.
    pub refile: bool,
    /// Stay until nothing waits any more: neither for an approval nor for another day.
    pub wait: bool,
    /// Jobs that this run leaves as they are.
    pub spared: HashSet<u32>,
}
