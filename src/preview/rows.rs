//! Rows of CSV, written cell by cell into one buffer.
//!
//! In: cells. Out: the bytes that the csv crate would write. Must not: hold more than a buffer's worth of rows, or know what a
//! cell means. A file may have a million rows, and the csv crate copies each cell three times.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Rows go out when there are so many bytes of them.
const FULL: usize = 64 * 1024;

pub(super) struct Rows<W> {
    out: W,
    text: String,
    /// Whether the row has a cell already.
    begun: bool,
}

impl<W: Write> Rows<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, text: String::with_capacity(FULL + FULL / 8), begun: false }
    }

    pub(super) fn cell(&mut self, cell: &str) {
        self.cell_of(|text| text.push_str(cell));
    }

    pub(super) fn shown(&mut self, cell: impl Display) {
        // Writing to a String cannot fail.
        self.cell_of(|text| {
            let _ = write!(text, "{cell}");
        });
    }

    /// A cell that `write` puts behind what is there.
    pub(super) fn cell_of(&mut self, write: impl FnOnce(&mut String)) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
        let start = self.text.len();
        write(&mut self.text);
        if wants_quotes(&self.text[start..]) {
            let quoted = self.text[start..].replace('"', "\"\"");
            self.text.truncate(start);
            self.text.extend(["\"", &quoted, "\""]);
        }
    }

    /// The row has all its cells, which are two or more.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.text.push('\n');
        self.begun = false;
        if self.text.len() >= FULL { self.write() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write()?;
        self.out.flush()
    }

    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}

fn wants_quotes(cell: &str) -> bool {
    cell.bytes().fold(false, |any, byte| any | matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_is_what_the_csv_crate_makes_of_it(
            rows in prop::collection::vec(prop::collection::vec("[a-c,;\"\\n\\r' é#=]{0,6}|\\PC{0,9}", 2..6), 0..6)
        ) {
            let (mut ours, mut theirs) = (Vec::new(), csv::WriterBuilder::new().flexible(true).from_writer(Vec::new()));
            let mut writer = Rows::new(&mut ours);
            for row in &rows {
                row.iter().for_each(|cell| writer.cell(cell));
                writer.end().unwrap();
                theirs.write_record(row).unwrap();
            }
            writer.finish().unwrap();
            prop_assert_eq!(String::from_utf8(ours), String::from_utf8(theirs.into_inner().unwrap()));
        }
    }

    #[test]
    fn what_does_not_fit_into_a_buffer_is_written_on_the_way() {
        let mut out = Vec::new();
        let mut writer = Rows::new(&mut out);
        for row in 0..20_000 {
            writer.shown(row);
            writer.cell_of(|text| text.push_str("a, b"));
            writer.end().unwrap();
            assert!(writer.text.len() < FULL);
        }
        writer.finish().unwrap();
        let lines: Vec<String> = (0..20_000).map(|row| format!("{row},\"a, b\"\n")).collect();
        assert_eq!(String::from_utf8(out).unwrap(), lines.concat());
    }
}
