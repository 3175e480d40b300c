//! The file a report is written to.
//!
//! In: the path that the operator named, before the run; jobs and settlements, after it. Out: the file, whole or not at
//! all. Must not: leave half a report behind, or find out after a run of hours that the place cannot be written to.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::beside::{Readers, SUFFIX, folder_of, put, temporary};
use super::csv::write_csv;
use super::json_lines::write_json_lines;
use super::row::{Mismatch, Row, rows};
use crate::job::Job;
use crate::outcome::Settlement;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("the format of the report `{0}` is unknown: use a name that ends in .csv, .jsonl, .ndjson or .json")]
    Format(PathBuf),
    #[error("the report `{0}` is a folder: use a file name, such as `{example}`", example = .0.join("report.csv").display())]
    Folder(PathBuf),
    #[error("the folder `{folder}` of the report does not exist: create it, or use another place")]
    NoFolder { folder: PathBuf },
    #[error("the report `{path}` cannot be written: {source}; use another place")]
    Write { path: PathBuf, source: io::Error },
    #[error("the report `{path}` cannot be written: {source}; it was saved as {}", elsewhere.display())]
    Elsewhere { path: PathBuf, source: io::Error, elsewhere: PathBuf },
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
        match temporary(&path, Readers::Anybody) {
            Ok(temporary) => Ok(Self { path, format, temporary }),
            Err(source) => Err(ReportError::Write { path, source }),
        }
    }

    /// Writes the report, makes it durable, and gives it its name.
    pub fn finish(mut self, jobs: &[Job], settlements: &[Settlement]) -> Result<PathBuf, ReportError> {
        let written = write(self.format, self.temporary.as_file_mut(), rows(jobs, settlements)?);
        match written.and_then(|()| put(self.temporary, &self.path)) {
            Ok(()) => Ok(self.path),
            // What a run of hours has come to is not thrown away because its place is full or gone.
            Err(source) => match elsewhere(self.format, rows(jobs, settlements)?) {
                Ok(elsewhere) => Err(ReportError::Elsewhere { path: self.path, source, elsewhere }),
                Err(_) => Err(ReportError::Write { path: self.path, source }),
            },
        }
    }
}

fn write<'r>(format: Format, file: &mut File, rows: impl Iterator<Item = Row<'r>>) -> io::Result<()> {
    match format {
        Format::Csv => write_csv(file, rows),
        Format::JsonLines => write_json_lines(file, rows),
    }
}

/// The report among the temporary files of the machine, for its owner alone.
fn elsewhere<'r>(format: Format, rows: impl Iterator<Item = Row<'r>>) -> io::Result<PathBuf> {
    let suffix = match format {
        Format::Csv => ".csv",
        Format::JsonLines => ".jsonl",
    };
    let mut file = tempfile::Builder::new().prefix("musterout-").suffix(suffix).tempfile()?;
    write(format, file.as_file_mut(), rows)?;
    file.as_file().sync_all()?;
    file.keep().map(|(_, path)| path).map_err(|failed| failed.error)
}

fn format_of(path: &Path) -> Result<Format, ReportError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Ok(Format::Csv),
        "jsonl" | "ndjson" | "json" => Ok(Format::JsonLines),
        _ => Err(ReportError::Format(path.to_owned())),
    }
}

/// The place of a report that nobody named, kept from other processes until this is dropped.
#[derive(Debug)]
pub(crate) struct OwnPlace {
    path: PathBuf,
    /// It stands beside the report, and is cleared up after like half a report if the process is killed.
    _mark: NamedTempFile,
}

impl OwnPlace {
    /// A name in the current folder that no report has and that nobody else is about to give to one. Two runs begin within a
    /// second, also at once.
    pub(crate) fn find(now: Timestamp, stem: &str) -> Result<Self, ReportError> {
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

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// So many runs of plans of one name may begin within a second.
const NAMES: u32 = 1_000;

/// The name of a report whose place nobody named: `musterout-mass-retirement-20261122T070000Z.csv`.
fn default_name(now: Timestamp, plan_file_stem: &str) -> String {
    format!("musterout-{plan_file_stem}-{}.csv", now.strftime("%Y%m%dT%H%M%SZ"))
}
