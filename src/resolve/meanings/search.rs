//! Finds what entries of `protected` stand for, by their own names.
//!
//! In: entries, the kinds of the targets that something is done to, a client that reads. Out: a [`MeaningSearch`] with what each value
//! was found to be, and what could not be read. Must not: read a list more than once.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::super::query;
use super::super::reading::{ReadError, Reading};
use super::super::ways::{Way, is_imei, is_of_one, kind, read, ways};
use crate::catalog::TargetKind;
use crate::guard::meaning::{EntryForm, EntryMeaning, Object};
use crate::guard::protected::{Protected, ProtectedEntry};
use crate::identity::Identity;
use crate::msgraph::read_only::{BATCH, Get};
use crate::msgraph::transport::Transport;
use crate::plan::says_nothing;
use crate::text::{composed, key};

/// One value, however many entries have it.
pub(super) struct SoughtValue<'l> {
    pub(super) entry: &'l ProtectedEntry,
    pub(super) value: Box<str>,
    pub(super) meaning: EntryMeaning,
    /// What it was found to be.
    pub(super) found: Vec<(Object, Identity)>,
}

pub(super) struct MeaningSearch<'l> {
    pub(super) wanted: Vec<SoughtValue<'l>>,
    /// For each entry, which of those it is.
    pub(super) of_entries: Vec<usize>,
    pub(super) targets: &'l [TargetKind],
    /// All managed devices, once somebody has read them.
    pub(super) fleet: Option<Result<Vec<Identity>, Box<str>>>,
}

/// From this many reads on it is worth asking how many devices there are.
const MANY: usize = BATCH;

impl<'l> MeaningSearch<'l> {
    pub(super) fn of(list: &'l Protected, targets: &'l [TargetKind]) -> Self {
        let mut places: HashMap<(String, Option<Object>), usize> = HashMap::new();
        let mut wanted: Vec<SoughtValue<'_>> = Vec::new();
        let of_entries = list.entries().iter().map(|entry| {
            let value: Box<str> = composed(entry.value()).into();
            *places.entry((key(&value).into_owned(), entry.only)).or_insert_with(|| {
                wanted.push(SoughtValue { entry, value, meaning: EntryMeaning::default(), found: Vec::new() });
                wanted.len() - 1
            })
        });
        let of_entries = of_entries.collect();
        Self { wanted, of_entries, targets, fleet: None }
    }

    /// Looks for all that may be such an object.
    pub(super) async fn find<T: Transport>(
        &mut self,
        object: Object,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let mut asked: Vec<(usize, Way, Get)> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            let entry = wanted.entry;
            if !wanted.is_wanted_as(object) {
                continue;
            }
            let gets =
                ways(entry.form(), object).iter().filter_map(|by| Some((at, *by, by.get(object, &wanted.value)?)));
            asked.extend(gets);
        }
        if object == Object::ManagedDevice && asked.len() > MANY && self.fleet_costs_less(asked.len(), reading).await? {
            let places: Vec<usize> = asked.iter().map(|(at, _, _)| *at).collect();
            return self.find_in_the_fleet(&places, reading).await;
        }
        self.find_by(object, &asked, reading).await
    }

    /// What looks like the number of a telephone, and is the name or serial number of nothing, may be its IMEI. Nobody
    /// documents a filter on that.
    pub(super) async fn find_by_imei<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        let may_be = |wanted: &SoughtValue<'_>| {
            let is_nothing = wanted.found.is_empty() && wanted.meaning.unread.is_empty();
            is_nothing && wanted.is_wanted_as(Object::ManagedDevice) && is_imei(&wanted.value)
        };
        let places: Vec<usize> = (0..self.wanted.len()).filter(|at| may_be(&self.wanted[*at])).collect();
        if places.is_empty() { Ok(()) } else { self.find_in_the_fleet(&places, reading).await }
    }

    /// What is nobody's principal name and nobody's first address may be another one of theirs. That takes a permission of
    /// its own, which nobody wants who lists people by what they are called.
    pub(super) async fn find_by_alias<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        let wanted = self.wanted.iter().enumerate();
        let open = wanted.filter(|(_, it)| it.is_wanted_as(Object::User) && it.entry.form() == EntryForm::Address);
        let by = |(at, wanted): (usize, &SoughtValue<'_>)| {
            Some((at, Way::Alias, Way::Alias.get(Object::User, &wanted.value)?))
        };
        let asked: Vec<(usize, Way, Get)> =
            open.filter(|(_, wanted)| wanted.meaning.unread.is_empty()).filter_map(by).collect();
        self.find_by(Object::User, &asked, reading).await
    }

    pub(super) async fn find_by<T: Transport>(
        &mut self,
        object: Object,
        asked: &[(usize, Way, Get)],
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let wanted = &mut self.wanted;
        let gets: Vec<Get> = asked.iter().map(|(_, _, get)| get.clone()).collect();
        let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
            let Some((at, by, _)) = asked.get(number) else { return };
            match answer {
                Ok(identities) => {
                    let exact = identities.into_iter().filter(|it| by.is_true_of(it, &wanted[*at].value));
                    let exact: Vec<_> = exact.map(|identity| (object, identity)).collect();
                    wanted[*at].found.extend(exact);
                }
                Err(why) => lack(&mut wanted[*at].meaning, object, &why),
            }
        };
        read(&gets, kind(object), reading, each).await?;
        // What was found needs no other way to it. An address may be the principal name of one user and the mail of another.
        self.wanted
            .iter_mut()
            .filter(|wanted| !wanted.found.is_empty() && wanted.entry.form() != EntryForm::Address)
            .for_each(|wanted| wanted.meaning.unread.clear());
        Ok(())
    }

    pub(super) async fn fleet_costs_less<T: Transport>(
        &self,
        reads: usize,
        reading: &mut Reading<'_, T>,
    ) -> Result<bool, ReadError> {
        let bucket = query::bucket(TargetKind::ManagedDevice);
        let overview = match reading.one(&query::fleet(), bucket).await {
            Ok(overview) => overview,
            Err(ReadError::Refused { .. } | ReadError::NoList(_)) => None,
            Err(error) => return Err(error),
        };
        let size = overview.and_then(|it| it.get("enrolledDeviceCount").and_then(Value::as_u64));
        Ok(size.is_some_and(|size| size.div_ceil(query::PAGE) < reads as u64))
    }

    pub(super) async fn find_in_the_fleet<T: Transport>(
        &mut self,
        meant: &[usize],
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        self.read_fleet(reading).await?;
        match &self.fleet {
            Some(Ok(fleet)) => {
                let mut places: HashMap<String, Vec<usize>> = HashMap::new();
                for at in meant {
                    let places = places.entry(key(&self.wanted[*at].value).into_owned()).or_default();
                    if !places.contains(at) {
                        places.push(*at);
                    }
                }
                for device in fleet {
                    let values = [
                        Some(&device.id),
                        device.azure_ad_device_id.as_ref(),
                        device.name.as_ref(),
                        device.serial_number.as_ref(),
                        device.imei.as_ref(),
                    ];
                    let meant = values.into_iter().flatten().filter_map(|value| places.get(key(value).as_ref()));
                    let meant: HashSet<usize> = meant.flatten().copied().collect();
                    meant
                        .into_iter()
                        .for_each(|at| self.wanted[at].found.push((Object::ManagedDevice, device.clone())));
                }
            }
            Some(Err(why)) => {
                let wanted = &mut self.wanted;
                meant.iter().for_each(|at| lack(&mut wanted[*at].meaning, Object::ManagedDevice, why));
            }
            None => {}
        }
        Ok(())
    }

    pub(super) async fn read_fleet<T: Transport>(&mut self, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
        let Some(first) = query::whole(TargetKind::ManagedDevice).filter(|_| self.fleet.is_none()) else {
            return Ok(());
        };
        let (mut fleet, mut unreadable) = (Vec::new(), false);
        let each = |page: Vec<Value>| {
            for document in &page {
                match Identity::from_document(document) {
                    Some(device) => fleet.push(device),
                    None => unreadable = true,
                }
            }
        };
        self.fleet = Some(match reading.pages(first, query::bucket(TargetKind::ManagedDevice), each).await {
            Ok(true) if !unreadable => Ok(fleet),
            Ok(_) => Err("the list of managed devices could not be understood".into()),
            Err(error) if is_of_one(&error) => Err(error.to_string().into()),
            Err(error) => return Err(error),
        });
        Ok(())
    }
}

impl SoughtValue<'_> {
    /// Whether it may be such an object. An id is the id of one thing; a text may be the name of several.
    pub(super) fn is_wanted_as(&self, object: Object) -> bool {
        let is_open = self.found.is_empty() || self.entry.form() == EntryForm::Text;
        !self.entry.is_pattern() && is_open && self.entry.can_be(object)
    }

    pub(super) fn note_what_was_found(&mut self) {
        for (object, identity) in &self.found {
            let name = |title: Option<&str>| title.unwrap_or(&identity.id).to_owned();
            let called = match object {
                Object::ManagedDevice => format!("managed device {}", name(identity.name.as_deref())),
                Object::EntraDevice => format!("device {} in Entra", name(identity.name.as_deref())),
                Object::AutopilotIdentity => format!("Autopilot identity {}", name(identity.serial_number.as_deref())),
                Object::User if self.entry.is_pattern() => {
                    "a user who has an address that fits it, or of one of their devices".to_owned()
                }
                Object::User => {
                    format!("user {}, or of one of their devices", name(identity.user_principal_name.as_deref()))
                }
            };
            self.meaning.called.get_or_insert_with(|| called.into());
            note(&mut self.meaning, identity);
            let names = [&identity.user_principal_name, &identity.mail].into_iter().flatten().cloned();
            match object {
                Object::User => self.meaning.own.extend(names),
                _ => self.meaning.owners.extend(names.chain(identity.owner_id.clone())),
            }
        }
    }
}

/// Notes what names an object and nothing else. A serial number that says nothing names half a fleet.
pub(super) fn note(meaning: &mut EntryMeaning, identity: &Identity) {
    let serial = identity.serial_number.as_ref().filter(|serial| says_nothing(serial).is_none());
    let (entra, managed) = (identity.azure_ad_device_id.as_ref(), identity.managed_device_id.as_ref());
    let ids = [Some(&identity.id), entra, managed, identity.imei.as_ref(), serial];
    for value in ids.into_iter().flatten() {
        if !meaning.own.contains(value) {
            meaning.own.push(value.clone());
        }
    }
}

/// Notes what could not be read.
pub(super) fn lack(meaning: &mut EntryMeaning, object: Object, why: &str) {
    if !meaning.unread.contains(&object) {
        meaning.unread.push(object);
    }
    meaning.why.get_or_insert_with(|| why.into());
}
