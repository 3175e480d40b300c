//! Folders that lie on another machine.
//!
//! In: a folder. Out: the kind of file system, where it is one of a network. Must not: let a journal begin there: a
//! write-ahead log takes memory that its processes share, and file locks of such systems hold for one machine or for none.
//!
//! Source: sqlite.org/wal.html, "WAL does not work over a network filesystem".

use std::path::Path;

/// The kind of network that the folder lies on, if it is known to lie on one.
pub(super) fn network(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    kind(&folder)
}

/// As the kernel lists what is mounted.
#[cfg(target_os = "linux")]
fn kind(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let kind = kind_in(&mounts, folder)?;
    is_network(kind).then(|| kind.to_owned())
}

/// A share has a name of its own there, also where it goes by the letter of a drive.
#[cfg(windows)]
fn kind(folder: &Path) -> Option<String> {
    use std::path::{Component, Prefix};
    match folder.components().next() {
        Some(Component::Prefix(prefix)) => {
            matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)).then(|| "SMB".to_owned())
        }
        _ => None,
    }
}

/// Nothing that is safe to call tells.
#[cfg(not(any(target_os = "linux", windows)))]
fn kind(_: &Path) -> Option<String> {
    None
}

#[cfg(any(target_os = "linux", test))]
fn is_network(kind: &str) -> bool {
    matches!(kind, "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "smb2")
}

/// The type of what is mounted where the folder lies: of those places, the last one that was mounted on the longest path.
///
/// Source: proc_pid_mountinfo(5): the fifth field is the mount point, with octal escapes; the type comes after a lone `-`.
#[cfg(any(target_os = "linux", test))]
fn kind_in<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let of_line = |line: &'m str| {
        let (before, after) = line.split_once(" - ")?;
        let point = unescaped(before.split(' ').nth(4)?);
        let depth = Path::new(&point).components().count();
        folder.starts_with(&point).then_some((depth, after.split(' ').next()?))
    };
    mounts.lines().filter_map(of_line).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// Space, tab, line feed and backslash stand there as `\040` and so on.
#[cfg(any(target_os = "linux", test))]
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / /home rw shared:5 - nfs4 server:/home rw
31 30 8:2 / /home/local rw shared:6 - ext4 /dev/sdb rw
32 22 0:45 / /mnt/a\\040share rw master:7 shared:8 - cifs //server/share rw
33 22 0:46 / /mnt/over rw - cifs //server/under rw
34 22 0:47 / /mnt/over rw - tmpfs tmpfs rw
";

    #[test]
    fn a_folder_is_of_the_innermost_mount_around_it() {
        for (folder, kind, remote) in [
            ("/var/lib/musterout", "ext4", false),
            ("/home/ada/.local/state/musterout", "nfs4", true),
            ("/home/local/state", "ext4", false),
            ("/homely", "ext4", false),
            ("/mnt/a share/state", "cifs", true),
            ("/mnt/over/state", "tmpfs", false),
        ] {
            let found = kind_in(MOUNTS, Path::new(folder)).unwrap();
            assert_eq!((found, is_network(found)), (kind, remote), "{folder}");
        }
    }
}
