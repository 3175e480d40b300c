//! Why there is no session, as people are told.
//!
//! In: faults of sign-in, of the tenant, of a transport. Out: one error. Must not: hold a secret.

use crate::diagnostics::Diagnostic;
use crate::simulator::scenario::ScenarioError;

/// Why nobody is signed in to the tenant that is meant.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No token could be had.
    #[error("{}", .0.message)]
    SignIn(Box<Diagnostic>),
    /// It is another tenant than the one that is meant, or nobody can tell.
    #[error("{}", .0.message)]
    WrongTenant(Box<Diagnostic>),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error("the HTTP client could not be set up: {0}")]
    NoTransport(String),
}
