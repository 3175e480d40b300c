//! `protected:` of a plan or a policy: listed, or in CSV files.
//!
//! In: the node under that key. Out: the list of [`Protected`] targets, and faults. Must not: lose an entry: what cannot
//! be understood is a fault, because it would protect nothing.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;

use super::identifier::{self, NotAnId};
use super::input::{CSV_LIMIT, Input, in_the_plan, read_file};
use super::serial::says_nothing;
use super::table::{At, CsvTable};
use super::vocabulary::Meaning;
use crate::catalog::{IdKind, TargetKind, fold, kind_behind};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::meaning::Object;
use crate::guard::protected::{Protected, ProtectedEntry};
use crate::text::shown;
use crate::yaml::{Entry as Key, Node, Reader, Value};

/// Reads a list of entries and files, or one of either.
pub(super) fn read<'s>(
    node: &'s Node,
    folder: &Path,
    reader: &mut Reader<'s, '_>,
    inputs: &mut Vec<Input>,
) -> Protected {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let file: Arc<str> = reader.source.name.as_str().into();
    let mut entries = Vec::new();
    if items.is_empty() {
        let help = "list the protected targets, or remove `protected`";
        reader.fault(&node.span, "no-entry", "`protected` is empty, so it protects nothing", Some(help.into()));
    }
    for item in items {
        match &item.value {
            Value::Map(_) => inputs.extend(read_list(item, folder, reader, &mut entries)),
            _ => {
                let Some(text) = reader.text(item, "a protected target") else { continue };
                match entry(text) {
                    Ok(()) => entries.push(ProtectedEntry::new(text, &file, item.span.line)),
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
        let message = format!("`{}` protects everything, so nothing could be sent", shown(text));
        return Err((
            message,
            "write what the protected targets have in common, such as VIP-* or *@board.contoso.com".into(),
        ));
    }
    if let Err(NotAnId { reason, help }) = identifier::plain(text) {
        let help = help.map_or_else(|| "correct it; as it is, it protects nothing".into(), Cow::into_owned);
        return Err((format!("`{}`: {reason}", shown(text)), help));
    }
    if let Some((why, help)) = several(text) {
        return Err((format!("`{}` protects nothing: {why}", shown(text)), help.into()));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '?' | '[' | ']' | '^' | '$' | '\\' | '|')) {
        let message = format!("`{}` is not a valid pattern: the only wildcard is `*`", shown(text));
        return Err((message, "write the whole value, or use `*` for the part that varies".into()));
    }
    match nowhere(text) {
        Some((why, help)) => Err((format!("`{}` protects nothing: {why}", shown(text)), help.into())),
        None => Ok(()),
    }
}

/// What tells that there are two values where one belongs.
fn several(text: &str) -> Option<(&'static str, &'static str)> {
    const ONE_EACH: &str = "write each value in its own entry or cell";
    let parts = || text.split([',', ';', '/', '\n', '\r', '\t']).map(str::trim);
    let words = || text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '/')).map(str::trim);
    let filled = |part: &&str| !part.is_empty();
    let with = |sign: char| words().filter(|part| part.contains(sign)).count();
    if text.contains([';', '\n', '\r', '\t']) && parts().filter(filled).count() > 1 {
        return Some(("these are several values in one entry", ONE_EACH));
    }
    if text.contains('@') && (with('@') > 1 || text.matches('@').count() > 1) {
        return Some(("these are several addresses in one entry", ONE_EACH));
    }
    if text.contains('@') && words().filter(filled).count() > 1 {
        return Some(("no account has spaces or separators in its name", "write only the address"));
    }
    let ids = words().filter(|part| uuid::Uuid::try_parse(part).is_ok_and(|_| part.len() >= 36)).count();
    if ids > 0 && words().filter(filled).count() > 1 {
        return Some(("it contains more than an id", ONE_EACH));
    }
    // `Doe, Jane` is a name; `5CG1,5CG2` are two serial numbers.
    let numbered = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    let listed = text.contains(',') && parts().filter(filled).count() > 1 && parts().filter(filled).all(numbered);
    listed.then_some(("these are several values in one entry", ONE_EACH))
}

/// What no id and no name looks like.
fn nowhere(text: &str) -> Option<(&'static str, &'static str)> {
    const LONGEST: usize = 256;
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    if text.chars().count() > LONGEST {
        return Some(("it is longer than 256 characters", "write only the name or the id"));
    }
    if text.starts_with('@') {
        return Some(("an account does not begin with `@`", "for all accounts of a domain, write `*@contoso.com`"));
    }
    if text.ends_with('@') {
        return Some(("an account does not end with `@`", "write the whole address"));
    }
    if text.ends_with([';', ',']) {
        return Some(("it ends with a separator", "write only the name or the id"));
    }
    let nil = uuid::Uuid::try_parse(bare).is_ok_and(|id| id.is_nil());
    nil.then_some(("the nil GUID is not an id", "remove it, or write the right id"))
}

fn read_list<'s>(
    node: &'s Node,
    folder: &Path,
    reader: &mut Reader<'s, '_>,
    entries: &mut Vec<ProtectedEntry>,
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
    let table = match read_file(&path, CSV_LIMIT).and_then(CsvTable::new) {
        Ok(table) => table,
        Err(fault) => {
            reader.faults.push(in_the_plan(*fault, &path, reader.source, at));
            return None;
        }
    };
    read_table(&table, &path, entries, reader.faults)
}

/// A column that says who a target is.
struct IdColumn {
    field: usize,
    name: String,
    /// What it means.
    word: &'static str,
    kind: IdKind,
    /// What alone its values can be.
    only: Option<Object>,
}

/// Other columns that say who somebody is, as exports of the portals call them.
const OTHERS: &[&str] = &["displayName", "objectId", "deviceId", "mail", "emailAddress"];

fn read_table(
    table: &CsvTable,
    path: &Path,
    entries: &mut Vec<ProtectedEntry>,
    faults: &mut Diagnostics,
) -> Option<Input> {
    let mut rows = table.rows();
    let mut record = StringRecord::new();
    let header = next(&mut rows, &mut record, faults)?;
    let (columns, unused_columns) = columns(&record);
    let width = record.len();
    if columns.is_empty() {
        let message = "no column of this file identifies the protected targets";
        faults.push(Diagnostic::error("no-id-column", message).at(table.row(header)).help(
            "rename one of them to id, managedDeviceId, userPrincipalName, deviceName, displayName, serialNumber or azureADDeviceId",
        ));
        return None;
    }
    let file: Arc<str> = table.source.name.as_str().into();
    let mut count = 0;
    while let Some(at) = next(&mut rows, &mut record, faults) {
        count += 1;
        if record.len() != width {
            let message = format!("row {} has {} cells, but the header has {width}", at.line, record.len());
            faults.push_error_with(|| Diagnostic::error("ragged-row", message).at(table.row(at)));
            continue;
        }
        let (before, told) = (entries.len(), faults.errors());
        for column in &columns {
            let cell = record.get(column.field).unwrap_or_default().trim();
            match judge(cell, column) {
                _ if cell.is_empty() => {}
                Ok(()) => {
                    entries.push(ProtectedEntry { only: column.only, ..ProtectedEntry::new(cell, &file, at.line) })
                }
                Err((message, help)) => {
                    let place = || table.cell(at, column.field, &column.name);
                    let message = format!("row {}, column `{}`: {message}", at.line, shown(&column.name));
                    faults.push_error_with(|| Diagnostic::error("bad-pattern", message).at(place()).help(help));
                }
            }
        }
        if entries.len() == before && faults.errors() == told {
            let message = format!("row {} protects nothing", at.line);
            let help = "fill in one of the columns, or remove the row";
            faults.push_error_with(|| Diagnostic::error("no-entry", message).at(table.row(at)).help(help));
        }
    }
    if count == 0 {
        let message = "this file is empty, so it protects nothing";
        let help = "fill in the file, or remove it from `protected`";
        faults.push(Diagnostic::error("no-entry", message).at(table.row(header)).help(help));
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

fn next(rows: &mut super::table::TableRows<'_>, record: &mut StringRecord, faults: &mut Diagnostics) -> Option<At> {
    rows.read(record).unwrap_or_else(|fault| {
        faults.push(*fault);
        None
    })
}

/// The columns that say who, and the names of the others.
fn columns(header: &StringRecord) -> (Vec<IdColumn>, Vec<String>) {
    let (mut used, mut unused) = (Vec::new(), Vec::new());
    for (field, name) in header.iter().map(str::trim).enumerate() {
        let meaning = Meaning::of_header(name, &[]);
        let kind = match meaning {
            Some(Meaning::Id(id)) => {
                Some((meaning.map_or("", Meaning::name), id.kind, kind_behind(id).and_then(object)))
            }
            // A group, or whose devices: it stands for several targets, and no read of one of them shows it.
            Some(Meaning::Selector(selector)) if selector.form.is_many() => None,
            Some(Meaning::UserPrincipalName(_)) => Some(("userPrincipalName", IdKind::Opaque, Some(Object::User))),
            Some(Meaning::Selector(selector)) => Some((selector.name, IdKind::Opaque, None)),
            Some(Meaning::AnyId) => Some(("id", IdKind::Opaque, None)),
            _ => OTHERS.iter().find(|other| fold(other) == fold(name)).map(|other| (*other, IdKind::Opaque, None)),
        };
        match kind {
            Some((word, kind, only)) => used.push(IdColumn { field, name: name.to_owned(), word, kind, only }),
            None if name.is_empty() => {}
            None => unused.push(name.to_owned()),
        }
    }
    (used, unused)
}

/// The object that an id of that kind of target is.
fn object(kind: TargetKind) -> Option<Object> {
    match kind {
        TargetKind::ManagedDevice => Some(Object::ManagedDevice),
        TargetKind::AutopilotIdentity => Some(Object::AutopilotIdentity),
        TargetKind::EntraDevice => Some(Object::EntraDevice),
        TargetKind::User => Some(Object::User),
        _ => None,
    }
}

fn judge(cell: &str, column: &IdColumn) -> Result<(), (String, String)> {
    let kind = column.kind;
    if column.word == "serialNumber"
        && let Some(why) = says_nothing(cell)
    {
        let help = "use another column for the device; many devices have this value";
        return Err((format!("`{}` is not a serial number: {why}", shown(cell)), help.into()));
    }
    if kind != IdKind::Opaque && !cell.contains('*') {
        return identifier::spell(kind, cell, &mut String::new()).map_err(|NotAnId { reason, help }| {
            (
                format!("`{}`: {reason}", shown(cell)),
                help.map_or_else(|| "correct it; as it is, it protects nothing".into(), Cow::into_owned),
            )
        });
    }
    entry(cell)
}
