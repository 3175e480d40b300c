//! What happened, in numbers that tests assert on.
//!
//! In: each request with its end. Out: [`Counts`]. Must not: hold tokens, secrets or bodies.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::catalog::{ACTIONS, Bucket};

/// What became of the requests for one action on one target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TargetCounts {
    /// Requests that left the client.
    pub calls: u32,
    /// Answered 429.
    pub throttled: u32,
    /// Answered with any other error or redirect.
    pub refused: u32,
    /// Never answered.
    pub lost: u32,
    /// Times the effect happened.
    pub effects: u32,
}

impl TargetCounts {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.throttled += other.throttled;
        self.refused += other.refused;
        self.lost += other.lost;
        self.effects += other.effects;
    }
}

/// How one request ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestEnd {
    /// `None` where no answer was given.
    pub status: Option<u16>,
    pub effect: bool,
}

/// Arrival times kept per bucket; a test that sends more knows only about the last ones.
const ARRIVALS: usize = 1_000_000;

#[derive(Debug, Clone)]
pub struct Counts {
    /// Requests to Graph; those inside a batch count, the batch does not.
    pub requests: u64,
    pub reads: u64,
    pub token_requests: u64,
    pub batches: u64,
    /// Requests for something that nobody serves.
    pub unexpected: u64,
    /// Reads that would have brought the secret of a device.
    pub secrets_asked: u64,
    /// Objects of the directory that were deleted where their membership in a group was meant: `/$ref` was not there.
    pub deleted_as_members: u64,
    /// Requests that were never answered.
    pub unanswered: u64,
    /// Requests of strangers, by the index of the bucket.
    pub of_strangers: [u64; Bucket::COUNT],
    pub statuses: BTreeMap<u16, u64>,
    actions: Vec<HashMap<Box<str>, TargetCounts>>,
    /// Per bucket, microseconds since the tenant began.
    arrivals: Vec<VecDeque<u64>>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            requests: 0,
            reads: 0,
            token_requests: 0,
            batches: 0,
            unexpected: 0,
            secrets_asked: 0,
            deleted_as_members: 0,
            unanswered: 0,
            of_strangers: [0; Bucket::COUNT],
            statuses: BTreeMap::new(),
            actions: vec![HashMap::new(); ACTIONS.len()],
            arrivals: vec![VecDeque::new(); Bucket::COUNT],
        }
    }
}

impl Counts {
    /// What became of one action on one target, whatever the case of its id.
    pub fn of(&self, action: &str, target: &str) -> TargetCounts {
        let counts = self.targets(action).and_then(|targets| targets.get(target.to_ascii_lowercase().as_str()));
        counts.copied().unwrap_or_default()
    }

    /// The sum over all targets of an action.
    pub fn total(&self, action: &str) -> TargetCounts {
        let mut total = TargetCounts::default();
        self.targets(action).into_iter().flat_map(HashMap::values).for_each(|counts| total.add(*counts));
        total
    }

    /// All targets that an action has reached, with what became of them.
    pub fn each(&self, action: &str) -> impl Iterator<Item = (&str, TargetCounts)> {
        self.targets(action).into_iter().flatten().map(|(target, counts)| (&**target, *counts))
    }

    /// Effects of all actions on all targets.
    pub fn effects(&self) -> u64 {
        self.actions.iter().flat_map(HashMap::values).map(|counts| u64::from(counts.effects)).sum()
    }

    /// The most requests of a bucket that arrived in any stretch of time of that length.
    pub(super) fn max_in_any_window(&self, bucket: Bucket, window: Duration) -> usize {
        let window = window.as_micros() as u64;
        let arrivals = &self.arrivals[bucket.index()];
        let mut first = 0;
        let mut most = 0;
        for (last, at) in arrivals.iter().enumerate() {
            while arrivals[first] + window <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    /// As JSON, with the busiest window of each bucket at the length that `window` names.
    pub fn to_json(&self, window: impl Fn(Bucket) -> Duration) -> Value {
        let targets = |action: &&str| self.each(action).collect::<BTreeMap<_, _>>();
        let reached: Vec<_> =
            ACTIONS.iter().map(|action| action.name).filter(|name| !targets(name).is_empty()).collect();
        let totals: BTreeMap<_, _> = reached.iter().map(|name| (*name, self.total(name))).collect();
        let actions: BTreeMap<_, _> = reached.iter().map(|name| (*name, targets(name))).collect();
        let busiest: BTreeMap<_, _> =
            Bucket::all().map(|bucket| (bucket.to_string(), self.max_in_any_window(bucket, window(bucket)))).collect();
        json!({
            "requests": self.requests,
            "reads": self.reads,
            "token_requests": self.token_requests,
            "batches": self.batches,
            "unexpected": self.unexpected,
            "secrets_asked": self.secrets_asked,
            "deleted_as_members": self.deleted_as_members,
            "unanswered": self.unanswered,
            "effects": self.effects(),
            "statuses": self.statuses.iter().map(|(code, n)| (code.to_string(), *n)).collect::<BTreeMap<_, _>>(),
            "busiest_window": busiest,
            "totals": totals,
            "actions": actions,
        })
    }

    fn targets(&self, action: &str) -> Option<&HashMap<Box<str>, TargetCounts>> {
        let at = ACTIONS.iter().position(|known| known.name == action)?;
        self.actions.get(at)
    }

    pub(super) fn arrived(&mut self, bucket: Bucket, since: Duration) {
        let arrivals = &mut self.arrivals[bucket.index()];
        if arrivals.len() == ARRIVALS {
            arrivals.pop_front();
        }
        arrivals.push_back(since.as_micros() as u64);
    }

    pub(super) fn ended(&mut self, ending: RequestEnd) {
        self.requests += 1;
        match ending.status {
            Some(status) => *self.statuses.entry(status).or_default() += 1,
            None => self.unanswered += 1,
        }
    }

    pub(super) fn acted(&mut self, action: usize, target: &str, ending: RequestEnd) {
        let targets = &mut self.actions[action];
        let counts = match targets.get_mut(target) {
            Some(counts) => counts,
            None => targets.entry(target.into()).or_default(),
        };
        counts.add(TargetCounts {
            calls: 1,
            throttled: u32::from(ending.status == Some(429)),
            refused: u32::from(ending.status.is_some_and(|status| status >= 300 && status != 429)),
            lost: u32::from(ending.status.is_none()),
            effects: u32::from(ending.effect),
        });
    }
}
