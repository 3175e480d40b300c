//! The breaker: stops a run before a limit of `stop_when` can be passed.
//!
//! In: the limits, and what happens: a job leaves, a job settles. Out: whether one more job may leave, and what tripped.
//! Pure. Must not: send, count jobs that this process has not sent, or be surprised: a job that is out counts as
//! failed, unknown and refused until it has settled otherwise. All rounds of one process are counted together.
//!
//! | limit | what never happens, whatever the answers are |
//! |---|---|
//! | `failures: N` | more than N jobs fail |
//! | `unknown: N` | more than N jobs end as `unknown` |
//! | `consecutive_failures: N` | more than N jobs fail without a good one between them |
//! | `failure_percent: P` | more than P % of the settled jobs have failed; the first `min_sample` count as that many |
//! | `repeated_refusal: N` | more than N jobs of one action are refused, or end as `unknown`, with the same status and code, without a good one between |
//!
//! A job whose target is not found has failed here. That many targets of one action are not found is a refusal like others
//! only as long as nothing of that action was found in this run: then it looks like the wrong kind of id, and later like a
//! list that is a little old.
//!
//! A limit trips when one more bad answer would pass it and nothing that is out can change that.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::Action;
use crate::outcome::{Outcome, Settlement, Standing};

/// Jobs that a percentage is taken of, at least.
pub(crate) const MIN_SAMPLE: u32 = 20;
/// Equal refusals in a row that stop a run whose plan says nothing about them.
pub(crate) const REPEATED_REFUSAL: u32 = 20;

/// The `stop_when` of a plan; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopWhen {
    pub failures: Option<u32>,
    pub failure_percent: Option<Share>,
    pub consecutive_failures: Option<u32>,
    pub unknown: Option<u32>,
    pub repeated_refusal: Option<u32>,
}

impl StopWhen {
    /// Both together: of each limit the tighter one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let tighter = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        let share = |one: Share, other: Share| {
            let percent = one.percent.min(other.percent);
            let sample = one.min_sample.min(other.min_sample);
            Share { percent, min_sample: sample.max(Share::smallest_sample(percent)) }
        };
        Self {
            failures: tighter(self.failures, other.failures),
            failure_percent: self.failure_percent.into_iter().chain(other.failure_percent).reduce(share),
            consecutive_failures: tighter(self.consecutive_failures, other.consecutive_failures),
            unknown: tighter(self.unknown, other.unknown),
            repeated_refusal: tighter(self.repeated_refusal, other.repeated_refusal),
        }
    }
}

/// As a person would write it: `failures 5, unknown 1`.
impl fmt::Display for StopWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share =
            self.failure_percent.map(|share| format!("failure_percent {} of {}", share.percent, share.min_sample));
        let counts = [
            ("failures", self.failures),
            ("consecutive_failures", self.consecutive_failures),
            ("unknown", self.unknown),
            ("repeated_refusal", self.repeated_refusal),
        ];
        let counts = counts.into_iter().filter_map(|(name, limit)| Some(format!("{name} {}", limit?)));
        f.write_str(&counts.chain(share).collect::<Vec<_>>().join(", "))
    }
}

/// A percentage of the settled jobs, which count as `min_sample` as long as they are fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub percent: u32,
    pub min_sample: u32,
}

impl Share {
    /// The smallest sample of which one job is no more than the percentage.
    pub fn smallest_sample(percent: u32) -> u32 {
        100u32.div_ceil(percent.max(1))
    }

    fn is_passed(self, failed: u32, settled: u32) -> bool {
        u64::from(failed) * 100 > u64::from(self.percent) * u64::from(settled.max(self.min_sample))
    }
}

/// Which limit was reached, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trip {
    Failures { limit: u32 },
    FailurePercent { share: Share, failed: u32, settled: u32 },
    ConsecutiveFailures { limit: u32 },
    Unknown { limit: u32 },
    RepeatedRefusal { limit: u32, action: &'static str, status: u16, code: Option<Box<str>> },
    NothingFound { limit: u32, action: &'static str },
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = |count: &u32| if *count == 1 { "1 job".to_owned() } else { format!("{count} jobs") };
        match self {
            Self::Failures { limit } => write!(f, "{} failed (stop_when: failures: {limit})", jobs(limit)),
            Self::FailurePercent { share: Share { percent, min_sample }, failed, settled } => {
                write!(f, "{failed} of {} failed, and one more would exceed {percent} %", jobs(settled))?;
                if settled < min_sample {
                    write!(f, " of {min_sample}")?;
                }
                write!(f, " (stop_when: failure_percent: {percent}, min_sample: {min_sample})")
            }
            Self::ConsecutiveFailures { limit } => {
                let in_a_row = if *limit == 1 { "" } else { " one after the other" };
                write!(f, "{} failed{in_a_row} (stop_when: consecutive_failures: {limit})", jobs(limit))
            }
            Self::Unknown { limit } => {
                write!(f, "the outcome of {} is unknown (stop_when: unknown: {limit})", jobs(limit))
            }
            Self::NothingFound { limit, action } => write!(
                f,
                "none of the targets of {} of {action} was found: are their ids of the right kind? \
                 (stop_when: repeated_refusal: {limit})",
                jobs(limit)
            ),
            Self::RepeatedRefusal { limit, action, status, code } => {
                let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
                write!(
                    f,
                    "{} of {action} in a row got the same {status}{code} (stop_when: repeated_refusal: {limit})",
                    jobs(limit)
                )
            }
        }
    }
}

/// Answers of one kind to one action, since its last good one.
#[derive(Debug)]
struct RefusalCount {
    status: u16,
    code: Option<Box<str>>,
    count: u32,
}

/// What is known of one action.
#[derive(Debug)]
struct WatchedAction {
    action: &'static Action,
    at_risk: u32,
    refusals: Vec<RefusalCount>,
    /// A job that is out was answered by somebody in Graph's place, and will be a refusal unless a read shows otherwise.
    suspected: bool,
    /// A target of it was there.
    found: bool,
    /// Targets that were not, while none was.
    not_found: u32,
}

impl WatchedAction {
    fn most(&self) -> u32 {
        self.refusals.iter().map(|refusal| refusal.count).max().unwrap_or_default().max(self.not_found)
    }
}

/// The state of the breaker. Nothing in it grows with the jobs, but for those that an earlier round has left open.
#[derive(Debug)]
pub(crate) struct Breaker {
    limits: StopWhen,
    repeated_refusal: u32,
    /// Nobody has asked for that limit: what is out counts as spent from the first refusal on, and not before.
    is_built_in: bool,
    settled: u32,
    failed: u32,
    unknown: u32,
    in_a_row: u32,
    at_risk: u32,
    actions: Vec<WatchedAction>,
    /// Jobs that were counted and may settle once more, and how they were counted.
    open: HashMap<u32, Outcome>,
}

impl Breaker {
    /// Where nobody has asked for a limit on equal refusals, the built-in one slows nothing: it begins to count what is out
    /// when the first refusal has come.
    pub(crate) fn new(limits: StopWhen) -> Self {
        Self {
            limits,
            repeated_refusal: limits.repeated_refusal.unwrap_or(REPEATED_REFUSAL),
            is_built_in: limits.repeated_refusal.is_none(),
            settled: 0,
            failed: 0,
            unknown: 0,
            in_a_row: 0,
            at_risk: 0,
            actions: Vec::new(),
            open: HashMap::new(),
        }
    }

    /// The same for the next round of the run: what is open may settle otherwise, and then counts once.
    #[must_use]
    pub(crate) fn next_round(mut self) -> Self {
        self.at_risk = 0;
        self.actions.iter_mut().for_each(|watched| watched.at_risk = 0);
        self
    }

    /// Whether one more job may leave, if everything that is out goes wrong, and it too.
    pub(crate) fn admits(&self, action: &'static Action) -> bool {
        let StopWhen { failures, failure_percent, consecutive_failures, unknown, .. } = self.limits;
        let room = |limit: Option<u32>, spent: u32| limit.is_none_or(|limit| spent + self.at_risk < limit);
        let passed = |share: Share| share.is_passed(self.failed + self.at_risk + 1, self.settled + self.at_risk + 1);
        room(failures, self.failed)
            && room(consecutive_failures, self.in_a_row)
            && room(unknown, self.unknown)
            && !failure_percent.is_some_and(passed)
            && self.watched(action).is_none_or(|one| {
                (self.is_built_in && one.most() == 0 && !one.suspected)
                    || one.most() + one.at_risk < self.repeated_refusal
            })
    }

    /// A job leaves for the first time: from now on it is out.
    pub(crate) fn sent(&mut self, action: &'static Action) {
        self.at_risk += 1;
        self.watch(action).at_risk += 1;
    }

    /// A job that is out was answered by somebody in Graph's place.
    pub(crate) fn suspect(&mut self, action: &'static Action) {
        self.watch(action).suspected = true;
    }

    /// A job that is out was answered with an error of the service. As long as nothing of that action went well, it may be
    /// all that the service has to say.
    pub(crate) fn suspect_at_first(&mut self, action: &'static Action) {
        let watched = self.watch(action);
        watched.suspected |= !watched.found;
    }

    /// A job that was to leave has not, or nothing has come of it: it is not out any more.
    pub(crate) fn spared(&mut self, action: &'static Action) {
        self.at_risk = self.at_risk.saturating_sub(1);
        let watched = self.watch(action);
        watched.at_risk = watched.at_risk.saturating_sub(1);
    }

    /// A job that was out has settled.
    pub(crate) fn settled(&mut self, action: &'static Action, settlement: &Settlement) {
        self.spared(action);
        self.count(action, settlement);
    }

    /// A job stays open, and may come up again in the next round.
    pub(crate) fn left_open(&mut self, job: u32, outcome: Outcome) {
        self.open.insert(job, outcome);
    }

    /// A job comes up again. Whether an earlier round has counted it, which holds no longer.
    pub(crate) fn taken_up(&mut self, job: u32) -> bool {
        let Some(outcome) = self.open.remove(&job) else { return false };
        self.settled = self.settled.saturating_sub(1);
        self.unknown = self.unknown.saturating_sub(u32::from(outcome == Outcome::Unknown));
        true
    }

    /// A job has settled that is not out: it was in an earlier round.
    pub(crate) fn count(&mut self, action: &'static Action, settlement: &Settlement) {
        self.settled += 1;
        let good = settlement.outcome.standing() == Standing::Good;
        let not_found = settlement.outcome == Outcome::NotFound;
        let failed = settlement.outcome == Outcome::Failed || not_found;
        self.failed += u32::from(failed);
        self.unknown += u32::from(settlement.outcome == Outcome::Unknown);
        self.in_a_row = if good { 0 } else { self.in_a_row + u32::from(failed) };
        let watched = self.watch(action);
        watched.found |= good;
        match settlement.http_status {
            _ if good => (watched.refusals, watched.not_found, watched.suspected) = (Vec::new(), 0, false),
            _ if not_found && watched.found => {}
            _ if not_found => watched.not_found += 1,
            // What leaves a doubt in row after row, with whatever status, is a refusal all the same: somebody answers in
            // Graph's place, or nothing of it works.
            Some(status) if settlement.outcome == Outcome::Unknown => watched.count(status, settlement.error_code()),
            Some(status @ 300..=499) if failed => watched.count(status, settlement.error_code()),
            _ => {}
        }
    }

    /// Jobs that are out.
    pub(crate) fn at_risk(&self) -> u32 {
        self.at_risk
    }

    /// The limit that lets nothing leave any more, if there is one.
    pub(crate) fn tripped(&self) -> Option<Trip> {
        let reached = |limit: Option<u32>, spent: u32| limit.filter(|limit| spent >= *limit);
        let limits = self.limits;
        if let Some(limit) = reached(limits.failures, self.failed) {
            return Some(Trip::Failures { limit });
        }
        if let Some(limit) = reached(limits.consecutive_failures, self.in_a_row) {
            return Some(Trip::ConsecutiveFailures { limit });
        }
        if let Some(limit) = reached(limits.unknown, self.unknown) {
            return Some(Trip::Unknown { limit });
        }
        self.refused_again_and_again().or_else(|| self.share_used_up())
    }

    /// What is out may still make room under a percentage.
    fn share_used_up(&self) -> Option<Trip> {
        let used_up = |share: &Share| self.at_risk == 0 && share.is_passed(self.failed + 1, self.settled + 1);
        let share = self.limits.failure_percent.filter(used_up)?;
        Some(Trip::FailurePercent { share, failed: self.failed, settled: self.settled })
    }

    fn refused_again_and_again(&self) -> Option<Trip> {
        let limit = self.repeated_refusal;
        self.actions.iter().find_map(|watched| {
            if watched.not_found >= limit {
                return Some(Trip::NothingFound { limit, action: watched.action.name });
            }
            let refusal = watched.refusals.iter().find(|refusal| refusal.count >= limit)?;
            let RefusalCount { status, code, .. } = refusal;
            let action = watched.action.name;
            Some(Trip::RepeatedRefusal { limit, action, status: *status, code: code.clone() })
        })
    }

    fn watched(&self, action: &'static Action) -> Option<&WatchedAction> {
        self.actions.iter().find(|watched| std::ptr::eq(watched.action, action))
    }

    fn watch(&mut self, action: &'static Action) -> &mut WatchedAction {
        let known = self.actions.iter().position(|watched| std::ptr::eq(watched.action, action));
        let at = known.unwrap_or_else(|| {
            self.actions.push(WatchedAction {
                action,
                at_risk: 0,
                refusals: Vec::new(),
                suspected: false,
                found: false,
                not_found: 0,
            });
            self.actions.len() - 1
        });
        &mut self.actions[at]
    }
}

impl WatchedAction {
    fn count(&mut self, status: u16, code: Option<&str>) {
        let same = |refusal: &&mut RefusalCount| refusal.status == status && refusal.code.as_deref() == code;
        match self.refusals.iter_mut().find(same) {
            Some(refusal) => refusal.count += 1,
            None => self.refusals.push(RefusalCount { status, code: code.map(Box::from), count: 1 }),
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
