//! What a file that we write must not take the place of.
//!
//! In: its place, the files that were read, the folder of the journal. Out: a refusal where they meet. Must not: open any of
//! them.

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::journal::Journal;
use crate::session::TargetTenant;
use crate::settings::Settings;

/// A file that is about to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'a> {
    pub path: &'a Path,
    /// `the report`.
    pub what: &'static str,
    option: &'static str,
    code: &'static str,
}

impl<'a> Output<'a> {
    pub(super) fn report(path: &'a Path) -> Self {
        Self { path, what: "the report", option: "--report", code: "report-over-plan" }
    }

    pub(super) fn out(path: &'a Path, what: &'static str) -> Self {
        Self { path, what, option: "--out", code: "out-over-plan" }
    }

    /// Refuses to take the place of one of these files, or of the journal.
    pub(super) fn spares<'f>(
        self,
        read: impl IntoIterator<Item = &'f PathBuf>,
        settings: &Settings,
    ) -> Result<(), Error> {
        let here = places(self.path);
        let meets = |file: &Path| places(file).iter().any(|place| here.contains(place));
        if let Some(file) = read.into_iter().find(|file| meets(file)) {
            return Err(self.fault(format!("{}, a file of the plan", file.display())));
        }
        let folder = settings.state_dir().ok().and_then(|place| place.folder().map(Path::to_owned));
        match folder.filter(|folder| is_of_journal(self.path, folder)) {
            Some(folder) => Err(self.fault(format!("a file of the journal in {}", folder.display()))),
            None => Ok(()),
        }
    }

    fn fault(self, taken: String) -> Error {
        let message = format!("{} would overwrite {taken}", self.what);
        let help = format!("name another file after {}", self.option);
        Error::usage(Diagnostic::error(self.code, message).help(help))
    }
}

/// A file by its name and, if it is there, by what links lead to. One that was deleted still has its name.
fn places(file: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(file).ok();
    file.canonicalize().ok().into_iter().chain(absolute).collect()
}

fn is_of_journal(file: &Path, folder: &Path) -> bool {
    let (Some(name), Ok(folder)) = (file.file_name(), folder.canonicalize()) else { return false };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(parent) = parent.canonicalize() else { return false };
    let is_database = parent == folder && name.to_string_lossy().starts_with(Journal::FILE);
    is_database || parent.starts_with(folder.join(Journal::LOCKS))
}

/// The files, for whoever is in another folder.
pub(super) fn from_anywhere(files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone())).collect()
}

/// The scenario that a tenant is played from.
pub(super) fn scenario(tenant: &TargetTenant) -> Option<&PathBuf> {
    match tenant {
        TargetTenant::Simulated(scenario) => scenario.as_ref(),
        TargetTenant::Kept(stage) => stage.scenario.as_ref(),
        TargetTenant::InProcess(transport) => transport.kept().and_then(|kept| kept.stage().scenario.as_ref()),
        TargetTenant::Real => None,
    }
}
