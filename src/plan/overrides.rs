//! `overrides:` of a plan or a policy.
//!
//! In: the list under that key. Out: [`Override`]s, each with its place, and faults. Must not: let one pass without a
//! reason and an end, or decide whether it holds.

use jiff::{Timestamp, ToSpan};

use super::guards::{KEYS, MOST, Owner, read_actions, read_percent};
use super::schedule;
use crate::catalog::Action;
use crate::diagnostics::did_you_mean;
use crate::guard::overrides::{Extent, Override};
use crate::guard::rule::Origin;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader};

const ENTRY_KEYS: &[&str] = &["guard", "actions", "plan", "allow", "reason", "until"];

/// How the guards that can be overridden are.
const OVERRIDABLE: &[(&str, How)] = &[
    ("max_targets", How { allow: Allow::Count, actions: false }),
    ("max_per_action", How { allow: Allow::Count, actions: true }),
    ("max_percent_of_fleet", How { allow: Allow::Percent, actions: false }),
    ("allow_actions", How { allow: Allow::Nothing, actions: true }),
    ("deny_actions", How { allow: Allow::Nothing, actions: true }),
    ("window", How { allow: Allow::Nothing, actions: false }),
    ("require_escrow", How { allow: Allow::Nothing, actions: false }),
];

#[derive(Debug, Clone, Copy)]
struct How {
    allow: Allow,
    /// Whether it has to say for which actions.
    actions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allow {
    Count,
    Percent,
    Nothing,
}

/// Reads the list.
pub(super) fn read<'s>(node: &'s Node, owner: Owner<'_>, reader: &mut Reader<'s, '_>) -> Vec<Override> {
    let items = reader.list(node, "`overrides`").unwrap_or_default();
    items.iter().filter_map(|item| read_one(item, owner, reader)).collect()
}

/// The values of one entry.
#[derive(Default)]
struct OverrideKeys<'s> {
    guard: Option<(&'s str, &'s Node)>,
    actions: Option<&'s Node>,
    plan: Option<(&'s str, &'s Node)>,
    allow: Option<&'s Node>,
    reason: Option<&'s str>,
    until: Option<Timestamp>,
}

fn read_one<'s>(node: &'s Node, owner: Owner<'_>, reader: &mut Reader<'s, '_>) -> Option<Override> {
    let entries = reader.map_of(node, "an override", ENTRY_KEYS)?;
    for (key, example) in [("guard", "max_targets"), ("reason", "CHG0012345"), ("until", "2026-12-01")] {
        if !entries.iter().any(|entry| entry.name == key) {
            let help = format!("write `{key}: {example}`: an override needs its guard, a reason and an end");
            reader.fault(&node.span, "missing-key", format!("the key `{key}` is missing"), Some(help));
        }
    }
    let mut parts = OverrideKeys::default();
    for Entry { name, value, .. } in entries {
        match name {
            "guard" => parts.guard = reader.text(value, "`guard`").map(|text| (text, value)),
            "actions" => parts.actions = Some(value),
            "plan" => parts.plan = reader.text(value, "`plan`").map(|text| (text, value)),
            "allow" => parts.allow = Some(value),
            "reason" => parts.reason = reader.text(value, "`reason`"),
            _ => parts.until = read_until(value, reader),
        }
    }
    let (guard, at) = parts.guard?;
    let how = how(guard, at, reader)?;
    let origin = (owner.origin)(reader.source.place(&node.span));
    let (actions, allow) = (read_scope(how, &parts, node, owner.own, reader), read_allow(how, &parts, node, reader));
    if let Some((_, at)) = parts.plan.filter(|_| matches!(origin, Origin::Plan(_))) {
        let help = Some("remove `plan`".into());
        reader.fault(&at.span, "wrong-keys", "an override in a plan applies to that plan anyway", help);
        return None;
    }
    Some(Override {
        guard: guard.into(),
        actions: actions?,
        plan: parts.plan.map(|(plan, _)| plan.into()),
        allow: allow?,
        reason: parts.reason?.into(),
        until: parts.until?,
        origin,
    })
}

fn how(guard: &str, at: &Node, reader: &mut Reader<'_, '_>) -> Option<How> {
    let known = OVERRIDABLE.iter().find(|(name, _)| *name == guard).map(|(_, how)| *how);
    if known.is_none() {
        let names = || OVERRIDABLE.iter().map(|(name, _)| *name);
        let (message, help) = match KEYS.contains(&guard) {
            true => (format!("`{guard}` cannot be overridden"), "change the guard itself".to_owned()),
            false => (
                format!("there is no guard `{}`", shown(guard)),
                match did_you_mean(guard, names()) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("those that can be overridden are {}", names().collect::<Vec<_>>().join(", ")),
                },
            ),
        };
        reader.fault(&at.span, "unknown-guard", message, Some(help));
    }
    known
}

fn read_scope<'s>(
    how: How,
    parts: &OverrideKeys<'s>,
    node: &Node,
    own: &[&'static Action],
    reader: &mut Reader<'s, '_>,
) -> Option<Vec<Box<str>>> {
    match parts.actions {
        Some(actions) => read_actions(actions, "`actions`", own, reader),
        None if how.actions => {
            let help = Some("write `actions: [ NAME ]`".into());
            reader.fault(&node.span, "missing-key", "the key `actions` is missing; this guard is about actions", help);
            None
        }
        None => Some(Vec::new()),
    }
}

fn read_allow<'s>(how: How, parts: &OverrideKeys<'s>, node: &Node, reader: &mut Reader<'s, '_>) -> Option<Extent> {
    match (how.allow, parts.allow) {
        (Allow::Nothing, None) => Some(Extent::Whole),
        (Allow::Nothing, Some(allow)) => {
            let message = "this guard has no number, so `allow` has no meaning";
            reader.fault(&allow.span, "wrong-keys", message, Some("remove `allow`".into()));
            None
        }
        (Allow::Count | Allow::Percent, None) => {
            let help = Some("write the new limit, such as `allow: 300`".into());
            reader.fault(&node.span, "missing-key", "the key `allow` is missing", help);
            None
        }
        (Allow::Count, Some(allow)) => reader.number(allow, "`allow`", 0, MOST).map(Extent::Count),
        (Allow::Percent, Some(allow)) => read_percent(allow, "`allow`", reader).map(Extent::Percent),
    }
}

/// A time, or a day, which counts whole (in UTC).
fn read_until<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Timestamp> {
    let text = reader.text(node, "`until`")?;
    let is_day = text.len() == 10;
    let until = schedule::not_before(text).and_then(|at| match is_day {
        true => at.checked_add(24.hours()).map_err(|_| "it is too far in the future"),
        false => Ok(at),
    });
    match until {
        Ok(until) => Some(until),
        Err(reason) => {
            reader.fault(&node.span, "bad-date", format!("`{}`: {reason}", shown(text)), None);
            None
        }
    }
}
