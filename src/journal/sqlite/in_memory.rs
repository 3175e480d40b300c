//! A database in the memory of this process.
//!
//! In: nothing. Out: the name under which every connection of the process comes to it. Must not: outlive whoever holds it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use crate::journal::error::JournalError;

/// It is there for as long as one connection to it is.
#[derive(Debug)]
pub(in crate::journal) struct Database {
    name: PathBuf,
    _keeper: Mutex<Connection>,
}

impl Database {
    pub(in crate::journal) fn new() -> Result<Self, JournalError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // One database for all connections of the process that name it.
        let name = PathBuf::from(format!("file:/journal-{number}?vfs=memdb"));
        let keeper = Connection::open(&name)
            .map_err(|error| JournalError::Open { file: name.clone(), cause: error.to_string() })?;
        Ok(Self { name, _keeper: Mutex::new(keeper) })
    }

    pub(in crate::journal) fn name(&self) -> &Path {
        &self.name
    }
}
