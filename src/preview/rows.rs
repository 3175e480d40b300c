//! Rows of CSV, written cell by cell into one text.
//!
//! In: cells. Out: the text that the csv crate would write. Must not: know what a cell means. A file may have a million rows, and
//! the csv crate copies each cell three times.

use std::fmt::{Display, Write as _};

pub(super) struct PreviewRows {
    text: String,
    /// Whether the row has a cell already.
    begun: bool,
}

impl PreviewRows {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), begun: false }
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
    pub(super) fn end(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }

    pub(super) fn finish(self) -> String {
        self.text
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
            let mut theirs = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            let mut ours = PreviewRows::with_capacity(0);
            for row in &rows {
                row.iter().for_each(|cell| ours.cell(cell));
                ours.end();
                theirs.write_record(row).unwrap();
            }
            prop_assert_eq!(Ok(ours.finish()), String::from_utf8(theirs.into_inner().unwrap()));
        }
    }
}
