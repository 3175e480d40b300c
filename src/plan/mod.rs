//! The plan: what the operator wrote, read and validated.
//!
//! In: a YAML or CSV file, and the CSV files it names. Out: a [`Plan`] with its jobs in plan order, or every fault of
//! all files at once. Must not: touch the network, guess a target, or ignore anything silently.

mod columns;
mod daily;
mod definitions;
mod dialect;
mod document;
mod escrow;
mod expand;
mod filter;
mod guards;
mod identifier;
mod limits;
mod mapping;
mod missing;
mod overrides;
mod places;
pub mod policy;
mod priority;
mod protected;
mod rows;
mod schedule;
mod serial;
mod stop_when;
mod table;
mod targets;
mod unresolved;
mod vocabulary;
mod waiting;
mod waves;
mod work;

use std::path::{Path, PathBuf};

use self::document::Document;
use self::expand::Expander;
use self::guards::Owner;
use crate::catalog::{Action, Missing};
use crate::daily::Settings;
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::guard::rules::{Origin, Rules};
use crate::job::Job;
use crate::source::{Fingerprint, Source};
use crate::text::shown;
use crate::yaml::{self, Kind, Node, Reader, Value};

pub use self::document::justification;
pub use self::expand::MAX_JOBS;
pub use self::filter::{Age, Filter, PROPERTIES, Property, Test};
pub use self::guards::KEYS as GUARDS;
pub use self::places::Places;
pub use self::serial::says_nothing;
pub use self::unresolved::{Criterion, GroupGiven, Pointer, Unresolved, UnresolvedStep};
pub use crate::catalog::Limits;

/// A plan that has been read, found right, and expanded into jobs.
#[derive(Debug)]
pub struct Plan {
    pub file: PathBuf,
    pub name: Option<String>,
    /// Domain or id of the tenant it is meant for.
    pub tenant: Option<String>,
    pub justification: Option<String>,
    /// What it says for all jobs that say nothing of targets that are not there.
    pub missing: Option<Missing>,
    pub limits: Limits,
    /// What it says of the tenant's daily limits.
    pub daily: Settings,
    /// Its own; a policy's are added where they are checked.
    pub rules: Rules,
    /// The actions that it defines itself.
    pub own: Vec<&'static Action>,
    /// In plan order.
    pub jobs: Vec<Job>,
    /// Of the jobs.
    pub places: Places,
    /// Rows whose targets have to be looked up before they have jobs, in plan order.
    pub unresolved: Vec<Unresolved>,
    /// Whether rows stand for several targets, and maybe for another number of them tomorrow.
    pub has_sets: bool,
    /// What was read and how it was understood, the plan itself first.
    pub inputs: Vec<Input>,
    pub warnings: Diagnostics,
}

impl Plan {
    /// Whether it is a list, and has no place for settings.
    pub fn is_csv(&self) -> bool {
        matches!(format_of(&self.file), Some(Format::Csv))
    }
}

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
pub const YAML_LIMIT: u64 = 16 << 20;
/// The largest CSV file that is read.
pub const CSV_LIMIT: u64 = 80 << 20;

/// Reads, validates and expands the plan at `path`.
pub fn load(path: &Path) -> Result<Plan, Diagnostics> {
    let mut expander = Expander::default();
    let (document, inputs) = match format_of(path) {
        Some(Format::Yaml) => load_yaml(path, &mut expander),
        Some(Format::Csv) => load_csv(path, &mut expander),
        None => {
            let what = match std::fs::metadata(path) {
                Ok(there) if there.is_dir() => "this is a folder; a plan is a .yaml, .yml, .csv or .tsv file",
                Ok(_) => "a plan is a .yaml, .yml, .csv or .tsv file",
                Err(_) => "there is no such file; a plan is a .yaml, .yml, .csv or .tsv file",
            };
            let fault = Diagnostic::error("unknown-format", what);
            expander.faults.push(fault.at(Place::file(path.display().to_string())));
            Default::default()
        }
    };
    let rows = expander.rows();
    let Expander { jobs, places, unresolved, mut faults, .. } = expander;
    if rows > MAX_JOBS {
        let message = format!("the plan has more than {MAX_JOBS} jobs");
        let fault = Diagnostic::error("too-large", message).help("split it, and run one part after the other");
        faults.push(fault.at(Place::file(path.display().to_string())));
    }
    for (at, job) in jobs.iter().enumerate() {
        if let Some(why) = job.action.definition.and_then(|own| own.refuses(&job.ids.iter().collect::<Vec<_>>())) {
            let message = format!("with these ids, `{}` is another request: {why}", job.action.name);
            faults.push(Diagnostic::error("bad-action", message).at(places.of(at)));
        }
    }
    faults.sort();
    if faults.has_errors() {
        return Err(faults);
    }
    let Heading { name, tenant, justification, missing, limits, daily, rules, own } = document;
    Ok(Plan {
        file: path.to_owned(),
        name,
        tenant,
        justification,
        missing,
        limits,
        daily,
        rules,
        own,
        jobs,
        places,
        has_sets: unresolved.iter().any(|row| row.pointer.is_many()),
        unresolved,
        inputs,
        warnings: faults,
    })
}

enum Format {
    Yaml,
    Csv,
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some(Format::Yaml),
        "csv" | "tsv" => Some(Format::Csv),
        _ => None,
    }
}

/// What a plan says about itself. A CSV plan says nothing.
#[derive(Debug, Default)]
struct Heading {
    name: Option<String>,
    tenant: Option<String>,
    justification: Option<String>,
    missing: Option<Missing>,
    limits: Limits,
    daily: Settings,
    rules: Rules,
    own: Vec<&'static Action>,
}

const TOO_LARGE: &str = "split it, or list targets in a CSV file";
const PLAN: Kind = Kind { name: "a plan", too_large: TOO_LARGE };

fn read_file(path: &Path, limit: u64) -> Result<Source, Box<Diagnostic>> {
    Source::read(path, limit).map_err(|fault| match fault.code {
        "too-large" => Box::new(fault.help(TOO_LARGE)),
        _ => fault,
    })
}

fn load_csv(path: &Path, expander: &mut Expander) -> (Heading, Vec<Input>) {
    let input = match read_file(path, CSV_LIMIT) {
        Ok(source) => rows::expand_plan(source, path, expander),
        Err(fault) => {
            expander.faults.push(*fault);
            None
        }
    };
    (Heading::default(), input.into_iter().collect())
}

fn load_yaml(path: &Path, expander: &mut Expander) -> (Heading, Vec<Input>) {
    let whole = read_file(path, YAML_LIMIT);
    match whole.and_then(|source| yaml::parse(&source, &PLAN).map(|root| (source, root))) {
        Ok((source, root)) => read_yaml(path, &source, &root, expander),
        Err(fault) => {
            expander.faults.push(*fault);
            Default::default()
        }
    }
}

fn read_yaml(path: &Path, source: &Source, root: &Node, expander: &mut Expander) -> (Heading, Vec<Input>) {
    if matches!(root.value, Value::Null) {
        let fault = Diagnostic::error("empty-file", "the file has no plan in it");
        expander.faults.push(fault.at(Place::file(&source.name)));
        return Default::default();
    }
    let mut reader = Reader { source, faults: &mut expander.faults };
    let Document { mut heading, jobs, guards, overrides } = document::read(root, &mut reader);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    let own = heading.own.clone();
    let owner = Owner { origin: Origin::Plan, folder, own: &own };
    heading.rules = guards.map(|node| guards::read(node, owner, &mut reader, &mut files)).unwrap_or_default();
    heading.rules.overrides = overrides.map(|node| overrides::read(node, owner, &mut reader)).unwrap_or_default();
    let mut rows = 0;
    for job in &jobs {
        if let Some(Value::List(items)) = job.targets.map(|node| &node.value) {
            rows += items.len();
        }
        targets::expand(job, source, folder, expander, &mut files);
    }
    let plan = Input {
        file: path.to_owned(),
        format: "YAML".into(),
        rows,
        fingerprint: source.fingerprint,
        columns: Vec::new(),
        unused_columns: Vec::new(),
    };
    (heading, std::iter::once(plan).chain(files).collect())
}

#[cfg(test)]
mod tests;
