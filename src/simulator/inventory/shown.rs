//! Things as a read shows them, and what no read shows.
//!
//! In: a place, and how it is looked at. Out: JSON. Must not: change a thing.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::Inventory;
use crate::catalog::{TargetKind, Version};
use crate::simulator::clock::iso_date;
use crate::simulator::kinds::{KindProperty, RESULTS, Shown};
use crate::simulator::resources::Plausible;
use crate::simulator::routes::PathId;
use crate::simulator::shelf::ActionResult;

/// How a thing is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownLook<'q> {
    /// What `$select` names; `None`: what comes unasked.
    pub select: Option<&'q [&'static str]>,
    pub version: Version,
    /// It is read alone, and not in a list.
    pub by_id: bool,
}

/// What is shown of a property that has a value only for who reads one thing and asks for it.
fn nothing(property: &KindProperty) -> Value {
    if matches!(property.plausible, Plausible::EmptyList) { json!([]) } else { Value::Null }
}

impl Inventory {
    /// The thing as JSON, as that look shows it.
    pub(crate) fn show(&self, kind: TargetKind, at: usize, look: &ShownLook<'_>) -> Map<String, Value> {
        let shelf = self.shelf(kind);
        let named = |name: &str| look.select.is_some_and(|names| names.contains(&name));
        let mut shown = Map::new();
        for property in shelf.kind.properties {
            let name = property.name;
            let wanted = match look.select {
                Some(names) => names.contains(&name),
                None => property.shown != Shown::Selected && (!property.beta_only || look.version == Version::Beta),
            };
            if !wanted {
                continue;
            }
            let value = match property.shown {
                Shown::SelectedById if !look.by_id || !named(name) => nothing(property),
                _ if name == "deletedDateTime" => json!(shelf.things[at].deleted.map(iso_date)),
                _ if name == RESULTS => shelf.things[at].results.iter().map(ActionResult::show).collect(),
                _ => shelf.value(at, name, &self.setting).unwrap_or_default(),
            };
            shown.insert(name.to_owned(), value);
        }
        let silent = shelf.kind.silent.iter().filter(|name| look.select.is_none() || named(name));
        shown.extend(silent.map(|name| ((*name).to_owned(), Value::Null)));
        shown
    }

    /// Whether somebody has given a property its value, and it is not made up.
    pub(crate) fn is_given(&self, kind: TargetKind, at: usize, name: &str) -> bool {
        self.shelf(kind).things.get(at).is_some_and(|thing| thing.is_given(name))
    }

    /// What was done to things that no property of Graph shows: kind, id, and what.
    pub(in crate::simulator) fn marks(&self) -> Value {
        let shelves = [&self.devices, &self.identities, &self.users];
        let marked = shelves.iter().flat_map(|shelf| {
            let marked = shelf.things.iter().filter(|thing| !thing.mark.is_empty());
            marked.map(|thing| json!({ "kind": shelf.kind.kind.name(), "id": thing.id, "mark": thing.mark }))
        });
        json!({ "marks": marked.collect::<Vec<_>>() })
    }

    /// Puts the id of a thing in the place of another property that a path names it by, where there is such a thing.
    pub(in crate::simulator) fn name_by_id(&mut self, ids: &mut [PathId<'_>]) {
        for id in ids {
            let Some(property) = id.alternate else { continue };
            let found = self.look_up(TargetKind::EntraDevice, property, &id.value).unwrap_or_default();
            let there = found.into_iter().find(|at| !self.is_gone(TargetKind::EntraDevice, *at));
            let at = there.or_else(|| self.bring_into_being(TargetKind::EntraDevice, property, &id.value));
            if let Some(at) = at {
                id.value = Cow::Owned(self.entra_devices.things[at].id.to_string());
                id.alternate = None;
            }
        }
    }
}
