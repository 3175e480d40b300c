//! Files that are nobody else's business: the journal names every device and user of a plan.
//!
//! In: paths. Out: files for their owner alone, those of older versions included. Must not: touch the permissions of a folder
//! that somebody else has made.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// What is made with these options is for its owner alone.
pub(super) fn for_its_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a folder for its owner alone, unless it is there.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.recursive(true).create(folder)
}

/// Makes a file for its owner alone. One that others may read, because an older version or somebody's copy left it so, is
/// closed to them; where the system refuses that, it is somebody else's, and stays as it is.
pub(super) fn make_file(file: &Path) -> io::Result<()> {
    for_its_owner(OpenOptions::new().append(true).create(true)).open(file)?;
    close_to_others(file);
    Ok(())
}

/// The same for a file that is there, if it is.
pub(super) fn close_to_others(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(about) = fs::metadata(file) else { return };
        let is_open = about.is_file() && about.permissions().mode() & 0o077 != 0;
        let closed = || fs::set_permissions(file, fs::Permissions::from_mode(0o600));
        if let Some(Err(error)) = is_open.then(closed) {
            tracing::warn!("{} can be read by others, and stays so: {error}", file.display());
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}
