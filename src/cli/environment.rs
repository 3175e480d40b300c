//! What the process was started with, beside its arguments.
//!
//! In: the environment, by way of `settings`. Out: its settings, and the policies that apply; what cannot be understood ends the
//! program. Must not: read a variable itself.

use std::path::Path;

use super::failure::Failure;
use crate::settings::{Environment, PolicyFile};

pub(super) fn environment() -> Result<Environment, Failure> {
    Environment::read().map_err(|fault| Failure::usage(*fault))
}

/// The machine's, the person's, and the one that was named.
pub(super) fn policies(named: Option<&Path>) -> Result<Vec<PolicyFile>, Failure> {
    Ok(environment()?.policies(named))
}
