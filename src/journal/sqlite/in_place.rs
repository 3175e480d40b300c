//! Whether the file of the journal is still where it was opened.
//!
//! In: its path. Out: nothing, or a failure once it was deleted, moved or replaced. Must not: let anybody write what nobody will
//! find: an open file takes records long after its name is gone.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Error;

/// The file that was opened.
#[derive(Debug)]
pub(super) struct InPlace {
    file: PathBuf,
    opened: Option<Identity>,
}

/// Where a system tells one file from another by it: device and number.
type Identity = (u64, u64);

impl InPlace {
    /// Right after it was opened.
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), opened: identity(file) }
    }

    pub fn check(&self) -> rusqlite::Result<()> {
        if self.opened.is_some() && identity(&self.file) == self.opened {
            return Ok(());
        }
        let message =
            format!("{} is not the file any more that it was: it was deleted, moved or replaced", self.file.display());
        Err(Error::ToSqlConversionFailure(message.into()))
    }
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).ok().map(|about| (about.dev(), about.ino()))
}

/// An open file can be neither deleted nor replaced there.
#[cfg(not(unix))]
fn identity(file: &Path) -> Option<Identity> {
    fs::metadata(file).ok().map(|_| (0, 0))
}
