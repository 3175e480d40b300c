//! From what an entry of `protected` was found to be to whose it is, and to what else is theirs.
//!
//! In: the search, somebody who reads. Out: managed devices, owners and devices in the meanings; what may not be read is in
//! them too. Must not: ask for owners or devices where no target could be one.

use std::collections::HashSet;

use super::super::query;
use super::super::reading::{ReadError, Reading};
use super::super::ways::{SERIAL, Way, kind, read, ways};
use super::search::{MeaningSearch, SoughtValue, note};
use crate::catalog::TargetKind;
use crate::guard::meaning::{EntryForm, Object, may_own};
use crate::identity::Identity;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;
use crate::plan::says_nothing;

/// Of so many users who fit patterns it is asked, one by one, what is registered to them.
const MOST_OF_PATTERNS: usize = 1_000;

impl MeaningSearch<'_> {
    /// From what an entry was found to be to the managed device of the same machine, and so to its owner.
    pub(super) async fn bridge<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        let mut asked: Vec<(usize, Way, Box<str>)> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            for (object, identity) in &wanted.found {
                let serial = identity.serial_number.as_deref().filter(|serial| says_nothing(serial).is_none());
                let link = match object {
                    Object::EntraDevice => identity
                        .azure_ad_device_id
                        .as_deref()
                        .map(|id| (ways(EntryForm::Guid, Object::ManagedDevice)[1], id)),
                    Object::AutopilotIdentity => serial.map(|serial| (SERIAL, serial)).or_else(|| {
                        let by_id = identity.managed_device_id.as_deref().map(|id| (Way::Id, id));
                        let by_entra = identity.azure_ad_device_id.as_deref();
                        by_id.or_else(|| by_entra.map(|id| (ways(EntryForm::Guid, Object::ManagedDevice)[1], id)))
                    }),
                    Object::ManagedDevice | Object::User => None,
                };
                asked.extend(link.map(|(by, value)| (at, by, value.into())));
            }
        }
        self.find_linked(Object::ManagedDevice, &asked, reading).await?;
        self.devices_in_entra(reading).await?;
        self.wanted.iter_mut().for_each(SoughtValue::note_what_was_found);
        self.registered_owners(reading).await
    }

    /// From a managed device to the device in Entra of the same machine, which may have another owner, where somebody's account
    /// is a target.
    async fn devices_in_entra<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        if !self.targets.iter().any(|target| may_own(*target)) {
            return Ok(());
        }
        let by = ways(EntryForm::Guid, Object::EntraDevice)[0];
        let mut asked: Vec<(usize, Way, Box<str>)> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            let is_known = wanted.found.iter().any(|(object, _)| *object == Object::EntraDevice);
            let managed = wanted.found.iter().filter(|(object, _)| *object == Object::ManagedDevice && !is_known);
            asked.extend(managed.filter_map(|(_, device)| Some((at, by, device.azure_ad_device_id.clone()?))));
        }
        self.find_linked(Object::EntraDevice, &asked, reading).await
    }

    /// Adds to entries what other records of the same machine there are. Where they cannot be read, their owners are not known.
    async fn find_linked<T: Transport>(
        &mut self,
        object: Object,
        asked: &[(usize, Way, Box<str>)],
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let gets: Vec<Get> = asked.iter().filter_map(|(_, by, value)| by.get(object, value)).collect();
        let wanted = &mut self.wanted;
        let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
            let Some((at, by, value)) = asked.get(number) else { return };
            match answer {
                Ok(devices) => {
                    let exact = devices.into_iter().filter(|device| by.is_true_of(device, value));
                    let exact: Vec<_> = exact.map(|device| (object, device)).collect();
                    wanted[*at].found.extend(exact);
                }
                Err(why) => {
                    wanted[*at].meaning.unowned = true;
                    wanted[*at].meaning.why.get_or_insert(why);
                }
            }
        };
        read(&gets, kind(object), reading, each).await
    }

    /// Whose the devices are that Entra alone may know, where somebody's account is a target.
    async fn registered_owners<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        if !self.targets.iter().any(|target| may_own(*target)) {
            return Ok(());
        }
        let devices = self.wanted.iter().enumerate().flat_map(|(at, wanted)| {
            let devices = wanted.found.iter().filter(|(object, _)| *object == Object::EntraDevice);
            devices.map(move |(_, device)| (at, query::owners_of(&device.id)))
        });
        let (places, gets): (Vec<usize>, Vec<Get>) = devices.unzip();
        let wanted = &mut self.wanted;
        let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
            let Some(at) = places.get(number) else { return };
            let meaning = &mut wanted[*at].meaning;
            match answer {
                Ok(owners) => owners.into_iter().for_each(|owner| {
                    let names = [owner.user_principal_name, owner.mail].into_iter().flatten();
                    meaning.owners.extend(names.chain([owner.id]));
                }),
                Err(why) => {
                    meaning.unowned = true;
                    meaning.why.get_or_insert(why);
                }
            }
        };
        read(&gets, TargetKind::EntraDevice, reading, each).await
    }

    /// The devices of protected users: a target may show another owner than the directory, or none.
    pub(super) async fn devices_of_users<T: Transport>(
        &mut self,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let of_users = self.wanted.iter().enumerate().flat_map(|(at, wanted)| {
            let users = wanted.found.iter().filter(|(object, _)| *object == Object::User);
            users.map(move |(_, user)| (at, user.id.clone()))
        });
        let mut users: Vec<(usize, Box<str>)> = of_users.collect();
        // The devices of whoever fits a pattern are found in the fleet, which is read for it.
        let single = users.iter().filter(|(at, _)| !self.wanted[*at].entry.is_pattern());
        let single: Vec<(usize, Box<str>)> = single.cloned().collect();
        let managed: Vec<Get> = single.iter().filter_map(|(_, id)| query::devices_of(id)).collect();
        self.note_devices(&single, &managed, TargetKind::ManagedDevice, reading).await?;
        // Intune may know an owner that the directory has lost.
        let strangers = self.wanted.iter().enumerate().filter(|(_, wanted)| wanted.found.is_empty());
        let strangers = strangers.filter(|(_, it)| it.entry.form() == EntryForm::Address && !it.entry.is_pattern());
        let strangers: Vec<(usize, Box<str>)> = strangers.map(|(at, it)| (at, it.value.clone())).collect();
        let of_stranger = |name: &str| query::with_value(TargetKind::ManagedDevice, "userPrincipalName", name);
        let theirs: Vec<Get> = strangers.iter().filter_map(|(_, name)| of_stranger(name)).collect();
        self.note_devices(&strangers, &theirs, TargetKind::ManagedDevice, reading).await?;
        // A machine that Intune knows under nobody or somebody else may be registered to them.
        if users.len() > single.len() + MOST_OF_PATTERNS {
            let of_many = users.iter().filter(|(at, _)| self.wanted[*at].entry.is_pattern()).map(|(at, _)| *at);
            for at in of_many.collect::<HashSet<usize>>() {
                let meaning = &mut self.wanted[at].meaning;
                meaning.unlisted = true;
                meaning.why.get_or_insert_with(|| "it fits too many users to list the devices of each".into());
            }
            users = single;
        }
        let owned: Vec<Get> = users.iter().map(|(_, id)| query::owned_by(id)).collect();
        self.note_devices(&users, &owned, TargetKind::EntraDevice, reading).await
    }

    async fn note_devices<T: Transport>(
        &mut self,
        users: &[(usize, Box<str>)],
        gets: &[Get],
        kind: TargetKind,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let wanted = &mut self.wanted;
        let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
            let Some((at, _)) = users.get(number) else { return };
            let meaning = &mut wanted[*at].meaning;
            match answer {
                Ok(devices) => devices.iter().for_each(|device| {
                    meaning.called.get_or_insert_with(|| "a device of that user".into());
                    note(meaning, device);
                }),
                Err(why) => {
                    meaning.unlisted = true;
                    meaning.why.get_or_insert(why);
                }
            }
        };
        read(gets, kind, reading, each).await
    }
}
