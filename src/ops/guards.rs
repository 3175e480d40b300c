//! The rules of a run, and its daily limits: the plan's, and those of every policy that applies.
//!
//! In: policy files, a plan. Out: [`Rules`] and what they come to, and what holds of the daily limits. Must not: go on where a policy cannot be read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use crate::daily::DailySettings;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::judge::{Judgement, RunFacts, judge};
use crate::guard::preflight::Preflight;
use crate::guard::rules::Rules;
use crate::plan::{Plan, policy};
use crate::settings::PolicyFile;

/// What all policies say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    pub rules: Rules,
    pub daily: DailySettings,
    /// Whether one of them refuses rows whose target is not there.
    pub refuse_missing: bool,
    /// The least of what they say of the age of a saved preview that is run.
    pub preview_max_age: Option<Duration>,
    /// The policies and the lists that they name.
    pub files: Vec<PathBuf>,
}

/// Reads the policies that are there. One that was asked for by name has to be, and none may be unreadable.
pub(super) fn policies(candidates: &[PolicyFile]) -> Result<Policies, Error> {
    let mut all = Policies::default();
    for PolicyFile { path, named } in candidates {
        if !named && is_absent(path) {
            refuse_misnamed(path)?;
            continue;
        }
        let policy = policy::load(path).map_err(|faults| Error::Guarded { file: path.clone(), faults })?;
        all.rules = all.rules.and(policy.rules);
        all.daily = all.daily.and(&policy.daily).map_err(contradiction)?;
        all.refuse_missing |= policy.refuses_missing;
        all.preview_max_age = all.preview_max_age.into_iter().chain(policy.preview_max_age).min();
        all.files.extend(policy.files);
    }
    Ok(all)
}

/// Whether nobody has put a policy there. A folder on the way to it that leads nowhere, or is a file, is no such thing: there may
/// be one that cannot be read now.
fn is_absent(path: &Path) -> bool {
    let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
    let missing = std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let folder = path.ancestors().skip(1).find(|folder| is_there(folder));
    missing && folder.is_none_or(Path::is_dir)
}

/// Somebody has written a policy beside the place where one is looked for.
fn refuse_misnamed(path: &Path) -> Result<(), Error> {
    let other = path.with_extension("yml");
    if std::fs::symlink_metadata(&other).is_err() {
        return Ok(());
    }
    let message = format!("{} is not used: a policy file must be named policy.yaml", other.display());
    Err(Error::refused(Diagnostic::error("misnamed-policy", message).help("rename it to policy.yaml")))
}

/// A tenant has one day.
pub(super) fn contradiction(what: String) -> Error {
    let message = format!("the plan and the policies contradict each other: {what}");
    Error::refused(
        Diagnostic::error("two-days", message).help("correct `turns_at` and `zone`, or keep them in one file only"),
    )
}

/// The rules of a plan and of the policies. What they protect is held.
pub(super) fn look(plan: &Plan, rules: Rules, preflight: &mut Preflight, sightings: &[Option<Sighting>]) -> Rules {
    let rules = rules.and(plan.rules.clone()).or_default();
    preflight.hold_protected(&plan.jobs, &rules.protected, sightings);
    rules
}

/// What the rules say of what would be sent. `keys`: what is on file of the devices, where anybody has looked. `begins`: a run
/// is about to.
pub(super) fn verdict(
    plan: &Plan,
    (preflight, keys): (&Preflight, &[Option<Keys>]),
    rules: Rules,
    now: Timestamp,
    begins: bool,
) -> Judgement {
    let about = RunFacts { plan: plan.name.as_deref(), justified: plan.justification.is_some(), now, begins, keys };
    judge(&plan.jobs, &preflight.holds, rules, about, |job| plan.places.of(job))
}

/// The refusal, if there is one. `file` is what was looked at.
pub(super) fn refused(verdict: &Judgement, file: &std::path::Path) -> Result<(), Error> {
    match verdict.faults.has_errors() {
        true => Err(Error::Guarded { file: file.to_owned(), faults: verdict.faults.clone() }),
        false => Ok(()),
    }
}

/// What is told of faults in one line.
pub(super) fn first_error(faults: &Diagnostics) -> Option<Box<str>> {
    faults.iter().find(|fault| fault.severity == Severity::Error).map(|fault| fault.message.as_str().into())
}
