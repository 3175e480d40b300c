//! Tables without borders: a faint header, two spaces between columns.
//!
//! In: cells. Out: aligned lines. Must not: know what is in the cells, or wrap them; who fills a table shortens.

use anstyle::Style;
use comfy_table::{CellAlignment, Table as Grid, presets};

use super::style::{FAINT, paint};
use crate::text::visible;

pub(super) const GAP: usize = 2;

/// A table in the making.
pub(super) struct Table {
    grid: Grid,
    /// Of each line, the header's included.
    styles: Vec<Style>,
    right: &'static [usize],
}

impl Table {
    /// Without a header. The columns with an index in `right` are aligned to the right.
    pub(super) fn new(right: &'static [usize]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        Self { grid, styles: Vec::new(), right }
    }

    pub(super) fn header(mut self, cells: &[&str]) -> Self {
        self.grid.set_header(cells.to_vec());
        self.styles.push(FAINT);
        self
    }

    /// One line; colours are for the whole of it.
    pub(super) fn row<'a>(&mut self, style: Style, cells: impl IntoIterator<Item = &'a str>) {
        self.grid.add_row(cells.into_iter().map(visible).collect::<Vec<_>>());
        self.styles.push(style);
    }

    /// All lines, each with a line end and `indent` spaces before it.
    pub(super) fn render(mut self, styled: bool, indent: usize) -> String {
        let gap = u16::try_from(GAP).unwrap_or_default();
        for (at, column) in self.grid.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            if self.right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = String::new();
        for (line, style) in self.grid.lines().zip(self.styles) {
            text.push_str(&" ".repeat(indent));
            text.push_str(&paint(styled, style, line.trim_end()));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::PLAIN;
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_where_their_text_does() {
        let mut table = Table::new(&[0]).header(&["ROW", "ACTION", "NOTE"]);
        table.row(PLAIN, ["2", "retire", ""]);
        table.row(PLAIN, ["1,000", "wipe", "a\nb"]);
        assert_eq!(table.render(false, 1), "   ROW  ACTION  NOTE\n     2  retire\n 1,000  wipe    a b\n");
    }
}
