//! Groups as the directory shows them: who is in one, and what is told of a member unasked.
//!
//! In: ids of groups and members. Out: ids, and JSON. Must not: change who is in a group; effects do.

use serde_json::{Map, Value, json};

use super::{Inventory, ShownLook};
use crate::catalog::TargetKind;
use crate::simulator::kinds::{GROUP, USER, kind_of};
use crate::simulator::shelf::Shelf;

impl Inventory {
    /// An object of the directory, of whatever kind, which says its own type.
    pub(in crate::simulator) fn show_object(&self, id: &str, look: &ShownLook<'_>) -> Map<String, Value> {
        let id = id.to_ascii_lowercase();
        if let Some(at) = self.entra_devices.by_key.get(id.as_str()).copied() {
            return self.show_object_at(TargetKind::EntraDevice, at, look);
        }
        let wanted = |name: &str| look.select.is_none_or(|names| names.contains(&name));
        let told = |type_name: &str, properties: Value| {
            let mut shown = Map::new();
            shown.insert("@odata.type".into(), json!(format!("#{type_name}")));
            let properties = properties.as_object().cloned().unwrap_or_default();
            shown.extend(properties.into_iter().filter(|(name, _)| wanted(name)));
            shown
        };
        if let Some(name) = self.groups.get(&id) {
            return told(GROUP.type_name, json!({ "id": id, "displayName": name }));
        }
        match self.users.by_key.get(id.as_str()).copied() {
            Some(at) => self.show_object_at(TargetKind::User, at, look),
            None => told(USER.type_name, json!({ "id": id, "userPrincipalName": null })),
        }
    }

    /// The same of a thing on a shelf.
    pub(in crate::simulator) fn show_object_at(
        &self,
        kind: TargetKind,
        at: usize,
        look: &ShownLook<'_>,
    ) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("@odata.type".into(), json!(format!("#{}", kind_of(kind).type_name)));
        shown.extend(self.show(kind, at, look));
        shown
    }

    /// The name of a group, if it has one. `None`: there is no such group.
    pub(crate) fn group(&self, id: &str) -> Option<Option<String>> {
        self.members_of(id).map(|_| self.groups.get(&id.to_ascii_lowercase()).cloned().flatten())
    }

    /// Ids and names of the groups that are listed.
    pub(crate) fn groups(&self) -> Vec<(String, Option<String>)> {
        self.groups.iter().map(|(id, name)| (id.clone(), name.clone())).collect()
    }

    /// What an object of the directory is that stands on a shelf.
    pub(in crate::simulator) fn kind_of_object(&self, id: &str) -> Option<TargetKind> {
        let id = id.to_ascii_lowercase();
        match self.groups.contains_key(&id) {
            true => None,
            false if self.entra_devices.by_key.contains_key(id.as_str()) => Some(TargetKind::EntraDevice),
            false => Some(TargetKind::User),
        }
    }

    /// Whether the directory has an object of that id, of whatever kind.
    pub(crate) fn is_object(&mut self, id: &str) -> bool {
        let key = id.to_ascii_lowercase();
        let listed = self.groups.contains_key(&key) || self.entra_devices.by_key.contains_key(key.as_str());
        match listed {
            true => {
                !self.lacks(&key)
                    && self.entra_devices.by_key.get(key.as_str()).is_none_or(|at| !self.entra_devices.things[*at].gone)
            }
            false => self.find(TargetKind::User, &key).is_some(),
        }
    }

    /// The ids of the members of a group that are known, and whether they are all of them. `None`: no such group.
    pub(in crate::simulator) fn members_of(&self, group: &str) -> Option<(Vec<&str>, bool)> {
        let group = group.to_ascii_lowercase();
        if self.lacks(&group) || (self.only_listed && !self.groups.contains_key(&group)) {
            return None;
        }
        let there = self.members.things.iter().filter(|thing| !thing.gone);
        let of_group = there.filter_map(|thing| thing.id.split_once('/').filter(|(of, _)| *of == group));
        let of_group = of_group.filter(|(_, member)| !self.is_deleted_object(member));
        Some((of_group.map(|(_, member)| member).collect(), self.groups.contains_key(&group)))
    }
    /// Whether an object of the directory was deleted: no group lists it any more.
    fn is_deleted_object(&self, id: &str) -> bool {
        let gone = |shelf: &Shelf| shelf.by_key.get(id).is_some_and(|at| shelf.things[*at].gone);
        gone(&self.entra_devices) || gone(&self.users)
    }
}
