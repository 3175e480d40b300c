//! Waiting between two rounds: for an approval, for room, for another day.
//!
//! In: what a round has left, time, requests to stop. Out: what a look has found that is worth a new round, or why the run
//! ends. Must not: send, or look more often than once a minute.
//!
//! Times of day are waited for by the clock that follows the system's, so that a machine that was suspended goes on within
//! a minute of waking up.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::ended::{RoundsEnded, is_braked};
use super::looked::PolledRequests;
use super::looks::FIRST_WAIT;
use super::prepared::Rounds;
use crate::journal::StoredJob;
use crate::ops::error::Error;
use crate::outcome::Outcome;
use crate::runner::event::StopReason;
use crate::runner::shutdown::StopRequest;
use crate::session::Client;
use crate::ui;

/// The longest time between two looks.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(10 * 60);

/// Requests for each of which a hundredth of a minute goes by before the first look.
const PER_MINUTE: usize = 100;

/// When somebody looks at the requests again.
struct NextLook {
    at: Timestamp,
    pause: SignedDuration,
}

impl NextLook {
    /// The more requests wait, the longer it takes people anyhow, and the more work a look is.
    fn first(now: Timestamp, waiting: usize) -> Self {
        let minutes = i32::try_from(waiting / PER_MINUTE).unwrap_or(i32::MAX);
        let pause = SignedDuration::try_from(FIRST_WAIT).unwrap_or(LONGEST_WAIT).saturating_mul(minutes.max(1));
        let pause = pause.min(LONGEST_WAIT);
        Self { at: now.saturating_add(pause).unwrap_or(now), pause }
    }

    /// Less often, the longer nothing happens.
    fn after(self, now: Timestamp) -> Self {
        let pause = (self.pause * 3 / 2).min(LONGEST_WAIT);
        Self { at: now.saturating_add(pause).unwrap_or(now), pause }
    }
}

impl Rounds<'_> {
    /// Waits until a request has an answer, there is room for more, or the day has turned; or somebody wants the run to end.
    pub(super) async fn wait(
        &mut self,
        ended: &RoundsEnded,
        open: Vec<(u32, StoredJob)>,
        client: &Client,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        say: &impl Fn(&str),
    ) -> Result<Result<PolledRequests, StopReason>, Error> {
        let braked = self.task.jobs.iter().zip(&ended.settlements).filter(|(_, settled)| is_braked(settled));
        let braked: HashSet<&'static str> = braked.map(|(job, _)| job.action.name).collect();
        let waiting = ended.settlements.iter().filter(|settled| settled.outcome == Outcome::AwaitingApproval).count();
        let asks = waiting > 0 || !braked.is_empty();
        self.say_what_waits(ended, asks.then_some(waiting), say);
        let turn = ended.later.iter().map(|later| later.until).min();
        let mut looked_at = self.clock.now();
        let mut next_look = asks.then(|| NextLook::first(looked_at, waiting));
        loop {
            let Some(until) = next_look.iter().map(|next| next.at).chain(turn).min() else {
                return Ok(Ok(PolledRequests::default()));
            };
            let left = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
            tokio::select! {
                biased;
                Some(request) = requests.recv() => return Ok(Err(reason(&request))),
                () = tokio::time::sleep(self.clock.step(left)) => {}
            }
            self.clock.catch_up();
            let now = self.clock.now();
            if now < until {
                continue;
            }
            let turned = turn.is_some_and(|turn| turn <= now);
            if turned && Duration::try_from(now.duration_since(looked_at)).is_ok_and(|since| since < FIRST_WAIT) {
                return Ok(Ok(PolledRequests::default()));
            }
            let looked = self.look_at(&open, client, say).await?;
            looked_at = self.clock.now();
            let filing = self.filing()?;
            // What is approved and has no room today is no reason to begin.
            let idle = |job: u32| ended.later.iter().any(|later| later.until > now && self.is_of(job, later.action));
            if turned || looked.has_news(idle) || braked.iter().any(|action| filing.has_allowance_left(action, 0)) {
                return Ok(Ok(looked));
            }
            next_look = next_look.map(|next| next.after(looked_at));
        }
    }

    /// `asked`: how many requests wait for somebody, where that is waited for.
    fn say_what_waits(&self, ended: &RoundsEnded, asked: Option<usize>, say: &impl Fn(&str)) {
        match asked {
            None => {}
            Some(0) => {
                say("no more approval requests are filed: the open ones fill the daily limits until they expire")
            }
            Some(waiting) => {
                let verb = if waiting == 1 { "waits" } else { "wait" };
                let what = ui::text::count_of(waiting, "approval request");
                say(&format!("{what} {verb} for approval; `musterout approvals {}` lists them", &self.recorded.id));
            }
        }
        if !ended.later.is_empty() {
            say(&ui::days::left(&ended.later));
        }
    }

    fn is_of(&self, job: u32, action: &str) -> bool {
        self.task.jobs.get(job as usize).is_some_and(|job| job.action.name == action)
    }
}

fn reason(request: &StopRequest) -> StopReason {
    match request {
        StopRequest::Stop => StopReason::Requested,
        StopRequest::Interrupt | StopRequest::Terminate => StopReason::Interrupted,
        StopRequest::JournalFailed(why) => StopReason::Journal(why.clone()),
    }
}
