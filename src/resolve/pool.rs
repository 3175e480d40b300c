//! What was read: records by kind, each once, and groups.
//!
//! In: records in any order, with repetitions. Out: those that a value leads to, by an index. Must not: know where they
//! came from, or whether they are all there are.

use std::collections::HashMap;

use super::record::{FoundRecord, key};
use crate::catalog::{Selector, SelectorForm, TargetKind};

/// Everything that was read for a plan.
#[derive(Debug, Default)]
pub struct Pool {
    shelves: Vec<RecordsOfKind>,
    /// By id in lower case; `None`: there is no such group.
    pub groups: HashMap<Box<str>, Option<Group>>,
    /// By name in lower case: the ids and names of all groups that are called so.
    pub named_groups: HashMap<Box<str>, Vec<NamedGroup>>,
    /// Kinds of which nothing is known: a saved inventory lacks them.
    pub unread: Vec<TargetKind>,
    /// Why nobody could ask whether there is an owner, and whose mail address a name is.
    pub owners_unread: Option<Box<str>>,
}

/// A group that was looked up by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGroup {
    pub id: Box<str>,
    pub name: Box<str>,
}

/// A group, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub members: Vec<Member>,
}

/// A direct member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Of the directory object.
    pub id: Box<str>,
    /// `device`, `user`, `group`, …
    pub kind: Box<str>,
    pub name: Option<Box<str>>,
    /// Of a device: what Intune knows it by.
    pub device_id: Option<Box<str>>,
}

#[derive(Debug)]
struct RecordsOfKind {
    kind: TargetKind,
    records: Vec<FoundRecord>,
    by_id: HashMap<Box<str>, u32>,
    indexes: Vec<Index>,
}

/// The records with a certain value, as chains: nearly all have one link, and none needs a list of its own.
#[derive(Debug)]
struct Index {
    selector: &'static str,
    of_ids: bool,
    first: HashMap<Box<str>, u32>,
    next: Vec<u32>,
}

const END: u32 = u32::MAX;

impl Pool {
    /// Puts a record in. A target that is in already stays as it was read first.
    pub fn add(&mut self, kind: TargetKind, record: FoundRecord) {
        let shelf = self.shelf_mut(kind);
        let place = u32::try_from(shelf.records.len()).unwrap_or(END);
        let id = record.identity.id.to_ascii_lowercase().into_boxed_str();
        if let std::collections::hash_map::Entry::Vacant(vacant) = shelf.by_id.entry(id) {
            vacant.insert(place);
            shelf.records.push(record);
            shelf.indexes.clear();
        }
    }

    /// Makes room for that many more.
    pub fn reserve(&mut self, kind: TargetKind, more: usize) {
        let shelf = self.shelf_mut(kind);
        shelf.records.reserve(more);
        shelf.by_id.reserve(more);
    }

    pub fn records(&self, kind: TargetKind) -> &[FoundRecord] {
        self.shelf(kind).map_or(&[], |shelf| &shelf.records)
    }

    pub fn by_id(&self, kind: TargetKind, id: &str) -> Option<&FoundRecord> {
        let shelf = self.shelf(kind)?;
        let at = shelf.by_id.get(id.to_ascii_lowercase().as_str())?;
        shelf.records.get(*at as usize)
    }

    /// Prepares [`Pool::look_up`] by that selector, and by values of that sort.
    pub fn index(&mut self, kind: TargetKind, selector: &'static Selector, wanted: &str) {
        let shelf = self.shelf_mut(kind);
        let of_ids = is_of_ids(selector, wanted);
        if shelf.index(selector, of_ids).is_some() {
            return;
        }
        let mut index = Index {
            selector: selector.name,
            of_ids,
            first: HashMap::with_capacity(shelf.records.len()),
            next: vec![END; shelf.records.len()],
        };
        // Backwards, so that a chain begins with what was read first.
        for (at, record) in shelf.records.iter().enumerate().rev() {
            let Some(value) = record.value(selector, wanted).map(key).filter(|value| !value.is_empty()) else {
                continue;
            };
            let earlier = index.first.insert(value.into_boxed_str(), u32::try_from(at).unwrap_or(END));
            index.next[at] = earlier.unwrap_or(END);
        }
        shelf.indexes.push(index);
    }

    /// The records that have exactly this value. Needs [`Pool::index`].
    pub fn find<'p>(
        &'p self,
        kind: TargetKind,
        selector: &Selector,
        wanted: &str,
    ) -> impl Iterator<Item = &'p FoundRecord> + use<'p> {
        let shelf = self.shelf(kind);
        let index = shelf.and_then(|shelf| shelf.index(selector, is_of_ids(selector, wanted)));
        let mut at = index.and_then(|index| index.first.get(key(wanted).as_str()).copied()).unwrap_or(END);
        std::iter::from_fn(move || {
            let record = shelf?.records.get(at as usize)?;
            at = index?.next.get(at as usize).copied().unwrap_or(END);
            Some(record)
        })
    }

    fn shelf(&self, kind: TargetKind) -> Option<&RecordsOfKind> {
        self.shelves.iter().find(|shelf| shelf.kind == kind)
    }

    fn shelf_mut(&mut self, kind: TargetKind) -> &mut RecordsOfKind {
        let at = self.shelves.iter().position(|shelf| shelf.kind == kind).unwrap_or_else(|| {
            self.shelves.push(RecordsOfKind { kind, records: Vec::new(), by_id: HashMap::new(), indexes: Vec::new() });
            self.shelves.len() - 1
        });
        &mut self.shelves[at]
    }
}

impl RecordsOfKind {
    fn index(&self, selector: &Selector, of_ids: bool) -> Option<&Index> {
        self.indexes.iter().find(|index| index.selector == selector.name && index.of_ids == of_ids)
    }
}

/// A user is named by a principal name or by an id, and each is held against another property.
fn is_of_ids(selector: &Selector, wanted: &str) -> bool {
    selector.form == SelectorForm::DevicesOfUser && !wanted.contains('@')
}
