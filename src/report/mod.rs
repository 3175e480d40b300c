//! Reports: one row for every row of the plan, as CSV or JSON lines, and the account of a run.
//!
//! In: jobs and their settlements, both in plan order. Out: files and strings; the column names are an interface.
//! Must not: print, or know how a run goes.

mod account;
pub(crate) mod beside;
pub(crate) mod cell;
mod csv;
mod file;
mod json_lines;
mod row;

pub use account::Account;
pub(crate) use csv::{CsvRows, write_csv_of};
pub use file::ReportFile;
pub(crate) use file::{OwnPlace, ReportError};
pub(crate) use json_lines::write_line;
pub use row::COLUMNS;
pub(crate) use row::{Row, rows};

#[cfg(test)]
mod tests;
