//! Which actions the rules refuse.
//!
//! In: rules, jobs. Out: why actions are refused, where they are. Must not: count; a limit refuses a run and no action.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::census::ActionSet;
use super::super::rule::{Guard, Rule};
use super::super::rules::Rules;
use super::own;
use crate::catalog::Action;
use crate::job::Job;

/// The actions that a rule refuses, as far as no override lifts it, and why.
pub(super) fn refused_by(rule: &Rule, stated: &[Rule]) -> Vec<(ActionSet, &'static str)> {
    let own = own::OwnActions::of(rule, stated);
    let is_named = |names: &[Box<str>], action: &Action| names.iter().any(|name| **name == *action.name);
    let listed = match &rule.guard {
        Guard::AllowActions(names) => {
            let others = ActionSet::of(|action| !is_named(names, action)).without(own.allowed);
            Some((others, "is not among the allowed actions"))
        }
        Guard::DenyActions(names) => Some((ActionSet::of(|action| is_named(names, action)), "is denied")),
        _ => None,
    };
    listed.into_iter().chain(own.refused.map(|others| (others, own::WHY))).collect()
}

/// Why nothing may be done with actions, by their names, for the plan of that name.
pub(crate) fn denials<'j>(
    rules: &Rules,
    jobs: impl IntoIterator<Item = &'j Job>,
    plan: Option<&str>,
    now: Timestamp,
) -> HashMap<&'static str, Arc<str>> {
    let mut actions: Vec<&'static Action> = Vec::new();
    for job in jobs {
        if !actions.iter().any(|known| std::ptr::eq(*known, job.action)) {
            actions.push(job.action);
        }
    }
    let denied = actions.into_iter().filter_map(|action| Some((action.name, denial(rules, action, plan, now)?.into())));
    denied.collect()
}

fn denial(rules: &Rules, action: &Action, plan: Option<&str>, now: Timestamp) -> Option<String> {
    rules.stated.iter().find_map(|rule| {
        let is_lifted = rules
            .overrides
            .iter()
            .any(|entry| entry.is_about(rule) && entry.is_in_force(plan, now) && entry.covers(action.name));
        let refused = refused_by(rule, &rules.stated).into_iter().find(|(actions, _)| actions.holds(action));
        let (_, why) = refused.filter(|_| !is_lifted)?;
        Some(format!("{}: {} {why} ({})", rule.guard.name(), action.name, rule.origin))
    })
}
