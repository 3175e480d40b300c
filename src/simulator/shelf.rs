//! Things of one kind, as the simulated tenant keeps them.
//!
//! In: ids and properties that were given. Out: properties, made up where nobody has given them. Must not: know what an
//! action does, or which kinds there are.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::iso_date;
use super::kinds::Kind;
use super::resources::Setting;
use super::words::{self, Word};

/// One device, user or Autopilot identity.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub id: Box<str>,
    pub gone: bool,
    /// Of what is gone from the directory and can be had back: since when.
    pub deleted: Option<Timestamp>,
    /// What was listed or has changed; everything else is made up when it is read.
    #[serde(with = "words::pairs")]
    set: Vec<(Word, Given)>,
    /// What `deviceActionResults` tells.
    pub results: Vec<ActionResult>,
    /// Of a user: its devices, once somebody has asked.
    pub devices: Option<Vec<usize>>,
    /// What was done to it that no property of Graph shows.
    #[serde(with = "words")]
    pub mark: Word,
}

/// An entry of `deviceActionResults`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ActionResult {
    #[serde(with = "words")]
    pub action: Word,
    #[serde(with = "words")]
    pub state: Word,
    pub asked: Timestamp,
    pub updated: Timestamp,
}

impl ActionResult {
    pub(super) fn pending(action: &'static str, asked: Timestamp) -> Self {
        Self { action, state: "pending", asked, updated: asked }
    }

    pub(super) fn show(&self) -> Value {
        json!({
            "actionName": self.action,
            "actionState": self.state,
            "startDateTime": iso_date(self.asked),
            "lastUpdatedDateTime": iso_date(self.updated),
        })
    }
}

/// The value of a property that is not made up. Moments become text only when they are read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Given {
    Listed(Value),
    Word(#[serde(with = "words")] Word),
    Moment(Timestamp),
}

impl Given {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Listed(value) => value.clone(),
            Self::Word(word) => json!(word),
            Self::Moment(moment) => json!(iso_date(*moment)),
        }
    }
}

impl Thing {
    pub(super) fn new(id: &str, set: Vec<(&'static str, Given)>) -> Self {
        Self { id: id.into(), gone: false, deleted: None, set, results: Vec::new(), devices: None, mark: "" }
    }

    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.set.iter().any(|(known, _)| *known == name)
    }

    pub(super) fn set(&mut self, name: &'static str, value: Given) {
        match self.set.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.set.push((name, value)),
        }
    }
}

/// All things of one kind, in the order in which they came into being.
#[derive(Debug, Serialize)]
pub(crate) struct Shelf {
    #[serde(skip)]
    pub kind: &'static Kind,
    pub things: Vec<Thing>,
    pub by_key: HashMap<Box<str>, usize>,
    /// Per indexed property, the places of a value in lower case. Filled up to `indexed` when somebody looks.
    #[serde(skip)]
    pub index: HashMap<&'static str, HashMap<String, Vec<usize>>>,
    #[serde(skip)]
    pub indexed: usize,
}

/// What was kept of a shelf.
#[derive(Debug, Deserialize)]
pub(super) struct ShelfRead {
    things: Vec<Thing>,
    by_key: HashMap<Box<str>, usize>,
}

impl Shelf {
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self { kind, things: Vec::new(), by_key: HashMap::new(), index: HashMap::new(), indexed: 0 }
    }

    /// Holds what it held when that was written.
    pub(crate) fn restore(&mut self, read: ShelfRead) {
        let ShelfRead { things, by_key } = read;
        *self = Self { things, by_key, ..Self::new(self.kind) };
    }

    pub(crate) fn put(&mut self, thing: Thing) -> usize {
        let at = self.things.len();
        self.by_key.insert(thing.id.to_ascii_lowercase().into_boxed_str(), at);
        self.things.push(thing);
        at
    }

    pub(super) fn value(&self, at: usize, name: &str, setting: &Setting) -> Option<Value> {
        let property = self.kind.property(name)?;
        let thing = self.things.get(at)?;
        let set = thing.set.iter().find(|(known, _)| *known == property.name).map(|(_, given)| given.value());
        Some(set.unwrap_or_else(|| setting.make_up(&thing.id, property.plausible)))
    }
}
