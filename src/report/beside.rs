//! Files that are written beside their place and moved there whole.
//!
//! In: the place. Out: a temporary file in its folder, or why nothing may take that place. Must not: leave behind what
//! processes that were killed have not finished, or take the place of what is no file or is write-protected.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the umask lets.
    Anybody,
    /// The person who has it written.
    Owner,
}

/// Whether a file may take that place. Renaming asks nobody: it would overwrite a pipe, or of a file that
/// somebody has protected.
pub(crate) fn may_take(place: &Path) -> io::Result<()> {
    let about = match fs::metadata(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if !about.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "there is something that is no regular file"));
    }
    if about.permissions().readonly() {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "the file that is there is write-protected"));
    }
    OpenOptions::new().append(true).open(place).map(drop)
}

/// A temporary file beside that place.
pub(crate) fn temporary(place: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    may_take(place)?;
    let folder = folder_of(place);
    clear_up(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Temporary files are made for their owner alone.
    #[cfg(unix)]
    if readers == Readers::Anybody {
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder)?;
    // Where a file system knows no locks, it is only not cleared up after.
    let _ = temporary.as_file().try_lock();
    Ok(temporary)
}

/// Makes it durable, and gives it its name.
pub(crate) fn put(temporary: NamedTempFile, place: &Path) -> io::Result<()> {
    temporary.as_file().sync_all()?;
    temporary.persist(place).map_err(|failed| failed.error)?;
    // The file is there already; not every system lets a folder be synced.
    let _ = File::open(folder_of(place)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A bare file name is in the current folder.
pub(crate) fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the name of a file begins and ends with that is not finished.
const PREFIX: &str = ".musterout-";
pub(super) const SUFFIX: &str = ".part";

/// Removes what processes that were killed have left here: a living one holds the lock of its file.
fn clear_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_part = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Just made, it may not have its lock yet.
        let about = entry.metadata().ok().filter(fs::Metadata::is_file);
        let made = about.and_then(|about| about.modified().ok()).and_then(|at| at.elapsed().ok());
        if !is_part || made.is_none_or(|age| age < YOUNG) {
            continue;
        }
        if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            // Somebody else may have removed it, or may have to.
            let _ = fs::remove_file(entry.path());
        }
    }
}

const YOUNG: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_protected_or_no_file_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("r.csv");
        assert!(may_take(&place).is_ok(), "nothing is there yet");
        fs::write(&place, "old").unwrap();
        assert!(may_take(&place).is_ok());
        let mut permissions = fs::metadata(&place).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&place, permissions).unwrap();
        assert_eq!(may_take(&place).unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert!(temporary(&place, Readers::Owner).is_err());
        assert_eq!(may_take(folder.path()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was left beside it");
    }
}
