//! Tests of whole plans, as an operator meets them.

mod csv_plans;
mod files;
mod selectors;
mod yaml_plans;

use std::path::PathBuf;

use super::*;
use crate::diagnostics::Diagnostics;

pub(super) const A: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
pub(super) const B: &str = "11111111-2222-4333-8444-555555555555";

/// Files in a folder of their own; the first is the plan.
pub(super) struct Folder {
    _dir: tempfile::TempDir,
    pub plan: PathBuf,
}

pub(super) fn folder<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Folder {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    let plan = dir.path().join(files[0].0);
    Folder { _dir: dir, plan }
}

pub(super) fn loaded(name: &str, text: &str) -> Plan {
    match load(&folder(&[(name, text)]).plan) {
        Ok(plan) => plan,
        Err(faults) => panic!("{}", render(&faults)),
    }
}

pub(super) fn render(faults: &Diagnostics) -> String {
    faults.iter().map(|fault| fault.render(false)).collect()
}

pub(super) fn refused<T: AsRef<[u8]>>(files: &[(&str, T)]) -> String {
    match load(&folder(files).plan) {
        Ok(plan) => panic!("accepted: {:?}", plan.jobs),
        Err(faults) => render(&faults),
    }
}

/// Asserts that there is exactly one fault, and that its text has all of `parts`.
#[track_caller]
pub(super) fn one_fault(name: &str, text: &str, parts: &[&str]) {
    let faults = load(&folder(&[(name, text)]).plan).map(|plan| plan.jobs).unwrap_err();
    let rendered = render(&faults);
    assert_eq!(faults.errors(), 1, "{rendered}");
    for part in parts {
        assert!(rendered.contains(part), "{part:?} is not in:\n{rendered}");
    }
}
