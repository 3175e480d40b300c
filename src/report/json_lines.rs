//! The report as JSON lines: one object for every row, with the names of the columns and exact values.
//! What no terminal should see is escaped.
//!
//! In: rows. Out: bytes, written as the rows come. Must not: neutralise, round or leave out anything.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::row::Row;
use crate::text::{Medium, harmless};

/// Writes one line for every row; what is empty is `null`.
pub(super) fn write_json_lines<'a>(out: impl Write, rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    for row in rows {
        write_line(&mut out, &row)?;
    }
    out.flush()
}

/// Writes one value, and a line end.
pub(crate) fn write_line(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    out.write_all(harmless(&serde_json::to_string(value)?, Medium::Json).as_bytes())?;
    out.write_all(b"\n")
}
