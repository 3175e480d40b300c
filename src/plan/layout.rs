//! Which field of a row holds what.
//!
//! In: fields with their meanings, one after the other. Out: a [`Layout`]. Must not: read a header or a row.

use std::sync::Arc;

use super::filter::DeviceFilter;
use super::vocabulary::Meaning;
use crate::catalog::{IdName, Selector};

/// Columns of one file, at most: more is a file of another kind.
pub(super) const MAX_COLUMNS: usize = 1_000;

/// Which field of a row (or of a target in YAML) holds what.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Names as the user spells them.
    pub names: Vec<String>,
    pub ids: Vec<(usize, IdName, Spelling)>,
    pub any_id: Option<usize>,
    pub selectors: Vec<(usize, &'static Selector)>,
    /// Of a target in YAML: which devices of the inventory are meant.
    pub filter: Option<Arc<DeviceFilter>>,
    /// There was one, and a fault has been told.
    pub refused_filter: bool,
    pub parameters: Vec<(usize, &'static str)>,
    /// Of the parameters: those that a blank cell clears.
    pub cleared: Vec<&'static str>,
    pub action: Option<usize>,
    pub not_before: Option<usize>,
    /// Somebody else keeps the file, and a blank day in it means that nobody knows it yet.
    pub wants_day: bool,
    pub note: Option<usize>,
    pub priority: Option<usize>,
    pub route: Option<usize>,
    /// Columns without a header; nothing may stand in them.
    pub nameless: Vec<usize>,
    /// No column points at targets, and a fault at the header says so: rows need not repeat it.
    pub told_without_ids: bool,
}

/// How a user id is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Id,
    /// `userPrincipalName`, which is only a selector where the action is not bound to a user.
    PrincipalName,
}

impl Layout {
    /// Puts the next field to its meaning.
    pub(super) fn add(&mut self, field: usize, meaning: Meaning) {
        match meaning {
            Meaning::Action => self.action = Some(field),
            Meaning::Id(id) => self.ids.push((field, id, Spelling::Id)),
            Meaning::UserPrincipalName(id) => self.ids.push((field, id, Spelling::PrincipalName)),
            Meaning::AnyId => self.any_id = Some(field),
            Meaning::Selector(selector) => self.selectors.push((field, selector)),
            Meaning::NotBefore => self.not_before = Some(field),
            Meaning::Note => self.note = Some(field),
            Meaning::Priority => self.priority = Some(field),
            Meaning::Route => self.route = Some(field),
            Meaning::Parameter(name) => self.parameters.push((field, name)),
        }
    }

    /// The columns that count, in their order, and what they mean.
    pub(super) fn used(&self) -> Vec<(usize, &'static str)> {
        let ids = self.ids.iter().map(|(field, id, spelling)| match spelling {
            Spelling::Id => (*field, id.name),
            Spelling::PrincipalName => (*field, "userPrincipalName"),
        });
        let selectors = self.selectors.iter().map(|(field, selector)| (*field, selector.name));
        let words = [
            (self.action, "action"),
            (self.any_id, "id"),
            (self.not_before, "notBefore"),
            (self.note, "note"),
            (self.route, "route"),
        ];
        let words = words.into_iter().filter_map(|(field, word)| Some((field?, word)));
        let mut used: Vec<_> = ids.chain(selectors).chain(words).chain(self.parameters.iter().copied()).collect();
        used.sort_unstable();
        used
    }

    /// Whether a row can say what it acts on.
    pub(super) fn points_at_targets(&self) -> bool {
        !self.ids.is_empty() || self.any_id.is_some() || !self.selectors.is_empty()
    }
}
