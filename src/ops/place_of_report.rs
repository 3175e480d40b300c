//! Where the report of a new run goes.
//!
//! In: what was asked for, the files that were read. Out: a place that can be written to. Must not: be that of a file that the
//! plan was read from.

use std::path::{Path, PathBuf};

use super::{Error, RunRequest};
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::report::{ReportFile, default_name};

pub fn find(request: &RunRequest, plan: &Plan, policy_files: &[PathBuf]) -> Result<PathBuf, Error> {
    let report_at = report_path(request);
    spare_the_plan(&report_at, plan, policy_files, request.inventory.as_ref())?;
    ReportFile::probe(&report_at)?;
    Ok(report_at)
}

fn report_path(request: &RunRequest) -> PathBuf {
    let stem = request.plan.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    // Two runs within a second must not share a report.
    let names = (1..100u8).map(|number| match number {
        1 => stem.clone(),
        number => format!("{stem}-{number}"),
    });
    let mut places = names.map(|name| PathBuf::from(default_name(request.now, &name)));
    let free = places.find(|place| !place.exists());
    request.report.clone().or(free).unwrap_or_else(|| default_name(request.now, &stem).into())
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
