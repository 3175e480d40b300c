//! What has to be read for a plan, and which way costs less.
//!
//! In: the unresolved rows. Out: [`Needs`], and a decision between the whole inventory and single reads. Pure. Must not:
//! read.

use std::collections::HashSet;

use super::link;
use super::matching::{self, best, by_device_id, translated};
use super::pool::Pool;
use super::query;
use super::record::key;
use crate::catalog::{
    MEMBERS_OF_GROUP_NAMED, Missing, Selector, SelectorForm, TargetKind, USER_BY_ID, USER_BY_MAIL, USER_BY_NAME,
};
use crate::msgraph::read_only::BATCH;
use crate::plan::{Criterion, GroupGiven, Pointer, Unresolved};
use jiff::Timestamp;

/// What has to be read of one kind of target.
#[derive(Debug)]
pub(super) struct Needs {
    pub kind: TargetKind,
    /// Each value once.
    pub values: Vec<(&'static Selector, Box<str>)>,
    /// Something cannot be found but by looking at everything.
    pub whole: bool,
}

/// The groups whose members the rows mean, each once: as they are named, and whether that is by name.
pub(super) fn groups(rows: &[&Unresolved]) -> Vec<(Box<str>, bool)> {
    let mut seen = HashSet::new();
    let criteria = rows.iter().flat_map(|row| match &row.pointer {
        Pointer::Given(criteria) => &**criteria,
        Pointer::Filter(_) | Pointer::Ids => &[],
    });
    let groups = criteria.filter(|criterion| criterion.selector.form == SelectorForm::MembersOfGroup);
    let named = |criterion: &Criterion| criterion.selector.name == MEMBERS_OF_GROUP_NAMED;
    let groups = groups.map(|criterion| (key(&criterion.value).into_boxed_str(), named(criterion)));
    groups.filter(|group| seen.insert(group.clone())).collect()
}

/// Every name of a group that has to be looked up, each once.
pub(super) fn group_names(rows: &[&Unresolved]) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    let of_rows = rows.iter().filter_map(|row| match &row.group {
        Some(GroupGiven::Name(name, _)) => Some(key(name).into_boxed_str()),
        _ => None,
    });
    let of_members = groups(rows).into_iter().filter(|(_, by_name)| *by_name).map(|(name, _)| name);
    of_rows.chain(of_members).filter(|name| seen.insert(name.clone())).collect()
}

/// The device objects of the directory that the rows name, each once.
pub(super) fn objects(rows: &[&Unresolved]) -> Needs {
    let mut seen = HashSet::new();
    let criteria = rows.iter().flat_map(|row| match &row.pointer {
        Pointer::Given(criteria) => &**criteria,
        Pointer::Filter(_) | Pointer::Ids => &[],
    });
    let objects = criteria.filter(|criterion| criterion.selector.form == SelectorForm::EntraObject);
    let values = objects.filter(|object| seen.insert(key(&object.value))).map(|it| (it.selector, it.value.clone()));
    Needs { kind: TargetKind::EntraDevice, values: values.collect(), whole: false }
}

/// What is left to read once groups and objects are in `pool`.
pub(super) fn of(rows: &[&Unresolved], pool: &Pool) -> Vec<Needs> {
    let mut list = List::default();
    for row in rows {
        for kind in row.kinds() {
            match &row.pointer {
                Pointer::Filter(_) => list.of_kind(kind).whole = true,
                Pointer::Given(criteria) => list.criteria(criteria, kind, pool),
                Pointer::Ids => {}
            }
        }
        row.users().for_each(|name| list.add(TargetKind::User, &USER_BY_NAME, name));
    }
    list.all
}

/// Of `needs`, the values that nothing in `pool` has.
pub(super) fn unknown(needs: &Needs, pool: &mut Pool) -> Needs {
    needs.values.iter().for_each(|(selector, value)| pool.index(needs.kind, selector, value));
    let is_unknown =
        |(selector, value): &&(&'static Selector, Box<str>)| pool.find(needs.kind, selector, value).next().is_none();
    Needs { kind: needs.kind, values: needs.values.iter().filter(is_unknown).cloned().collect(), whole: false }
}

/// For so many names that no user has, it is looked whether they are somebody's mail address: a list that was made with the
/// wrong column shows it soon.
const MAILS: usize = 20;

/// The names among `users` that nobody in `pool` has, as mail addresses. Whom they lead to is named in the refusal; it is
/// nobody's target. `None`: there are none.
pub(super) fn mails(users: &Needs, rows: &[&Unresolved], pool: &mut Pool) -> Option<Needs> {
    // Where nobody found is no fault, nobody may be taken for absent who is there.
    let may_be_missing = rows.iter().any(|row| row.missing.is_some_and(|missing| missing != Missing::Refuse));
    let most = if may_be_missing { usize::MAX } else { MAILS };
    let unknown = unknown(users, pool).values.into_iter();
    let names = unknown.filter(|(by, _)| by.name == USER_BY_NAME.name).map(|(_, name)| name);
    let values: Vec<(&'static Selector, Box<str>)> = names.take(most).map(|name| (&USER_BY_MAIL, name)).collect();
    (!values.is_empty()).then_some(Needs { kind: users.kind, values, whole: false })
}

/// Of the owners of whom there is no managed device in `pool`: whose mail address the name is, and, where all of somebody's
/// devices are meant, whether there is such a user at all. `None`: there are none.
pub(super) fn owners(rows: &[&Unresolved], pool: &mut Pool) -> Option<Needs> {
    let kind = TargetKind::ManagedDevice;
    let of_devices = rows.iter().filter(|row| row.kinds().any(|it| it == kind));
    let named = of_devices.filter_map(|row| Some((row, owner(&row.pointer)?)));
    let (mut values, mut hints, mut seen) = (Vec::<(&'static Selector, Box<str>)>::new(), 0, HashSet::new());
    for (row, Criterion { selector, value }) in named {
        pool.index(kind, selector, value);
        if pool.find(kind, selector, value).next().is_some() {
            continue;
        }
        let is_name = value.contains('@');
        let mut add = |by: &'static Selector| {
            let new = seen.insert((by.name, key(value)));
            values.extend(new.then(|| (by, value.clone())));
            new
        };
        if selector.form == SelectorForm::DevicesOfUser {
            add(if is_name { &USER_BY_NAME } else { &USER_BY_ID });
        }
        // Where it is a fault whatever they are called, so many are enough.
        let is_hint = row.missing.is_none_or(|missing| missing == Missing::Refuse);
        if is_name && (!is_hint || hints < MAILS) && add(&USER_BY_MAIL) {
            hints += usize::from(is_hint);
        }
    }
    (!values.is_empty()).then_some(Needs { kind: TargetKind::User, values, whole: false })
}

/// Where devices are pointed at by whose they are: by that.
fn owner(pointer: &Pointer) -> Option<&Criterion> {
    let Pointer::Given(criteria) = pointer else { return None };
    let of_owner = |form| matches!(form, SelectorForm::PrincipalName | SelectorForm::DevicesOfUser);
    criteria.iter().find(|criterion| of_owner(criterion.selector.form))
}

/// Where devices are pointed at by what their owner is called: by that.
pub(super) fn owner_named(pointer: &Pointer) -> Option<&Criterion> {
    owner(pointer).filter(|criterion| criterion.value.contains('@'))
}

/// Zeros that a spreadsheet may have taken from the front of a serial number, at most.
const ZEROS: usize = 8;
/// For so many serial numbers they are looked for: a column that has lost them shows it soon.
const BARE: usize = 20;

/// Serial numbers with the zeros that those may have lost which no managed device in `pool` has. What they lead to is named in
/// the refusal; it is nobody's target. `None`: there are none.
pub(super) fn bare_numbers(rows: &[&Unresolved], pool: &mut Pool) -> Option<Needs> {
    let kind = TargetKind::ManagedDevice;
    let serials = rows.iter().filter(|row| row.kinds().any(|it| it == kind)).filter_map(|row| match &row.pointer {
        Pointer::Given(criteria) => criteria.iter().find(|criterion| criterion.selector.form == SelectorForm::Serial),
        Pointer::Filter(_) | Pointer::Ids => None,
    });
    let is_number = |criterion: &&Criterion| criterion.value.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Vec<&Criterion> = serials.filter(is_number).collect();
    let (selector, first) = numbers.first().map(|first| (first.selector, first.value.clone()))?;
    pool.index(kind, selector, &first);
    let mut seen = HashSet::new();
    let unknown = numbers.into_iter().filter(|it| pool.find(kind, selector, &it.value).next().is_none());
    let unknown = unknown.filter(|it| seen.insert(&*it.value)).take(BARE);
    let longer = unknown.flat_map(|it| (1..=ZEROS).map(|zeros| format!("{}{}", "0".repeat(zeros), it.value).into()));
    let values: Vec<(&'static Selector, Box<str>)> = longer.map(|value| (selector, value)).collect();
    (!values.is_empty()).then_some(Needs { kind, values, whole: false })
}

/// What the managed devices in `pool` lead to, for the steps on other kinds.
pub(super) fn linked(rows: &[&Unresolved], pool: &mut Pool, now: Timestamp) -> Vec<Needs> {
    let mut list = List::default();
    if rows.iter().all(|row| !row.through_device) {
        return list.all;
    }
    matching::prepare(rows, pool);
    for row in rows.iter().filter(|row| row.through_device) {
        // What is wrong with it is told with the rest of the plan.
        let Ok(devices) = matching::find(pool, &row.pointer, TargetKind::ManagedDevice, now) else { continue };
        let devices = devices.targets.iter().filter_map(|it| pool.by_id(TargetKind::ManagedDevice, &it.id));
        for device in devices {
            let links = row.linked_kinds().filter_map(|kind| Some((kind, link::link(device, kind)?)));
            links.for_each(|(kind, (by, value))| list.add(kind, by, value));
        }
    }
    list.all
}

/// Needs by kind, each value once.
#[derive(Default)]
struct List {
    all: Vec<Needs>,
    seen: HashSet<(TargetKind, &'static str, String)>,
}

impl List {
    fn of_kind(&mut self, kind: TargetKind) -> &mut Needs {
        let at = self.all.iter().position(|needs| needs.kind == kind).unwrap_or_else(|| {
            self.all.push(Needs { kind, values: Vec::new(), whole: false });
            self.all.len() - 1
        });
        &mut self.all[at]
    }

    fn add(&mut self, kind: TargetKind, selector: &'static Selector, value: &str) {
        let new = self.seen.insert((kind, selector.name, key(value)));
        let needs = self.of_kind(kind);
        needs.whole |= !query::can_filter(kind, selector);
        if new {
            needs.values.push((selector, value.into()));
        }
    }

    fn criteria(&mut self, criteria: &[Criterion], kind: TargetKind, pool: &Pool) {
        match translated(pool, criteria).ok().as_deref().and_then(|it| best(it, kind)) {
            Some(first) if first.selector.form != SelectorForm::MembersOfGroup => {
                self.add(kind, first.selector, &first.value);
            }
            Some(first) if kind == TargetKind::ManagedDevice => {
                let group = pool.groups.get(key(&first.value).as_str()).and_then(Option::as_ref);
                let members = group.into_iter().flat_map(|group| &group.members);
                let ids = members.filter_map(|member| Some((by_device_id()?, member.device_id.as_deref()?)));
                ids.for_each(|(by, id)| self.add(kind, by, id));
            }
            _ => {}
        }
    }
}

/// Above so many values the whole is read where nobody says how much that is.
const MANY: usize = 200;

/// Whether it is worth asking how large the inventory is: one envelope is cheaper than anything.
pub(super) fn asks_for_size(needs: &Needs) -> bool {
    !needs.whole && needs.values.len() > BATCH
}

/// How many pages of a list of unknown size are read before single reads are the better choice: as many as those would take
/// envelopes, so that the wrong guess costs no more than the right one would have. `None`: single reads from the beginning.
pub(super) fn pages_worth_a_try(needs: &Needs) -> Option<usize> {
    let wanted = needs.kind == TargetKind::User && !needs.whole && needs.values.len() > MANY;
    wanted.then(|| needs.values.len().div_ceil(BATCH))
}

/// Whether the whole inventory takes fewer requests than the single reads. `size`: records in it, where that is known.
pub(super) fn whole_costs_less(needs: &Needs, size: Option<u64>) -> bool {
    let envelopes = needs.values.len().div_ceil(BATCH) as u64;
    match size {
        _ if needs.whole => true,
        _ if needs.values.len() <= BATCH => false,
        Some(size) => size.div_ceil(query::PAGE).max(1) <= envelopes,
        None => needs.values.len() > MANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SELECTORS;
    use proptest::prelude::*;

    fn needs(values: usize, whole: bool) -> Needs {
        let values = (0..values).map(|number| (&SELECTORS[0], number.to_string().into())).collect();
        Needs { kind: TargetKind::ManagedDevice, values, whole }
    }

    #[test]
    fn the_whole_is_read_where_that_takes_fewer_requests() {
        for (values, size, expected) in [
            (1, Some(10), false),
            (20, Some(10), false),
            (21, Some(900), true),
            (200, Some(10_000), true),
            (200, Some(10_001), false),
            (10_000, Some(100_000), true),
            (100, None, false),
            (201, None, true),
        ] {
            assert_eq!(whole_costs_less(&needs(values, false), size), expected, "{values} of {size:?}");
        }
        assert!(whole_costs_less(&needs(0, true), None));
    }

    proptest! {
        #[test]
        fn the_way_that_takes_fewer_requests_is_taken(values in 21usize..30_000, size in 0u64..2_000_000) {
            let (envelopes, pages) = ((values as u64).div_ceil(20), size.div_ceil(1_000).max(1));
            let taken = if whole_costs_less(&needs(values, false), Some(size)) { pages } else { envelopes };
            prop_assert!(taken <= envelopes.min(pages));
        }
    }
}
