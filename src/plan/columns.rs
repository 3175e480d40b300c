//! The header of a CSV file, column by column.
//!
//! In: the header row, and the `columns:` of the plan where it has some. Out: a [`Layout`], which says where in a row
//! to find what. Must not: read rows, or pass over a column that nobody said to leave out.

use csv::StringRecord;

use super::dialect::{self, Dialect};
use super::layout::{Layout, MAX_COLUMNS};
use super::mapping::{self, Mapping};
use super::table::{At, CsvTable};
use super::vocabulary::{self, Meaning};
use crate::catalog::{Action, TargetKind, fold, id_named, selector_named};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::text::shown;

/// What a CSV file is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'p> {
    /// A plan by itself, with an action in every row.
    Plan,
    /// The targets of one job of a YAML plan, whose first step acts on that kind.
    Targets {
        mapping: Option<&'p Mapping<'p>>,
        kind: Option<TargetKind>,
        /// Actions that the plan defines.
        own: &'p [&'static Action],
        /// Parameters that a blank cell clears.
        cleared: &'p [&'static str],
    },
}

impl Role<'_> {
    /// Whether the first row is a row like any other.
    pub(super) fn has_no_header(self) -> bool {
        matches!(self, Self::Targets { mapping: Some(mapping), .. } if mapping.by_number())
    }
}

/// How a file was understood.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub layout: Layout,
    /// Columns that are not used, as the file spells them.
    pub unused: Vec<String>,
    /// What wrote the file, if that shows.
    pub dialect: Option<&'static str>,
}

/// The first row of a file: its header, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Header<'t> {
    pub table: &'t CsvTable,
    pub record: &'t StringRecord,
    pub at: At,
}

/// What `header` says of the columns.
pub(super) fn recognise(header: Header<'_>, role: Role<'_>, faults: &mut Diagnostics) -> Understood {
    let Header { table, record, at } = header;
    let name = |(index, cell): (usize, &str)| match role.has_no_header() {
        true => format!("column {}", index + 1),
        false => cell.trim().to_owned(),
    };
    let names: Vec<String> = record.iter().enumerate().map(name).collect();
    let mut layout = Layout { names, ..Layout::default() };
    if layout.names.len() > MAX_COLUMNS {
        let message = format!("the file has {} columns; a plan has {MAX_COLUMNS} at most", layout.names.len());
        faults.push(Diagnostic::error("too-large", message).at(table.cell(at, 0, "")));
        return Understood { layout, ..Understood::default() };
    }
    let (unused, dialect) = match role {
        Role::Targets { mapping: Some(mapping), .. } => (mapping::apply(table, mapping, &mut layout, faults), None),
        Role::Targets { mapping: None, .. } if table.is_template => by_template(&mut layout),
        Role::Targets { mapping: None, kind, own, .. } => match dialect::of(&layout.names) {
            Some(dialect) => by_dialect(header, dialect, kind, &mut layout, faults),
            None => (by_name(header, &mut layout, own, faults), None),
        },
        Role::Plan => (by_name(header, &mut layout, &[], faults), None),
    };
    match (role, layout.action) {
        (Role::Plan, None) => faults.push(
            Diagnostic::error("missing-column", "the column `action` is missing")
                .at(table.row(at))
                .help("add the column to the CSV plan, or list this file under `targets:` of a YAML plan"),
        ),
        (Role::Targets { .. }, Some(field)) => faults.push(
            Diagnostic::error("unknown-column", "a list of targets cannot have a column `action`")
                .at(table.cell(at, field, &layout.names[field]))
                .help("run the file itself as a plan, or choose its columns with `columns:`"),
        ),
        _ => {}
    }
    if let Role::Targets { cleared, .. } = role {
        layout.cleared = cleared.to_vec();
        for name in cleared.iter().filter(|name| !layout.parameters.iter().any(|(_, column)| column == *name)) {
            let message = format!("`blank` clears `{name}`, and the file has no such column");
            faults.push(Diagnostic::error("missing-column", message).at(table.row(at)));
        }
    }
    if !layout.points_at_targets() && !layout.told_without_ids {
        layout.told_without_ids = true;
        faults.push(
            Diagnostic::error("missing-column", "no column identifies the targets")
                .at(table.row(at))
                .help("add a column `id`, or one named as in the URL of the action (managedDeviceId, userId, …)"),
        );
    }
    Understood { layout, unused, dialect }
}

/// Only what points at a target counts; the rest of such a file is for somebody else.
fn by_template(layout: &mut Layout) -> (Vec<String>, Option<&'static str>) {
    let mut unused = Vec::new();
    for field in 0..layout.names.len() {
        match dialect::of_template(&layout.names[field]) {
            Some(meaning) => layout.add(field, meaning),
            None if layout.names[field].is_empty() => {}
            None => unused.push(layout.names[field].clone()),
        }
    }
    (unused, Some("Entra bulk template"))
}

fn by_dialect(
    header: Header<'_>,
    dialect: &'static Dialect,
    kind: Option<TargetKind>,
    layout: &mut Layout,
    faults: &mut Diagnostics,
) -> (Vec<String>, Option<&'static str>) {
    let target = kind.map(|kind| (kind, dialect.target(&layout.names, kind)));
    if let Some((kind, None)) = target {
        layout.told_without_ids = true;
        let message =
            format!("this looks like an {}, and none of its columns identifies a {}", dialect.name, kind.name());
        faults.push(
            Diagnostic::error("missing-column", message)
                .at(header.table.row(header.at))
                .help("choose the column with `columns:` in the plan"),
        );
    }
    let used = target.and_then(|(_, found)| found);
    if let Some((field, meaning)) = used {
        layout.add(field, meaning);
    }
    let is_unused = |(field, name): &(usize, &String)| used.map(|(used, _)| used) != Some(*field) && !name.is_empty();
    let unused = layout.names.iter().enumerate().filter(is_unused).map(|(_, name)| name.clone()).collect();
    (unused, Some(dialect.name))
}

fn by_name(header: Header<'_>, layout: &mut Layout, own: &[&'static Action], faults: &mut Diagnostics) -> Vec<String> {
    let Header { table, at, .. } = header;
    let mut seen: Vec<(Meaning, usize)> = Vec::new();
    for field in 0..layout.names.len() {
        let name = layout.names[field].clone();
        let Some(meaning) = Meaning::of_header(&name, own) else {
            if name.is_empty() {
                layout.nameless.push(field);
            } else {
                faults.push_error_with(|| unknown(&name, own).at(table.cell(at, field, &name)));
            }
            continue;
        };
        match seen.iter().find(|(earlier, _)| *earlier == meaning) {
            Some((_, earlier)) => faults.push_error_with(|| {
                let message =
                    format!("the columns `{}` and `{}` mean the same", shown(&layout.names[*earlier]), shown(&name));
                Diagnostic::error("duplicate-column", message)
                    .at(table.cell(at, field, &name))
                    .label(format!("both are `{}`", meaning.name()))
                    .help("remove one of them")
            }),
            None => {
                seen.push((meaning, field));
                layout.add(field, meaning);
            }
        }
    }
    Vec::new()
}

fn unknown(name: &str, own: &[&'static Action]) -> Diagnostic {
    let fault = Diagnostic::error("unknown-column", format!("the column `{}` has no meaning here", shown(name)));
    let remedy = "remove it, or choose the columns to read with `columns:` in a YAML plan";
    // One id must not be taken for another because their names look alike.
    let is_near = |word: &&str| {
        let names_a_target = id_named(word).is_some() || selector_named(word).is_some();
        !names_a_target || strsim::normalized_damerau_levenshtein(&fold(name), &fold(word)) > 0.85
    };
    match did_you_mean(name, vocabulary::known(own)).filter(is_near) {
        Some(word) => fault.help(format!("did you mean `{word}`? Otherwise {remedy}")),
        None => fault.help(remedy),
    }
}
