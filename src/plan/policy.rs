//! A policy: the guards and the daily limits of a site, in a file of their own.
//!
//! In: a YAML file with `guards`, `overrides`, `missing` and `limits: { daily: … }` as in a plan, and `preview_max_age`. Out: a [`PolicyDocument`], or every fault. Must not: be half
//! understood: a policy that has a fault refuses every run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::read_version;
use super::guards::{self, Owner};
use super::input::{Input, YAML_LIMIT, read_file};
use super::{daily, missing, overrides, waves};
use crate::daily::DailySettings;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::rule::Origin;
use crate::guard::rules::Rules;
use crate::yaml::{self, Entry, FileKind, Node, Reader};

const KIND: FileKind = FileKind { name: "a policy", too_large: "list what it protects in a CSV file" };
const KEYS: &[&str] = &["version", "guards", "limits", "missing", "preview_max_age", "overrides"];

/// No saved preview is good for less.
const SHORTEST_AGE: Duration = Duration::from_secs(60);

/// What a policy file says.
#[derive(Debug)]
pub(crate) struct PolicyDocument {
    pub rules: Rules,
    /// What it says of the tenant's daily limits.
    pub daily: DailySettings,
    /// Whether a row whose target is not there refuses the plan, whatever anybody else says.
    pub refuses_missing: bool,
    /// How old a saved preview may be that is run; `None`: it does not say.
    pub preview_max_age: Option<Duration>,
    /// The file itself, and the lists that it names.
    pub files: Vec<PathBuf>,
}

/// Reads and validates the policy at `path`.
pub(crate) fn load(path: &Path) -> Result<PolicyDocument, Diagnostics> {
    let whole = read_file(path, YAML_LIMIT);
    let whole = whole.and_then(|source| yaml::parse(&source, &KIND).map(|root| (source, root)));
    let (source, root) = whole.map_err(|fault| Diagnostics::from(unreadable(*fault, path)))?;
    let mut faults = Diagnostics::default();
    let mut reader = Reader { source: &source, faults: &mut faults };
    let owner = Owner { origin: Origin::Policy, folder: path.parent().unwrap_or(Path::new("")), own: &[] };
    let mut inputs: Vec<Input> = Vec::new();
    let mut rules = Rules::default();
    let mut overridden = Vec::new();
    let mut daily = DailySettings::default();
    let (mut refuses_missing, mut preview_max_age) = (false, None);
    let mut version = false;
    for Entry { name, value, .. } in reader.map_of(&root, "a policy", KEYS).unwrap_or_default() {
        match name {
            "version" => {
                version = true;
                read_version(value, &mut reader);
            }
            "guards" => rules = guards::read(value, owner, &mut reader, &mut inputs),
            "limits" => daily = limits(value, &mut reader),
            "missing" => refuses_missing = missing::read_of_policy(value, &mut reader),
            "preview_max_age" => preview_max_age = waves::read_time(value, name, SHORTEST_AGE, &mut reader),
            _ => overridden = overrides::read(value, owner, &mut reader),
        }
    }
    if !version {
        reader.missing_key(&root, "version", "version: 1");
    }
    rules.overrides = overridden;
    faults.sort();
    match faults.has_errors() {
        true => Err(faults),
        false => {
            let lists = inputs.into_iter().map(|input| input.file);
            let files = std::iter::once(path.to_owned()).chain(lists).collect();
            Ok(PolicyDocument { rules, daily, refuses_missing, preview_max_age, files })
        }
    }
}

/// How hard a run may work is the plan's business; what the tenant accepts in a day is the site's.
fn limits<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> DailySettings {
    let entries = reader.map_of(node, "`limits` of a policy", &["daily"]).unwrap_or_default();
    entries.iter().map(|entry| daily::read(entry.value, reader)).next_back().unwrap_or_default()
}

/// Without its policy nothing runs.
fn unreadable(fault: Diagnostic, path: &Path) -> Diagnostic {
    if fault.place.as_ref().is_some_and(|place| place.line.is_some()) {
        return fault;
    }
    let message = format!("the policy {}: {}", path.display(), fault.message);
    Diagnostic { message, ..fault }.help("make the file readable; nothing is sent without this policy")
}
