//! Which fault hits which request.
//!
//! In: the scenario's rules, requests as they come, and dice. Out: the first rule that fires. Must not: play the fault.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::scenario::{Fault, FaultRule};

/// What a rule can look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Index in the catalog; `None` for a read.
    pub action: Option<usize>,
    /// In lower case.
    pub target: &'a str,
    pub method: &'a str,
    /// Since the tenant began.
    pub since: Duration,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct FaultTally {
    matched: u64,
    fired: u32,
    per_target: HashMap<Box<str>, u32>,
}

/// How often each rule has matched and fired so far.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Faults(Vec<FaultTally>);

impl Faults {
    pub(super) fn new(rules: &[FaultRule]) -> Self {
        Self(rules.iter().map(|_| FaultTally::default()).collect())
    }

    /// Every rule counts the call, also when an earlier one fires: numbers mean the same whatever else is in the file.
    pub(super) fn pick<'r>(
        &mut self,
        rules: &'r [FaultRule],
        facts: Facts<'_>,
        dice: &mut fastrand::Rng,
    ) -> Option<&'r Fault> {
        let mut picked = None;
        for (rule, tally) in rules.iter().zip(&mut self.0) {
            if matches(rule, facts) && tally.count(rule, facts.target, dice) && picked.is_none() {
                tally.fired += 1;
                picked = Some(&rule.fault);
            }
        }
        picked
    }
}

fn matches(rule: &FaultRule, facts: Facts<'_>) -> bool {
    let on = &rule.on;
    on.action.is_none_or(|action| Some(action.index()) == facts.action)
        && on.target.as_ref().is_none_or(|target| target.eq_ignore_ascii_case(facts.target))
        && on.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(facts.method))
        && on.after.is_none_or(|after| facts.since >= after.0)
        && on.until.is_none_or(|until| facts.since < until.0)
}

impl FaultTally {
    /// Counts a call that matched, and says whether the rule fires on it.
    fn count(&mut self, rule: &FaultRule, target: &str, dice: &mut fastrand::Rng) -> bool {
        let on = &rule.on;
        self.matched += 1;
        let turn = on.every.is_none_or(|every| self.matched.is_multiple_of(u64::from(every.get())));
        let call = on.calls.as_ref().is_none_or(|calls| {
            let number = self.call_of(target);
            calls.iter().any(|call| call.get() == number)
        });
        let luck = on.probability.is_none_or(|probability| dice.f64() < probability.0);
        turn && call && luck && on.limit.is_none_or(|limit| self.fired < limit.get())
    }

    fn call_of(&mut self, target: &str) -> u32 {
        match self.per_target.get_mut(target) {
            Some(number) => {
                *number += 1;
                *number
            }
            None => {
                self.per_target.insert(target.into(), 1);
                1
            }
        }
    }
}
