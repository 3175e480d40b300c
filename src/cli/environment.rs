//! What the process was started with, beside its arguments.
//!
//! In: the environment, by way of `settings`; the system's clock. Out: settings, the policies that apply, the time; what cannot be
//! understood ends the program. Must not: read a variable itself.

use std::path::Path;

use jiff::Timestamp;

use super::failure::Failure;
use crate::settings::{Environment, Flags, PolicyFile, Settings};

pub(super) fn environment() -> Result<Environment, Failure> {
    Environment::read().map_err(|fault| Failure::usage(*fault))
}

/// The machine's, the person's, and the one that was named.
pub(super) fn policies(named: Option<&Path>) -> Result<Vec<PolicyFile>, Failure> {
    Ok(environment()?.policies(named))
}

/// As flags and environment say together.
pub(super) fn settings(flags: Flags) -> Result<Settings, Failure> {
    Settings::new(&flags, &environment()?).map_err(|fault| Failure::usage(*fault))
}

/// The one look at the system's clock.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
