//! Reads a plan: the file itself, and those that it names.
//!
//! In: a path. Out: a [`Plan`], or every fault of all files at once. Must not: stop at the first fault.

use std::path::Path;

use super::document::{self, PlanDocument};
use super::expand::{Expander, MAX_JOBS};
use super::guards::{self, Owner};
use super::heading::PlanHeading;
use super::input::{CSV_LIMIT, Input, PlanFormat, TOO_LARGE, YAML_LIMIT, format_of, read_file};
use super::loaded::Plan;
use super::{order, overrides, rows, targets, values};
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::guard::rule::Origin;
use crate::source::Source;
use crate::yaml::{self, FileKind, Node, Reader, Value};

/// Reads, validates and expands the plan at `path`.
pub fn load(path: &Path) -> Result<Plan, Diagnostics> {
    let mut expander = Expander::default();
    let (document, inputs) = match format_of(path) {
        Some(PlanFormat::Yaml) => load_yaml(path, &mut expander),
        Some(PlanFormat::Csv) => load_csv(path, &mut expander),
        None => {
            let what = match std::fs::metadata(path) {
                Ok(there) if there.is_dir() => "this is a folder; a plan is a .yaml, .yml, .csv or .tsv file",
                Ok(_) => "a plan is a .yaml, .yml, .csv or .tsv file",
                Err(_) => "the file does not exist; a plan is a .yaml, .yml, .csv or .tsv file",
            };
            let fault = Diagnostic::error("unknown-format", what);
            expander.faults.push(fault.at(Place::file(path.display().to_string())));
            Default::default()
        }
    };
    let rows = expander.rows();
    let Expander { jobs, places, unresolved, mut faults, .. } = expander;
    let jobs = jobs.finish();
    if rows > MAX_JOBS {
        let message = format!("the plan has more than {MAX_JOBS} jobs");
        let fault = Diagnostic::error("too-large", message).help("split it, and run the parts one after the other");
        faults.push(fault.at(Place::file(path.display().to_string())));
    }
    // A plan that defines no actions has no jobs of them, and may have a million of others.
    let jobs_to_check = if document.own.is_empty() { &[][..] } else { &jobs[..] };
    for (at, job) in jobs_to_check.iter().enumerate() {
        if let Some(why) = job.action.definition.and_then(|own| own.refuses(&job.ids.iter().collect::<Vec<_>>())) {
            let message = format!("with these ids, `{}` would be another request: {why}", job.action.name);
            faults.push(Diagnostic::error("bad-action", message).at(places.of(at)));
        }
    }
    order::check(&jobs, &places, &unresolved).into_iter().for_each(|warning| faults.push(warning));
    faults.extend(values::judge(&jobs, &places));
    faults.sort();
    if faults.has_errors() {
        return Err(faults);
    }
    let PlanHeading { name, tenant, justification, missing, limits, daily, rules, own } = document;
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

const PLAN: FileKind = FileKind { name: "a plan", too_large: TOO_LARGE };

fn load_csv(path: &Path, expander: &mut Expander) -> (PlanHeading, Vec<Input>) {
    let input = match read_file(path, CSV_LIMIT) {
        Ok(source) => rows::expand_plan(source, path, expander),
        Err(fault) => {
            expander.faults.push(*fault);
            None
        }
    };
    (PlanHeading::default(), input.into_iter().collect())
}

fn load_yaml(path: &Path, expander: &mut Expander) -> (PlanHeading, Vec<Input>) {
    let whole = read_file(path, YAML_LIMIT);
    match whole.and_then(|source| yaml::parse(&source, &PLAN).map(|root| (source, root))) {
        Ok((source, root)) => read_yaml(path, &source, &root, expander),
        Err(fault) => {
            expander.faults.push(*fault);
            Default::default()
        }
    }
}

fn read_yaml(path: &Path, source: &Source, root: &Node, expander: &mut Expander) -> (PlanHeading, Vec<Input>) {
    if matches!(root.value, Value::Null) {
        let fault = Diagnostic::error("empty-file", "the file is empty");
        expander.faults.push(fault.at(Place::file(&source.name)));
        return Default::default();
    }
    let mut reader = Reader { source, faults: &mut expander.faults };
    let PlanDocument { mut heading, jobs, guards, overrides } = document::read(root, &mut reader);
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
