//! The verbs: one function each, told on one screen.
//!
//! In: settings, paths, choices; no clap types. Out: values for `cli` to show, or an [`Error`].
//! Must not: print (only the bar and the question, which belong to `ui`), or choose exit codes.

mod connect;
mod limits;
mod look_up;
mod perform;
mod record;
mod resume;
mod run;
mod runs;
mod simulate;
mod tenant;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::preflight::{self, Preflight};
use crate::job::Job;
use crate::journal::{Journal, JournalError};
use crate::plan::{self, Plan};
use crate::report::ReportError;
use crate::runner::Earlier;
use crate::simulator::scenario::ScenarioError;

pub use self::limits::{Choices, reserve_percent};
pub use self::look_up::{LookUp, Saved, Used, take_inventory};
pub use self::perform::Finished;
pub use self::record::take_up;
pub use self::resume::{ResumeRequest, resume};
pub use self::run::{RunRequest, run};
pub use self::runs::{Reported, export, prune, report, runs};
pub use self::simulate::{Serving, serve};

/// Why a verb could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan has faults; all of them are here.
    #[error("the plan is invalid")]
    Plan { file: PathBuf, faults: Diagnostics },
    /// Something else that the user asked for cannot be.
    #[error("{}", .0.message)]
    Usage(Box<Diagnostic>),
    /// The plan has no rows.
    #[error("nothing to do: {} has no rows{}", file.display(), if told.warnings() > 0 { " that lead to a target" } else { "" })]
    NothingToDo { file: PathBuf, told: Diagnostics },
    /// A guard refused the run before anything was sent.
    #[error("{}", .0.message)]
    Refused(Box<Diagnostic>),
    /// No token could be had.
    #[error("{}", .0.message)]
    SignIn(Box<Diagnostic>),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{what}: {cause}")]
    Io { what: String, cause: std::io::Error },
}

impl Error {
    fn usage(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    fn refused(diagnostic: Diagnostic) -> Self {
        Self::Refused(Box::new(diagnostic))
    }

    fn sign_in(diagnostic: Diagnostic) -> Self {
        Self::SignIn(Box::new(diagnostic))
    }
}

/// Which tenant a verb works against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenant {
    Real,
    /// The embedded one, playing this scenario, or the default one.
    Simulated(Option<PathBuf>),
}

impl Tenant {
    /// The same, whatever folder it is spoken of in.
    fn anywhere(&self) -> Self {
        match self {
            Self::Simulated(Some(file)) => {
                Self::Simulated(Some(std::path::absolute(file).unwrap_or_else(|_| file.clone())))
            }
            other => other.clone(),
        }
    }
}

/// Reads and validates a plan, whole.
pub fn check(file: &Path) -> Result<Plan, Error> {
    plan::load(file).map_err(|faults| Error::Plan { file: file.to_owned(), faults })
}

/// Reads a plan and says what would be sent. Sends nothing but reads, and those only for targets that are not named by
/// their id.
///
/// `once`: what earlier runs of the plan have done is left out, as the journal of these settings has it.
pub async fn preview(file: &Path, look_up: &LookUp<'_>, once: bool) -> Result<(Plan, Preflight, Used), Error> {
    let mut plan = check(file)?;
    if let Tenant::Simulated(Some(scenario)) = look_up.tenant {
        crate::simulator::scenario::Scenario::load(scenario)?;
    }
    let used = look_up.resolve(&mut plan).await?;
    if plan.jobs.is_empty() {
        return Err(Error::NothingToDo { file: file.to_owned(), told: plan.warnings });
    }
    let mut preflight = preflight::inspect(&plan.jobs, look_up.now);
    if once {
        let key = record::plan_key(&plan, look_up.tenant, &look_up.settings.graph_url);
        let journal = Journal::open(look_up.settings.state_dir().map_err(Error::Usage)?)?;
        let earlier = record::inherit(&record::once(&journal, &key, &plan.jobs)?, &plan.jobs);
        leave_out_done(&mut preflight, &plan.jobs, &earlier);
    }
    Ok((plan, preflight, used))
}

/// What earlier runs have done is neither sent nor counted.
fn leave_out_done(preflight: &mut Preflight, jobs: &[Job], earlier: &HashMap<u32, Earlier>) {
    for (index, job) in jobs.iter().enumerate() {
        if matches!(earlier.get(&(index as u32)), Some(Earlier::Kept(_))) {
            preflight.leave_out(index, job);
        }
    }
}
