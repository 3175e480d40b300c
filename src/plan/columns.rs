//! The header of a CSV file, column by column.
//!
//! In: the header row, and the `columns:` of the plan where it has some. Out: a [`Layout`], which says where in a row
//! to find what. Must not: read rows, or pass over a column that nobody said to leave out.

use std::sync::Arc;

use csv::StringRecord;

use super::dialect::{self, Dialect};
use super::expand::Row;
use super::filter::Filter;
use super::mapping::{self, Mapping};
use super::table::{At, Table};
use super::vocabulary::{self, Meaning};
use crate::catalog::{ACTIONS, Action, IdName, Selector, TargetKind, fold, id_named, selector_named};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::text::shown;

/// Columns of one file, at most: more is a file of another kind.
pub const MAX_COLUMNS: usize = 1_000;

/// Which field of a row (or of a target in YAML) holds what.
#[derive(Debug, Default)]
pub struct Layout {
    /// Names as the user spells them.
    pub names: Vec<String>,
    pub ids: Vec<(usize, IdName, Spelling)>,
    pub any_id: Option<usize>,
    pub selectors: Vec<(usize, &'static Selector)>,
    /// Of a target in YAML: which devices of the inventory are meant.
    pub filter: Option<Arc<Filter>>,
    /// There was one, and a fault has been told.
    pub refused_filter: bool,
    pub parameters: Vec<(usize, &'static str)>,
    /// Of the parameters: those that a blank cell clears.
    pub cleared: Vec<&'static str>,
    pub action: Option<usize>,
    pub not_before: Option<usize>,
    /// Somebody else keeps the file, and a blank day in it means that nobody knows it yet.
    pub wants_day: bool,
    pub note: Option<usize>,
    pub priority: Option<usize>,
    pub route: Option<usize>,
    /// Columns without a header; nothing may stand in them.
    pub nameless: Vec<usize>,
    /// No column points at targets, and a fault at the header says so: rows need not repeat it.
    pub told_without_ids: bool,
}

/// How a user id is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Id,
    /// `userPrincipalName`, which is only a selector where the action is not bound to a user.
    PrincipalName,
}

impl Layout {
    /// Puts the next field to its meaning.
    pub fn add(&mut self, field: usize, meaning: Meaning) {
        match meaning {
            Meaning::Action => self.action = Some(field),
            Meaning::Id(id) => self.ids.push((field, id, Spelling::Id)),
            Meaning::UserPrincipalName(id) => self.ids.push((field, id, Spelling::PrincipalName)),
            Meaning::AnyId => self.any_id = Some(field),
            Meaning::Selector(selector) => self.selectors.push((field, selector)),
            Meaning::NotBefore => self.not_before = Some(field),
            Meaning::Note => self.note = Some(field),
            Meaning::Priority => self.priority = Some(field),
            Meaning::Route => self.route = Some(field),
            Meaning::Parameter(name) => self.parameters.push((field, name)),
        }
    }

    /// The columns that count, in their order, and what they mean.
    pub fn used(&self) -> Vec<(usize, &'static str)> {
        let ids = self.ids.iter().map(|(field, id, spelling)| match spelling {
            Spelling::Id => (*field, id.name),
            Spelling::PrincipalName => (*field, "userPrincipalName"),
        });
        let selectors = self.selectors.iter().map(|(field, selector)| (*field, selector.name));
        let words = [
            (self.action, "action"),
            (self.any_id, "id"),
            (self.not_before, "notBefore"),
            (self.note, "note"),
            (self.route, "route"),
        ];
        let words = words.into_iter().filter_map(|(field, word)| Some((field?, word)));
        let mut used: Vec<_> = ids.chain(selectors).chain(words).chain(self.parameters.iter().copied()).collect();
        used.sort_unstable();
        used
    }

    /// The parameters that `row` gives: where they stand, their names, and what is written there.
    pub fn given<'r>(&'r self, row: &'r impl Row) -> impl Iterator<Item = (usize, &'static str, &'r str)> {
        let cells = self.parameters.iter().map(|(field, name)| (*field, *name, row.field(*field)));
        cells.filter(|(_, name, cell)| !cell.is_empty() || self.cleared.contains(name))
    }

    /// Whether a row can say what it acts on.
    fn points_at_targets(&self) -> bool {
        !self.ids.is_empty() || self.any_id.is_some() || !self.selectors.is_empty()
    }
}

/// What a CSV file is.
#[derive(Debug, Clone, Copy)]
pub enum Role<'p> {
    /// A plan by itself, with an action in every row.
    Plan,
    /// The targets of one job of a YAML plan, whose first step acts on that kind.
    Targets {
        mapping: Option<&'p Mapping<'p>>,
        kind: Option<TargetKind>,
        /// Parameters that a blank cell clears.
        cleared: &'p [&'static str],
    },
}

impl Role<'_> {
    /// Whether the first row is a row like any other.
    pub fn has_no_header(self) -> bool {
        matches!(self, Self::Targets { mapping: Some(mapping), .. } if mapping.by_number())
    }
}

/// How a file was understood.
#[derive(Debug, Default)]
pub struct Understood {
    pub layout: Layout,
    /// Columns that are not used, as the file spells them.
    pub unused: Vec<String>,
    /// What wrote the file, if that shows.
    pub dialect: Option<&'static str>,
}

/// What `header` says of the columns. Of a file without one, it is the first row. `own`: actions that the plan defines.
pub fn recognise(
    table: &Table,
    header: &StringRecord,
    at: At,
    role: Role<'_>,
    own: &[&'static Action],
    faults: &mut Diagnostics,
) -> Understood {
    let name = |(index, cell): (usize, &str)| match role.has_no_header() {
        true => format!("column {}", index + 1),
        false => cell.trim().to_owned(),
    };
    let names: Vec<String> = header.iter().enumerate().map(name).collect();
    let mut layout = Layout { names, ..Layout::default() };
    if layout.names.len() > MAX_COLUMNS {
        let message = format!("the file has {} columns; a plan has {MAX_COLUMNS} at most", layout.names.len());
        faults.push(Diagnostic::error("too-large", message).at(table.cell(at, 0, "")));
        return Understood { layout, ..Understood::default() };
    }
    let (unused, dialect) = match role {
        Role::Targets { mapping: Some(mapping), .. } => (mapping::apply(table, mapping, &mut layout, faults), None),
        Role::Targets { mapping: None, .. } if table.is_template => by_template(&mut layout),
        Role::Targets { mapping: None, kind, .. } => match dialect::of(&layout.names) {
            Some(dialect) => by_dialect(table, at, dialect, kind, &mut layout, faults),
            None => (by_name(table, at, &mut layout, own, faults), None),
        },
        Role::Plan => (by_name(table, at, &mut layout, own, faults), None),
    };
    match (role, layout.action) {
        (Role::Plan, None) => faults.push(
            Diagnostic::error("missing-column", "the column `action` is missing")
                .at(table.row(at))
                .help("a CSV plan names the action in every row; or list this file under `targets:` of a YAML plan"),
        ),
        (Role::Targets { .. }, Some(field)) => faults.push(
            Diagnostic::error("unknown-column", "a list of targets has no column `action`")
                .at(table.cell(at, field, &layout.names[field]))
                .help("the job says what to do; run the file as a plan by itself, or map its columns with `columns:`"),
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
            Diagnostic::error("missing-column", "no column points at the targets")
                .at(table.row(at))
                .help("add the column `id`, or the one that the action's URL names (managedDeviceId, userId, …)"),
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
    table: &Table,
    at: At,
    dialect: &'static Dialect,
    kind: Option<TargetKind>,
    layout: &mut Layout,
    faults: &mut Diagnostics,
) -> (Vec<String>, Option<&'static str>) {
    let target = kind.map(|kind| (kind, dialect.target(&layout.names, kind)));
    if let Some((kind, None)) = target {
        layout.told_without_ids = true;
        let message = format!("this looks like an {}, and no column of it points at a {}", dialect.name, kind.name());
        faults.push(
            Diagnostic::error("missing-column", message)
                .at(table.row(at))
                .help("name the column with `columns:` in the plan"),
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

fn by_name(
    table: &Table,
    at: At,
    layout: &mut Layout,
    own: &[&'static Action],
    faults: &mut Diagnostics,
) -> Vec<String> {
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
    let fault = Diagnostic::error("unknown-column", format!("the column `{}` means nothing here", shown(name)));
    let remedy = "remove it, or name the columns to read with `columns:` in a YAML plan";
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

/// Words that can stand on the left side of `columns:`.
pub fn mappable(key: &str, own: &[&'static Action]) -> Option<Meaning> {
    match key.strip_prefix("with.") {
        Some(name) => ACTIONS
            .iter()
            .chain(own.iter().copied())
            .flat_map(|action| action.parameters)
            .find(|parameter| parameter.name == name)
            .map(|parameter| Meaning::Parameter(parameter.name)),
        None => Meaning::of_key(key, own).filter(|meaning| *meaning != Meaning::Action),
    }
}
