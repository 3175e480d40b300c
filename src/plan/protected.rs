//! `protected:` of a plan or a policy: listed, or in CSV files.
//!
//! In: the node under that key. Out: the list of [`Protected`] targets, and faults. Must not: lose an entry: what cannot
//! be understood is a fault, because it would protect nothing.

use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;

use super::identifier::{self, NotAnId};
use super::reader::{Entry as Key, Reader};
use super::source::Source;
use super::table::{At, Table};
use super::targets::in_the_plan;
use super::vocabulary::Meaning;
use super::yaml::{Node, Value};
use super::{CSV_LIMIT, Input, shown};
use crate::catalog::{IdKind, fold};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::protected::{Entry, Protected};

/// Reads a list of entries and files, or one of either.
pub fn read<'s>(node: &'s Node, folder: &Path, reader: &mut Reader<'s, '_>, inputs: &mut Vec<Input>) -> Protected {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let file: Arc<str> = reader.source.name.as_str().into();
    let mut entries = Vec::new();
    for item in items {
        match &item.value {
            Value::Map(_) => inputs.extend(read_file(item, folder, reader, &mut entries)),
            _ => {
                let Some(text) = reader.text(item, "a protected target") else { continue };
                match entry(text) {
                    Ok(()) => entries.push(Entry { text: text.into(), file: Arc::clone(&file), line: item.span.line }),
                    Err((message, help)) => reader.fault(&item.span, "bad-pattern", message, Some(help)),
                }
            }
        }
    }
    entries.into()
}

/// Whether it protects some targets, and not all there are.
fn entry(text: &str) -> Result<(), (String, String)> {
    if text.bytes().all(|byte| byte == b'*') {
        let message = format!("`{}` protects everything, so that nothing could be done", shown(text));
        return Err((message, "write what they have in common, such as VIP-* or *@board.contoso.com".into()));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '?' | '[' | ']' | '^' | '$' | '\\' | '|')) {
        let message = format!("`{}` is no pattern: only `*` has a meaning, any text", shown(text));
        return Err((message, "write the whole value, or put `*` in place of what may differ".into()));
    }
    Ok(())
}

fn read_file<'s>(
    node: &'s Node,
    folder: &Path,
    reader: &mut Reader<'s, '_>,
    entries: &mut Vec<Entry>,
) -> Option<Input> {
    let mut file = None;
    let mut named = false;
    for Key { value, .. } in reader.map_of(node, "`protected`", &["csv"])? {
        named = true;
        file = reader.text(value, "`csv`").map(|name| (name, value));
    }
    if !named {
        let help = Some("write `csv: FILE`, or list the targets".into());
        reader.fault(&node.span, "missing-key", "the key `csv` is missing", help);
    }
    let (name, at) = file?;
    let path = folder.join(name);
    let table = match Source::read(&path, CSV_LIMIT).and_then(Table::new) {
        Ok(table) => table,
        Err(fault) => {
            reader.faults.push(in_the_plan(*fault, &path, reader.source, at));
            return None;
        }
    };
    read_table(&table, &path, entries, reader.faults)
}

/// A column that says who a target is.
struct Column {
    field: usize,
    name: String,
    /// What it means.
    word: &'static str,
    kind: IdKind,
}

fn read_table(table: &Table, path: &Path, entries: &mut Vec<Entry>, faults: &mut Diagnostics) -> Option<Input> {
    let mut rows = table.rows();
    let mut record = StringRecord::new();
    let header = next(&mut rows, &mut record, faults)?;
    let (columns, unused_columns) = columns(&record);
    let width = record.len();
    if columns.is_empty() {
        let message = "no column of this file says who is protected";
        faults.push(Diagnostic::error("no-id-column", message).at(table.row(header)).help(
            "name one of them id, managedDeviceId, userPrincipalName, deviceName, displayName, serialNumber or azureADDeviceId",
        ));
        return None;
    }
    let file: Arc<str> = table.source.name.as_str().into();
    let mut count = 0;
    while let Some(at) = next(&mut rows, &mut record, faults) {
        count += 1;
        if record.len() != width {
            let message = format!("row {}: {} cells, and the header has {width}", at.line, record.len());
            faults.push_error_with(|| Diagnostic::error("ragged-row", message).at(table.row(at)));
            continue;
        }
        let (before, told) = (entries.len(), faults.errors());
        for column in &columns {
            let cell = record.get(column.field).unwrap_or_default().trim();
            match judge(cell, column.kind) {
                _ if cell.is_empty() => {}
                Ok(()) => entries.push(Entry { text: cell.into(), file: Arc::clone(&file), line: at.line }),
                Err((message, help)) => {
                    let place = || table.cell(at, column.field, &column.name);
                    let message = format!("row {}, column `{}`: {message}", at.line, shown(&column.name));
                    faults.push_error_with(|| Diagnostic::error("bad-pattern", message).at(place()).help(help));
                }
            }
        }
        if entries.len() == before && faults.errors() == told {
            let message = format!("row {}: it protects nothing", at.line);
            let help = "fill in one of the columns, or take the row out";
            faults.push_error_with(|| Diagnostic::error("no-entry", message).at(table.row(at)).help(help));
        }
    }
    let fingerprint = table.source.fingerprint;
    let used = columns.into_iter().map(|column| (column.name, column.word)).collect();
    Some(Input {
        file: path.to_owned(),
        format: table.format(),
        rows: count,
        fingerprint,
        columns: used,
        unused_columns,
    })
}

fn next(rows: &mut super::table::Rows<'_>, record: &mut StringRecord, faults: &mut Diagnostics) -> Option<At> {
    rows.read(record).unwrap_or_else(|fault| {
        faults.push(*fault);
        None
    })
}

/// The columns that say who, and the names of the others.
fn columns(header: &StringRecord) -> (Vec<Column>, Vec<String>) {
    let (mut used, mut unused) = (Vec::new(), Vec::new());
    for (field, name) in header.iter().map(str::trim).enumerate() {
        let meaning = Meaning::of_header(name, &[]);
        let kind = match meaning {
            Some(Meaning::Id(id)) => Some((meaning, id.kind)),
            // A group, or whose devices: it stands for several targets, and no read of one of them shows it.
            Some(Meaning::Selector(selector)) if selector.form.is_many() => None,
            Some(Meaning::UserPrincipalName(_) | Meaning::AnyId | Meaning::Selector(_)) => {
                Some((meaning, IdKind::Opaque))
            }
            // What the portals write in the export of a group's members.
            _ if fold(name) == "displayname" => Some((None, IdKind::Opaque)),
            _ => None,
        };
        match kind {
            Some((meaning, kind)) => {
                let word = meaning.map_or("displayName", Meaning::name);
                used.push(Column { field, name: name.to_owned(), word, kind });
            }
            None if name.is_empty() => {}
            None => unused.push(name.to_owned()),
        }
    }
    (used, unused)
}

fn judge(cell: &str, kind: IdKind) -> Result<(), (String, String)> {
    if identifier::is_spreadsheet_number(cell) {
        let message = format!("`{}` is a number that a spreadsheet has rounded; the id is lost", shown(cell));
        return Err((message, "format the column as text, and export it again".into()));
    }
    if kind != IdKind::Opaque && !cell.contains('*') {
        return identifier::spell(kind, cell, &mut String::new()).map_err(|NotAnId { reason, help }| {
            (format!("`{}`: {reason}", shown(cell)), help.unwrap_or("correct it; it would protect nothing").into())
        });
    }
    entry(cell)
}
