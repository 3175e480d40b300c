//! CSV files, row by row: a plan by itself, or the targets of a job.
//!
//! In: the text of a file. Out: jobs and faults in an [`Expander`], and how the file was understood. Must not: hold on
//! to a row; a file may have a million.

use std::path::Path;

use csv::StringRecord;

use super::columns::{self, Header, Role, Understood};
use super::dialect;
use super::expand::{Expander, MAX_JOBS, TargetRow};
use super::input::Input;
use super::layout::{Layout, MAX_COLUMNS};
use super::table::{At, CsvTable};
use super::vocabulary::unknown_action;
use super::work::{PlannedStep, PlannedWork};
use crate::catalog::{ACTIONS, Action};
use crate::diagnostics::{Diagnostic, Place};
use crate::source::Source;

/// One row of a file.
struct CsvRow<'t> {
    table: &'t CsvTable,
    names: &'t [String],
    record: &'t StringRecord,
    at: At,
}

impl TargetRow for CsvRow<'_> {
    fn field(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or_default().trim()
    }

    fn place(&self, field: Option<usize>) -> Place {
        match field {
            Some(index) => self.table.cell(self.at, index, self.name(index)),
            None => self.table.row(self.at),
        }
    }

    fn prefix(&self, field: Option<usize>) -> String {
        match field {
            Some(index) => format!("row {}, column `{}`: ", self.at.line, crate::text::shown(self.name(index))),
            None => format!("row {}: ", self.at.line),
        }
    }

    fn line(&self) -> u32 {
        self.at.line
    }
}

impl CsvRow<'_> {
    fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }
}

/// A CSV file that was read.
pub(super) struct CsvFile<'p> {
    pub source: Source,
    pub path: &'p Path,
    pub role: Role<'p>,
}

/// Makes the jobs of the plan in `source`, whose rows name their action.
pub(super) fn expand_plan(source: Source, path: &Path, expander: &mut Expander) -> Option<Input> {
    let mut works: Vec<Option<PlannedWork>> = vec![None; ACTIONS.len()];
    let unknown = PlannedWork {
        number: ACTIONS.len(),
        steps: Vec::new(),
        whole: false,
        not_before: None,
        note: None,
        priority: 0,
        missing: None,
        place: None,
    };
    let mut last: Option<usize> = None;
    each_row(
        CsvFile { source, path, role: Role::Plan },
        expander,
        |_, _| {},
        |expander, layout, row: &CsvRow<'_>| {
            let name = layout.action.map_or("", |field| row.field(field));
            if last.is_none_or(|index| ACTIONS[index].name != name) {
                last = ACTIONS.iter().position(|action| action.name == name);
            }
            let work = match last {
                Some(index) => &*works[index].get_or_insert_with(|| work_of(&ACTIONS[index], index)),
                None => {
                    refuse_action(expander, layout, row, name);
                    &unknown
                }
            };
            expander.add(work, layout, row, Some(row.at.line));
        },
    )
}

fn work_of(action: &'static Action, number: usize) -> PlannedWork {
    let steps = vec![PlannedStep::new(action, None, Vec::new())];
    PlannedWork { number, steps, whole: true, not_before: None, note: None, priority: 0, missing: None, place: None }
}

fn refuse_action(expander: &mut Expander, layout: &Layout, row: &CsvRow<'_>, name: &str) {
    // A file without the column has been told at its header.
    let Some(field) = layout.action else { return };
    expander.faults.push_error_with(|| {
        let prefix = row.prefix(Some(field));
        let fault = if name.is_empty() {
            Diagnostic::error("missing-action", prefix + "the action is missing").help("`musterout actions` lists them")
        } else {
            let (message, help) = unknown_action(name, &[]);
            Diagnostic::error("unknown-action", prefix + &message).help(help)
        };
        fault.at(row.place(Some(field)))
    });
}

/// Makes the jobs of the targets in a file, all of which get `work`.
pub(super) fn expand_targets(file: CsvFile<'_>, work: &PlannedWork, expander: &mut Expander) -> Option<Input> {
    let begin = |expander: &mut Expander, layout: &Layout| {
        let has_column = |name: &str| layout.parameters.iter().any(|(_, column)| *column == name);
        expander.report_lacking_everywhere(work, has_column);
    };
    let each = |expander: &mut Expander, layout: &Layout, row: &CsvRow<'_>| expander.add(work, layout, row, None);
    each_row(file, expander, begin, each)
}

/// Hands the layout of a file to `begin` and its rows to `each`. `None` if there is no telling what its rows mean.
fn each_row(
    file: CsvFile<'_>,
    expander: &mut Expander,
    begin: impl FnOnce(&mut Expander, &Layout),
    mut each: impl FnMut(&mut Expander, &Layout, &CsvRow<'_>),
) -> Option<Input> {
    let CsvFile { source, path, role } = file;
    let table = match CsvTable::new(source) {
        Ok(table) => table,
        Err(fault) => {
            expander.faults.push(*fault);
            return None;
        }
    };
    let mut rows = table.rows();
    let mut record = StringRecord::new();
    let first = next(&mut rows, &mut record, expander)?;
    let header = Header { table: &table, record: &record, at: first };
    let Understood { layout, unused, dialect } = columns::recognise(header, role, &mut expander.faults);
    if layout.names.len() != record.len() || layout.names.len() > MAX_COLUMNS {
        return None;
    }
    begin(expander, &layout);
    expander.places.begin(&table.source.name);
    if layout.selectors.is_empty() {
        let lines = table.lines().min(MAX_JOBS);
        expander.jobs.expect(lines);
        expander.places.reserve(lines);
    }
    let mut here = if role.has_no_header() { Some(first) } else { next(&mut rows, &mut record, expander) };
    let has_example = here.is_some() && table.is_template && is_example(&record);
    if has_example {
        here = next(&mut rows, &mut record, expander);
    }
    let format = match (dialect, has_example) {
        (None, _) => table.format(),
        (Some(name), false) => format!("{name}, {}", table.format()),
        (Some(name), true) => format!("{name} (its example row left out), {}", table.format()),
    };
    let mut count = 0;
    while let Some(at) = here {
        count += 1;
        if expander.rows() > MAX_JOBS {
            break;
        }
        let row = CsvRow { table: &table, names: &layout.names, record: &record, at };
        if record.len() == layout.names.len() {
            each(expander, &layout, &row);
        } else {
            refuse_ragged(expander, &row);
        }
        here = next(&mut rows, &mut record, expander);
    }
    let columns = layout.used().into_iter().map(|(field, word)| (layout.names[field].clone(), word)).collect();
    let fingerprint = table.source.fingerprint;
    Some(Input { file: path.to_owned(), format, rows: count, fingerprint, columns, unused_columns: unused })
}

/// A template shows in its first row what the cells should look like.
fn is_example(record: &StringRecord) -> bool {
    record.iter().find(|cell| !cell.trim().is_empty()).is_some_and(dialect::is_example)
}

fn next(rows: &mut super::table::TableRows<'_>, record: &mut StringRecord, expander: &mut Expander) -> Option<At> {
    match rows.read(record) {
        Ok(at) => at,
        Err(fault) => {
            expander.faults.push(*fault);
            None
        }
    }
}

fn refuse_ragged(expander: &mut Expander, row: &CsvRow<'_>) {
    let (found, expected) = (row.record.len(), row.names.len());
    expander.faults.push_error_with(|| {
        let message = format!("row {} has {found} cells, but the header has {expected}", row.at.line);
        Diagnostic::error("ragged-row", message)
            .at(row.place(None))
            .help("put cells that contain a separator in quotes, and give every row a cell for each column")
    });
}
