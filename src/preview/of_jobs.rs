//! The preview of the jobs of a plan.
//!
//! In: jobs, what preflight and guards say of them, and what was seen of their targets. Out: a [`Preview`]: counts at once, rows
//! when they are asked for. Must not: hold text for every row.

use std::ops::Range;

use super::consequences::{self, ConsequenceCount};
use super::count::{self, ActionCount, BucketCount};
use super::keys::{self, KeyCount};
use super::row::{PreviewRow, hold_at};
use crate::catalog::Budget;
use crate::daily::Spread;
use crate::escrow::Keys;
use crate::guard::consent;
use crate::guard::drift::Sighting;
use crate::guard::judge::Judgement;
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::waves::Schedule;
use crate::job::Job;

/// The preview of a plan: its jobs, seen once for the counts and again whenever somebody asks for rows.
#[derive(Debug)]
pub struct Preview<'a> {
    jobs: &'a [Job],
    preflight: &'a Preflight,
    verdict: Option<&'a Judgement>,
    sightings: &'a [Option<Sighting>],
    keys: &'a [Option<Keys>],
    /// What the run may use of each allowance.
    pub budget: Budget,
    /// In the order in which the plan first mentions them.
    pub actions: Vec<ActionCount>,
    /// Only those that something is sent in.
    pub buckets: Vec<BucketCount>,
    /// How the tenant's daily limits spread it, where somebody has asked.
    pub spread: Option<Spread>,
    /// Empty: everything goes at once.
    pub waves: Schedule,
}

impl<'a> Preview<'a> {
    /// `preflight` must have been made of the same `jobs`.
    pub fn new(jobs: &'a [Job], preflight: &'a Preflight, budget: Budget) -> Self {
        let (actions, buckets) = count::count(jobs, &preflight.holds, &budget);
        let waves = Schedule::default();
        Self {
            jobs,
            preflight,
            verdict: None,
            sightings: &[],
            keys: &[],
            budget,
            actions,
            buckets,
            spread: None,
            waves,
        }
    }

    /// The same, over those days.
    #[must_use]
    pub fn over(self, spread: Spread) -> Self {
        Self { spread: Some(spread), ..self }
    }

    /// With what the guards say; it must be about the same jobs.
    #[must_use]
    pub fn judged(self, verdict: &'a Judgement) -> Self {
        Self { verdict: Some(verdict), ..self }
    }

    pub fn verdict(&self) -> Option<&'a Judgement> {
        self.verdict
    }

    #[must_use]
    pub fn in_waves(self, waves: Schedule) -> Self {
        Self { waves, ..self }
    }

    pub fn jobs(&self) -> &'a [Job] {
        self.jobs
    }

    /// With what was seen of the targets, one for each job.
    #[must_use]
    pub fn seen(self, sightings: &'a [Option<Sighting>]) -> Self {
        Self { sightings, ..self }
    }

    /// With what is on file of the targets, one for each job; empty where nobody looked.
    #[must_use]
    pub fn with_keys(self, keys: &'a [Option<Keys>]) -> Self {
        // Asked of every row of a file: empty where nobody has found anything.
        let keys = if keys.iter().any(Option::is_some) { keys } else { &[] };
        Self { keys, ..self }
    }

    /// Whether anybody has looked for the keys of any of them.
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// How many devices stand how with each secret.
    pub fn key_counts(&self) -> Vec<KeyCount> {
        keys::count(self.jobs, self.keys)
    }

    /// Why it is not known of some, with the number of devices.
    pub fn key_reasons(&self) -> Vec<(String, u32)> {
        keys::reasons(self.jobs, self.keys)
    }

    /// Rows in plan order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = PreviewRow<'a>> + ExactSizeIterator + use<'a> {
        self.rows_at(0..self.jobs.len())
    }

    /// Those at these places.
    pub(super) fn rows_at(
        &self,
        places: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = PreviewRow<'a>> + ExactSizeIterator + use<'a> {
        let (jobs, holds, sightings, keys) = (self.jobs, &self.preflight.holds, self.sightings, self.keys);
        let sighting = |at: usize| sightings.get(at).and_then(Option::as_ref);
        let keys = |at: usize| keys.get(at).and_then(Option::as_ref);
        places
            .map(move |at| PreviewRow { keys: keys(at), ..PreviewRow::new(jobs, at, hold_at(holds, at), sighting(at)) })
    }

    /// Why jobs would not be sent, in plan order.
    pub fn holds(&self) -> impl Iterator<Item = &'a Hold> {
        self.preflight.holds.iter().flatten()
    }

    /// Rows of the plan.
    pub fn total(&self) -> usize {
        self.jobs.len()
    }

    pub fn send(&self) -> u32 {
        self.actions.iter().map(|action| action.send).sum()
    }

    pub fn held(&self) -> u32 {
        self.actions.iter().map(|action| action.held).sum()
    }

    pub fn done(&self) -> u32 {
        self.actions.iter().map(|action| action.done).sum()
    }

    pub fn not_due(&self) -> u32 {
        self.actions.iter().map(|action| action.not_due).sum()
    }

    /// Of the jobs to send, those whose action wants a confirmation.
    pub fn dangerous(&self) -> u32 {
        self.actions.iter().filter(|count| count.action.risk.wants_confirmation()).map(|count| count.send).sum()
    }

    /// Whether somebody has to agree to the number of jobs.
    pub fn asks(&self) -> bool {
        consent::is_needed(self.jobs, &self.preflight.holds)
    }

    /// What the jobs that would be sent do beyond their names.
    pub fn consequences(&self) -> Vec<ConsequenceCount> {
        consequences::count(self.jobs, &self.preflight.holds, self.sightings)
    }

    /// The bucket that takes longest. Buckets run beside each other, so its time is the run's.
    pub fn longest(&self) -> Option<&BucketCount> {
        self.buckets.iter().max_by_key(|bucket| bucket.time)
    }
}
