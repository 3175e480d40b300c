//! What the tenant holds: devices, users, Autopilot identities, and what else the catalog acts on.
//!
//! In: ids, and deeds done to them. Out: things and their properties. A thing that nobody has listed comes into being
//! when it is first asked for, unless the scenario says that it is missing. Must not: know paths, statuses or counts.

mod by_hand;
mod deleted;
mod devices;
mod groups;
mod kept;
mod scripts;
mod seen;
mod shown;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::Moment;
use super::effects::Deed;
use super::kinds::{DEVICE, ENTRA_DEVICE, IDENTITY, Kind, USER, kind_of};
use super::resources::{Setting, guid_from, licences};
use super::scenario::{Guid, HybridDeletion, Scenario};
use super::shelf::{ActionResult, Given, Shelf, Thing};
use crate::catalog::TargetKind;

pub(super) use deleted::Record;
pub(super) use shown::ShownLook;

/// Where a thing stands.
pub(super) type ThingPlace = (TargetKind, usize);

const A_MILLION: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct Inventory {
    setting: Setting,
    missing: HashSet<String>,
    /// The ids of what the scenario lists: none of them is a device as well that nobody has listed.
    listed: HashSet<String>,
    only_listed: bool,
    hybrid_deletion: HybridDeletion,
    /// What a wall clock shows, told with each request.
    pub now: Timestamp,
    devices: Shelf,
    identities: Shelf,
    users: Shelf,
    entra_devices: Shelf,
    members: Shelf,
    /// Groups of which the scenario says who is in them, by their ids, with their names.
    groups: HashMap<String, Option<String>>,
    scripts: scripts::Scripts,
    imported_autopilot: Shelf,
    imported_identities: Shelf,
    others: Shelf,
}

/// What a [`TargetKind::GroupMember`] is known by: a group, and who is in it.
pub(super) fn membership(group: &str, member: &str) -> String {
    format!("{group}/{member}")
}

impl Inventory {
    pub(super) fn new(scenario: &Scenario, setting: Setting) -> Self {
        let mut inventory = Self {
            hybrid_deletion: scenario.deleted_hybrid_devices,
            now: setting.start,
            setting,
            missing: scenario.missing.iter().map(|id| id.to_ascii_lowercase()).collect(),
            listed: listed_ids(scenario),
            only_listed: scenario.only_listed,
            devices: Shelf::new(&DEVICE),
            identities: Shelf::new(&IDENTITY),
            users: Shelf::new(&USER),
            entra_devices: Shelf::new(&ENTRA_DEVICE),
            members: Shelf::new(kind_of(TargetKind::GroupMember)),
            groups: scenario
                .groups
                .iter()
                .map(|group| (group.id.0.to_ascii_lowercase(), group.display_name.clone()))
                .collect(),
            scripts: scripts::Scripts::of(scenario),
            imported_autopilot: Shelf::new(kind_of(TargetKind::ImportedAutopilotIdentity)),
            imported_identities: Shelf::new(kind_of(TargetKind::ImportedDeviceIdentity)),
            others: Shelf::new(kind_of(TargetKind::Other)),
        };
        for group in &scenario.groups {
            for member in &group.members {
                let id = membership(&group.id.0, &member.0).to_ascii_lowercase();
                inventory.members.put(Thing::new(&id, Vec::new()));
            }
        }
        for device in &scenario.entra_devices {
            inventory.entra_devices.put(Thing::new(&device.id.0, listed(&ENTRA_DEVICE, device)));
        }
        for device in &scenario.devices {
            let given = listed(&DEVICE, device).into_iter().chain(devices::owner_of(device, &scenario.users)).collect();
            let at = inventory.devices.put(Thing::new(&device.id.0, given));
            inventory.devices.things[at].results = devices::results(device, inventory.setting.start);
        }
        for identity in &scenario.autopilot {
            inventory.identities.put(Thing::new(&identity.id.0, listed(&IDENTITY, identity)));
        }
        for user in &scenario.users {
            let at = inventory.put_user(&user.id.0, &user.user_principal_name, listed(&USER, user));
            if let Some(ids) = &user.devices {
                let owner = (user.id.0.as_str(), user.user_principal_name.as_str());
                let devices = ids.iter().map(|id| inventory.device_of(owner, &id.0)).collect();
                inventory.users.things[at].devices = Some(devices);
            }
            if user.deleted {
                inventory.delete_object(TargetKind::User, at);
            }
        }
        inventory
    }

    /// The place of the thing that `id` names, or `None` if there is no such thing.
    pub(super) fn find(&mut self, kind: TargetKind, id: &str) -> Option<usize> {
        let key = id.to_ascii_lowercase();
        let key = match kind {
            TargetKind::ManagedDevice if !Guid::is(&key) => device_behind(&key),
            _ => key,
        };
        if self.lacks(&key) {
            return None;
        }
        let known = self.shelf(kind).by_key.get(key.as_str()).copied();
        let told = key.split_once('/').is_some_and(|(group, _)| self.groups.contains_key(group));
        match known {
            Some(at) if kind == TargetKind::DeletedUser => self.is_recoverable(TargetKind::User, at).then_some(at),
            None if kind == TargetKind::GroupMember && told => None,
            Some(at) => (!self.shelf(kind).things[at].gone).then_some(at),
            None if self.only_listed => None,
            None if kind == TargetKind::ManagedDevice && self.listed.contains(&key) => None,
            None if kind == TargetKind::User => Some(self.make_up_user(&key)),
            None if kind == TargetKind::DeletedUser => {
                let at = self.make_up_user(&key);
                self.delete_object(TargetKind::User, at);
                Some(at)
            }
            None => Some(self.shelf_mut(kind).put(Thing::new(&key, Vec::new()))),
        }
    }

    pub(super) fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Whether one of the ids is on the list of those that do not exist.
    pub(super) fn lacks(&self, id: &str) -> bool {
        !self.missing.is_empty() && self.missing.contains(&id.to_ascii_lowercase())
    }

    /// Does an action's deeds to the thing at that place; `false` where it cannot be done. `body` is what was sent.
    pub(super) fn perform(
        &mut self,
        action: &'static str,
        deeds: &[Deed],
        (kind, at): ThingPlace,
        body: &Value,
        now: Moment,
    ) -> bool {
        let mut done = true;
        for deed in deeds {
            match *deed {
                Deed::Set(name, value) => self.shelf_mut(kind).things[at].set(name, Given::Word(value)),
                Deed::Mark(mark) => self.shelf_mut(kind).things[at].mark = mark,
                Deed::SetNow(name) => self.shelf_mut(kind).things[at].set(name, Given::Moment(now.wall)),
                Deed::Note => self.shelf_mut(kind).things[at].results.push(ActionResult::pending(action, now.wall)),
                Deed::Remove => self.shelf_mut(kind).things[at].gone = true,
                Deed::Delete => self.delete_object(kind, at),
                Deed::Restore => self.restore_object(kind, at),
                Deed::Sent => self.take_over(kind, at, body),
                Deed::From(name, sent) => {
                    self.shelf_mut(kind).things[at].set(name, Given::Listed(body[sent].clone()));
                }
                Deed::Unlicense => done &= self.unlicense(at, &body["removeLicenses"]),
                Deed::EachDevice(deeds) => {
                    for device in self.devices_of(at) {
                        done &= self.perform(action, deeds, (TargetKind::ManagedDevice, device), body, now);
                    }
                }
            }
        }
        done
    }

    fn take_over(&mut self, kind: TargetKind, at: usize, body: &Value) {
        let shelf = self.shelf_mut(kind);
        for (name, value) in body.as_object().into_iter().flatten() {
            if let Some(property) = shelf.kind.property(name) {
                shelf.things[at].set(property.name, Given::Listed(value.clone()));
            }
        }
    }

    /// Takes licences off a user, all of them or none.
    fn unlicense(&mut self, user: usize, removed: &Value) -> bool {
        let held = self.value(TargetKind::User, user, "assignedLicenses").unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
        let held: Vec<String> = held.as_array().into_iter().flatten().map(|licence| text(&licence["skuId"])).collect();
        let removed: Vec<String> = removed.as_array().into_iter().flatten().map(text).collect();
        if !removed.iter().all(|sku| held.contains(sku)) {
            return false;
        }
        let kept = held.iter().filter(|sku| !removed.contains(sku)).map(String::as_str);
        self.users.things[user].set("assignedLicenses", Given::Listed(licences(kept)));
        true
    }

    /// The places of a user's devices that are still there.
    pub(super) fn devices_of(&mut self, user: usize) -> Vec<usize> {
        let devices = match self.users.things[user].devices.clone() {
            Some(devices) => devices,
            None => {
                let devices = self.make_up_devices(user);
                self.users.things[user].devices = Some(devices.clone());
                devices
            }
        };
        devices.into_iter().filter(|at| !self.devices.things[*at].gone).collect()
    }

    /// The places of what the directory knows of a user's devices.
    pub(super) fn owned_by(&mut self, user: usize) -> Vec<usize> {
        let managed = self.devices_of(user);
        let ids: Vec<String> = managed
            .into_iter()
            .filter_map(|at| self.value(TargetKind::ManagedDevice, at, "azureADDeviceId")?.as_str().map(str::to_owned))
            .collect();
        let owned = ids.iter().filter_map(|id| self.look_up(TargetKind::EntraDevice, "deviceId", id)).flatten();
        let owned: Vec<usize> = owned.collect();
        owned.into_iter().filter(|at| !self.is_gone(TargetKind::EntraDevice, *at)).collect()
    }

    /// The places of the users that the directory knows a device of.
    pub(super) fn owners_of(&mut self, entra_device: usize) -> Vec<usize> {
        let users: Vec<usize> = (0..self.users.things.len()).filter(|at| !self.users.things[*at].gone).collect();
        users.into_iter().filter(|user| self.owned_by(*user).contains(&entra_device)).collect()
    }

    /// How many devices there are. Where every id exists, that is a very large number.
    pub(super) fn fleet(&self) -> usize {
        let listed = self.devices.things.iter().filter(|thing| !thing.gone).count();
        if self.only_listed { listed } else { listed.max(A_MILLION) }
    }

    /// Where every id exists, so does whatever a filter asks for by its exact value: it comes into being as it is asked
    /// for.
    pub(super) fn bring_into_being(&mut self, kind: TargetKind, property: &'static str, value: &str) -> Option<usize> {
        if kind == TargetKind::User && property == "userPrincipalName" && value.contains('@') {
            let is_new =
                !self.only_listed && !self.lacks(value) && !self.users.by_key.contains_key(&*value.to_lowercase());
            return is_new.then(|| self.make_up_user_named(value));
        }
        let can_be = kind != TargetKind::User && !value.is_empty() && kind_of(kind).property(property).is_some();
        if !can_be || self.only_listed || self.lacks(value) {
            return None;
        }
        let id = guid_from(&format!("{property}={}", value.to_lowercase()), kind as u64);
        let known = self.shelf(kind).by_key.contains_key(id.as_str());
        let mut set = vec![(property, Given::Listed(json!(value)))];
        if kind == TargetKind::AutopilotIdentity && property == "serialNumber" {
            set.extend(self.links_to_device(value));
        }
        (!known).then(|| self.shelf_mut(kind).put(Thing::new(&id, set)))
    }

    /// How many places there are; some of them may be empty by now.
    pub(super) fn places(&self, kind: TargetKind) -> usize {
        self.shelf(kind).things.len()
    }

    pub(super) fn is_gone(&self, kind: TargetKind, at: usize) -> bool {
        self.shelf(kind).things.get(at).is_none_or(|thing| thing.gone)
    }

    pub(super) fn value(&self, kind: TargetKind, at: usize, property: &str) -> Option<Value> {
        self.shelf(kind).value(at, property, &self.setting)
    }

    /// The places where an indexed property has this value, whatever its case; `None` where there is no index.
    pub(super) fn look_up(&mut self, kind: TargetKind, property: &str, value: &str) -> Option<Vec<usize>> {
        let setting = self.setting.clone();
        let shelf = self.shelf_mut(kind);
        let property = *shelf.kind.indexed.iter().find(|name| **name == property)?;
        for at in shelf.indexed..shelf.things.len() {
            for name in shelf.kind.indexed {
                let value = shelf.value(at, name, &setting);
                let text = value.as_ref().and_then(Value::as_str).unwrap_or_default().to_lowercase();
                shelf.index.entry(name).or_default().entry(text).or_default().push(at);
            }
        }
        shelf.indexed = shelf.things.len();
        Some(shelf.index.get(property)?.get(&value.to_lowercase()).cloned().unwrap_or_default())
    }

    fn shelf(&self, kind: TargetKind) -> &Shelf {
        match kind {
            TargetKind::ManagedDevice => &self.devices,
            TargetKind::AutopilotIdentity => &self.identities,
            TargetKind::User | TargetKind::DeletedUser => &self.users,
            TargetKind::EntraDevice => &self.entra_devices,
            TargetKind::GroupMember => &self.members,
            TargetKind::ImportedAutopilotIdentity => &self.imported_autopilot,
            TargetKind::ImportedDeviceIdentity => &self.imported_identities,
            TargetKind::Other => &self.others,
        }
    }

    fn shelf_mut(&mut self, kind: TargetKind) -> &mut Shelf {
        match kind {
            TargetKind::ManagedDevice => &mut self.devices,
            TargetKind::AutopilotIdentity => &mut self.identities,
            TargetKind::User | TargetKind::DeletedUser => &mut self.users,
            TargetKind::EntraDevice => &mut self.entra_devices,
            TargetKind::GroupMember => &mut self.members,
            TargetKind::ImportedAutopilotIdentity => &mut self.imported_autopilot,
            TargetKind::ImportedDeviceIdentity => &mut self.imported_identities,
            TargetKind::Other => &mut self.others,
        }
    }

    /// A user is known by its id and by its principal name.
    fn put_user(&mut self, id: &str, principal_name: &str, set: Vec<(&'static str, Given)>) -> usize {
        let at = self.users.put(Thing::new(id, set));
        self.users.by_key.insert(principal_name.to_lowercase().into_boxed_str(), at);
        at
    }

    fn make_up_user(&mut self, key: &str) -> usize {
        if Guid::is(key) {
            let property = USER.property("userPrincipalName");
            let name = property.map(|property| self.setting.make_up(key, property.plausible));
            let name = name.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            return self.put_user(key, &name, Vec::new());
        }
        self.make_up_user_named(key)
    }

    /// The same id whenever somebody asks for that name.
    fn make_up_user_named(&mut self, name: &str) -> usize {
        let names = ["userPrincipalName", "mail"].map(|property| (property, Given::Listed(json!(name))));
        self.put_user(&guid_from(&name.to_lowercase(), 0), name, names.into())
    }

    /// The devices that name the user; failing that two new ones, unless only listed things exist.
    fn make_up_devices(&mut self, user: usize) -> Vec<usize> {
        let id = self.users.things[user].id.clone();
        let name = self.value(TargetKind::User, user, "userPrincipalName");
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let named = self.look_up(TargetKind::ManagedDevice, "userPrincipalName", &name).unwrap_or_default();
        if !named.is_empty() || self.only_listed {
            return named;
        }
        [1, 2].map(|number| self.device_of((&id, &name), &guid_from(&id, number))).to_vec()
    }

    /// The device of that id, which belongs to that user if it is new.
    fn device_of(&mut self, (user_id, principal_name): (&str, &str), id: &str) -> usize {
        let known = self.devices.by_key.get(id).copied();
        known.unwrap_or_else(|| {
            let owner = [("userId", user_id), ("userPrincipalName", principal_name)];
            self.devices.put(Thing::new(id, owner.map(|(name, text)| (name, Given::Listed(json!(text)))).into()))
        })
    }
}

fn listed_ids(scenario: &Scenario) -> HashSet<String> {
    let users = scenario.users.iter().map(|user| &user.id);
    let others = scenario.entra_devices.iter().map(|device| &device.id);
    let identities = scenario.autopilot.iter().map(|identity| &identity.id);
    let device_ids = scenario.devices.iter().filter_map(|device| device.azure_ad_device_id.as_deref());
    let ids = users.chain(others).chain(identities).map(|id| id.0.as_str());
    ids.chain(device_ids).map(str::to_ascii_lowercase).collect()
}

/// The run state of a script is named by `script:device` or by something that tells nothing; it always leads to the
/// same device.
fn device_behind(state: &str) -> String {
    match state.rsplit([':', '_']).next() {
        Some(id) if Guid::is(id) => id.to_owned(),
        _ => guid_from(state, 0),
    }
}

/// The properties that a scenario gives, under the names that live forever.
fn listed(kind: &'static Kind, thing: &impl serde::Serialize) -> Vec<(&'static str, Given)> {
    let Ok(Value::Object(given)) = serde_json::to_value(thing) else { return Vec::new() };
    given
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| kind.property(&name).map(|property| (property.name, Given::Listed(value))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_listed_is_a_property_of_its_kind() {
        let scenario = Scenario::from_yaml(
            "devices: [{id: 11111111-1111-4111-8111-111111111111}]\n\
             users: [{id: 11111111-1111-4111-8111-111111111111, userPrincipalName: a@b.c}]\n\
             autopilot: [{id: 11111111-1111-4111-8111-111111111111}]\n\
             entra_devices: [{id: 11111111-1111-4111-8111-111111111111}]\n",
        )
        .unwrap();
        let names = |value: Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let given = [
            (&DEVICE, names(serde_json::to_value(&scenario.devices[0]).unwrap())),
            (&USER, names(serde_json::to_value(&scenario.users[0]).unwrap())),
            (&IDENTITY, names(serde_json::to_value(&scenario.autopilot[0]).unwrap())),
            (&ENTRA_DEVICE, names(serde_json::to_value(&scenario.entra_devices[0]).unwrap())),
        ];
        for (kind, names) in given {
            assert!(!names.is_empty());
            for name in names {
                assert!(kind.property(&name).is_some(), "{} has no {name}", kind.type_name);
            }
        }
    }
}
