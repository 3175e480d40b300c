//! How a run stands.
//!
//! In: nothing. Out: [`RunState`] and its word, in the journal and for people. Must not: say what follows from it.

/// How a run stands, as far as the journal knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Some process has it under way, or it was broken off.
    Running,
    Finished,
    /// Somebody has stopped it.
    Interrupted,
    /// It could not go on: the service, the sign-in, the journal.
    Stopped,
    /// Rows of it wait for another day.
    Waiting,
    /// Its own limits have ended it. Whoever goes on with it has seen why.
    Tripped,
    /// It should be under way, and no process has it. Nobody writes that down.
    BrokenOff,
    /// The word of a later version.
    Unknown,
}

impl RunState {
    const ALL: [Self; 8] = [
        Self::Running,
        Self::Finished,
        Self::Interrupted,
        Self::Stopped,
        Self::Waiting,
        Self::Tripped,
        Self::BrokenOff,
        Self::Unknown,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Waiting => "waiting",
            Self::Tripped => "tripped",
            Self::BrokenOff => "broken off",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Unknown)
    }

    /// Whether somebody may go on with it who is told that it has ended.
    pub fn can_go_on(self) -> bool {
        !matches!(self, Self::Finished | Self::Running)
    }
}
