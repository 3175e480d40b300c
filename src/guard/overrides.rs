//! Exceptions from guards: named, scoped, with a reason and an end.
//!
//! In: overrides from a plan or a policy. Out: which of them holds for a rule now. Must not: lift a rule of another
//! file: a plan cannot loosen what a policy says.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rule::{Guard, Origin, Percent, Rule};
use crate::moment::moment;

/// How far a guard is lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    Count(u32),
    Percent(Percent),
    /// The guard has no number: it does not hold within the scope.
    Whole,
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The key of the guard.
    pub guard: Box<str>,
    /// The actions it is for; empty: all.
    pub actions: Vec<Box<str>>,
    /// The plan it is for, in a policy; `None`: all.
    pub plan: Option<Box<str>>,
    pub allow: Extent,
    pub reason: Box<str>,
    /// It no longer holds at this moment.
    pub until: Timestamp,
    pub origin: Origin,
}

/// `override of max_targets to 300 for retire until 2026-12-02 00:00:00 UTC: CHG0012345`.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "override of {}", self.guard)?;
        match self.allow {
            Extent::Count(count) => write!(f, " to {count}")?,
            Extent::Percent(percent) => write!(f, " to {percent}")?,
            Extent::Whole => {}
        }
        if !self.actions.is_empty() {
            write!(f, " for {}", self.actions.join(", "))?;
        }
        write!(f, " until {}: {}", moment(self.until), self.reason)
    }
}

impl Override {
    /// Whether it holds now for that plan.
    pub(super) fn is_in_force(&self, plan: Option<&str>, now: Timestamp) -> bool {
        now < self.until && self.is_for_plan(plan)
    }

    pub(super) fn is_for_plan(&self, plan: Option<&str>) -> bool {
        self.plan.as_deref().is_none_or(|wanted| plan == Some(wanted))
    }

    /// Whether it is about that rule: a rule of its own file, or a built-in one.
    pub fn is_about(&self, rule: &Rule) -> bool {
        let same_action = match &rule.guard {
            Guard::MaxPerAction { action, .. } => self.covers(action),
            _ => true,
        };
        let in_reach = rule.origin == Origin::Default || rule.origin.same_file(&self.origin);
        *self.guard == *rule.guard.name() && same_action && in_reach
    }

    /// Whether both are one exception, wherever they stand.
    pub(super) fn lifts_as(&self, other: &Self) -> bool {
        let of =
            |entry: &Self| (entry.guard.clone(), entry.actions.clone(), entry.plan.clone(), entry.allow, entry.until);
        of(self) == of(other)
    }

    pub(super) fn covers(&self, action: &str) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|name| **name == *action)
    }
}
