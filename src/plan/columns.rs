//! The header of a CSV file, column by column.
//!
//! In: the header row, and the `columns:` of the plan where it has some. Out: a [`Layout`], which says where in a row
//! to find what. Must not: read rows, or pass over a column that nobody said to leave out.

use std::sync::Arc;

use csv::StringRecord;

use super::filter::Filter;
use super::shown;
use super::source::{Source, Span};
use super::table::{At, Table};
use super::vocabulary::{self, Meaning};
use crate::catalog::{ACTIONS, Action, IdName, Selector, fold, id_named, selector_named};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};

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
    pub action: Option<usize>,
    pub not_before: Option<usize>,
    /// Somebody else keeps the file, and a blank day in it means that nobody knows it yet.
    pub wants_day: bool,
    pub note: Option<usize>,
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
            Meaning::Route => self.route = Some(field),
            Meaning::Parameter(name) => self.parameters.push((field, name)),
        }
    }

    /// Whether a row can say what it acts on.
    fn points_at_targets(&self) -> bool {
        !self.ids.is_empty() || self.any_id.is_some() || !self.selectors.is_empty()
    }
}

/// `columns:` of a plan: keys of ours and headers of the file, both with their places in the plan.
#[derive(Debug)]
pub struct Mapping<'p> {
    pub plan: &'p Source,
    pub entries: Vec<(Meaning, Span, &'p str, Span)>,
}

/// What a CSV file is.
#[derive(Debug, Clone, Copy)]
pub enum Role<'p> {
    /// A plan by itself, with an action in every row.
    Plan,
    /// The targets of one job of a YAML plan.
    Targets(Option<&'p Mapping<'p>>),
}

/// The layout that `header` describes, and the columns that are not used. `own`: actions that the plan defines.
pub fn recognise(
    table: &Table,
    header: &StringRecord,
    at: At,
    role: Role<'_>,
    own: &[&'static Action],
    faults: &mut Diagnostics,
) -> (Layout, Vec<String>) {
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut layout = Layout { names, ..Layout::default() };
    if layout.names.len() > MAX_COLUMNS {
        let message = format!("the file has {} columns; a plan has {MAX_COLUMNS} at most", layout.names.len());
        faults.push(Diagnostic::error("too-large", message).at(table.cell(at, 0, "")));
        return (layout, Vec::new());
    }
    let unused = match role {
        Role::Targets(Some(mapping)) => mapped(table, mapping, &mut layout, faults),
        Role::Plan | Role::Targets(None) => {
            by_name(table, at, &mut layout, own, faults);
            Vec::new()
        }
    };
    match (role, layout.action) {
        (Role::Plan, None) => faults.push(
            Diagnostic::error("missing-column", "the column `action` is missing")
                .at(table.row(at))
                .help("a CSV plan names the action in every row; or list this file under `targets:` of a YAML plan"),
        ),
        (Role::Targets(_), Some(field)) => faults.push(
            Diagnostic::error("unknown-column", "a list of targets has no column `action`")
                .at(table.cell(at, field, &layout.names[field]))
                .help("the job says what to do; run the file as a plan by itself, or map its columns with `columns:`"),
        ),
        _ => {}
    }
    if !layout.points_at_targets() {
        layout.told_without_ids = true;
        faults.push(
            Diagnostic::error("missing-column", "no column points at the targets")
                .at(table.row(at))
                .help("add the column `id`, or the one that the action's URL names (managedDeviceId, userId, …)"),
        );
    }
    (layout, unused)
}

fn by_name(table: &Table, at: At, layout: &mut Layout, own: &[&'static Action], faults: &mut Diagnostics) {
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

fn mapped(table: &Table, mapping: &Mapping<'_>, layout: &mut Layout, faults: &mut Diagnostics) -> Vec<String> {
    let mut used = vec![false; layout.names.len()];
    for (meaning, _, header, span) in &mapping.entries {
        let wanted = fold(header);
        let mut fields = (0..layout.names.len()).filter(|field| fold(&layout.names[*field]) == wanted);
        match (fields.next(), fields.next()) {
            (Some(field), None) => {
                used[field] = true;
                layout.add(field, *meaning);
                layout.wants_day |= layout.not_before == Some(field);
            }
            (Some(_), Some(_)) => faults.push(
                Diagnostic::error(
                    "duplicate-column",
                    format!("two columns of the file are called `{}`", shown(header)),
                )
                .at(mapping.plan.place(span))
                .help(format!("rename one of them in {}", table.source.name)),
            ),
            (None, _) => {
                let names = layout.names.iter().map(String::as_str).filter(|name| !name.is_empty());
                let help = match did_you_mean(header, names.clone()) {
                    Some(near) => format!("did you mean `{}`?", shown(near)),
                    None => format!("its columns are {}", shown(&names.take(20).collect::<Vec<_>>().join(", "))),
                };
                let message = format!("{} has no column `{}`", table.source.name, shown(header));
                faults.push(Diagnostic::error("missing-column", message).at(mapping.plan.place(span)).help(help));
            }
        }
    }
    let unused = layout.names.iter().zip(used).filter(|(name, used)| !used && !name.is_empty());
    unused.map(|(name, _)| name.clone()).collect()
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
