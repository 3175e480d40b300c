//! Why a job has no target that anything could be sent to.
//!
//! In: nothing. Out: [`Unfound`], which preview, run, journal and saved previews share. Must not: say how the job settles; the
//! guard's preflight does.

use serde::{Deserialize, Serialize};

/// Why looking up has given a job no target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfound {
    /// Nothing is what the plan says.
    Nothing,
    /// Its day has not come, and nobody has looked.
    NotDue,
    /// Several are what the plan says; the text names them.
    Several(Box<str>),
    /// Nothing is left to do; the text says why.
    NothingLeft(Box<str>),
}
