//! Why a job was not sent: one table of causes, each with its name, its outcome and its words.
//!
//! In: a cause, and what there is to say of the one job. Out: an [`Unsent`], whose note is rendered here; an [`Ending`],
//! which is that or the end of a job that was sent. Must not: decide; and nobody may read a cause out of a note.

use super::outcomes::Outcome;

/// Why a job is `held` or `not_attempted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    Duplicate,
    StepBeforeHeld,
    NoLongerInPlan,
    Protected,
    MaybeProtected,
    TargetNotRead,
    TargetNotFound,
    SeveralTargets,
    TargetChanged,
    NameMoved,
    KeyNotOnFile,
    Denied,
    StepBeforeFailed,
    StepBeforeUntold,
    OpenElsewhere,
    NotDue,
    StepBeforeNotAttempted,
    StepBeforeNotSeen,
    DailyLimit,
    WaveBeforeWaits,
    ApprovalRequestsFull,
    ApprovalWithdrawn,
    ServiceSaidWait,
    SentByAnotherRun,
    LeftToAnotherRun,
    WindowEnded,
    NotReached,
    Interrupted,
    Stopped,
    Breaker,
    Wave,
    Guards,
    SignInFailed,
    Unreachable,
    Justification,
    JournalFailed,
}

/// What is said of a cause.
struct CauseRow {
    cause: Cause,
    /// In JSON and in the journal; an interface.
    name: &'static str,
    outcome: Outcome,
    /// The note; [`GAP`] is where the facts of the one job go.
    note: &'static str,
    /// For people who read about causes.
    words: &'static str,
}

const GAP: char = '…';

const fn held(cause: Cause, name: &'static str, note: &'static str, words: &'static str) -> CauseRow {
    CauseRow { cause, name, outcome: Outcome::Held, note, words }
}

const fn open(cause: Cause, name: &'static str, note: &'static str, words: &'static str) -> CauseRow {
    CauseRow { cause, name, outcome: Outcome::NotAttempted, note, words }
}

/// In the order of the enum.
const CAUSES: [CauseRow; 36] = [
    held(Cause::Duplicate, "duplicate", "same job as row …", "identical to an earlier row of the plan"),
    held(Cause::StepBeforeHeld, "step_before_held", "the step before it (row …) is held", "the step before it is held"),
    held(
        Cause::NoLongerInPlan,
        "no_longer_in_plan",
        "no longer in the plan",
        "the row was removed from the plan after the run began",
    ),
    held(Cause::Protected, "protected", "…", "the target is protected"),
    held(
        Cause::MaybeProtected,
        "maybe_protected",
        "…",
        "the target may be protected: an entry of `protected` could not be read",
    ),
    held(
        Cause::TargetNotRead,
        "target_not_read",
        "…",
        "the target could not be read for the preview, or right before sending",
    ),
    held(Cause::TargetNotFound, "target_not_found", "no target found for …", "no target was found"),
    held(Cause::SeveralTargets, "several_targets", "…", "several targets were found"),
    held(
        Cause::TargetChanged,
        "target_changed",
        "not as …",
        "the target has changed since the preview or the inventory was saved",
    ),
    held(
        Cause::NameMoved,
        "name_moved",
        "…",
        "the name in the row leads to another target than before or to none, or the earlier target is not recorded",
    ),
    held(
        Cause::KeyNotOnFile,
        "key_not_on_file",
        "…",
        "a required recovery key or password is not on file, or could not be checked",
    ),
    held(Cause::Denied, "denied", "…", "a guard has forbidden the action since the run began"),
    held(Cause::StepBeforeFailed, "step_before_failed", "the step before it, …", "the step before it did not succeed"),
    held(
        Cause::StepBeforeUntold,
        "step_before_untold",
        "no read can show that the step before it, …",
        "it must wait for the step before it, and no read can show whether that has completed",
    ),
    held(Cause::OpenElsewhere, "open_elsewhere", "…", "another plan has an open job on the target"),
    open(Cause::NotDue, "not_due", "not before …", "its `notBefore` is in the future"),
    open(
        Cause::StepBeforeNotAttempted,
        "step_before_not_attempted",
        "the step before it was not attempted",
        "the step before it was not attempted",
    ),
    open(
        Cause::StepBeforeNotSeen,
        "step_before_not_seen",
        "the step before it, …",
        "the step before it was not confirmed in time",
    ),
    open(Cause::DailyLimit, "daily_limit", "…", "the daily limit of the action is used up, or seems to be"),
    open(
        Cause::WaveBeforeWaits,
        "wave_before_waits",
        "an earlier wave waits for another day",
        "an earlier wave waits for another day",
    ),
    open(
        Cause::ApprovalRequestsFull,
        "approval_requests_full",
        "… are open; more could not be carried out before they expire",
        "so many approval requests are open that more could not be carried out before they expire",
    ),
    open(
        Cause::ApprovalWithdrawn,
        "approval_withdrawn",
        "approval request … was withdrawn",
        "its approval request was withdrawn with `approvals --withdraw`",
    ),
    open(
        Cause::ServiceSaidWait,
        "service_said_wait",
        "the service asked …, which is longer than a run waits",
        "the service asked for a longer wait than a run allows",
    ),
    open(
        Cause::SentByAnotherRun,
        "sent_by_another_run",
        "run … has sent it; resume this run after that one has ended",
        "another run has sent it",
    ),
    open(
        Cause::LeftToAnotherRun,
        "left_to_another_run",
        "run … handles it",
        "another run handles it: that run is active, or has filed an approval request",
    ),
    open(
        Cause::WindowEnded,
        "window_ended",
        "the window … has ended",
        "the window ended before work on its target began",
    ),
    open(Cause::NotReached, "not_reached", "the run …", "the run ended before its turn, or has not started it yet"),
    open(Cause::Interrupted, "interrupted", "the run was interrupted", "the run was interrupted"),
    open(Cause::Stopped, "stopped", "the run was stopped on request", "the run was stopped by `musterout stop`"),
    open(Cause::Breaker, "breaker", "the run was stopped: …", "a limit of `stop_when` was reached"),
    open(
        Cause::Wave,
        "wave",
        "the run was stopped: …",
        "an earlier wave did not go well, or the next wave was not agreed to",
    ),
    open(
        Cause::Guards,
        "guards",
        "the run was stopped: …",
        "a policy or the plan changed during the run, and would now refuse it",
    ),
    open(Cause::SignInFailed, "sign_in_failed", "the run was stopped: sign-in failed", "sign-in failed during the run"),
    open(
        Cause::Unreachable,
        "unreachable",
        "the run was stopped: the service could not be reached",
        "the service could not be reached",
    ),
    open(
        Cause::Justification,
        "justification",
        "the run was stopped: the tenant requires a justification",
        "the tenant requires a justification that the run does not have",
    ),
    open(
        Cause::JournalFailed,
        "journal_failed",
        "the run was stopped: the journal could not be written",
        "the journal could not be written",
    ),
];

impl Cause {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        CAUSES.iter().map(|row| row.cause)
    }

    fn row(self) -> &'static CauseRow {
        &CAUSES[self as usize]
    }

    /// The word in JSON and in the journal.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The cause of that name. `None`: a later version's.
    pub fn named(name: &str) -> Option<Self> {
        CAUSES.iter().find(|row| row.name == name).map(|row| row.cause)
    }

    /// How a job settles because of it.
    pub fn outcome(self) -> Outcome {
        self.row().outcome
    }

    /// What it means.
    pub fn words(self) -> &'static str {
        self.row().words
    }

    /// Where there is nothing to say of the one job.
    pub fn plain(self) -> Unsent {
        self.with("")
    }

    /// With the facts of the one job.
    pub fn with(self, facts: impl AsRef<str>) -> Unsent {
        let note = match self.row().note.split_once(GAP) {
            Some((before, after)) => [before, facts.as_ref(), after].concat(),
            None => self.row().note.to_owned(),
        };
        Unsent { cause: self, note: note.into() }
    }
}

/// Why one job was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    cause: Cause,
    note: Box<str>,
}

impl Unsent {
    pub fn cause(&self) -> Cause {
        self.cause
    }

    pub fn note(&self) -> &str {
        &self.note
    }

    /// What was sent before and is in doubt stays in doubt, with the same note.
    pub fn unless_in_doubt(self, in_doubt: bool) -> Ending {
        match in_doubt {
            true => Ending::Settled(Outcome::Unknown, Some(self.note)),
            false => self.into(),
        }
    }
}

/// How a job ends, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Unsent(Unsent),
    /// It was sent, or there was nothing to do; with the note, where there is something to say.
    Settled(Outcome, Option<Box<str>>),
}

impl From<Unsent> for Ending {
    fn from(unsent: Unsent) -> Self {
        Self::Unsent(unsent)
    }
}

impl Ending {
    /// Of a job that was sent, or that nothing had to be done for.
    pub fn settled(outcome: Outcome, note: Option<String>) -> Self {
        debug_assert!(!outcome.has_a_cause(), "{outcome:?} without a cause");
        Self::Settled(outcome, note.map(String::into_boxed_str))
    }

    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unsent(unsent) => unsent.cause.outcome(),
            Self::Settled(outcome, _) => *outcome,
        }
    }

    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Unsent(unsent) => Some(unsent.cause),
            Self::Settled(..) => None,
        }
    }

    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Unsent(unsent) => Some(&unsent.note),
            Self::Settled(_, note) => note.as_deref(),
        }
    }

    pub fn into_note(self) -> Option<Box<str>> {
        match self {
            Self::Unsent(unsent) => Some(unsent.note),
            Self::Settled(_, note) => note,
        }
    }

    /// The same end, and something said before its note.
    #[must_use]
    pub fn after(self, what: String) -> Self {
        let note = self.note().map(|note| format!("{what}; {note}")).unwrap_or(what).into();
        match self {
            Self::Unsent(Unsent { cause, .. }) => Self::Unsent(Unsent { cause, note }),
            Self::Settled(outcome, _) => Self::Settled(outcome, Some(note)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_one_row_for_every_cause_and_one_cause_for_every_name() {
        for (at, row) in CAUSES.iter().enumerate() {
            assert_eq!((row.cause as usize, Cause::named(row.name)), (at, Some(row.cause)));
            assert!(row.outcome.has_a_cause() && !row.words.is_empty());
            let plain = row.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain, "{} is no name", row.name);
        }
        assert_eq!(Cause::named("of_a_later_version"), None);
    }

    #[test]
    fn a_note_is_rendered_from_its_cause() {
        assert_eq!(Cause::Duplicate.with("2").note(), "same job as row 2");
        assert_eq!(Cause::Interrupted.plain().note(), "the run was interrupted");
        let held = Ending::from(Cause::NotDue.with("noon")).after("asked".into());
        assert_eq!((held.note(), held.cause()), (Some("asked; not before noon"), Some(Cause::NotDue)));
    }
}
