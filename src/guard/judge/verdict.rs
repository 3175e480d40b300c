//! What the judging of a run has found so far, and what it looks at beside the jobs.
//!
//! In: findings, one after the other. Out: a [`Judgement`]; which overrides hold, and which of them a run needs. Must not: judge a
//! rule; the files beside this one do.

use jiff::Timestamp;

use super::super::census::{ActionSet, Census};
use super::super::overrides::{Extent, Override};
use super::super::preflight::Hold;
use super::super::rule::Rule;
use super::super::rules::Rules;
use crate::catalog::Action;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::escrow::Keys;
use crate::job::Job;
use crate::moment::moment;

/// What the rules look at beside the jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunFacts<'a> {
    /// The plan's name, which overrides may be for.
    pub plan: Option<&'a str>,
    pub justified: bool,
    pub now: Timestamp,
    /// Whether a run is about to begin: a window that is closed refuses that, and not a look at the plan.
    pub begins: bool,
    /// What is on file of the devices, one for each job; empty where nobody has looked.
    pub keys: &'a [Option<Keys>],
}

/// The jobs of a plan, each with why it would not be sent.
#[derive(Clone, Copy)]
pub(super) struct JobsAndHolds<'a> {
    pub(super) jobs: &'a [Job],
    pub(super) holds: &'a [Option<Hold>],
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    pub rules: Rules,
    /// Errors refuse the run.
    pub faults: Diagnostics,
    /// One for each override: whether something goes on only because of it.
    pub in_use: Vec<bool>,
    pub(super) census: Census,
    pub(super) plan: Option<Box<str>>,
    pub(super) now: Timestamp,
}

impl Judgement {
    /// The overrides of a rule that hold now, with their actions, no action twice.
    pub(super) fn lifted(&self, rule: &Rule, scope: ActionSet) -> Vec<(usize, Extent, ActionSet)> {
        let mut rest = scope;
        let mut lifted = Vec::new();
        for (at, entry) in self.rules.overrides.iter().enumerate() {
            if entry.is_about(rule) && entry.is_in_force(self.plan.as_deref(), self.now) {
                let actions = ActionSet::of(|action| entry.covers(action.name)).and(rest);
                rest = rest.without(actions);
                lifted.push((at, entry.allow, actions));
            }
        }
        lifted
    }

    pub(super) fn refuse(&mut self, rule: &Rule, code: &'static str, message: String, help: String) {
        self.faults.push(placed(Diagnostic::error(code, message).help(help), rule));
    }

    pub(super) fn warn_of_overrides(&mut self) {
        let (now, plan) = (self.now, self.plan.clone());
        let rules = &self.rules;
        for entry in rules.overrides.iter().filter(|entry| entry.is_for_plan(plan.as_deref())) {
            let warning = if entry.until <= now {
                let message =
                    format!("the override of {} ended at {} and no longer applies", entry.guard, moment(entry.until));
                Diagnostic::warning("expired-override", message).help("remove it, or renew it")
            } else if !rules.stated.iter().any(|rule| entry.is_about(rule)) {
                let message = format!("the override of {} has no effect", entry.guard);
                Diagnostic::warning("unused-override", message)
                    .help("an override applies to guards of the same file and to built-in guards; a plan cannot override a policy")
            } else {
                continue;
            };
            let place = entry.origin.place().cloned();
            self.faults.push(match place {
                Some(place) => warning.at(place),
                None => warning,
            });
        }
    }

    /// Every override, with how it stands.
    pub fn overrides(&self) -> impl Iterator<Item = (&Override, &'static str)> {
        self.rules.overrides.iter().zip(&self.in_use).map(|(entry, in_use)| {
            let standing = match in_use {
                true => "in use",
                false if entry.until <= self.now => "ended",
                false if !entry.is_for_plan(self.plan.as_deref()) => "for another plan",
                false => "not needed",
            };
            (entry, standing)
        })
    }

    /// The overrides without which the run would be refused.
    pub fn overrides_in_use(&self) -> impl Iterator<Item = &Override> {
        self.rules.overrides.iter().zip(&self.in_use).filter(|(_, in_use)| **in_use).map(|(entry, _)| entry)
    }

    /// What the report says of a job that goes out under overrides.
    pub fn remark(&self, action: &Action) -> Option<String> {
        let of_it = self.overrides_in_use().filter(|entry| entry.covers(action.name));
        let remarks: Vec<_> = of_it.map(Override::to_string).collect();
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }
}

pub(super) fn placed(fault: Diagnostic, rule: &Rule) -> Diagnostic {
    match rule.origin.place() {
        Some(place) => fault.at(place.clone()),
        None => fault,
    }
}
