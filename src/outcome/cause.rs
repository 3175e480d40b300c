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
    held(Cause::Duplicate, "duplicate", "same job as row …", "an earlier row of the plan is the same job"),
    held(
        Cause::StepBeforeHeld,
        "step_before_held",
        "the step before it, in row …, is held",
        "the step before it was held before the run began",
    ),
    held(
        Cause::NoLongerInPlan,
        "no_longer_in_plan",
        "no longer in the plan",
        "the row was taken out of the plan after the run had begun",
    ),
    held(Cause::Protected, "protected", "…", "its target is protected"),
    held(
        Cause::MaybeProtected,
        "maybe_protected",
        "…",
        "what an entry of `protected` stands for could not be read, and it may be this target",
    ),
    held(
        Cause::TargetNotRead,
        "target_not_read",
        "…",
        "its target could not be read for the preview, or right before sending",
    ),
    held(
        Cause::TargetNotFound,
        "target_not_found",
        "looking up … has found nothing (missing: hold)",
        "looking up has found nothing, and the plan says `missing: hold`",
    ),
    held(
        Cause::SeveralTargets,
        "several_targets",
        "…",
        "looking up has found several targets, and `--hold-unresolved` was said",
    ),
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
        "what the row names it by leads to nobody or to somebody else today, or whose a name was then is not recorded",
    ),
    held(Cause::KeyNotOnFile, "key_not_on_file", "…", "a key of the device that has to be on file is not"),
    held(Cause::Denied, "denied", "…", "a guard forbids its action since the run was begun"),
    held(Cause::StepBeforeFailed, "step_before_failed", "the step before it, …", "the step before it did not go well"),
    held(
        Cause::StepBeforeUntold,
        "step_before_untold",
        "nothing can show that the step before it, …",
        "it waits until the step before it was seen to have happened, and no read can show that",
    ),
    held(Cause::OpenElsewhere, "open_elsewhere", "…", "a job of another plan is open on its target"),
    open(Cause::NotDue, "not_due", "not before …", "its `notBefore` has not come"),
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
        "the step before it was not seen to have happened in time",
    ),
    open(Cause::DailyLimit, "daily_limit", "…", "the day's limit of the action is used up, or seems to be"),
    open(
        Cause::WaveBeforeWaits,
        "wave_before_waits",
        "the wave before its own waits for another day",
        "the wave before its own waits for another day",
    ),
    open(
        Cause::ApprovalRequestsFull,
        "approval_requests_full",
        "… are open, as many as can be carried out before they expire",
        "as many approval requests are open as can be carried out before they expire",
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
        "the service asked to wait for longer than a run waits",
    ),
    open(
        Cause::SentByAnotherRun,
        "sent_by_another_run",
        "run … has sent it meanwhile; resume this run when that one has ended",
        "another run has sent it meanwhile",
    ),
    open(
        Cause::LeftToAnotherRun,
        "left_to_another_run",
        "run … goes on with it",
        "another run goes on with it: it is under way, or has asked for an approval",
    ),
    open(
        Cause::WindowEnded,
        "window_ended",
        "the window … has ended",
        "its target had not been begun when the window ended",
    ),
    open(Cause::NotReached, "not_reached", "the run …", "the run ended before its turn, or has not come to it yet"),
    open(Cause::Interrupted, "interrupted", "the run was interrupted", "the run was interrupted"),
    open(Cause::Stopped, "stopped", "the run was stopped on request", "the run was stopped by `musterout stop`"),
    open(Cause::Breaker, "breaker", "the run was stopped: …", "a limit of `stop_when` was reached"),
    open(
        Cause::Wave,
        "wave",
        "the run was stopped: …",
        "a wave before its own went wrong, or nobody agreed to the next one",
    ),
    open(
        Cause::Guards,
        "guards",
        "the run was stopped: …",
        "a policy or the plan has changed under way, and would refuse the run now",
    ),
    open(Cause::SignInFailed, "sign_in_failed", "the run was stopped: sign-in failed", "sign-in failed during the run"),
    open(
        Cause::Unreachable,
        "unreachable",
        "the run was stopped: the host could not be reached",
        "the service could not be reached",
    ),
    open(
        Cause::Justification,
        "justification",
        "the run was stopped: the tenant asks for a justification",
        "the tenant asks for a justification that the run does not give",
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
