//! The road to the tenant: the gates of all buckets, how many may be out, whether the host answers at all.
//!
//! In: requests that want to leave, answers. Out: whether they may, and until when nobody may. Must not: know jobs.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::catalog::Bucket;
use crate::outcome::{Reply, Verdict};
use crate::pacing::backoff::{MAX_CONNECT_FAILURES, connect_pause};
use crate::pacing::crowd::Crowd;
use crate::pacing::pause::Pause;
use crate::pacing::{BucketUse, Gates, Pacing};
use crate::runner::dialogue::Times;
use crate::runner::job_state::NextRequest;
use crate::runner::ledger::Traffic;
use crate::runner::retry;

/// Attempts that are recorded ahead, for each that is out: as many as make commits so large that the network never waits.
const AHEAD: usize = 4;

#[derive(Debug)]
pub(super) struct Road {
    pub gates: Gates,
    crowd: Crowd,
    host: Pause,
    answered_once: bool,
    away_since: Option<Instant>,
}

/// What it means that the host cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    /// It is known already.
    Known,
    /// Nobody sends for so long.
    Pausing(Duration),
    /// It has been away for too long.
    Lost,
}

impl Road {
    pub(super) fn new(gates: Gates, concurrency: u16) -> Self {
        let crowd = Crowd::new(concurrency, gates.pacing() != Pacing::Off);
        Self { gates, crowd, host: Pause::default(), answered_once: false, away_since: None }
    }

    /// Whether one more may be on its way, beside what is, with so many workers.
    pub(super) fn has_place(&self, next: NextRequest, traffic: Traffic, workers: usize) -> bool {
        let Traffic { ahead, sent, reads } = traffic;
        let places = self.crowd.size().min(workers);
        match (self.gates.pacing(), next) {
            // A gate counts an attempt when it lets it through: where there is a pace, what is through must not wait for a worker.
            (Pacing::Within(_), _) => ahead + sent + reads < places,
            // A commit takes as long as many an answer: where nothing is paced, the next attempts are recorded meanwhile.
            (Pacing::Off, NextRequest::Send) => ahead < AHEAD * places,
            (Pacing::Off, _) => reads < places,
        }
    }

    /// Until when the host is not tried.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.host.until().filter(|until| *until > now)
    }

    pub(super) fn host_answered(&mut self) {
        self.answered_once = true;
        self.away_since = None;
        self.host = Pause::default();
    }

    pub(super) fn host_away(&mut self, times: Times, rng: &mut Rng) -> Away {
        let Times { sent, now } = times;
        let since = *self.away_since.get_or_insert(now);
        let news = self.host.extend(sent, now, |nth| connect_pause(nth, rng), false);
        let too_long = match self.answered_once {
            true => now.saturating_duration_since(since) > retry::LONGEST_OUTAGE,
            false => self.host.nth() >= MAX_CONNECT_FAILURES,
        };
        match (too_long, news) {
            (true, _) => Away::Lost,
            (false, Some(pause)) => Away::Pausing(pause),
            (false, None) => Away::Known,
        }
    }

    /// Any answer but a failure to connect shows that the host is there; any but a throttle, that the bucket is open.
    pub(super) fn note_contact(&mut self, verdict: &Verdict, bucket: Bucket, times: Times) {
        match verdict {
            Verdict::Unreachable | Verdict::Late | Verdict::SignInFailed | Verdict::Lost | Verdict::Foreign => {}
            Verdict::Throttled { .. } | Verdict::Unavailable { .. } => self.host_answered(),
            _ => {
                self.host_answered();
                self.gates.answered(bucket, times.sent);
            }
        }
    }

    /// One request fewer is out: what its answer tells of the service's load. `out`: how many were.
    pub(super) fn came_back(&mut self, bucket: Bucket, reply: Option<&Reply>, times: Times, out: usize) {
        let Times { sent, now } = times;
        if !self.gates.returned(bucket, reply, sent, now) {
            return;
        }
        match reply.is_some_and(retry::in_trouble) {
            true => self.crowd.trouble(sent, now),
            false => self.crowd.came_back(sent, now, out),
        }
    }

    /// What each bucket was used for.
    pub(super) fn used(&self) -> Vec<BucketUse> {
        Bucket::all().map(|bucket| self.gates.used(bucket)).filter(|used| used.sent > 0).collect()
    }
}
