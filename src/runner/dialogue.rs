//! What the dispatcher and its policies say to each other.
//!
//! In: nothing. Out: what has happened ([`Happened`]), what a policy wants done ([`Command`]), whether a job may leave
//! ([`Admission`]), and the trait of all policies. Must not: do any of it; the dispatcher does.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::event::{Event, StopReason};
use super::job_state::{Item, NextRequest, WaitsFor};
use super::mailbox::{News, WayBack};
use super::run::LeftBehind;
use super::view::RunView;
use crate::approval::ApprovalRequest;
use crate::catalog::Bucket;
use crate::daily::{Take, UsedUp};
use crate::journal::{RivalQuestion, TurnedAway};
use crate::outcome::{
    Ending, Evidence, FollowUp, FollowUpRead, Outcome, Presence, Reply, RequestId, Seen, Stage, Unsent,
};

/// When a request left and when its answer came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub sent: Instant,
    pub now: Instant,
}

/// One rule of how a run goes. It owns its state, hears what happens, and says what follows from it.
pub(super) trait Policy: Send {
    /// Something has happened.
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then);

    /// Whether a job may pass a door.
    fn admit(&mut self, _item: Item, _door: Door, _view: &RunView) -> Admission {
        Admission::Go
    }

    /// What the record of an attempt takes of a day's limit. `Err`: nothing is left, where no journal counts.
    fn take(&mut self, _job: u32, _view: &RunView) -> Result<Option<Take>, UsedUp> {
        Ok(None)
    }

    /// When it wants to hear [`Happened::Turn`], though nothing else happens.
    fn wake(&self, _view: &RunView) -> Option<Instant> {
        None
    }

    /// Whether it has asked something and waits for the answer.
    fn is_asking(&self) -> bool {
        false
    }

    /// Whether the run goes on for it, though all jobs have settled.
    fn keeps_open(&self) -> bool {
        false
    }

    /// What it leaves behind at the end.
    fn leave(self: Box<Self>, _left: &mut LeftBehind) {}
}

/// What a job passes on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Into a queue, for the first time.
    Queue,
    /// Out of its queue, to the gate of its bucket.
    Gate,
    /// From the journal to a worker.
    Wire,
}

/// What a policy says of a job at a door: from the mildest to the strictest, which wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    Go,
    /// Something else is done with it first.
    First(NextRequest),
    /// It waits where it is, and what is behind it too.
    Wait,
    /// It waits elsewhere.
    Aside(WaitsFor),
    /// Nobody wants that read any more.
    Drop,
    /// It is not sent.
    Hold(Unsent),
}

impl Admission {
    fn strictness(&self) -> u8 {
        match self {
            Self::Go => 0,
            Self::First(_) => 1,
            Self::Wait => 2,
            Self::Aside(_) => 3,
            Self::Drop => 4,
            Self::Hold(_) => 5,
        }
    }

    /// The stricter one; of two that are as strict, the first.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        if other.strictness() > self.strictness() { other } else { self }
    }
}

/// What has happened.
#[derive(Debug)]
pub(super) enum Happened<'a> {
    /// Every job is in its place.
    Began,
    /// Time has passed, or something else has happened.
    Turn,
    /// Nothing is under way, and no queue holds anything.
    Quiet,
    /// Nothing is under way, and no gate opens later: nothing more will leave by itself.
    Stuck,
    /// A job stays as an earlier process has settled it.
    Kept { job: u32, outcome: Outcome },
    /// A job was put aside, as a policy has said.
    PutAside { item: Item, waits_for: WaitsFor },
    /// A job has left its queue, whatever for.
    Taken(Item),
    /// A gate has let it through. `first`: this process sends for it, or checks its target, for the first time.
    LetOut { item: Item, first: bool },
    /// The journal does not let an attempt leave.
    TurnedAway { job: u32, why: &'a TurnedAway },
    /// An attempt was recorded and did not leave.
    Withdrawn { job: u32, client_request_id: &'a RequestId },
    /// An attempt was answered.
    Attempted(Attempted<'a>),
    /// A read has failed, whatever it was for.
    ReadFailed { item: Item, reply: &'a Reply, times: Times },
    /// A PreSendCheck was answered.
    Checked { job: u32, seen: &'a Seen },
    /// A ReadBack was answered.
    ReadBack(&'a ReadBackAnswer),
    /// A read has shown whether an id of the route is there.
    Found { job: u32, at: u8, presence: &'a Presence },
    /// All ids of the route are there, and a read has shown the state.
    StateRead { job: u32, evidence: &'a Evidence, times: Times },
    /// A FollowUp was answered.
    FollowedUp { job: u32, answer: &'a Result<FollowUpRead, Reply>, times: Times },
    /// The service has closed the gate of a FollowUp for too long.
    NotFollowed { job: u32, why: &'a str },
    /// It is known how far an accepted job is. `sent_here`: this process has sent it.
    Shown { job: u32, stage: Stage, sent_here: bool },
    /// A job has settled. `counted`: as what it counts for its wave; `sent_here`: this process has sent for it.
    Settled { job: u32, outcome: Outcome, counted: Outcome, sent_here: bool },
    /// A job that was about to be sent waits for another day.
    Spared { job: u32 },
    /// The run ends.
    Stopping,
    /// Every job has settled.
    Finished,
    /// An answer to a question has come.
    News(&'a News),
    /// A policy says something to others.
    Announced(&'a Announcement),
}

/// An attempt and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempted<'a> {
    pub job: u32,
    pub reply: &'a Reply,
    pub times: Times,
}

/// What a ReadBack has shown.
#[derive(Debug)]
pub(super) struct ReadBackAnswer {
    pub job: u32,
    pub evidence: Evidence,
    /// Whether it may be sent again.
    pub resend: bool,
    pub times: Times,
    /// Whether the journal was asked what else may have had that effect.
    pub judged: bool,
}

/// Who wants to know how an accepted job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The next wave.
    Wave,
    /// The next step on the same target.
    Step,
    /// A person.
    Verify,
}

impl Who {
    pub(super) const ALL: [Self; 3] = [Self::Wave, Self::Step, Self::Verify];
}

/// What a policy says to others.
#[derive(Debug)]
pub(super) enum Announcement {
    /// A job is to be followed up.
    Follow { job: u32, who: Who, within: Duration },
    /// No job is to be followed up for that reason any more.
    Unfollow(Who),
    /// A job has shown nothing final in time; what was seen last.
    InVain { job: u32, who: Who, seen: Option<String> },
    /// A job that a wave waits for has landed, or has come to nothing.
    Landed { job: u32, stage: Stage },
    /// Something that a job names is not there, as that read has found.
    Missing { job: u32, found_by: NextRequest },
    /// A read is not made again, and why.
    Unread { item: Item, why: Box<str> },
    /// A ReadBack is to be taken for what it shows.
    ReadBack(ReadBackAnswer),
}

/// Where in its bucket a job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueuePlace {
    /// Behind everything that is as urgent.
    Back,
    /// Before everything that is as urgent: it had its turn already.
    Front,
    /// Before all others: its target was checked.
    Checked,
}

/// What a policy wants done.
#[derive(Debug)]
pub(super) enum Command {
    /// Puts a job into its queue; when the run is ending, takes it out.
    Queue(Item, QueuePlace),
    /// The same after a delay.
    Later {
        item: Item,
        after: Duration,
        reason: Box<str>,
    },
    /// Lets a job into its queue for the first time.
    LetIn(Item),
    /// It waits outside the queues.
    Wait(Item, WaitsFor),
    Settle(u32, Ending),
    /// Queues a read of a settled job.
    Watch(u32),
    /// Keeps what a read has shown of an accepted job.
    Show(u32, FollowUp),
    /// Says something besides of an accepted job. No journal keeps it.
    Remark(u32, Box<str>),
    /// The last request was no try.
    NotATry(u32),
    /// The last request never left this machine.
    NeverSent(u32),
    /// A read has shown that nothing is in doubt any more.
    NoDoubt(u32),
    /// It waits for another day, and is no risk until then.
    Spare(u32),
    /// Takes back every attempt that has not left.
    WithdrawAll,
    /// Nobody sends in a bucket for a while.
    Pause {
        bucket: Bucket,
        asked: Option<Duration>,
        crowded: bool,
        times: Times,
    },
    /// The host cannot be reached.
    HostAway {
        reason: Box<str>,
        times: Times,
    },
    Stop(StopReason),
    Write(JournalEntry),
    Tell(Event),
    Announce(Announcement),
}

impl Command {
    pub(super) fn send(job: u32, next: NextRequest) -> Self {
        Self::Queue(Item { job, next }, QueuePlace::Front)
    }

    pub(super) fn later(job: u32, next: NextRequest, after: Duration, reason: Box<str>) -> Self {
        Self::Later { item: Item { job, next }, after, reason }
    }

    pub(super) fn settle(job: u32, outcome: Outcome, note: Option<String>) -> Self {
        Self::Settle(job, Ending::settled(outcome, note))
    }
}

/// What the journal is told.
#[derive(Debug)]
pub(super) enum JournalEntry {
    /// An attempt has used up nothing of the day.
    GiveBack(RequestId),
    /// The service has said that a day's limit is used up.
    Pause(Take, UsedUp),
    Filed {
        job: u32,
        attempt: u32,
        request: Box<ApprovalRequest>,
    },
    /// A read has shown the target.
    Seen(u32),
    /// What else may have brought about what was seen?
    Rival {
        job: u32,
        question: Box<RivalQuestion>,
        answer: WayBack,
    },
}

/// How strict a proposal is: of several for one job, the strictest is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    GoOn,
    Wait,
    Hold,
}

/// What follows from something that has happened.
#[derive(Debug, Default)]
pub(super) struct Then {
    commands: VecDeque<Command>,
    proposal: Option<(Rank, Vec<Command>)>,
}

impl Then {
    /// Whatever others say.
    pub(super) fn push(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    /// For the job in hand, unless another policy proposes something stricter.
    pub(super) fn propose(&mut self, rank: Rank, commands: impl Into<Vec<Command>>) {
        if self.proposal.as_ref().is_none_or(|(other, _)| *other < rank) {
            self.proposal = Some((rank, commands.into()));
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.push(Command::Tell(event));
    }

    /// All policies have been heard.
    pub(super) fn decide(&mut self) {
        let (_, commands) = self.proposal.take().unwrap_or((Rank::GoOn, Vec::new()));
        self.commands.extend(commands);
    }

    /// Whether that job settles at once.
    pub(super) fn settles(&self, job: u32) -> bool {
        let settles = |command: &Command| matches!(command, Command::Settle(settled, _) if *settled == job);
        self.commands.iter().any(settles)
    }

    pub(super) fn next(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }
}

/// When something that was said in wall-clock time comes.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    at.duration_since(now).try_into().unwrap_or_default()
}
