//! CSV text as rows whose cells can be pointed at.
//!
//! In: a [`Source`]. Out: a [`CsvTable`] with its dialect, and [`TableRows`] with the physical line of each. Must not: know
//! what a column means.
//!
//! The csv crate's own line numbers are not used: they are one too small in files with CRLF line ends.

use std::ops::Range;

use csv::StringRecord;

use crate::diagnostics::{Diagnostic, Place};
use crate::source::Source;

const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A decoded CSV file and how it is written.
#[derive(Debug)]
pub(super) struct CsvTable {
    pub source: Source,
    /// It begins with `version:v1.0`, as Entra's bulk templates do.
    pub is_template: bool,
    separator: u8,
    /// Where the header row starts: byte and line.
    start: (usize, u32),
    /// Whether a carriage return alone ends some line.
    lone_returns: bool,
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// The physical line on which it starts, from 1.
    pub line: u32,
    start: usize,
    end: usize,
}

impl CsvTable {
    /// Finds out the separator: the `sep=` line says it, or the header row shows it.
    pub(super) fn new(source: Source) -> Result<Self, Box<Diagnostic>> {
        let bytes = source.text.as_bytes();
        let lone_returns = source.text.match_indices('\r').any(|(at, _)| bytes.get(at + 1) != Some(&b'\n'));
        let mut table = Self { source, is_template: false, separator: b',', start: (0, 1), lone_returns };
        let announced = table.skip_preamble()?;
        let header = &table.source.text.as_bytes()[table.start.0..];
        if header.is_empty() {
            let fault = Diagnostic::error("empty-file", "the file has no header row");
            return Err(Box::new(fault.at(Place::file(&table.source.name))));
        }
        table.separator = announced.unwrap_or_else(|| most_frequent_separator(header));
        Ok(table)
    }

    /// For people: `CSV, UTF-8, separated by ;`.
    pub(super) fn format(&self) -> String {
        let separator = if self.separator == b'\t' { "tab".into() } else { char::from(self.separator).to_string() };
        format!("CSV, {}, separated by {separator}", self.source.encoding)
    }

    /// All rows, the header first.
    pub(super) fn rows(&self) -> TableRows<'_> {
        let rest = &self.source.text.as_bytes()[self.start.0..];
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(self.separator).from_reader(rest);
        TableRows { reader, table: self, counted_to: self.start.0, line: self.start.1 }
    }

    /// How many rows there are at most, to make room for them.
    pub(super) fn lines(&self) -> usize {
        self.source.text.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// A cell, or what stands where it should be.
    pub(super) fn cell(&self, at: At, index: usize, column_name: &str) -> Place {
        let range = self.cell_range(at, index);
        let mut place = self.place(at, range);
        place.column_name = Some(column_name.to_owned());
        place
    }

    /// A row as a whole.
    pub(super) fn row(&self, at: At) -> Place {
        let text = &self.source.text[at.start..at.end];
        self.place(at, at.start..at.start + text.trim_end().len())
    }

    fn place(&self, at: At, range: Range<usize>) -> Place {
        let text = &self.source.text;
        let line = at.line + self.lines_between(at.start, range.start);
        let row_before = &text[at.start..range.start];
        let line_start = row_before.rfind(['\n', '\r']).map_or(at.start, |found| at.start + found + 1);
        let column = text[line_start..range.start].chars().count() + 1;
        Place::known(&self.source.name, text, line as usize, column, range)
    }

    /// The lines that end in `from..to`.
    fn lines_between(&self, from: usize, to: usize) -> u32 {
        let bytes = self.source.text.as_bytes();
        let mut lines = bytes[from..to].iter().filter(|byte| **byte == b'\n').count();
        if self.lone_returns {
            lines += (from..to).filter(|at| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n')).count();
        }
        u32::try_from(lines).unwrap_or(u32::MAX)
    }

    /// Moves the start behind blank lines, a `sep=` line (Excel), a `#TYPE` line (PowerShell) and a `version:` line (Entra);
    /// gives the separator.
    fn skip_preamble(&mut self) -> Result<Option<u8>, Box<Diagnostic>> {
        let mut announced = None;
        loop {
            let (from, line) = self.start;
            let rest = &self.source.text[from..];
            let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let first_line = &rest[..length];
            let bare = first_line.trim_matches('"');
            let is_blank = first_line.trim().is_empty() && length < rest.len();
            if bare.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) {
                match bare.as_bytes().get(4) {
                    Some(separator) if SEPARATORS.contains(separator) => announced = Some(*separator),
                    _ => return Err(Box::new(self.unknown_separator(from..from + length, line))),
                }
            } else if is_version(bare) {
                self.is_template = true;
            } else if !(is_blank || first_line.starts_with("#TYPE")) {
                break;
            }
            let ending = if rest[length..].starts_with("\r\n") { 2 } else { usize::from(length < rest.len()) };
            self.start = (from + length + ending, line + 1);
        }
        if self.source.text[self.start.0..].trim().is_empty() {
            self.start.0 = self.source.text.len();
        }
        Ok(announced)
    }

    fn unknown_separator(&self, range: Range<usize>, line: u32) -> Diagnostic {
        Diagnostic::error("syntax", "this separator is not supported")
            .at(Place::known(&self.source.name, &self.source.text, line as usize, 1, range))
            .help("separate columns with a comma, a semicolon or a tab")
    }

    fn cell_range(&self, at: At, wanted: usize) -> Range<usize> {
        let found = self.scan(at, wanted).range;
        let cell = &self.source.text[found.clone()];
        let start = found.start + (cell.len() - cell.trim_start().len());
        start..(found.start + cell.trim_end().len()).max(start)
    }

    /// Walks through a row as the csv crate does, because that one does not say where a cell was.
    fn scan(&self, at: At, wanted: usize) -> Cell {
        enum ScanState {
            CellStart,
            Plain,
            Quoted,
            QuoteInQuoted,
        }
        let bytes = self.source.text.as_bytes();
        let (mut cell, mut start, mut state) = (0, at.start, ScanState::CellStart);
        for (here, byte) in bytes.iter().enumerate().take(at.end).skip(at.start) {
            state = match (&state, *byte) {
                (ScanState::Quoted, b'"') => ScanState::QuoteInQuoted,
                (ScanState::Quoted, _) => ScanState::Quoted,
                (ScanState::CellStart | ScanState::QuoteInQuoted, b'"') => ScanState::Quoted,
                (_, b'\r' | b'\n') => return Cell { range: start..here, open: false },
                (_, separator) if separator == self.separator => {
                    if cell == wanted {
                        return Cell { range: start..here, open: false };
                    }
                    (cell, start) = (cell + 1, here + 1);
                    ScanState::CellStart
                }
                _ => ScanState::Plain,
            };
        }
        Cell { range: start..at.end, open: matches!(state, ScanState::Quoted) }
    }
}

/// The last cell that a scan came to.
struct Cell {
    range: Range<usize>,
    /// Its quotation mark was never closed.
    open: bool,
}

/// `version:v1.0`, and nothing behind it but separators.
fn is_version(line: &str) -> bool {
    let word = line
        .trim_end_matches(|c: char| c == '"' || c.is_whitespace() || SEPARATORS.iter().any(|s| char::from(*s) == c));
    let start = word.get(..9).unwrap_or_default();
    start.eq_ignore_ascii_case("version:v") && word[9..].chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Outside quotation marks, up to the end of the header row.
fn most_frequent_separator(header: &[u8]) -> u8 {
    let (mut counts, mut quoted) = ([0_usize; SEPARATORS.len()], false);
    for byte in header {
        match *byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(index) = SEPARATORS.iter().position(|separator| *separator == byte) {
                    counts[index] += 1;
                }
            }
            _ => {}
        }
    }
    let best = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|count| *count == best).map_or(b',', |index| SEPARATORS[index])
}

/// The rows of a [`CsvTable`], one after the other.
pub(super) struct TableRows<'a> {
    reader: csv::Reader<&'a [u8]>,
    table: &'a CsvTable,
    counted_to: usize,
    line: u32,
}

impl TableRows<'_> {
    /// Reads the next row that is not empty into `record`. After a fault there is nothing more to read.
    pub(super) fn read(&mut self, record: &mut StringRecord) -> Result<Option<At>, Box<Diagnostic>> {
        loop {
            let Some(at) = self.read_any(record)? else { return Ok(None) };
            if record.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(at));
            }
        }
    }

    fn read_any(&mut self, record: &mut StringRecord) -> Result<Option<At>, Box<Diagnostic>> {
        let offset = self.table.start.0;
        let bytes = self.table.source.text.as_bytes();
        match self.reader.read_record(record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let fault = Diagnostic::error("syntax", format!("the rows cannot be read: {error}"));
                return Err(Box::new(fault.at(Place::file(&self.table.source.name))));
            }
        }
        let byte = |position: &csv::Position| offset + usize::try_from(position.byte()).unwrap_or(0);
        let end = byte(self.reader.position()).min(bytes.len());
        let mut start = record.position().map_or(end, byte).min(end);
        // The position is where the row before ended; its line end and blank lines may still follow.
        while start < end && matches!(bytes[start], b'\r' | b'\n') {
            start += 1;
        }
        self.line += self.table.lines_between(self.counted_to, start);
        self.counted_to = start;
        let at = At { line: self.line, start, end };
        if end == bytes.len() {
            let last = self.table.scan(at, usize::MAX);
            if last.open {
                let mut place = self.table.place(at, last.range.start..last.range.start + 1);
                place.column_name = None;
                let message = format!("row {}: this quotation mark is not closed", at.line);
                let fault = Diagnostic::error("syntax", message).at(place);
                return Err(Box::new(fault.help("inside a quoted cell, write a quotation mark twice")));
            }
        }
        Ok(Some(at))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
