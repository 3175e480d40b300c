//! The report as JSON lines: one object for every row, with the names of the columns and exact values.
//!
//! In: rows. Out: bytes, written as the rows come. Must not: neutralise, round or leave out anything.

use std::io::{self, BufWriter, Write};

use super::row::Row;

/// Writes one line for every row; what is empty is `null`.
pub fn write_json_lines<'a>(out: impl Write, rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    for row in rows {
        serde_json::to_writer(&mut out, &row)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
