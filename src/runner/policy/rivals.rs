//! What others have sent to the same target: other jobs of this run, and other runs of the journal.
//!
//! In: what a read has shown, the journal's word. Out: the same, or that nothing tells; jobs that the journal does not let leave.
//! Must not: take what another job, of whatever run, may have brought about for what ours has.

use std::collections::HashMap;

use crate::catalog::ReadBack as Kind;
use crate::journal::{Rival, RivalQuestion, TurnedAway};
use crate::outcome::{Cause, Evidence, FollowUp, FollowUpRead, Outcome, Stage, Unsent};
use crate::runner::dialogue::{
    Announcement, Command, Happened, JournalEntry, Policy, Rank, ReadBackAnswer, Then, Times,
};
use crate::runner::job_state::{Item, NextRequest, WaitsFor};
use crate::runner::mailbox::{Mailbox, News};
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(_run: &mut Run, mail: &Mailbox) -> Rivals {
    Rivals { asked: HashMap::new(), mail: mail.clone() }
}

/// What was seen, and waits for the journal's word.
#[derive(Debug)]
enum UnjudgedSight {
    FollowUp(FollowUp),
    /// An effect, in these words.
    Effect {
        seen: String,
        resend: bool,
        times: Times,
    },
}

#[derive(Debug)]
pub(super) struct Rivals {
    asked: HashMap<u32, UnjudgedSight>,
    mail: Mailbox,
}

impl Policy for Rivals {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::FollowedUp { job, answer: Ok(seen), .. } => self.seen(*job, seen, view, then),
            Happened::ReadBack(ReadBackAnswer {
                job,
                evidence: Evidence::Effect(seen),
                resend,
                times,
                judged: false,
            }) if may_have_rivals(*job, view) => {
                self.asked.insert(*job, UnjudgedSight::Effect { seen: seen.clone(), resend: *resend, times: *times });
                let item = Item { job: *job, next: NextRequest::ReadBack { resend: *resend } };
                then.propose(Rank::Wait, [self.ask(*job, false, view), Command::Wait(item, WaitsFor::Journal)]);
            }
            Happened::News(News::Rival(job, word)) => self.told(*job, word, then),
            Happened::TurnedAway { job, why: TurnedAway::SentBy(run) } => {
                not_let(*job, Cause::SentByAnotherRun.with(run), view, then);
            }
            Happened::TurnedAway { job, why: TurnedAway::Behind(open) } => {
                not_let(*job, Cause::OpenElsewhere.with(open.to_string()), view, then);
            }
            _ => {}
        }
    }

    fn is_asking(&self) -> bool {
        !self.asked.is_empty()
    }
}

/// Whether what a read shows of the action does not tell whose it was.
fn may_have_rivals(job: u32, view: &RunView) -> bool {
    view.has_journal && matches!(view.action(job).read_back, Kind::ManagementState { .. } | Kind::ActionResult { .. })
}

/// Another run has been there since this one began, and nothing here tells what came of it.
fn not_let(job: u32, why: Unsent, view: &RunView, then: &mut Then) {
    // Its request is still open, and may be completed when the way is free.
    let command = match why.cause() == Cause::OpenElsewhere && view.is_approved(job) {
        true => Command::settle(job, Outcome::AwaitingApproval, Some(why.note().to_owned())),
        false => Command::Settle(job, why.unless_in_doubt(view.is_in_doubt(job))),
    };
    then.push(command);
}

impl Rivals {
    /// A read has shown how far an accepted job is.
    fn seen(&mut self, job: u32, seen: &FollowUpRead, view: &RunView, then: &mut Then) {
        let (seen, is_gone) = match seen {
            FollowUpRead::There(seen) => (seen, false),
            FollowUpRead::Gone(seen) => (seen, true),
        };
        let is_final = seen.stage == Stage::Done || seen.stage.came_to_nothing();
        match is_final && may_have_rivals(job, view) {
            true => {
                self.asked.insert(job, UnjudgedSight::FollowUp(seen.clone()));
                then.push(self.ask(job, is_gone, view));
            }
            false => then.push(Command::Show(job, seen.clone())),
        }
    }

    fn ask(&self, job: u32, is_gone: bool, view: &RunView) -> Command {
        let same = view.job(job).clone();
        let removals = if is_gone { same.removals() } else { Vec::new() };
        let answer = self.mail.way_back(News::Rival(job, Err(())));
        Command::Write(JournalEntry::Rival { job, question: Box::new(RivalQuestion { same, removals }), answer })
    }

    fn told(&mut self, job: u32, word: &Result<Option<Rival>, ()>, then: &mut Then) {
        let Some(seen) = self.asked.remove(&job) else { return };
        let why = match word {
            Ok(None) => None,
            Ok(Some(Rival { action, run })) => {
                Some(format!("{action} was sent too, by run {run}, and nothing tells which it was"))
            }
            Err(()) => Some("the journal does not say what else was sent to it".to_owned()),
        };
        then.push(match (seen, why) {
            (UnjudgedSight::FollowUp(seen), None) => Command::Show(job, seen),
            (UnjudgedSight::FollowUp(seen), Some(why)) => {
                let words = format!("{}; {why}", seen.words).into();
                Command::Show(job, FollowUp { stage: Stage::Untold, words, ..seen })
            }
            (UnjudgedSight::Effect { seen, resend, times }, why) => {
                let evidence = match why {
                    None => Evidence::Effect(seen),
                    Some(why) => Evidence::CannotTell(format!("{seen}; {why}")),
                };
                let read = ReadBackAnswer { job, evidence, resend, times, judged: true };
                Command::Announce(Announcement::ReadBack(read))
            }
        });
    }
}
