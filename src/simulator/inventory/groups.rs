//! Groups as the directory shows them: who is in one, and what is told of a member unasked.
//!
//! In: ids of groups and members. Out: ids, and JSON. Must not: change who is in a group; effects do.

use serde_json::{Value, json};

use super::Inventory;
use crate::catalog::TargetKind;

impl Inventory {
    /// A member of a group, with what the directory shows of it unasked.
    pub(in crate::simulator) fn show_member(&self, id: &str) -> Value {
        let id = id.to_ascii_lowercase();
        let text = |kind, at, name| self.value(kind, at, name).unwrap_or_default();
        if let Some(at) = self.entra_devices.by_key.get(id.as_str()).copied() {
            let text = |name| text(TargetKind::EntraDevice, at, name);
            return json!({
                "@odata.type": "#microsoft.graph.device",
                "id": id, "displayName": text("displayName"), "deviceId": text("deviceId"),
            });
        }
        if self.groups.contains(&id) {
            return json!({ "@odata.type": "#microsoft.graph.group", "id": id });
        }
        let name = self.users.by_key.get(id.as_str()).map(|at| text(TargetKind::User, *at, "userPrincipalName"));
        json!({ "@odata.type": "#microsoft.graph.user", "id": id, "userPrincipalName": name })
    }

    /// Whether the directory has an object of that id, of whatever kind.
    pub(crate) fn is_object(&mut self, id: &str) -> bool {
        let key = id.to_ascii_lowercase();
        let listed = self.groups.contains(&key) || self.entra_devices.by_key.contains_key(key.as_str());
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
        if self.lacks(&group) || (self.only_listed && !self.groups.contains(&group)) {
            return None;
        }
        let there = self.members.things.iter().filter(|thing| !thing.gone);
        let of_group = there.filter_map(|thing| thing.id.split_once('/').filter(|(of, _)| *of == group));
        Some((of_group.map(|(_, member)| member).collect(), self.groups.contains(&group)))
    }
}
