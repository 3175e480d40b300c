//! How many different targets the jobs of a run have, by action.
//!
//! In: jobs and their holds. Out: a [`Census`] that answers for any set of actions, and every pair of jobs that share a
//! target. Must not: look at a job twice, because a plan may have a million, or judge a pair.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::crowd::HashCounts;
use super::preflight::Hold;
use crate::catalog::{ACTIONS, Action, defined};
use crate::job::Job;
use crate::text::Folding;

/// Some of the actions of the catalog and of those that plans define.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(u128);

impl ActionSet {
    pub(crate) fn of(belongs: impl Fn(&Action) -> bool) -> Self {
        let all = ACTIONS.iter().chain(defined());
        let bits = all.enumerate().filter(|(_, action)| belongs(action)).map(|(at, _)| bit(at));
        Self(bits.fold(0, |all, bit| all | bit))
    }

    pub(crate) fn all() -> Self {
        Self::of(|_| true)
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn holds(self, action: &Action) -> bool {
        index(action).is_some_and(|at| self.0 & bit(at) != 0)
    }
}

fn bit(at: usize) -> u128 {
    1_u128.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or_default()
}

fn index(action: &Action) -> Option<usize> {
    let listed = ACTIONS.iter().position(|known| std::ptr::eq(known, action));
    listed.or_else(|| defined().position(|known| std::ptr::eq(known, action)).map(|at| ACTIONS.len() + at))
}

/// The different targets of the jobs to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Targets by the set of actions that they get.
    groups: Vec<(ActionSet, u32)>,
}

impl Census {
    /// Targets that get at least one of those actions.
    pub(crate) fn targets(&self, actions: ActionSet) -> u32 {
        self.groups.iter().filter(|(set, _)| !set.and(actions).is_empty()).map(|(_, targets)| targets).sum()
    }

    /// The group of a target that gets the actions of `group` and these.
    fn group_with(&mut self, group: Option<u32>, actions: ActionSet) -> u32 {
        let before = group.and_then(|at| self.groups.get(at as usize)).map_or(0, |(set, _)| set.0);
        let wanted = ActionSet(before | actions.0);
        let at = self.groups.iter().position(|(set, _)| *set == wanted).unwrap_or_else(|| {
            self.groups.push((wanted, 0));
            self.groups.len() - 1
        });
        at as u32
    }

    fn enter(&mut self, from: Option<u32>, actions: ActionSet) -> u32 {
        let to = self.group_with(from, actions);
        if from != Some(to) {
            if let Some((_, targets)) = from.and_then(|at| self.groups.get_mut(at as usize)) {
                *targets -= 1;
            }
            self.groups[to as usize].1 += 1;
        }
        to
    }
}

/// The id that a job acts on, without regard to case.
#[derive(Debug)]
struct TargetKey<'a>(&'a Job);

impl PartialEq for TargetKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.target().eq_ignore_ascii_case(other.0.target())
    }
}

impl Eq for TargetKey<'_> {}

impl Hash for TargetKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.ids.target_bytes());
    }
}

impl TargetKey<'_> {
    fn as_hash(&self) -> u64 {
        let mut folding = Folding::default();
        self.hash(&mut folding);
        folding.finish()
    }
}

type Fast = BuildHasherDefault<Folding>;

/// What is known of a target so far.
struct KnownTarget {
    last: u32,
    /// `None`: nothing of it is sent yet.
    group: Option<u32>,
}

/// Earlier jobs of one target that a job is compared with, at most.
const REMEMBERED: usize = 16;

/// Counts the jobs that are sent; `pair` gets every two jobs of one target that are sent now or on their day.
pub(crate) fn take(jobs: &[Job], holds: &[Option<Hold>], mut pair: impl FnMut(usize, usize)) -> Census {
    let mut census = Census::default();
    let crowd = HashCounts::of(jobs.iter().map(|job| TargetKey(job).as_hash()));
    let mut targets: HashMap<TargetKey<'_>, KnownTarget, Fast> =
        HashMap::with_capacity_and_hasher(crowd.repeated(), Fast::default());
    // From a job to the one before it on the same target; most targets have one job.
    let mut earlier: HashMap<u32, u32> = HashMap::new();
    let mut of_last: Option<(&Action, ActionSet)> = None;
    for (at, (job, hold)) in jobs.iter().zip(holds).enumerate() {
        let is_sent = match hold {
            None => true,
            Some(Hold::NotDue { .. }) => false,
            Some(_) => continue,
        };
        let actions = match of_last {
            Some((action, set)) if std::ptr::eq(action, job.action) => set,
            _ => ActionSet(index(job.action).map(bit).unwrap_or_default()),
        };
        of_last = Some((job.action, actions));
        if !crowd.has_company(at) {
            if is_sent {
                census.enter(None, actions);
            }
            continue;
        }
        let last = at as u32;
        match targets.entry(TargetKey(job)) {
            Entry::Vacant(place) => {
                let group = is_sent.then(|| census.enter(None, actions));
                place.insert(KnownTarget { last, group });
            }
            Entry::Occupied(mut place) => {
                let seen = place.get_mut();
                let before = std::iter::successors(Some(seen.last), |at| earlier.get(at).copied());
                before.take(REMEMBERED).for_each(|before| pair(before as usize, at));
                earlier.insert(last, seen.last);
                seen.last = last;
                if is_sent {
                    seen.group = Some(census.enter(seen.group, actions));
                }
            }
        }
    }
    census
}

/// The job that brings the number of different targets over `limit`.
pub(super) fn first_beyond(jobs: &[Job], holds: &[Option<Hold>], actions: ActionSet, limit: u32) -> Option<usize> {
    let mut targets: HashSet<TargetKey<'_>, Fast> = HashSet::default();
    let due = jobs.iter().zip(holds).enumerate().filter(|(_, (job, hold))| hold.is_none() && actions.holds(job.action));
    due.map(|(at, (job, _))| (at, job)).find_map(|(at, job)| {
        let is_new = targets.insert(TargetKey(job));
        (is_new && targets.len() > limit as usize).then_some(at)
    })
}
