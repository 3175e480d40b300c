//! What was sent, counted in memory, and how it is known that nothing more may be.
//!
//! In: when requests left, refusals of the service. Out: whether one more may leave, and if not until when. Must not: last
//! longer than the process; the journal's ledger does.

use jiff::Timestamp;

use super::rules::DailyRules;
use crate::catalog::DailyLimit;

/// An allowance is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp {
    /// Which, by its place in the catalog's table.
    pub limit: usize,
    /// When there is room again.
    pub until: Timestamp,
    pub ground: Ground,
}

/// How it is known that an allowance is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// By our count.
    Counted,
    /// The service said so, although our count did not.
    Said,
    /// The service throttles that action and no other, and says neither why nor for how long.
    Presumed,
}

/// What was sent, without a journal: for rehearsals, and for forecasts.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Times in their order, by the place in the catalog's table.
    left: [std::collections::VecDeque<Timestamp>; DailyLimit::COUNT],
    /// Nothing of it leaves before that time, whatever was counted.
    paused: [Option<UsedUp>; DailyLimit::COUNT],
}

impl Book {
    /// A request counts that left before.
    pub fn enter(&mut self, limit: usize, left: Timestamp) {
        let Some(times) = self.left.get_mut(limit) else { return };
        let at = times.partition_point(|earlier| *earlier <= left);
        times.insert(at, left);
    }

    pub fn pause(&mut self, used_up: UsedUp) {
        if let Some(paused) = self.paused.get_mut(used_up.limit) {
            *paused = paused.take().into_iter().chain([used_up]).max_by_key(|paused| paused.until);
        }
    }

    fn paused(&self, limit: usize, now: Timestamp) -> Option<UsedUp> {
        self.paused.get(limit).copied().flatten().filter(|paused| paused.until > now)
    }

    /// Whether a request of that action may leave now; `Err`: the allowance that has room last.
    pub fn fits(&self, rules: &DailyRules, limit: usize, now: Timestamp) -> Result<(), UsedUp> {
        let full = rules.uses(limit).filter_map(|limit| {
            let times = &self.left[limit];
            let nth = times.len().checked_sub(rules.allowance(limit) as usize)?;
            let until = rules.counts_until(*times.get(nth)?);
            (until > now).then_some(UsedUp { limit, until, ground: Ground::Counted })
        });
        full.chain(self.paused(limit, now)).max_by_key(|used_up| used_up.until).map_or(Ok(()), Err)
    }

    /// How much of an allowance is gone; all of it, once the service has said no.
    pub fn used(&self, rules: &DailyRules, limit: usize, now: Timestamp) -> u32 {
        if self.paused(limit, now).is_some() {
            return rules.allowance(limit);
        }
        let times = self.left.get(limit).into_iter().flatten();
        times.filter(|left| rules.counts_until(**left) > now).count() as u32
    }

    /// Takes one request out of its allowances, if there is room.
    pub fn take(&mut self, rules: &DailyRules, limit: usize, now: Timestamp) -> Result<(), UsedUp> {
        self.fits(rules, limit, now)?;
        rules.uses(limit).for_each(|limit| self.enter(limit, now));
        // What no longer counts is of no use; a year of days must not fill the memory.
        for (limit, times) in self.left.iter_mut().enumerate() {
            while times.len() > rules.allowance(limit) as usize {
                times.pop_front();
            }
        }
        Ok(())
    }

    /// The request that left at that time was none.
    pub fn give_back(&mut self, rules: &DailyRules, limit: usize, left: Timestamp) {
        for limit in rules.uses(limit) {
            let times = &mut self.left[limit];
            if let Some(at) = times.iter().rposition(|time| *time == left) {
                times.remove(at);
            }
        }
    }
}
