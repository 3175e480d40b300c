//! Files that a plan is read from.
//!
//! In: a path. Out: its text, and an [`Input`], which says how a file was understood. Must not: read more than a limit, or know
//! what a file means.

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::source::{Fingerprint, Source};
use crate::yaml::Node;

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub file: PathBuf,
    /// `YAML`, or how the CSV was understood: `CSV, UTF-8, separated by ;`.
    pub format: String,
    pub rows: usize,
    /// Of the bytes that were read.
    pub fingerprint: Fingerprint,
    /// Columns that are used, as the file spells them, and what they mean.
    pub columns: Vec<(String, &'static str)>,
    /// Columns that were not used, as the file spells them.
    pub unused_columns: Vec<String>,
}

/// The largest YAML file that is read.
pub(super) const YAML_LIMIT: u64 = 16 << 20;

/// The largest CSV file that is read.
pub(super) const CSV_LIMIT: u64 = 80 << 20;

pub(super) enum PlanFormat {
    Yaml,
    Csv,
}

pub(super) fn format_of(path: &Path) -> Option<PlanFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some(PlanFormat::Yaml),
        "csv" | "tsv" => Some(PlanFormat::Csv),
        _ => None,
    }
}

pub(super) const TOO_LARGE: &str = "split it, or list targets in a CSV file";

pub(super) fn read_file(path: &Path, limit: u64) -> Result<Source, Box<Diagnostic>> {
    Source::read(path, limit).map_err(|fault| match fault.code {
        "too-large" => Box::new(fault.help(TOO_LARGE)),
        _ => fault,
    })
}

/// A fault of a whole file is shown where the plan names it; one with a line stays there.
pub(super) fn in_the_plan(fault: Diagnostic, path: &Path, plan: &Source, at: &Node) -> Diagnostic {
    if fault.place.as_ref().is_some_and(|place| place.line.is_some()) {
        return fault;
    }
    let message = format!("{}: {}", path.display(), fault.message);
    Diagnostic { message, ..fault }.at(plan.place(&at.span))
}
