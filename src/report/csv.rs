//! The report as CSV: RFC 4180 quoting, LF line ends, UTF-8 without a byte order mark.
//!
//! In: rows. Out: bytes, written as the rows come. Must not: change a number, or let a text be taken for a formula.

use std::io::{self, Write};

use ::csv::{ByteRecord, Writer, WriterBuilder};

use super::cell::harmless;
use super::row::{COLUMNS, Row};
use crate::outcome::RequestId;

/// A report that is written row by row, for whoever never has all of them.
#[derive(Debug)]
pub(crate) struct CsvRows<W: Write> {
    writer: Writer<W>,
    record: ByteRecord,
}

impl<W: Write> CsvRows<W> {
    /// Begins with the header.
    pub(crate) fn begin(out: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().buffer_capacity(64 * 1024).from_writer(out);
        writer.write_byte_record(&ByteRecord::from(COLUMNS.to_vec()))?;
        Ok(Self { writer, record: ByteRecord::new() })
    }

    pub(crate) fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.record.clear();
        fill(&mut self.record, row);
        Ok(self.writer.write_byte_record(&self.record)?)
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes the header and one record for every row.
pub(crate) fn write_csv<'a>(out: impl Write, rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<()> {
    let mut csv = CsvRows::begin(out)?;
    rows.into_iter().try_for_each(|row| csv.write(&row))?;
    csv.end()
}

/// Writes a table of texts.
pub(crate) fn write_csv_of<const N: usize>(
    out: impl Write,
    header: &[&str; N],
    records: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(out);
    writer.write_record(header)?;
    for record in records {
        writer.write_record(record.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    writer.flush()
}

fn fill(record: &mut ByteRecord, row: &Row<'_>) {
    number(record, Some(row.row));
    text(record, Some(&row.job_id));
    text(record, Some(row.action));
    text(record, Some(row.target));
    text(record, row.target_name);
    text(record, Some(row.outcome));
    number(record, row.http_status);
    text(record, row.error_code);
    text(record, row.error_message);
    number(record, Some(row.attempts));
    number(record, Some(row.waited_ms));
    number(record, Some(row.duration_ms));
    text(record, row.started_at.as_deref());
    text(record, row.finished_at.as_deref());
    id(record, row.request_id);
    id(record, row.client_request_id);
    text(record, Some(&row.request));
    text(record, row.note.as_deref());
    text(record, row.verified_at.as_deref());
    text(record, row.last_check_in.as_deref());
}

fn text(record: &mut ByteRecord, value: Option<&str>) {
    record.push_field(harmless(value.unwrap_or_default()).as_bytes());
}

fn id(record: &mut ByteRecord, value: Option<&RequestId>) {
    let buffer = &mut RequestId::buffer();
    text(record, value.map(|id| id.write(buffer)));
}

fn number(record: &mut ByteRecord, value: Option<impl ToString>) {
    record.push_field(value.map(|value| value.to_string()).unwrap_or_default().as_bytes());
}
