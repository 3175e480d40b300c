//! The daily limits while a run is under way: which actions have none left, until when, and what that says.
//!
//! In: what the journal (or, without one, a [`Book`]) says of room, answers of the service. Out: which actions wait.
//! Must not: move jobs; the runner does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::account::{DailyAccount, Take, limit_of};
use super::book::{Book, Ground, UsedUp};
use super::rules::RefusalReading;
use crate::catalog::{DAILY, DailyLimit};
use crate::job::Job;
use crate::moment::moment;
use crate::outcome::{Reply, Verdict};
use crate::pacing::backoff::LONGEST_PAUSE;

/// What a run has to do with daily limits.
#[derive(Debug, Clone)]
pub struct DailyTerms {
    /// Whose limits; `None`: they are not kept.
    pub account: Option<Arc<DailyAccount>>,
    /// How long a run with nothing else to do stays for an allowance that comes back.
    pub patience: Duration,
}

impl Default for DailyTerms {
    fn default() -> Self {
        Self { account: None, patience: LONGEST_PAUSE }
    }
}

/// Jobs that a run has left for another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    pub action: &'static str,
    pub jobs: u32,
    pub until: Timestamp,
    pub ground: Ground,
}

/// What the service says when it wants no more of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// None until then.
    Until(Timestamp),
    /// None until then, if that is no matter of this one target.
    IfOthersAgree(Timestamp),
}

/// What the dispatcher knows.
#[derive(Debug)]
pub(crate) struct LeftToday {
    daily: DailyTerms,
    book: Book,
    /// By action: no room until then.
    closed: [Option<UsedUp>; DailyLimit::COUNT],
    /// Of those, what has been told of.
    told: [Option<UsedUp>; DailyLimit::COUNT],
    /// Jobs brought back of those that were put aside, and not tried yet.
    pub fed: [usize; DailyLimit::COUNT],
    /// When the requests left that are out, for the book.
    out: HashMap<u32, Timestamp>,
    /// How often something was given back.
    given_back: u32,
    /// How often that was when a job's attempt went to the journal.
    asked: HashMap<u32, u32>,
    pub later: Vec<Later>,
}

impl LeftToday {
    pub(crate) fn new(daily: DailyTerms) -> Self {
        Self {
            daily,
            book: Book::default(),
            closed: Default::default(),
            told: Default::default(),
            fed: Default::default(),
            out: HashMap::new(),
            given_back: 0,
            asked: HashMap::new(),
            later: Vec::new(),
        }
    }

    /// The daily limit of a job, if it has one that is kept.
    pub(crate) fn limit_of(&self, job: &Job) -> Option<usize> {
        self.daily.account.as_ref().and(limit_of(job.action))
    }

    /// What sending a job takes.
    pub(crate) fn take_for(&self, job: &Job) -> Option<Take> {
        let limit = limit_of(job.action)?;
        self.daily.account.clone().map(|account| Take { account, limit })
    }

    /// Takes it, without a journal.
    pub(crate) fn take(&mut self, job: u32, take: Option<Take>, now: Timestamp) -> Result<(), UsedUp> {
        let Some(Take { account, limit }) = take else { return Ok(()) };
        self.book.take(&account.rules, limit, now)?;
        self.out.insert(job, now);
        Ok(())
    }

    /// Gives it back, without a journal, if nothing has happened.
    pub(crate) fn answered(&mut self, index: u32, job: &Job, nothing_happened: bool) {
        self.asked.remove(&index);
        if let (Some(left), Some(take), true) = (self.out.remove(&index), self.take_for(job), nothing_happened) {
            self.book.give_back(&take.account.rules, take.limit, left);
        }
    }

    /// Whether the service wants no more of that action for a while.
    pub(crate) fn refusal(&self, job: &Job, reply: &Reply, now: Timestamp) -> Option<Refused> {
        let Take { account, .. } = self.take_for(job)?;
        let asked = match &reply.verdict {
            Verdict::Throttled { after } => after.filter(|after| *after > LONGEST_PAUSE),
            Verdict::Refused => None,
            _ => return None,
        };
        let named = asked.and_then(|asked| now.checked_add(SignedDuration::try_from(asked).ok()?).ok());
        let (code, message) = (reply.error_code.as_deref(), reply.error_message.as_deref());
        let until = account.rules.paused_until(now);
        named.map(Refused::Until).or_else(|| match account.rules.read_refusal(reply.http_status, code, message) {
            RefusalReading::Known => Some(Refused::Until(until)),
            RefusalReading::Likely => Some(Refused::IfOthersAgree(until)),
            RefusalReading::Other => None,
        })
    }

    /// Until when an action waits that had better wait so long: no longer than until the day turns, where that is known.
    pub(crate) fn presumed_until(&self, job: &Job, wait: Duration, now: Timestamp) -> Option<Timestamp> {
        let Take { account, .. } = self.take_for(job)?;
        let until = now.checked_add(SignedDuration::try_from(wait).ok()?).ok()?;
        Some(until.min(account.rules.paused_until(now)))
    }

    /// An action has no room until then.
    pub(crate) fn close(&mut self, limit: usize, used_up: UsedUp) {
        if used_up.ground != Ground::Counted {
            self.book.pause(used_up);
        }
        if self.closed[limit].is_none_or(|known| known.until < used_up.until) {
            self.closed[limit] = Some(used_up);
        }
    }

    /// A job of that action is left for another day.
    pub(crate) fn left(&mut self, action: &'static str, used_up: &UsedUp) {
        let UsedUp { until, ground, .. } = *used_up;
        match self.later.iter_mut().find(|later| later.action == action && later.until == until) {
            Some(later) => later.jobs += 1,
            None => self.later.push(Later { action, jobs: 1, until, ground }),
        }
    }

    /// What nobody has been told of yet.
    pub(crate) fn news(&mut self, limit: usize) -> Option<UsedUp> {
        let news = self.closed[limit].filter(|closed| self.told[limit].is_none_or(|told| told.until < closed.until));
        self.told[limit] = news.or(self.told[limit]);
        news
    }

    /// The journal is asked for room for a job.
    pub(crate) fn ask(&mut self, job: u32) {
        self.asked.insert(job, self.given_back);
    }

    /// Whether something was given back since the journal was asked for that job: a no of before is none any more.
    pub(crate) fn is_old_news(&mut self, job: u32) -> bool {
        self.asked.remove(&job).is_some_and(|before| before != self.given_back)
    }

    /// A request that was out has used up nothing after all: there may be room again, unless the service has said no.
    pub(crate) fn reopen(&mut self, limit: usize) {
        self.given_back = self.given_back.wrapping_add(1);
        self.closed[limit] = self.closed[limit].filter(|closed| closed.ground != Ground::Counted);
    }

    pub(crate) fn closed(&self, limit: usize) -> Option<UsedUp> {
        self.closed[limit]
    }

    /// Opens what has room again by then.
    pub(crate) fn open(&mut self, now: Timestamp) {
        for closed in &mut self.closed {
            *closed = closed.filter(|used_up| used_up.until > now);
        }
    }

    /// Whether a run with nothing else to do stays until then.
    pub(crate) fn is_worth_staying(&self, until: Timestamp, now: Timestamp) -> bool {
        Duration::try_from(until.duration_since(now)).unwrap_or_default() <= self.daily.patience
    }
}

/// Why an action waits, in the words of notes.
pub(crate) fn why(action: &str, used_up: &UsedUp) -> String {
    let whose = DAILY.get(used_up.limit).map_or("", |limit| limit.action);
    let until = moment(used_up.until);
    match (used_up.ground, action == whose) {
        (Ground::Said, _) => format!("the service says that the daily limit of {whose} is used up; not before {until}"),
        (Ground::Presumed, _) => {
            format!("the service only answers 429 to {action}, so the daily limit may be used up; not before {until}")
        }
        (Ground::Counted, true) => format!("the daily limit of {action} is used up; not before {until}"),
        (Ground::Counted, false) => {
            format!("the daily limit of {whose} is used up, and a {action} may count too; not before {until}")
        }
    }
}
