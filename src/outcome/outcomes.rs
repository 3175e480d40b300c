//! The words for how a job settled, and what each of them counts as.
//!
//! In: nothing. Out: [`Outcome`], as a table of names, and [`Tally`], which counts them. Must not: say why; that is a cause.

/// How a job settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The service did it: its answer says so, or a read shows it.
    Completed,
    /// The service queued it; the device has not confirmed.
    Accepted,
    /// There was nothing to do.
    AlreadyDone,
    /// The service refused it, or retries ran out.
    Failed,
    /// The service knows no such target, and nothing has ever shown it in this tenant.
    NotFound,
    /// Something stopped it before it was sent.
    Held,
    /// It was sent, the answer was lost, and no read could settle it.
    Unknown,
    /// The tenant wants a second person to approve it.
    AwaitingApproval,
    /// The run ended first, or it is not due.
    NotAttempted,
}

/// Who has dealt with a job of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealtWith {
    /// This process, and it has sent it.
    SentHere,
    /// This process, without sending it.
    Here,
    /// A process before this one, which ended before anybody was told how the wave went.
    Before,
}

/// What an outcome counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    Bad,
    Open,
}

impl Outcome {
    /// All of them, in the order of the account line.
    pub const ALL: [Outcome; 9] = [
        Self::Completed,
        Self::Accepted,
        Self::AlreadyDone,
        Self::Failed,
        Self::NotFound,
        Self::Held,
        Self::Unknown,
        Self::AwaitingApproval,
        Self::NotAttempted,
    ];

    /// The word in reports and on the account line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Accepted => "accepted",
            Self::AlreadyDone => "already_done",
            Self::Failed => "failed",
            Self::NotFound => "not_found",
            Self::Held => "held",
            Self::Unknown => "unknown",
            Self::AwaitingApproval => "awaiting_approval",
            Self::NotAttempted => "not_attempted",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Whether a job that settles so was not sent, and says why by a [`super::Cause`].
    pub fn has_a_cause(self) -> bool {
        matches!(self, Self::Held | Self::NotAttempted)
    }

    /// Whether a wave has gone wrong because one of its jobs ended so.
    pub fn spoils_a_wave(self, by: DealtWith) -> bool {
        match (self, by) {
            // What is only read here another process has sent, and whoever goes on has seen that.
            (Self::Failed | Self::NotFound | Self::Unknown | Self::AwaitingApproval, by) => by != DealtWith::Here,
            (Self::NotAttempted, by) => by != DealtWith::Before,
            // A held step is behind one that went wrong, which counts.
            (Self::Held | Self::Completed | Self::Accepted | Self::AlreadyDone, _) => false,
        }
    }

    pub fn standing(self) -> Standing {
        match self {
            Self::Completed | Self::Accepted | Self::AlreadyDone => Standing::Good,
            Self::Failed | Self::NotFound | Self::Held => Standing::Bad,
            Self::Unknown | Self::AwaitingApproval | Self::NotAttempted => Standing::Open,
        }
    }
}

/// How many jobs settled in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally([u32; Outcome::ALL.len()]);

impl Tally {
    pub fn count(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    pub fn add(&mut self, outcome: Outcome, count: u32) {
        self.0[outcome as usize] += count;
    }

    pub fn of(&self, outcome: Outcome) -> u32 {
        self.0[outcome as usize]
    }

    pub fn standing(&self, standing: Standing) -> u32 {
        Outcome::ALL.into_iter().filter(|outcome| outcome.standing() == standing).map(|outcome| self.of(outcome)).sum()
    }

    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl FromIterator<Outcome> for Tally {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut tally = Self::default();
        outcomes.into_iter().for_each(|outcome| tally.count(outcome));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spoils_a_wave_depends_on_who_has_sent_it() {
        let spoiling = |by: DealtWith| -> Vec<Outcome> {
            Outcome::ALL.into_iter().filter(|outcome| outcome.spoils_a_wave(by)).collect()
        };
        let bad = [Outcome::Failed, Outcome::NotFound, Outcome::Unknown, Outcome::AwaitingApproval];
        assert_eq!(spoiling(DealtWith::Before), bad);
        assert_eq!(spoiling(DealtWith::SentHere), [bad.as_slice(), &[Outcome::NotAttempted]].concat());
        assert_eq!(spoiling(DealtWith::Here), [Outcome::NotAttempted]);
    }

    #[test]
    fn a_tally_loses_nothing() {
        let tally: Tally = Outcome::ALL.into_iter().chain([Outcome::Held]).collect();
        assert_eq!(tally.total(), 10);
        assert_eq!(tally.of(Outcome::Held), 2);
        assert_eq!(tally.standing(Standing::Good), 3);
        assert_eq!(tally.standing(Standing::Bad), 4);
        assert_eq!(tally.standing(Standing::Open), 3);
    }
}
