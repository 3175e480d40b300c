//! What the guards of a run are, as data: each rule with the place where it stands.
//!
//! In: values that `plan` has read from a plan or a policy. Out: [`Rules`], which `preflight` checks, previews show and
//! the journal keeps for a resumed run. Must not: read files, or decide anything about a job.

use serde::{Deserialize, Serialize};

use super::breaker::StopWhen;
use super::overrides::Override;
use super::protected::Protected;
use super::rule::{Guard, Origin, Rule};
use super::waves::Wave;

/// Targets of what cannot be taken back or locks people out in one run, where nobody has said how many.
const DEFAULT_MAX_TARGETS: u32 = 50;

/// What a run must keep to. Every rule holds by itself: the tightest decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub stated: Vec<Rule>,
    pub protected: Protected,
    pub overrides: Vec<Override>,
    /// What stops a run under way.
    pub stop_when: StopWhen,
    /// Of a plan alone. Empty: everything goes at once.
    pub waves: Vec<Wave>,
}

impl Rules {
    /// Both together. Nothing that one of them says is lost, so neither loosens the other.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.stated.extend(other.stated);
        self.protected = self.protected.and(other.protected);
        self.overrides.extend(other.overrides);
        self.stop_when = self.stop_when.and(other.stop_when);
        self.waves.extend(other.waves);
        self
    }

    /// These, and what others add to them; of their exceptions, those that the others have too. What the others lift beside that
    /// or share out is left alone: it was not agreed to.
    #[must_use]
    pub fn tightened_by(mut self, others: &Self) -> Self {
        for rule in &others.stated {
            if !self.stated.iter().any(|known| known.guard == rule.guard) {
                self.stated.push(rule.clone());
            }
        }
        self.overrides.retain(|entry| others.overrides.iter().any(|other| entry.lifts_as(other)));
        self.protected = self.protected.and(others.protected.clone());
        self.stop_when = self.stop_when.and(others.stop_when);
        self
    }

    /// With the built-in rules where nothing is stated in their place.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        if !self.stated.iter().any(|rule| matches!(rule.guard, Guard::MaxTargets(_) | Guard::MaxTargetsAtRisk(_))) {
            let guard = Guard::MaxTargetsAtRisk(DEFAULT_MAX_TARGETS);
            self.stated.insert(0, Rule { guard, origin: Origin::Default });
        }
        self
    }

    /// Those that the plan itself has stated. What stops a run has no owner, and stays.
    #[must_use]
    pub fn of_the_plan(mut self) -> Self {
        self.stated.retain(|rule| matches!(rule.origin, Origin::Plan(_)));
        self.overrides.retain(|one| matches!(one.origin, Origin::Plan(_)));
        self
    }

    /// Whether a rule asks for what is on file of the devices, which has to be read.
    pub fn wants_keys(&self) -> bool {
        self.stated.iter().any(|rule| matches!(rule.guard, Guard::RequireEscrow(_)))
    }

    /// Whether a rule asks for the size of the fleet, which has to be read.
    pub fn wants_fleet(&self) -> bool {
        self.stated.iter().any(|rule| matches!(rule.guard, Guard::MaxPercentOfFleet(_)))
    }
}
