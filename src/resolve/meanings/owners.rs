//! From what an entry of `protected` was found to be to whose it is, and to what else is theirs.
//!
//! In: the search, somebody who reads. Out: managed devices, owners and devices in the meanings; what may not be read is in
//! them too. Must not: ask for owners or devices where no target could be one.

use super::super::query;
use super::super::reading::{ReadError, Reading};
use super::super::ways::{By, SERIAL, read, ways};
use super::{Search, Wanted, note};
use crate::catalog::TargetKind;
use crate::guard::meaning::{Form, Object, may_own, shows_its_user};
use crate::identity::Identity;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;
use crate::plan::says_nothing;

impl Search<'_> {
    /// From what an entry was found to be to the managed device of the same machine, and so to its owner.
    pub(super) async fn bridge<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        let mut asked: Vec<(usize, By, Box<str>)> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            for (object, identity) in &wanted.found {
                let serial = identity.serial_number.as_deref().filter(|serial| says_nothing(serial).is_none());
                let link = match object {
                    Object::EntraDevice => identity
                        .azure_ad_device_id
                        .as_deref()
                        .map(|id| (ways(Form::Guid, Object::ManagedDevice)[1], id)),
                    Object::AutopilotIdentity => serial.map(|serial| (SERIAL, serial)),
                    Object::ManagedDevice | Object::User => None,
                };
                asked.extend(link.map(|(by, value)| (at, by, value.into())));
            }
        }
        let gets: Vec<Get> = asked.iter().filter_map(|(_, by, value)| by.get(Object::ManagedDevice, value)).collect();
        let wanted = &mut self.wanted;
        let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
            let Some((at, by, value)) = asked.get(number) else { return };
            match answer {
                Ok(devices) => {
                    let exact = devices.into_iter().filter(|device| by.is_true_of(device, value));
                    let exact: Vec<_> = exact.map(|device| (Object::ManagedDevice, device)).collect();
                    wanted[*at].found.extend(exact);
                }
                Err(why) => {
                    wanted[*at].meaning.unowned = true;
                    wanted[*at].meaning.why.get_or_insert(why);
                }
            }
        };
        read(&gets, TargetKind::ManagedDevice, reading, each).await?;
        self.wanted.iter_mut().for_each(Wanted::note_what_was_found);
        self.registered_owners(reading).await
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

    /// The devices of protected users, where a target is of a kind whose read does not show its owner.
    pub(super) async fn devices_of_users<T: Transport>(
        &mut self,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        if self.targets.iter().all(|target| shows_its_user(*target, None)) {
            return Ok(());
        }
        let of_users = self.wanted.iter().enumerate().flat_map(|(at, wanted)| {
            let users = wanted.found.iter().filter(|(object, _)| *object == Object::User);
            users.map(move |(_, user)| (at, user.id.clone()))
        });
        let users: Vec<(usize, Box<str>)> = of_users.collect();
        // The devices of whoever fits a pattern are found in the fleet, which is read for it.
        let single = users.iter().filter(|(at, _)| !self.wanted[*at].entry.is_pattern());
        let single: Vec<(usize, Box<str>)> = single.cloned().collect();
        let managed: Vec<Get> = single.iter().filter_map(|(_, id)| query::devices_of(id)).collect();
        self.note_devices(&single, &managed, TargetKind::ManagedDevice, reading).await?;
        // Intune may know an owner that the directory has lost.
        let strangers = self.wanted.iter().enumerate().filter(|(_, wanted)| wanted.found.is_empty());
        let strangers = strangers.filter(|(_, it)| it.entry.form() == Form::Address && !it.entry.is_pattern());
        let strangers: Vec<(usize, Box<str>)> = strangers.map(|(at, it)| (at, it.value.clone())).collect();
        let of_stranger = |name: &str| query::with_value(TargetKind::ManagedDevice, "userPrincipalName", name);
        let theirs: Vec<Get> = strangers.iter().filter_map(|(_, name)| of_stranger(name)).collect();
        self.note_devices(&strangers, &theirs, TargetKind::ManagedDevice, reading).await?;
        if self.targets.iter().any(|target| matches!(target, TargetKind::EntraDevice | TargetKind::GroupMember)) {
            let owned: Vec<Get> = users.iter().map(|(_, id)| query::owned_by(id)).collect();
            self.note_devices(&users, &owned, TargetKind::EntraDevice, reading).await?;
        }
        Ok(())
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
