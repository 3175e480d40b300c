//! `columns:` of a plan: which column of a file is which.
//!
//! In: the map in the plan, and the header of the file, if it has one. Out: a [`Mapping`], and fields in a [`Layout`].
//! Must not: guess; a column that is not there is a fault in the plan.

use super::layout::{Layout, MAX_COLUMNS};
use super::table::CsvTable;
use super::vocabulary::{self, Meaning, mappable};
use crate::catalog::{Action, fold};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::{Source, Span};
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

/// Keys of ours and columns of the file, with their places in the plan.
#[derive(Debug)]
pub(super) struct Mapping<'p> {
    pub plan: &'p Source,
    pub entries: Vec<(Meaning, ColumnName<'p>, Span)>,
    /// Something in it was not understood, and a fault has been told.
    faulty: bool,
}

/// How a plan names a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum ColumnName<'p> {
    Header(&'p str),
    /// From 1, in a file that has no header.
    Number(usize),
}

impl Mapping<'_> {
    /// Whether columns are named by their number: then the first row is a row like any other.
    pub(super) fn by_number(&self) -> bool {
        self.entries.iter().any(|(_, column, _)| matches!(column, ColumnName::Number(_)))
    }
}

/// Reads the map.
pub(super) fn read<'s>(
    node: &'s Node,
    plan: &'s Source,
    own: &[&'static Action],
    reader: &mut Reader<'s, '_>,
) -> Mapping<'s> {
    let mut mapping: Mapping<'s> = Mapping { plan, entries: Vec::new(), faulty: false };
    for entry in reader.map(node, "`columns`").unwrap_or_default() {
        let Entry { name, key, value } = entry;
        let Some(meaning) = mappable(name, own) else {
            unknown_key(&entry, own, reader);
            mapping.faulty = true;
            continue;
        };
        if mapping.entries.iter().any(|(earlier, ..)| *earlier == meaning) {
            let message = format!("`{name}` means the same as another key here");
            reader.fault(&key.span, "duplicate-key", message, Some("keep one of them".into()));
            continue;
        }
        let column = match &value.value {
            Value::Number(_) => reader
                .number(value, "the number of a column", 1, MAX_COLUMNS as u16)
                .map(|number| ColumnName::Number(number.into())),
            _ => reader.text(value, "the name or number of a column").map(ColumnName::Header),
        };
        mapping.faulty |= column.is_none();
        mapping.entries.extend(column.map(|column| (meaning, column, value.span)));
    }
    refuse_a_mixture(&mut mapping, reader);
    mapping
}

fn unknown_key<'s>(entry: &Entry<'s>, own: &[&'static Action], reader: &mut Reader<'s, '_>) {
    if entry.name == "action" {
        let message = "a list of targets cannot have a column `action`: the job says what to do";
        return reader.fault(&entry.key.span, "unknown-key", message, None);
    }
    let known: Vec<_> = vocabulary::known(own).filter(|word| *word != "action").collect();
    reader.unknown_key(entry, "`columns`", &known);
}

fn refuse_a_mixture(mapping: &mut Mapping<'_>, reader: &mut Reader<'_, '_>) {
    let named = mapping.entries.iter().find(|(_, column, _)| matches!(column, ColumnName::Header(_)));
    if let (Some((_, _, span)), true) = (named, mapping.by_number()) {
        let message = "columns must be either all named or all numbered";
        reader.fault(span, "wrong-keys", message, Some("if the header is a number, write it in quotes".into()));
        mapping.entries.retain(|(_, column, _)| matches!(column, ColumnName::Number(_)));
        mapping.faulty = true;
    }
}

/// Puts the columns of the file to their meanings. Returns those that are not used.
pub(super) fn apply(
    table: &CsvTable,
    mapping: &Mapping<'_>,
    layout: &mut Layout,
    faults: &mut Diagnostics,
) -> Vec<String> {
    let mut used = vec![false; layout.names.len()];
    layout.told_without_ids |= mapping.faulty;
    for (meaning, column, span) in &mapping.entries {
        let field = match column {
            ColumnName::Header(header) => named(header, &layout.names, &table.source.name),
            ColumnName::Number(number) => numbered(*number, &layout.names, &table.source.name),
        };
        let field = match field {
            Ok(field) => field,
            Err(fault) => {
                faults.push(fault.at(mapping.plan.place(span)));
                layout.told_without_ids = true;
                continue;
            }
        };
        used[field] = true;
        layout.add(field, *meaning);
        layout.wants_day |= layout.not_before == Some(field);
    }
    let unused = layout.names.iter().zip(used).filter(|(name, used)| !used && !name.is_empty());
    unused.map(|(name, _)| name.clone()).collect()
}

/// The column of that name, or why there is none to take.
fn named(header: &str, names: &[String], file: &str) -> Result<usize, Box<Diagnostic>> {
    let wanted = fold(header);
    let mut fields = (0..names.len()).filter(|field| fold(&names[*field]) == wanted);
    let fault = match (fields.next(), fields.next()) {
        (Some(field), None) => return Ok(field),
        (Some(_), Some(_)) => {
            Diagnostic::error("duplicate-column", format!("two columns of the file are called `{}`", shown(header)))
                .help(format!("rename one of them in {file}"))
        }
        (None, _) => {
            let names = names.iter().map(String::as_str).filter(|name| !name.is_empty());
            let help = match did_you_mean(header, names.clone()) {
                Some(near) => format!("did you mean `{}`?", shown(near)),
                None => format!("its columns are {}", shown(&names.take(20).collect::<Vec<_>>().join(", "))),
            };
            Diagnostic::error("missing-column", format!("{file} has no column `{}`", shown(header))).help(help)
        }
    };
    Err(Box::new(fault))
}

/// The column of that number, from 1, in a file that has no header.
fn numbered(number: usize, names: &[String], file: &str) -> Result<usize, Box<Diagnostic>> {
    if number <= names.len() {
        return Ok(number - 1);
    }
    let message = format!("{file} has no column {number}: its first row has {} cells", names.len());
    Err(Box::new(Diagnostic::error("missing-column", message)))
}
