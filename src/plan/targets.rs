//! `targets:` of a job: listed in the plan, or in a CSV file beside it.
//!
//! In: the node, and the work that each target gets. Out: jobs and faults in an [`Expander`], and the files read.
//! Must not: decide what a target's fields mean; rows of both kinds go the same way through `expand`.

use std::path::Path;

use super::blank;
use super::columns::Role;
use super::document::{Entries, read_route, with_settings};
use super::expand::{Expander, MAX_JOBS, TargetRow};
use super::filter;
use super::input::{CSV_LIMIT, Input, in_the_plan, read_file};
use super::layout::Layout;
use super::mapping;
use super::rows::{self, CsvFile};
use super::vocabulary::{self, Meaning};
use super::work::PlannedWork;
use crate::catalog::Action;
use crate::diagnostics::{Place, did_you_mean};
use crate::source::Source;
use crate::yaml::{Entry, Node, Reader, Value};

/// Makes the jobs of one item of `jobs:`.
pub(super) fn expand(
    job: &Entries<'_>,
    plan: &Source,
    folder: &Path,
    expander: &mut Expander,
    inputs: &mut Vec<Input>,
) {
    match job.targets.map(|node| (node, &node.value)) {
        Some((_, Value::List(items))) => listed(job, items, plan, expander),
        Some((node, Value::Map(_))) => inputs.extend(in_a_file(job, node, plan, folder, expander)),
        Some((node, _)) => {
            let mut reader = Reader { source: plan, faults: &mut expander.faults };
            reader.wrong_type(node, "`targets`", "a list, or a map with `csv`", None);
        }
        None => {}
    }
}

fn listed(job: &Entries<'_>, items: &[Node], plan: &Source, expander: &mut Expander) {
    let with_of_its_own = |item: &Node| match &item.value {
        Value::Map(entries) => entries.iter().any(|(key, _)| matches!(&key.value, Value::Text(name) if name == "with")),
        _ => false,
    };
    let some_have_their_own = items.iter().any(with_of_its_own);
    if !some_have_their_own {
        expander.report_lacking_everywhere(&job.work, |_| false);
    }
    expander.places.begin(&plan.name);
    for item in items {
        if expander.rows() > MAX_JOBS {
            return;
        }
        let Some(target) = read_target(job, item, plan, expander) else { continue };
        if let Some(work) = &target.work {
            expander.report_lacking_everywhere(work, |_| false);
        } else if some_have_their_own {
            let work = PlannedWork { place: Some(plan.place(&item.span)), ..job.work.clone() };
            expander.report_lacking_everywhere(&work, |_| false);
        }
        expander.add(target.work.as_ref().unwrap_or(&job.work), &target.layout, &target.row, None);
    }
}

/// An item of a list of targets.
struct ListedTarget<'s> {
    /// For work of its own. Not made of its place: all that comes through one alias stands in one place.
    number: usize,
    /// The job's work with the target's own parameters and route, if it has some.
    work: Option<PlannedWork>,
    layout: Layout,
    row: ItemRow<'s>,
}

struct ItemRow<'s> {
    plan: &'s Source,
    node: &'s Node,
    fields: Vec<(&'s str, &'s Node)>,
}

impl TargetRow for ItemRow<'_> {
    fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", |(text, _)| *text)
    }

    fn place(&self, field: Option<usize>) -> Place {
        let node = field.and_then(|index| self.fields.get(index)).map_or(self.node, |(_, node)| *node);
        self.plan.place(&node.span)
    }

    fn prefix(&self, _: Option<usize>) -> String {
        String::new()
    }

    fn line(&self) -> u32 {
        self.node.span.line
    }
}

fn read_target<'s>(
    job: &Entries<'_>,
    item: &'s Node,
    plan: &'s Source,
    expander: &mut Expander,
) -> Option<ListedTarget<'s>> {
    let number = expander.fresh_number();
    let mut reader = Reader { source: plan, faults: &mut expander.faults };
    if let Value::Text(text) = &item.value {
        let key = job.work.steps.first().map_or("id", |step| step.action.default_route().ids[0].name);
        let message = format!("a target must be a map, not the text `{}`", crate::text::shown(text));
        reader.fault(
            &item.span,
            "wrong-type",
            message,
            Some(format!("write its kind: `{key}: {}`", crate::text::shown(text))),
        );
        return None;
    }
    let entries = reader.map(item, "a target")?;
    let mut target = ListedTarget {
        number,
        work: None,
        layout: Layout::default(),
        row: ItemRow { plan, node: item, fields: Vec::new() },
    };
    let mut seen: Vec<(Meaning, &str)> = Vec::new();
    let own = job.work.own_actions();
    for entry in entries {
        let Entry { name, value, .. } = entry;
        match Meaning::of_key(name, &own) {
            _ if name == "filter" => {
                target.layout.filter = filter::read(value, &mut reader);
                target.layout.refused_filter = target.layout.filter.is_none();
            }
            _ if name == "with" => own_parameters(job, item, value, &mut target, &mut reader),
            Some(Meaning::Route) => own_route(job, item, value, &mut target, &mut reader),
            None | Some(Meaning::Action | Meaning::Parameter(_)) => unknown_key(&entry, &own, &mut reader),
            Some(meaning) => {
                if let Some((_, earlier)) = seen.iter().find(|(seen, _)| *seen == meaning) {
                    let message = format!("`{earlier}` and `{name}` mean the same");
                    reader.fault(&entry.key.span, "duplicate-key", message, Some("keep one of them".into()));
                    continue;
                }
                seen.push((meaning, name));
                let text = match (&value.value, meaning) {
                    (Value::Number(text), Meaning::Priority) => Some(text.as_str()),
                    _ => reader.text(value, &format!("`{name}`")),
                };
                if let Some(text) = text {
                    target.layout.add(target.row.fields.len(), meaning);
                    target.row.fields.push((text, value));
                } else {
                    target.layout.told_without_ids = true;
                }
            }
        }
    }
    Some(target)
}

fn own_work<'t>(
    job: &Entries<'_>,
    item: &Node,
    target: &'t mut ListedTarget<'_>,
    plan: &Source,
) -> &'t mut PlannedWork {
    target.work.get_or_insert_with(|| PlannedWork {
        number: target.number,
        place: Some(plan.place(&item.span)),
        ..job.work.clone()
    })
}

fn own_parameters<'s>(
    job: &Entries<'_>,
    item: &'s Node,
    with: &'s Node,
    target: &mut ListedTarget<'s>,
    reader: &mut Reader<'s, '_>,
) {
    if !job.work.whole {
        return;
    }
    let steps = own_work(job, item, target, reader.source).steps.clone();
    let steps = with_settings(&steps, with, reader);
    own_work(job, item, target, reader.source).steps = steps;
}

fn own_route<'s>(
    job: &Entries<'_>,
    item: &'s Node,
    node: &'s Node,
    target: &mut ListedTarget<'s>,
    reader: &mut Reader<'s, '_>,
) {
    if !job.work.whole {
        return;
    }
    let work = own_work(job, item, target, reader.source);
    match work.steps.as_mut_slice() {
        [step] => {
            step.route = read_route(node, step.action, reader);
            work.whole = step.route.is_some();
        }
        _ => {
            let message = "with several steps, write `route` in each step, not in the target";
            reader.fault(&node.span, "no-route", message, None);
        }
    }
}

fn unknown_key(entry: &Entry<'_>, own: &[&'static Action], reader: &mut Reader<'_, '_>) {
    let known: Vec<_> = vocabulary::keys_of_a_target(own).collect();
    let help = match (Meaning::of_key(entry.name, own), did_you_mean(entry.name, known.iter().copied())) {
        (Some(Meaning::Parameter(name)), _) => {
            format!("parameters of a target stand under `with:`: `with: {{ {name}: … }}`")
        }
        (_, Some(near)) => format!("did you mean `{near}`?"),
        _ => format!("known are {}", known.join(", ")),
    };
    let message = format!("a target has no key `{}`", crate::text::shown(entry.name));
    reader.fault(&entry.key.span, "unknown-key", message, Some(help));
}

fn in_a_file(job: &Entries<'_>, node: &Node, plan: &Source, folder: &Path, expander: &mut Expander) -> Option<Input> {
    let mut reader = Reader { source: plan, faults: &mut expander.faults };
    let own = job.work.own_actions();
    let (mut file, mut mapping, mut cleared) = (None, None, Vec::new());
    let mut named = false;
    for Entry { name, value, .. } in reader.map_of(node, "`targets`", &["csv", "columns", "blank"])? {
        match name {
            "csv" => {
                named = true;
                file = reader.text(value, "`csv`").map(|name| (name, value));
            }
            "blank" => cleared = blank::read(value, &job.work, &mut reader),
            _ => mapping = Some(mapping::read(value, plan, &own, &mut reader)),
        }
    }
    if !named {
        let help = Some("write `csv: FILE`, or list the targets".into());
        reader.fault(&node.span, "missing-key", "the key `csv` is missing", help);
    }
    let (name, at) = file?;
    let path = folder.join(name);
    let source = match read_file(&path, CSV_LIMIT) {
        Ok(source) => source,
        Err(fault) => {
            expander.faults.push(in_the_plan(*fault, &path, plan, at));
            return None;
        }
    };
    let kind = job.work.steps.first().map(|step| step.action.target);
    let role = Role::Targets { mapping: mapping.as_ref(), kind, own: &own, cleared: &cleared };
    rows::expand_targets(CsvFile { source, path: &path, role }, &job.work, expander)
}
