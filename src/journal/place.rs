//! Where a journal lies.
//!
//! In: a folder; or nothing, for a journal that lives in the memory of this process. Out: the name of its database, and,
//! of one in memory, the locks of its plans. Must not: know what is in the database, or let a user come upon a journal
//! that does not outlast the program: nothing but code names a [`MemoryPlace`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::error::JournalError;
use super::sqlite::in_memory::Database;

/// Where a journal lies.
#[derive(Debug, Clone)]
pub enum JournalPlace {
    Folder(PathBuf),
    /// For whoever plays many processes in one, under a clock of its own.
    #[doc(hidden)]
    Memory(MemoryPlace),
}

impl From<PathBuf> for JournalPlace {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<&Path> for JournalPlace {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl From<&PathBuf> for JournalPlace {
    fn from(folder: &PathBuf) -> Self {
        Self::Folder(folder.clone())
    }
}

impl From<&JournalPlace> for JournalPlace {
    fn from(place: &JournalPlace) -> Self {
        place.clone()
    }
}

impl JournalPlace {
    /// The folder; a journal in memory has none.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Memory(_) => None,
        }
    }
}

/// A journal in memory, for as long as somebody holds it. Clones are one journal.
///
/// There is nothing that waits for it in real time: its writer and its requests to stop keep step with the runtime, so
/// that a paused clock and a seed make every history of it the same.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct MemoryPlace(Arc<KeptJournal>);

#[derive(Debug)]
struct KeptJournal {
    database: Database,
    locks: Mutex<HashMap<String, HeldPlan>>,
}

/// Of a plan that somebody runs: who, and a way to ask for an end.
#[derive(Debug, Clone)]
pub(super) struct HeldPlan {
    pub holder: Vec<u8>,
    pub asked: Arc<Notify>,
}

impl MemoryPlace {
    pub fn new() -> Result<Self, JournalError> {
        Ok(Self(Arc::new(KeptJournal { database: Database::new()?, locks: Mutex::default() })))
    }

    pub(super) fn database(&self) -> &Path {
        self.0.database.name()
    }

    /// Takes the lock of a plan, or gives who has it.
    pub(super) fn lock(&self, plan_key: &str, holder: Vec<u8>) -> Result<Taken, Vec<u8>> {
        let mut locks = self.locks();
        if let Some(held) = locks.get(plan_key) {
            return Err(held.holder.clone());
        }
        let held = HeldPlan { holder, asked: Arc::default() };
        locks.insert(plan_key.to_owned(), held.clone());
        Ok(Taken { memory: self.clone(), plan_key: plan_key.to_owned(), asked: held.asked })
    }

    /// Who runs a plan, if anybody does.
    pub(super) fn held(&self, plan_key: &str) -> Option<HeldPlan> {
        self.locks().get(plan_key).cloned()
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<String, HeldPlan>> {
        self.0.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock in memory; dropped, it is free.
#[derive(Debug)]
pub(super) struct Taken {
    memory: MemoryPlace,
    plan_key: String,
    pub asked: Arc<Notify>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.locks().remove(&self.plan_key);
    }
}
