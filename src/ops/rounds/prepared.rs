//! A run that is in the journal and about to be performed, and what it has to know before a round.
//!
//! In: jobs, how they stand, limits. Out: [`Rounds`]; what was sent of late, and how much more may be filed. Must not: play a round.

use std::collections::HashSet;
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::looks::Looks;
use super::requests::Requests;
use crate::catalog::Bucket;
use crate::clock::Clock;
use crate::daily::DailyTerms;
use crate::guard::filing::Filing;
use crate::ops::error::Error;
use crate::ops::record::RecordedRun;
use crate::ops::task::RunTask;
use crate::runner::guards::Guards;
use crate::runner::question::WaveQuestion;
use crate::runner::{Carried, Limits};

/// What rounds are played on.
pub struct RoundGround {
    pub limits: Limits,
    pub clock: Clock,
    pub rng: Rng,
}

/// A run that is in the journal and about to be performed.
pub struct Rounds<'a> {
    pub recorded: &'a mut RecordedRun,
    /// Open requests are kept, waiting.
    pub task: RunTask,
    pub requests: Requests,
    /// What of them was asked for before, and when.
    pub looks: Looks,
    /// It was there before this process: what anybody has sent to it of late counts.
    pub is_older: bool,
    /// A round has been played.
    pub began: bool,
    /// Jobs whose target was seen in this tenant, by a round of this run or by an earlier one.
    pub shown: HashSet<u32>,
    /// Jobs whose deed an earlier run has done.
    pub done_before: HashSet<u32>,
    pub limits: Limits,
    pub daily: DailyTerms,
    /// What the rounds so far have counted.
    pub carried: Carried,
    /// Who is asked between waves, if anybody is.
    pub people: Option<mpsc::UnboundedSender<WaveQuestion>>,
    /// What may be sent at all, now.
    pub guards: Guards,
    pub clock: Clock,
    pub rng: Rng,
}

impl<'a> Rounds<'a> {
    /// Of a run that was there before this process, and about which nothing more is known or wanted.
    pub fn new(
        recorded: &'a mut RecordedRun,
        task: RunTask,
        daily: DailyTerms,
        RoundGround { limits, clock, rng }: RoundGround,
    ) -> Self {
        Self {
            recorded,
            task,
            requests: Requests::default(),
            looks: Looks::default(),
            is_older: true,
            began: false,
            shown: HashSet::new(),
            done_before: HashSet::new(),
            limits,
            daily,
            carried: Carried::default(),
            people: None,
            guards: Guards::default(),
            clock,
            rng,
        }
    }
}

impl Rounds<'_> {
    /// What was sent to the same tenant within the longest window, and how long ago. What this process has sent the gates
    /// know by themselves.
    pub(super) fn recent(&self) -> Result<Vec<(Bucket, Duration)>, Error> {
        let Some(budget) = self.limits.budget().filter(|_| self.is_older) else { return Ok(Vec::new()) };
        let now = self.clock.now();
        let longest = Bucket::all().map(|bucket| budget.allowance(bucket)).map(|own| own.window + own.margin()).max();
        let since = now.saturating_sub(SignedDuration::try_from(longest.unwrap_or_default()).unwrap_or_default());
        let sent = self.recorded.journal.sent_since(self.recorded.number, since.unwrap_or(now), self.began)?;
        let age = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
        Ok(sent.into_iter().map(|(bucket, at)| (bucket, age(at))).collect())
    }

    /// How much more may be filed.
    pub(super) fn filing(&self) -> Result<Filing, Error> {
        if !self.task.jobs.iter().any(|job| job.action.approvable) {
            return Ok(Filing::default());
        }
        let Some(account) = &self.daily.account else { return Ok(Filing::default()) };
        let open = self.recorded.journal.open_requests(&self.recorded.tenant)?;
        let book = self.recorded.journal.daily_book(&account.tenant, &account.rules)?;
        Ok(Filing::new(open, &account.rules, &book, self.clock.now()))
    }
}
