//! Where a report goes.
//!
//! In: what was asked for, the files that were read. Out: a place that can be written to. Must not: be that of a file that the
//! plan was read from.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::Error;
use super::run_request::RunRequest;
use super::spare::Output;
use crate::report::{OwnPlace, ReportFile};
use crate::settings::Settings;

/// The place of a report: one that somebody has named, or one of our own.
pub(super) enum ReportPlace {
    Named(PathBuf),
    Own(OwnPlace),
}

impl ReportPlace {
    /// `stem`: what the report is about, where nobody has named its place.
    pub(super) fn of(named: Option<PathBuf>, now: Timestamp, stem: &str) -> Result<Self, Error> {
        match named {
            Some(path) => Ok(Self::Named(path)),
            None => Ok(Self::Own(OwnPlace::find(now, stem)?)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Own(place) => place.path(),
        }
    }
}

/// The place for a new run, which is that of none of the files that were `read`. It is kept from others for as long as the
/// value lives.
pub(super) fn find(request: &RunRequest, read: &[PathBuf], settings: &Settings) -> Result<ReportPlace, Error> {
    let stem = request.plan.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let place = ReportPlace::of(request.report.clone(), request.start.now, &stem)?;
    Output::report(place.path()).spares(read, settings)?;
    ReportFile::probe(place.path())?;
    Ok(place)
}
