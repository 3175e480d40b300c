//! What a policy that says anything of actions means for those that a plan defines.
//!
//! In: a rule, and all that are stated. Out: the actions of a plan's own that its file allows, and those that it does not. Must
//! not: let the file of one policy, or of a plan, allow what another policy does not.

use super::super::census::ActionSet;
use super::super::rule::{Guard, Origin, Rule};
use crate::catalog::Action;

/// Why an action of a plan's own is refused.
pub(super) const WHY: &str = "is defined by the plan, and is not among the `allow_own_actions` of that policy";

/// The actions of plans' own, as the file of one rule sees them.
pub(super) struct OwnActions {
    /// What the rule does not refuse.
    pub allowed: ActionSet,
    /// What its file refuses. Of its rules, the first says so.
    pub refused: Option<ActionSet>,
}

impl OwnActions {
    pub(super) fn of(rule: &Rule, stated: &[Rule]) -> Self {
        let beside = || stated.iter().filter(|other| other.origin.same_file(&rule.origin));
        let is_strict = rule.guard.is_about_actions() && matches!(rule.origin, Origin::Policy(_));
        // A list of what is allowed refuses what is not on it by itself.
        let has_list = beside().any(|other| matches!(other.guard, Guard::AllowActions(_)));
        let is_first = beside().find(|other| other.guard.is_about_actions()) == Some(rule);
        let is_named = |action: &Action| {
            beside().any(|other| match &other.guard {
                Guard::AllowOwnActions(names) => names.iter().any(|name| **name == *action.name),
                _ => false,
            })
        };
        Self {
            allowed: ActionSet::of(|action| is_strict && action.is_unverified() && is_named(action)),
            refused: (is_strict && is_first && !has_list)
                .then(|| ActionSet::of(|action| action.is_unverified() && !is_named(action))),
        }
    }
}
