//! Which targets a pointer means: exactly, or not at all.
//!
//! In: a pointer, the kind of target, a [`Pool`] that holds at least everything that matches. Out: one record, or all
//! that a filter or a group stands for, or a [`LookupRefusal`]. Must not: choose among several.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::filter::passes;
use super::pool::{Member, NamedGroup, Pool};
use super::record::{FoundRecord, key};
use crate::catalog::{Missing, Selector, SelectorForm, TargetKind, USER_BY_NAME, link_to, selector_named};
use crate::identity::Identity;
use crate::plan::{Criterion, Pointer, Unresolved};

/// A target, as its id and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub id: Box<str>,
    pub name: Option<Box<str>>,
    /// What was read of it.
    pub identity: Option<Arc<Identity>>,
    /// The managed device that has led to it.
    pub device: Option<Box<str>>,
}

impl Match {
    pub(super) fn of(record: &FoundRecord) -> Self {
        let identity = &record.identity;
        let (id, name) = (identity.id.to_ascii_lowercase().into(), identity.name.clone());
        Self { id, name, identity: Some(Arc::clone(identity)), device: None }
    }
}

/// Why a row leads to no target.
#[derive(Debug)]
pub(super) enum LookupRefusal<'p> {
    /// Nothing has that value.
    Nothing,
    /// Each of these has the first value, and none of them all.
    NotAll(Vec<&'p FoundRecord>),
    Several(Vec<&'p FoundRecord>),
    NoSuchGroup,
    /// Nobody is called so whose devices could be meant, or nobody has that id.
    NoSuchOwner,
    /// Several groups are called so.
    SeveralGroups(&'p [NamedGroup]),
    /// Members that are something else.
    WrongMembers(Vec<&'p Member>),
    /// A member leads to several targets.
    SeveralOfMember(&'p Member, Vec<&'p FoundRecord>),
    /// What the device would lead to another kind of target by is not known of it, or says nothing.
    NoLink(&'p FoundRecord),
    /// Nothing has what the device has.
    NothingLinked(&'p FoundRecord),
    SeveralLinked(&'p FoundRecord, Vec<&'p FoundRecord>),
    /// It was not read: the saved inventory has no such thing.
    NotRead,
}

impl LookupRefusal<'_> {
    /// Whether there is no such thing, and nothing like it that could have been meant, so that the row is not refused. Of a
    /// device that shows nothing by which another record could be found, nobody knows: that is never done.
    pub(super) fn is_absence_to(&self, missing: Missing) -> bool {
        match self {
            _ if missing == Missing::Refuse => false,
            Self::NoLink(_) => missing == Missing::Hold,
            Self::Nothing | Self::NoSuchGroup | Self::NoSuchOwner | Self::NothingLinked(_) => true,
            Self::NotAll(_)
            | Self::Several(_)
            | Self::SeveralGroups(_)
            | Self::WrongMembers(_)
            | Self::SeveralOfMember(..)
            | Self::SeveralLinked(..)
            | Self::NotRead => false,
        }
    }
}

impl LookupRefusal<'_> {
    /// Whether there is no such thing today; there may have been one.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Nothing | Self::NoSuchGroup | Self::NoSuchOwner | Self::NothingLinked(_) | Self::NoLink(_))
    }

    /// Whether several are meant where one must be.
    pub(super) fn is_several(&self) -> bool {
        matches!(self, Self::Several(_) | Self::SeveralGroups(_) | Self::SeveralOfMember(..) | Self::SeveralLinked(..))
    }
}

/// What a pointer stands for.
#[derive(Debug, Default)]
pub(super) struct Matches<'p> {
    pub targets: Vec<Match>,
    /// Members of a group that are not managed.
    pub left_out: Vec<&'p Member>,
}

impl<'p> From<Vec<Match>> for Matches<'p> {
    fn from(targets: Vec<Match>) -> Self {
        Self { targets, left_out: Vec::new() }
    }
}

/// Builds the indexes that [`find`] and `link::follow` need for these rows.
pub(super) fn prepare(rows: &[&Unresolved], pool: &mut Pool) {
    for row in rows {
        row.users().for_each(|name| pool.index(TargetKind::User, &USER_BY_NAME, name));
        for kind in row.linked_kinds() {
            link_to(kind).into_iter().for_each(|by| pool.index(kind, by, ""));
        }
        let Pointer::Given(criteria) = &row.pointer else { continue };
        for kind in row.kinds() {
            let Ok(criteria) = translated(pool, criteria) else { continue };
            match best(&criteria, kind) {
                Some(first) if first.selector.form == SelectorForm::MembersOfGroup => {
                    by_device_id().into_iter().for_each(|by| pool.index(kind, by, ""));
                }
                Some(first) if first.selector.form == SelectorForm::DevicesOfUser => {
                    pool.index(kind, first.selector, &first.value);
                    pool.index(TargetKind::User, &USER_BY_NAME, &first.value);
                }
                Some(first) => pool.index(kind, first.selector, &first.value),
                None => {}
            }
        }
    }
}

/// Finds what `pointer` means.
pub(super) fn find<'p>(
    pool: &'p Pool,
    pointer: &Pointer,
    kind: TargetKind,
    now: Timestamp,
) -> Result<Matches<'p>, LookupRefusal<'p>> {
    if pool.unread.contains(&kind) {
        return Err(LookupRefusal::NotRead);
    }
    let criteria = match pointer {
        Pointer::Given(criteria) => criteria,
        Pointer::Ids => return Err(LookupRefusal::Nothing),
        Pointer::Filter(filter) => {
            let passing = pool.records(kind).iter().filter(|record| passes(record, filter, now));
            return Ok(passing.map(Match::of).collect::<Vec<_>>().into());
        }
    };
    match criteria.first() {
        Some(Criterion { selector, value }) if selector.form == SelectorForm::MembersOfGroup => {
            members(pool, value, kind)
        }
        Some(Criterion { selector, value }) if selector.form.is_many() => {
            let devices: Vec<_> = pool.find(kind, selector, value).map(Match::of).collect();
            match devices.is_empty() {
                true => no_devices(pool, value),
                false => Ok(devices.into()),
            }
        }
        _ => single(pool, &translated(pool, criteria)?, kind).map(|record| vec![Match::of(record)].into()),
    }
}

/// What it comes to that nothing belongs to somebody: nothing, if there is such a user. Needs [`Pool::index`] by name.
fn no_devices<'p>(pool: &'p Pool, user: &str) -> Result<Matches<'p>, LookupRefusal<'p>> {
    let is_there = match user.contains('@') {
        true => pool.find(TargetKind::User, &USER_BY_NAME, user).next().is_some(),
        false => pool.by_id(TargetKind::User, user).is_some(),
    };
    let is_unread = pool.owners_unread.is_some() || pool.unread.contains(&TargetKind::User);
    match (is_there, is_unread) {
        (true, _) => Ok(Matches::default()),
        (false, false) => Err(LookupRefusal::NoSuchOwner),
        (false, true) => Err(LookupRefusal::Nothing),
    }
}

/// The one user who has that name. Needs [`Pool::index`] by it.
pub(super) fn user_named<'p>(pool: &'p Pool, name: &str) -> Result<&'p FoundRecord, LookupRefusal<'p>> {
    if pool.unread.contains(&TargetKind::User) {
        return Err(LookupRefusal::NotRead);
    }
    let found: Vec<_> = pool.find(TargetKind::User, &USER_BY_NAME, name).collect();
    match found.as_slice() {
        [] => Err(LookupRefusal::Nothing),
        [one] => Ok(one),
        _ => Err(LookupRefusal::Several(found)),
    }
}

/// The criteria with the `deviceId` in place of the object that has it.
pub(super) fn translated<'c>(
    pool: &Pool,
    criteria: &'c [Criterion],
) -> Result<Cow<'c, [Criterion]>, LookupRefusal<'static>> {
    if !criteria.iter().any(|criterion| criterion.selector.form == SelectorForm::EntraObject) {
        return Ok(Cow::Borrowed(criteria));
    }
    if pool.unread.contains(&TargetKind::EntraDevice) {
        return Err(LookupRefusal::NotRead);
    }
    let translate = |criterion: &Criterion| {
        if criterion.selector.form != SelectorForm::EntraObject {
            return Some(criterion.clone());
        }
        let object = pool.by_id(TargetKind::EntraDevice, &criterion.value)?;
        let value = object.identity.azure_ad_device_id.clone()?;
        Some(Criterion { selector: by_device_id()?, value })
    };
    criteria.iter().map(translate).collect::<Option<Vec<_>>>().map(Cow::Owned).ok_or(LookupRefusal::Nothing)
}

/// The one record of which all criteria are true.
fn single<'p>(pool: &'p Pool, criteria: &[Criterion], kind: TargetKind) -> Result<&'p FoundRecord, LookupRefusal<'p>> {
    let Some(first) = best(criteria, kind) else { return Err(LookupRefusal::Nothing) };
    let mut candidates: Vec<_> = pool.find(kind, first.selector, &first.value).collect();
    if candidates.is_empty() {
        return Err(LookupRefusal::Nothing);
    }
    let with_first = candidates.clone();
    candidates.retain(|record| criteria.iter().all(|criterion| is_true_of(criterion, record)));
    match candidates.as_slice() {
        [] => Err(LookupRefusal::NotAll(with_first)),
        [one] => Ok(one),
        _ => Err(LookupRefusal::Several(candidates)),
    }
}

fn is_true_of(criterion: &Criterion, record: &FoundRecord) -> bool {
    record.value(criterion.selector, &criterion.value).is_some_and(|value| key(value) == key(&criterion.value))
}

/// The criterion that is looked up; the others are held against what it leads to. The most telling one that the
/// service can filter by.
pub(super) fn best(criteria: &[Criterion], kind: TargetKind) -> Option<&Criterion> {
    const TELLING: [&str; 4] = ["azureADDeviceId", "serialNumber", "userPrincipalName", "deviceName"];
    let rank = |criterion: &&Criterion| {
        let place = TELLING.iter().position(|name| *name == criterion.selector.name);
        (!super::query::can_filter(kind, criterion.selector), place.unwrap_or(TELLING.len()))
    };
    criteria.iter().min_by_key(rank)
}

/// What the devices of a group are found by.
pub(super) fn by_device_id() -> Option<&'static Selector> {
    selector_named("azureADDeviceId")
}

/// The id of the group that is called so.
pub(super) fn group_named<'p>(pool: &'p Pool, name: &str) -> Result<&'p str, LookupRefusal<'p>> {
    match pool.named_groups.get(key(name).as_str()).map(Vec::as_slice) {
        None => Err(LookupRefusal::NotRead),
        Some([]) => Err(LookupRefusal::NoSuchGroup),
        Some([only]) => Ok(&only.id),
        Some(several) => Err(LookupRefusal::SeveralGroups(several)),
    }
}

fn members<'p>(pool: &'p Pool, group: &str, kind: TargetKind) -> Result<Matches<'p>, LookupRefusal<'p>> {
    if let Some(several @ [_, _, ..]) = pool.named_groups.get(key(group).as_str()).map(Vec::as_slice) {
        return Err(LookupRefusal::SeveralGroups(several));
    }
    let group = match pool.groups.get(key(group).as_str()) {
        None => return Err(LookupRefusal::NotRead),
        Some(None) => return Err(LookupRefusal::NoSuchGroup),
        Some(Some(group)) => group,
    };
    let wanted = if kind == TargetKind::User { "user" } else { "device" };
    let wrong: Vec<_> = group.members.iter().filter(|member| &*member.kind != wanted).collect();
    if !wrong.is_empty() {
        return Err(LookupRefusal::WrongMembers(wrong));
    }
    if kind != TargetKind::ManagedDevice {
        let itself = |member: &Member| {
            let (id, name) = (member.id.to_ascii_lowercase().into(), member.name.clone());
            Match { id, name, identity: None, device: None }
        };
        return Ok(group.members.iter().map(itself).collect::<Vec<_>>().into());
    }
    let mut matches = Matches::default();
    for member in &group.members {
        let by = by_device_id().zip(member.device_id.as_deref());
        let found: Vec<_> = by.into_iter().flat_map(|(by, id)| pool.find(kind, by, id)).collect();
        match found.as_slice() {
            [] => matches.left_out.push(member),
            [one] => matches.targets.push(Match::of(one)),
            _ => return Err(LookupRefusal::SeveralOfMember(member, found)),
        }
    }
    Ok(matches)
}
