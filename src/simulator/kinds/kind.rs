//! What there is to say of one kind of thing, and of one property.
//!
//! In: nothing. Out: the types of the tables, with words in which a row is written. Must not: hold a row.

use crate::catalog::{TargetKind, Version};
use crate::simulator::errors::Refusal;
use crate::simulator::resources::Plausible;

/// When a read shows a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Unasked.
    Always,
    /// Where `$select` names it; it is absent otherwise.
    Selected,
    /// Its value only where one thing is read by its id and `$select` names it; a value that says nothing otherwise.
    SelectedById,
}

/// A comparison of `$filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    In,
    StartsWith,
    EndsWith,
    Contains,
}

/// Whether `$orderby` may name a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sorting {
    No,
    Plain,
    /// Only with `ConsistencyLevel: eventual` and `$count=true`.
    Advanced,
}

/// One property of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KindProperty {
    pub name: &'static str,
    pub plausible: Plausible,
    pub shown: Shown,
    /// v1.0 does not know it.
    pub beta_only: bool,
    /// What `$filter` understands of it.
    pub tests: &'static [Test],
    /// What it understands only with `ConsistencyLevel: eventual` and `$count=true`.
    pub advanced_tests: &'static [Test],
    pub sorting: Sorting,
}

impl KindProperty {
    pub(crate) const fn new(name: &'static str, plausible: Plausible) -> Self {
        Self {
            name,
            plausible,
            shown: Shown::Always,
            beta_only: false,
            tests: &[],
            advanced_tests: &[],
            sorting: Sorting::No,
        }
    }

    pub(crate) const fn selected(self) -> Self {
        Self { shown: Shown::Selected, ..self }
    }

    pub(in crate::simulator) const fn selected_by_id(self) -> Self {
        Self { shown: Shown::SelectedById, ..self }
    }

    pub(crate) const fn beta(self) -> Self {
        Self { beta_only: true, ..self }
    }

    pub(in crate::simulator) const fn tested(self, tests: &'static [Test]) -> Self {
        Self { tests, ..self }
    }

    pub(in crate::simulator) const fn tested_in(self, tests: &'static [Test], advanced_tests: &'static [Test]) -> Self {
        Self { tests, advanced_tests, ..self }
    }

    pub(crate) const fn sorted(self, sorting: Sorting) -> Self {
        Self { sorting, ..self }
    }
}

/// How clauses of `$filter` may be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logic {
    /// One clause and no more.
    OneClause,
    /// `and`; `or` between clauses about the same property; no `not`.
    Narrowing,
    /// `and`, `or`, and `not` with `ConsistencyLevel: eventual` and `$count=true`.
    Directory,
}

/// A relationship that `$expand` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expansion {
    Members,
    RegisteredOwners,
    OwnedDevices,
    Users,
}

impl Expansion {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::RegisteredOwners => "registeredOwners",
            Self::OwnedDevices => "ownedDevices",
            Self::Users => "users",
        }
    }
}

/// One kind of thing.
#[derive(Debug)]
pub(crate) struct Kind {
    pub kind: TargetKind,
    /// In full.
    pub type_name: &'static str,
    pub properties: &'static [KindProperty],
    /// What the schema has besides: shown as null.
    pub silent: &'static [&'static str],
    /// Properties under which things are looked up so often that an index is kept.
    pub indexed: &'static [&'static str],
    pub logic: Logic,
    pub expansions: &'static [Expansion],
}

impl Kind {
    /// A kind of Entra's that the table says nothing more of.
    pub(in crate::simulator) const fn in_directory(
        kind: TargetKind,
        type_name: &'static str,
        properties: &'static [KindProperty],
    ) -> Self {
        Self { kind, type_name, properties, silent: &[], indexed: &[], logic: Logic::Directory, expansions: &[] }
    }

    /// The property of that name, with the spelling that lives forever.
    pub(crate) fn property(&self, name: &str) -> Option<&'static KindProperty> {
        self.properties.iter().find(|known| known.name == name)
    }

    /// What a version knows under that name: a property, or a name that is shown as null. OData names have one case.
    pub(crate) fn known(&self, name: &str, version: Version) -> Option<&'static str> {
        let property = self.property(name).filter(|known| !known.beta_only || version == Version::Beta);
        let silent = || self.silent.iter().find(|known| **known == name).copied();
        property.map(|known| known.name).or_else(silent)
    }

    pub(in crate::simulator) fn is_in_directory(&self) -> bool {
        self.logic == Logic::Directory
    }

    /// 400 in the words of the service that keeps it.
    pub(in crate::simulator) fn bad_request(&self, message: String) -> Refusal {
        match self.is_in_directory() {
            true => Refusal::new(400, "Request_BadRequest", message),
            false => Refusal::bad_request(message),
        }
    }

    /// 400 for a query that the service does not support.
    pub(crate) fn unsupported(&self, message: String) -> Refusal {
        match self.is_in_directory() {
            true => Refusal::new(400, "Request_UnsupportedQuery", message),
            false => Refusal::bad_request(message),
        }
    }
}
