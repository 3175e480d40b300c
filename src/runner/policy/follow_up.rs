//! FollowUp: reads of accepted jobs until they are done, for a wave that has to land, for a step that waits, and for a person
//! who wants to know.
//!
//! In: jobs to follow up ([`schedule`] says when), answers of reads. Out: reads in the queues; what they show, and who has waited
//! in vain. Must not: take a failed read for a sign.

mod schedule;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use self::schedule::{BETWEEN, DueRead, FIRST_LOOK, ReadSchedule, Wish};
use crate::outcome::{Reply, Stage, Stamp, Verdict};
use crate::pacing::is_crowded;
use crate::runner::dialogue::{Admission, Announcement, Command, Door, Happened, Policy, Then, Times, Who, until};
use crate::runner::event::{Event, StopReason};
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> FollowUps {
    FollowUps { schedule: ReadSchedule::default(), steps_told: 0, verify: run.verify, until: run.brakes.until }
}

#[derive(Debug)]
pub(super) struct FollowUps {
    schedule: ReadSchedule,
    /// How many steps people were told are waiting.
    steps_told: u32,
    /// How long a person waits.
    verify: Option<Duration>,
    /// When the run ends.
    until: Option<Timestamp>,
}

impl Policy for FollowUps {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::Began => self.verify(view, then),
            Happened::Turn => self.go_on(view, then),
            Happened::Announced(Announcement::Follow { job, who, within }) => self.follow(*job, *who, *within, view),
            Happened::Announced(Announcement::Unfollow(who)) => self.schedule.leave_all(*who),
            Happened::LetOut { item: Item { job, next: NextRequest::FollowUp }, .. } => {
                self.schedule.is_read(view.job(*job).target(), view.now);
            }
            // A read that nobody waits for any more, and that has told nothing.
            Happened::FollowedUp { job, answer: Err(_), .. } if !self.schedule.has(*job) => {}
            Happened::FollowedUp { job, answer: Err(reply), times } => {
                for command in self.failed(*job, reply, *times, view) {
                    then.push(command);
                }
            }
            Happened::NotFollowed { job, why } => self.not_told(*job, Some((*why).into()), view, then),
            Happened::Shown { job, stage, .. } => self.shown(*job, *stage, view, then),
            Happened::Stopping => self.schedule.give_up(),
            Happened::Finished => {
                for (job, trouble) in self.schedule.troubles() {
                    then.push(Command::Remark(job, trouble.into()));
                }
            }
            _ => {}
        }
    }

    /// Whether somebody still waits for the read, and its target was not read a moment ago.
    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        let Item { job, next: NextRequest::FollowUp } = item else { return Admission::Go };
        match door != Door::Gate || self.schedule.may_read(job, view.job(job).target(), view.now) {
            true => Admission::Go,
            false => Admission::Drop,
        }
    }

    fn wake(&self, _view: &RunView) -> Option<Instant> {
        self.schedule.wake()
    }

    fn keeps_open(&self) -> bool {
        self.schedule.wanted_by(Who::Verify) > 0
    }
}

impl FollowUps {
    /// Follows everything up that was accepted, for a person who wants to know how it ended.
    fn verify(&mut self, view: &RunView, then: &mut Then) {
        let Some(within) = self.verify else { return };
        // A person waits no longer than the run may go on.
        let left = self.until.map(|end| until(end, view.wall()));
        let within = left.map_or(within, |left| within.min(left));
        let jobs: Vec<u32> = (0..view.jobs.len() as u32).filter(|job| view.can_be_followed(*job)).collect();
        then.tell(Event::Verifying { jobs: jobs.len() as u32, until: view.clock.at(view.now + within) });
        jobs.into_iter().for_each(|job| self.follow(job, Who::Verify, within, view));
    }

    fn follow(&mut self, job: u32, who: Who, within: Duration, view: &RunView) {
        let first = view.now + until_first_look(job, view).min(within.max(since_last_look(job, view)));
        self.schedule.add(job, Wish { who, first, within }, view.now);
    }

    /// Queues the reads that are due, and gives up what has waited too long.
    fn go_on(&mut self, view: &RunView, then: &mut Then) {
        while let Some(due) = self.schedule.due(view.now) {
            match due {
                DueRead::Read(job) => then.push(Command::Watch(job)),
                DueRead::TooLate(job, late) => self.too_late(job, &late, view, then),
            }
        }
        let steps = self.schedule.wanted_by(Who::Step);
        if std::mem::replace(&mut self.steps_told, steps) != steps {
            then.tell(Event::StepsWait { steps });
        }
    }

    fn shown(&mut self, job: u32, stage: Stage, view: &RunView, then: &mut Then) {
        if (stage.has_landed() || stage.came_to_nothing()) && self.schedule.leave(job, Who::Wave) {
            then.push(Command::Announce(Announcement::Landed { job, stage }));
        }
        match stage.is_open() {
            true => self.not_told(job, None, view, then),
            false => self.schedule.is_told(job),
        }
    }

    fn failed(&mut self, job: u32, reply: &Reply, times: Times, view: &RunView) -> Vec<Command> {
        let (bucket, reason) = (view.job(job).read_bucket(), reply.reason());
        let pause = |asked| Command::Pause { bucket, asked, crowded: is_crowded(reply), times };
        self.schedule.was_not_read(view.job(job).target());
        let refused_tokens = match reply.verdict {
            Verdict::Unauthorized => self.schedule.refused_tokens(job),
            _ => 0,
        };
        let again = Command::Watch(job);
        match &reply.verdict {
            Verdict::Throttled { after } => vec![pause(*after), again],
            Verdict::Unreachable => vec![Command::HostAway { reason, times }, again],
            // The first one may be an old token; the second is the tenant's word.
            Verdict::Unauthorized if refused_tokens == 1 => vec![again],
            Verdict::Unauthorized | Verdict::SignInFailed => vec![Command::Stop(StopReason::SignIn(reason))],
            verdict => {
                let mut then = Then::default();
                if let Verdict::Unavailable { after } = verdict {
                    then.push(pause(Some(*after)));
                }
                self.not_told(job, Some(format!("it could not be read: {reason}").into()), view, &mut then);
                std::iter::from_fn(|| then.next()).collect()
            }
        }
    }

    /// A read has told nothing final, or was not made.
    fn not_told(&mut self, job: u32, trouble: Option<Box<str>>, view: &RunView, then: &mut Then) {
        let late = self.schedule.not_told(job, trouble, view.now);
        self.too_late(job, &late, view, then);
    }

    fn too_late(&mut self, job: u32, late: &[Who], view: &RunView, then: &mut Then) {
        for who in late {
            let seen = self.schedule.trouble(job).map(str::to_owned).or_else(|| view.last_seen(job));
            then.push(Command::Announce(Announcement::InVain { job, who: *who, seen }));
        }
    }
}

/// Hardly anything shows right after it was accepted.
fn until_first_look(job: u32, view: &RunView) -> Duration {
    let accepted_at = view.settlement(job).and_then(|settled| settled.finished_at).map(Stamp::time);
    rest_of(FIRST_LOOK, accepted_at, view).max(since_last_look(job, view))
}

/// What is left of the minute since the last read, whatever it was for.
fn since_last_look(job: u32, view: &RunView) -> Duration {
    let seen = view.settlement(job).and_then(|settled| settled.follow_up.as_ref());
    rest_of(BETWEEN, seen.map(|seen| seen.read_at), view)
}

fn rest_of(time: Duration, since: Option<Timestamp>, view: &RunView) -> Duration {
    let age = |at| Duration::try_from(view.wall().duration_since(at)).unwrap_or_default();
    since.map_or(Duration::ZERO, |at| time.saturating_sub(age(at)))
}
