//! Where a report goes.
//!
//! In: what was asked for, the files that were read. Out: a place that can be written to. Must not: be that of a file that the
//! plan was read from.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, RunRequest};
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::report::{OwnPlace, ReportFile};

/// The place of a report: one that somebody has named, or one of our own.
pub enum ReportPlace {
    Named(PathBuf),
    Own(OwnPlace),
}

impl ReportPlace {
    /// `stem`: what the report is about, where nobody has named its place.
    pub fn of(named: Option<PathBuf>, now: Timestamp, stem: &str) -> Result<Self, Error> {
        match named {
            Some(path) => Ok(Self::Named(path)),
            None => Ok(Self::Own(OwnPlace::find(now, stem)?)),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Own(place) => place.path(),
        }
    }
}

/// The place for a new run. It is kept from others for as long as the value lives.
pub fn find(request: &RunRequest, plan: &Plan, policy_files: &[PathBuf]) -> Result<ReportPlace, Error> {
    let stem = request.plan.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let place = ReportPlace::of(request.report.clone(), request.now, &stem)?;
    spare_the_plan(place.path(), plan, policy_files, request.inventory.as_ref())?;
    ReportFile::probe(place.path())?;
    Ok(place)
}

/// The report takes the place of what was there, and that must not be what was read.
fn spare_the_plan(report: &Path, plan: &Plan, policies: &[PathBuf], inventory: Option<&PathBuf>) -> Result<(), Error> {
    let Ok(place) = report.canonicalize() else { return Ok(()) };
    let mut read = plan.inputs.iter().map(|input| &input.file).chain(policies).chain(inventory);
    match read.find(|file| file.canonicalize().is_ok_and(|file| file == place)) {
        None => Ok(()),
        Some(file) => Err(Error::usage(
            Diagnostic::error(
                "report-over-plan",
                format!("the report would take the place of {}, which was read for the plan", file.display()),
            )
            .help("name another file after --report"),
        )),
    }
}
