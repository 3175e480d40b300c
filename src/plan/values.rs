//! Values that are wrong for the target which they are meant for, or for two targets at once.
//!
//! In: jobs, and where they stand. Out: faults, and what somebody should know where nothing shows what runs on a device. Must
//! not: judge the form of a value alone; the catalog does.

use std::collections::HashMap;

use serde_json::Value;

use super::places::Places;
use crate::catalog::{ParameterKind, Platform, body, is_computer_name, is_filled_in};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::job::Job;
use crate::text::shown;

/// Judges all of them.
pub(crate) fn judge(jobs: &[Job], places: &Places) -> Diagnostics {
    let mut judged =
        JudgedValue { faults: Diagnostics::default(), names: HashMap::new(), unsure: None, more_unsure: 0 };
    for (at, job) in jobs.iter().enumerate() {
        judged.platform(job, (at, places));
        if let Some((kind, name)) = name_given(job) {
            judged.name(job, (kind, name), (at, places));
        }
    }
    judged.told(places)
}

struct JudgedValue {
    faults: Diagnostics,
    /// Names that devices get, folded, and the first job that gives each.
    names: HashMap<(&'static str, String), (usize, String)>,
    /// The first name that would be none where Windows runs, which nothing shows.
    unsure: Option<(usize, String)>,
    more_unsure: usize,
}

impl JudgedValue {
    fn platform(&mut self, job: &Job, (at, places): (usize, &Places)) {
        let Some(platform) = platform_of(job) else { return };
        if !job.action.platforms.is_empty() && !job.action.platforms.contains(&platform) {
            let known: Vec<_> = job.action.platforms.iter().map(|platform| platform.name()).collect();
            let message = format!(
                "`{}` is for {}, and {} runs {}",
                job.action.name,
                known.join(" and "),
                shown(job.called().unwrap_or(job.target())),
                platform.name()
            );
            self.faults.push_error_with(|| {
                Diagnostic::error("wrong-platform", message).at(places.of(at)).help("take the row out")
            });
        }
    }

    fn name(&mut self, job: &Job, (kind, name): (ParameterKind, String), (at, places): (usize, &Places)) {
        if kind == ParameterKind::DeviceName && !is_computer_name(&name) {
            match platform_of(job) {
                Some(Platform::Windows) => self.faults.push_error_with(|| {
                    let message = format!(
                        "`{}` is no name for {}, which runs Windows",
                        shown(&name),
                        shown(job.called().unwrap_or(job.target()))
                    );
                    let help = ParameterKind::ComputerName.expectation();
                    Diagnostic::error("bad-parameter", message).at(places.of(at)).help(help)
                }),
                Some(_) => {}
                None if self.unsure.is_none() => self.unsure = Some((at, name.clone())),
                None => self.more_unsure += 1,
            }
        }
        if is_filled_in(&name) {
            return;
        }
        let key = (job.action.name, name.to_lowercase());
        match self.names.get(&key) {
            Some((_, target)) if *target == job.target() => {}
            Some((first, _)) => {
                let first = places.of(*first);
                self.faults.push_error_with(|| {
                    let where_else =
                        first.line.map(|line| format!(" (line {line} of {})", first.file)).unwrap_or_default();
                    let message = format!("two devices would be called `{}`{where_else}", shown(&name));
                    let help = "give each a name of its own, or one that is filled in for each: {{serialnumber}}";
                    Diagnostic::error("one-name-twice", message).at(places.of(at)).help(help)
                });
            }
            None => drop(self.names.insert(key, (at, job.target().to_owned()))),
        }
    }

    fn told(mut self, places: &Places) -> Diagnostics {
        if let Some((at, name)) = self.unsure {
            let more = match self.more_unsure {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let message = format!("`{}`{more} is no name for a computer that runs Windows", shown(&name));
            let help = format!(
                "nothing shows what runs there; on Windows it is {}",
                ParameterKind::ComputerName.expectation()
            );
            self.faults.push(Diagnostic::warning("name-for-windows", message).at(places.of(at)).help(help));
        }
        self.faults
    }
}

/// As far as the look-up has shown it.
fn platform_of(job: &Job) -> Option<Platform> {
    let identity = job.found.as_deref()?.identity.as_deref()?;
    Platform::of(identity.operating_system.as_deref()?)
}

/// The name that the job gives its device.
fn name_given(job: &Job) -> Option<(ParameterKind, String)> {
    let names = |kind: ParameterKind| matches!(kind, ParameterKind::DeviceName | ParameterKind::ComputerName);
    if job.unfound().is_some() || !job.action.parameters.iter().any(|parameter| names(parameter.kind)) {
        return None;
    }
    let body: Value = serde_json::from_str(job.parameters.as_deref()?.body()).ok()?;
    let settings = body::read(job.action, &body).ok()?;
    settings.into_iter().find_map(|(parameter, value)| match value {
        Value::String(name) if names(parameter.kind) && !name.is_empty() => Some((parameter.kind, name)),
        _ => None,
    })
}
