//! What becomes of a row whose target is not there: a setting of plans, jobs, policies and the command line.
//!
//! In: its word. Out: a [`Missing`]. Must not: find out whether anything is missing.

use serde::{Deserialize, Serialize};

/// What a plan wants done about a target that cannot be found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// At look-up the whole plan is refused.
    #[default]
    Refuse,
    /// At look-up the row is held, and the others go on.
    Hold,
    /// What is not there needs nothing done: such a row is done already.
    Done,
}

/// What the command line says becomes of rows that do not lead to one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolvable {
    /// Of those that lead to none.
    Missing(Missing),
    /// They are held, and so are those that lead to several.
    Hold,
}

impl Unresolvable {
    /// What becomes of those that lead to none.
    pub fn missing(self) -> Missing {
        match self {
            Self::Missing(missing) => missing,
            Self::Hold => Missing::Hold,
        }
    }
}

impl Missing {
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Hold, Self::Done];

    /// The word in plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Hold => "hold",
            Self::Done => "done",
        }
    }

    /// The setting of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|missing| missing.name() == word)
    }
}
