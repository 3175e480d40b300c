//! Whether the files of the journal are still where they were opened, and as long.
//!
//! In: the path of the database, the place in the order that was just committed. Out: the mark moved on, or a failure once a file
//! was deleted, moved, replaced or cut. Must not: let anybody write what nobody will find: an open file takes records long
//! after its name is gone.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Error};

use super::mark::Mark;
use crate::journal::error::JournalError;

/// The files that were opened.
#[derive(Debug)]
pub(super) struct InPlace {
    /// The database, its write-ahead log and the memory that its users share.
    files: Vec<(PathBuf, FileIdentity)>,
    /// None of them becomes shorter: nobody vacuums the database, and the log is written from its beginning again.
    lengths: Vec<u64>,
    mark: Mark,
}

/// Where a system tells one file from another by it: device and number.
type FileIdentity = (u64, u64);

impl InPlace {
    /// Right after it was opened, and written to.
    pub(super) fn of(file: &Path, connection: &Connection) -> Result<Self, JournalError> {
        let beside = |ending: &str| {
            let mut name = OsString::from(file);
            name.push(ending);
            PathBuf::from(name)
        };
        let opened = |path: PathBuf| identity(&path).map(|identity| (path, identity));
        let database = opened(file.to_owned());
        let database = database.ok_or_else(|| JournalError::Write(gone(file)))?;
        // A system that cannot share memory keeps another journal.
        let more = ["-wal", "-shm"].into_iter().filter_map(|ending| opened(beside(ending)));
        let files: Vec<_> = std::iter::once(database).chain(more).collect();
        let lengths = files.iter().map(|(file, _)| length(file)).collect();
        Ok(Self { files, lengths, mark: Mark::open(file, connection)? })
    }

    /// Before anything is written: what was cut since would be made long again by it.
    pub(super) fn is_whole(&mut self) -> rusqlite::Result<()> {
        if let Some((path, _)) = self.files.iter().find(|(path, opened)| identity(path) != Some(*opened)) {
            return Err(failed(gone(path)));
        }
        for ((file, _), before) in self.files.iter().zip(&mut self.lengths) {
            let length = length(file);
            if length < *before {
                return Err(failed(format!("{} is shorter than it was: it was cut or overwritten", file.display())));
            }
            *before = length;
        }
        Ok(())
    }

    /// After it: what was committed is there, and the mark says so.
    pub(super) fn check(&mut self, order: i64) -> rusqlite::Result<()> {
        self.is_whole()?;
        self.mark.write(order).map_err(|error| failed(format!("the mark beside it: {error}")))
    }
}

fn gone(path: &Path) -> String {
    format!("{} is not the file any more that it was: it was deleted, moved or replaced", path.display())
}

fn failed(why: String) -> Error {
    Error::ToSqlConversionFailure(why.into())
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |about| about.len())
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).ok().map(|about| (about.dev(), about.ino()))
}

/// An open file can be neither deleted nor replaced there.
#[cfg(not(unix))]
fn identity(file: &Path) -> Option<FileIdentity> {
    fs::metadata(file).ok().map(|_| (0, 0))
}
