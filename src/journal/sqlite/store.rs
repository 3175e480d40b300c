//! The database of a journal: found or made, private, and opened with the schema of today.
//!
//! In: the place of a journal. Out: a [`Store`], which the other files of this folder read and write. Must not: show its
//! connection to anything outside this folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::in_place::InPlace;
use super::mark::Mark;
use super::schema::{self, SchemaFound};
use crate::journal::error::JournalError;
use crate::journal::place::JournalPlace;
use crate::journal::private;
use crate::journal::remote::network;

/// The name of the database in its folder.
pub(in crate::journal) const FILE: &str = "journal.db";

/// The open database.
#[derive(Debug)]
pub(in crate::journal) struct Store {
    file: PathBuf,
    /// It lies in the memory of this process.
    pub(super) in_memory: bool,
    pub(super) connection: Connection,
}

impl Store {
    /// Opens the database of a journal, and makes it with its folder if they are not there.
    pub(in crate::journal) fn open(place: &JournalPlace) -> Result<Self, JournalError> {
        let file = match place {
            JournalPlace::Folder(folder) => {
                make(folder)?;
                folder.join(FILE)
            }
            JournalPlace::Memory(memory) => memory.database().to_owned(),
        };
        let connection = connect(&file)?;
        if place.folder().is_some() {
            ["journal.db-wal", "journal.db-shm"]
                .iter()
                .for_each(|name| private::close_to_others(&file.with_file_name(name)));
            Mark::compare(&file, &connection)?;
        }
        Ok(Self { file, in_memory: matches!(place, JournalPlace::Memory(_)), connection })
    }

    /// Whether somebody has made one there.
    pub(in crate::journal) fn is_at(place: &JournalPlace) -> bool {
        place.folder().is_none_or(|folder| folder.join(FILE).is_file())
    }

    /// Its files, as they were found.
    pub(super) fn in_place(&self) -> Result<InPlace, JournalError> {
        InPlace::of(&self.file, &self.connection)
    }

    /// A second connection to the same database, for a thread of its own.
    pub(super) fn another(&self) -> Result<Connection, JournalError> {
        connect(&self.file)
    }
}

/// Makes the folder of a journal and an empty file for its database, for their owner alone, unless they are there.
fn make(folder: &Path) -> Result<(), JournalError> {
    let failed = |cause| JournalError::Folder { folder: folder.to_owned(), cause };
    private::make_folder(folder).map_err(failed)?;
    if let Some(kind) = network(folder) {
        return Err(JournalError::Network { folder: folder.to_owned(), kind });
    }
    private::make_file(&folder.join(FILE)).map_err(failed)
}

/// Makes an empty database in that file.
pub(super) fn make_at(file: &Path) -> Result<(), JournalError> {
    private::make_file(file).map_err(|cause| JournalError::Write(format!("{}: {cause}", file.display())))?;
    connect(file).map(|_| ())
}

/// How long another process may keep the database from being opened, and how often to look.
const OPENING: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// SQLite's own patience ends where a database becomes one with a write-ahead log, or its last user leaves it: there it
/// says at once that the database is locked, whatever timeout is set.
fn connect(file: &Path) -> Result<Connection, JournalError> {
    let started = Instant::now();
    loop {
        match Connection::open(file)
            .and_then(|connection| schema::prepare(&connection).map(|found| (connection, found)))
        {
            Ok((connection, SchemaFound::Current)) => return Ok(connection),
            Ok((_, SchemaFound::Newer(found))) => {
                return Err(JournalError::Newer { file: file.to_owned(), found, known: schema::VERSION });
            }
            Err(error) if is_busy(&error) && started.elapsed() < OPENING => std::thread::park_timeout(BETWEEN_LOOKS),
            Err(error) => return Err(JournalError::Open { file: file.to_owned(), cause: error.to_string() }),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
