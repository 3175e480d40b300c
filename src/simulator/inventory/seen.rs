//! What an earlier rehearsal has shown of things that it made up: a tenant in a process forgets them with the process.
//!
//! In: documents as a read has shown them. Out: the same things in this tenant. Must not: change what the scenario lists, or bring
//! back what it lacks.

use serde_json::Value;

use super::Inventory;
use crate::catalog::TargetKind;
use crate::simulator::kinds::kind_of;
use crate::simulator::shelf::{Given, Thing};

impl Inventory {
    /// Takes a thing over, as `document` shows it.
    pub(crate) fn take_over_seen(&mut self, kind: TargetKind, document: &Value) {
        let Some(id) = document.get("id").and_then(Value::as_str) else { return };
        let known = self.shelf(kind).by_key.contains_key(id.to_ascii_lowercase().as_str());
        if known || self.only_listed || self.lacks(id) {
            return;
        }
        let properties = document.as_object().into_iter().flatten();
        let given = |(name, value): (&String, &Value)| {
            let name = kind_of(kind).property(name)?.name;
            (name != "id").then(|| (name, Given::Listed(value.clone())))
        };
        let set = properties.filter_map(given).collect();
        match (kind, document.get("userPrincipalName").and_then(Value::as_str)) {
            (TargetKind::User, Some(name)) => drop(self.put_user(id, name, set)),
            _ => drop(self.shelf_mut(kind).put(Thing::new(id, set))),
        }
    }
}
