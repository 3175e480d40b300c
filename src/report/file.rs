//! The file a report is written to.
//!
//! In: the path that the operator named, before the run; jobs and settlements, after it. Out: the file, whole or not at
//! all. Must not: leave half a report behind, or find out after a run of hours that the place cannot be written to.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::csv::write_csv;
use super::json_lines::write_json_lines;
use super::row::{Mismatch, rows};
use crate::job::Job;
use crate::outcome::Settlement;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("cannot tell the format of the report `{0}`: end its name in .csv, .jsonl, .ndjson or .json")]
    Format(PathBuf),
    #[error("the report `{0}` is a folder: name a file in it, such as `{example}`", example = .0.join("report.csv").display())]
    Folder(PathBuf),
    #[error("the folder `{folder}` of the report does not exist: create it, or name another place")]
    NoFolder { folder: PathBuf },
    #[error("cannot write the report `{path}`: {source}; name another place")]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// A report that is going to be: a temporary file in the right folder, renamed when it is whole.
#[derive(Debug)]
pub struct ReportFile {
    path: PathBuf,
    format: Format,
    temporary: NamedTempFile,
}

impl ReportFile {
    /// Finds out whether the place can be written to, and leaves nothing there.
    pub fn probe(path: impl Into<PathBuf>) -> Result<(), ReportError> {
        Self::create(path).map(drop)
    }

    /// Claims the place, so that one that cannot be written to is found before anything is sent.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, ReportError> {
        let path = path.into();
        if path.is_dir() {
            return Err(ReportError::Folder(path));
        }
        let format = format_of(&path)?;
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(ReportError::NoFolder { folder: folder.to_owned() });
        }
        clear_up(folder);
        match temporary_in(folder) {
            Ok(temporary) => Ok(Self { path, format, temporary }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    /// Writes the report, makes it durable, and gives it its name.
    pub fn finish(mut self, jobs: &[Job], settlements: &[Settlement]) -> Result<PathBuf, ReportError> {
        let rows = rows(jobs, settlements)?;
        let file = self.temporary.as_file_mut();
        let written = match self.format {
            Format::Csv => write_csv(&mut *file, rows),
            Format::JsonLines => write_json_lines(&mut *file, rows),
        };
        let folder = folder_of(&self.path).to_owned();
        let named = written
            .and_then(|()| file.sync_all())
            .and_then(|()| self.temporary.persist(&self.path).map_err(|failed| failed.error));
        match named {
            Ok(_) => {
                // The report is there already; not every system lets a folder be synced.
                let _ = File::open(folder).and_then(|folder| folder.sync_all());
                Ok(self.path)
            }
            Err(source) => Err(ReportError::Write { path: self.path, source }),
        }
    }
}

fn format_of(path: &Path) -> Result<Format, ReportError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Ok(Format::Csv),
        "jsonl" | "ndjson" | "json" => Ok(Format::JsonLines),
        _ => Err(ReportError::Format(path.to_owned())),
    }
}

/// A bare file name is in the current folder.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Temporary files are made for their owner alone; a report is a file like any other, so the umask decides.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder)?;
    // Where a file system knows no locks, it is only not cleared up after.
    let _ = temporary.as_file().try_lock();
    Ok(temporary)
}

const PREFIX: &str = ".musterout-";
const SUFFIX: &str = ".part";

/// Removes what processes that were killed have left here: a living one holds the lock of its file.
fn clear_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_part = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Just made, it may not have its lock yet.
        let made = entry.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
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

/// The place of a report that nobody named, kept from other processes until this is dropped.
#[derive(Debug)]
pub struct OwnPlace {
    path: PathBuf,
    /// It stands beside the report, and is cleared up after like half a report if the process is killed.
    _mark: NamedTempFile,
}

impl OwnPlace {
    /// A name in the current folder that no report has and that nobody else is about to give to one. Two runs begin within a
    /// second, also at once.
    pub fn find(now: Timestamp, stem: &str) -> Result<Self, ReportError> {
        for number in 1..=NAMES {
            let name = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
            let path = PathBuf::from(default_name(now, &name));
            let marked = tempfile::Builder::new()
                .prefix(&format!(".{}", path.display()))
                .rand_bytes(0)
                .suffix(SUFFIX)
                .tempfile_in(folder_of(&path));
            match marked {
                // Whoever had the name may have written its report and be gone between the two looks.
                Ok(mark) if !path.exists() => {
                    let _ = mark.as_file().try_lock();
                    return Ok(Self { path, _mark: mark });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(ReportError::Write { path, source }),
            }
        }
        let source = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(ReportError::Write { path: default_name(now, stem).into(), source })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// So many runs of plans of one name may begin within a second.
const NAMES: u32 = 1_000;

/// The name of a report whose place nobody named: `musterout-mass-retirement-20261122T070000Z.csv`.
fn default_name(now: Timestamp, plan_file_stem: &str) -> String {
    format!("musterout-{plan_file_stem}-{}.csv", now.strftime("%Y%m%dT%H%M%SZ"))
}
