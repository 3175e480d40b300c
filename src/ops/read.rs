//! A plan or a saved preview is read whole.
//!
//! In: a file; one that ends in `.json` is a saved preview. Out: its jobs, with all that was agreed to of a saved preview. Must not:
//! look anything up, or read the plan that a saved preview was made of: what runs is what was saved.

use std::path::Path;

use jiff::Timestamp;

use super::agreed::{self, Agreed, name_targets};
use super::error::Error;
use super::guards::{self, Policies};
use super::previewed::Previewed;
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::guard::judge::Judgement;
use crate::guard::preflight;
use crate::job::Job;
use crate::moment::moment;
use crate::plan::{self, Input, Places, Plan};
use crate::preview::saved::{self, SavedPreview, Unusable};
use crate::settings::PolicyFile;
use crate::source::Fingerprint;

/// Reads and validates a plan or a saved preview, whole, and holds what needs no looking up against its guards.
pub(crate) fn check(file: &Path, policies: &[PolicyFile], now: Timestamp) -> Result<Previewed, Error> {
    let policies = guards::policies(policies)?;
    let mut previewed = read(file, now)?;
    previewed.hold_against(policies, now)?;
    Ok(previewed)
}

/// Reads and validates a plan or a saved preview, whole. What has to be looked up is not there yet.
pub(super) fn read(file: &Path, now: Timestamp) -> Result<Previewed, Error> {
    if agreed::is_saved(file) {
        return load(file);
    }
    let plan = plan::load(file).map_err(|faults| Error::Plan { file: file.to_owned(), faults })?;
    let preflight = preflight::inspect(&plan.jobs, now);
    let daily = plan.daily.clone();
    Ok(Previewed {
        plan,
        preflight,
        verdict: Judgement::default(),
        sightings: Vec::new(),
        keys: Vec::new(),
        agreed: None,
        daily,
        policies: Policies::default(),
    })
}

/// The largest file that is read.
const LIMIT: u64 = 2 << 30;

/// Reads a saved preview whole.
pub(super) fn load(file: &Path) -> Result<Previewed, Error> {
    let place = || Place::file(file.display().to_string());
    let unreadable = |message: String| Error::usage(Diagnostic::error("unreadable-file", message).at(place()));
    let about = std::fs::metadata(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::usage(Diagnostic::error("missing-file", "the file does not exist").at(place()))
        }
        _ => unreadable(format!("the file cannot be read: {error}")),
    })?;
    if !about.is_file() || about.len() > LIMIT {
        return Err(unreadable("this is not a file".into()));
    }
    let bytes = std::fs::read(file).map_err(|error| unreadable(format!("the file cannot be read: {error}")))?;
    let fingerprint = Fingerprint::of(&bytes);
    saved::read(&bytes).map(|saved| previewed(file, fingerprint, saved)).map_err(|why| unusable(file, &why))
}

fn unusable(file: &Path, why: &Unusable) -> Error {
    let code = match why {
        Unusable::Foreign => "not-a-preview",
        Unusable::Version(_) => "unknown-version",
        Unusable::CutShort => "preview-cut-short",
        Unusable::Changed { .. } => "preview-changed",
        Unusable::Damaged(_) => "preview-damaged",
        Unusable::Nameless { .. } => "preview-names-users",
        Unusable::Differs { .. } => "preview-differs",
    };
    let mut place = Place::file(file.display().to_string());
    if let Unusable::Differs { line, .. } | Unusable::Nameless { line, .. } = why {
        place.line = Some(*line);
    }
    let help = match why {
        Unusable::Foreign => "`musterout preview PLAN --out FILE.json` makes one; a plan is a .yaml or .csv file",
        _ => "make a new preview, check it, and run that one",
    };
    let fault = Diagnostic::error(code, why.to_string()).at(place).help(help);
    match why {
        Unusable::Changed { .. } | Unusable::Differs { .. } => Error::refused(fault),
        _ => Error::usage(fault),
    }
}

/// As a plan, with what was found of it.
fn previewed(file: &Path, fingerprint: Fingerprint, saved: SavedPreview) -> Previewed {
    let SavedPreview { head, mut jobs, sightings, keys, preflight, rules, digest } = saved;
    name_targets(&mut jobs, &sightings);
    let format = format!(
        "preview of {}, saved at {}, valid until {}",
        head.plan.file,
        moment(head.created),
        moment(head.expires)
    );
    let plan = Plan {
        file: file.to_owned(),
        name: head.plan.name.clone(),
        tenant: head.tenant.clone(),
        justification: head.justification.clone(),
        missing: None,
        limits: head.limits.stated,
        daily: head.limits.daily.clone(),
        // Policies are read anew, each time.
        own: head.actions.iter().filter_map(|definition| definition.action().ok()).collect(),
        has_sets: jobs.iter().any(Job::is_of_a_set),
        unresolved: Vec::new(),
        rules: rules.of_the_plan(),
        places: Places::default(),
        inputs: vec![Input {
            file: file.to_owned(),
            format,
            rows: jobs.len(),
            fingerprint,
            columns: Vec::new(),
            unused_columns: Vec::new(),
        }],
        jobs,
        warnings: Diagnostics::default(),
    };
    let agreed = Some(Agreed { file: file.to_owned(), head, digest });
    let daily = plan.daily.clone();
    Previewed {
        plan,
        preflight,
        verdict: Judgement::default(),
        sightings,
        keys,
        agreed,
        daily,
        policies: Policies::default(),
    }
}
