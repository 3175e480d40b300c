//! Tables without borders: a faint header, two spaces between columns.
//!
//! In: cells. Out: aligned lines; where the terminal is too narrow for all columns, the last ones stand below their line.
//! Must not: know what is in the cells, or break one inside a word.

use anstyle::Style;
use comfy_table::{CellAlignment, Table as Grid, presets};

use super::style::{FAINT, View, paint};
use super::text::width;
use super::wrap::{HANG, broken};
use crate::text::visible;

pub(super) const GAP: usize = 2;

/// What stands below a line is this far to the right of it.
pub(super) const BELOW: usize = 5;

/// A last column with so many columns of the terminal, or more, is broken in its place.
const COLUMN: usize = 40;

/// A table in the making.
pub(super) struct Table {
    header: Vec<String>,
    rows: Vec<TableLine>,
    right: &'static [usize],
}

struct TableLine {
    style: Style,
    cells: Vec<String>,
    /// What stands below the line, however wide the terminal is.
    below: Option<String>,
}

impl Table {
    /// Without a header. The columns with an index in `right` are aligned to the right.
    pub(super) fn new(right: &'static [usize]) -> Self {
        Self { header: Vec::new(), rows: Vec::new(), right }
    }

    pub(super) fn header(mut self, cells: &[&str]) -> Self {
        self.header = cells.iter().map(|cell| (*cell).to_owned()).collect();
        self
    }

    /// One line; colours are for the whole of it.
    pub(super) fn row<'a>(&mut self, style: Style, cells: impl IntoIterator<Item = &'a str>) {
        let cells = cells.into_iter().map(|cell| visible(cell).into_owned()).collect();
        self.rows.push(TableLine { style, cells, below: None });
    }

    /// What stands below the newest line.
    pub(super) fn below(&mut self, text: &str) {
        if let Some(line) = self.rows.last_mut() {
            line.below = Some(visible(text).into_owned());
        }
    }

    /// All lines, each with a line end and `indent` spaces before it.
    pub(super) fn render(self, view: View, indent: usize) -> String {
        let room = view.width.map_or(usize::MAX, usize::from).saturating_sub(indent);
        let widths = self.widths();
        let (beside, taken) = fitting(&widths, room);
        // The last column goes on in its own place, where there is a good one.
        let left = room.saturating_sub(taken + GAP);
        let is_column = beside + 1 == widths.len() && left >= COLUMN;
        let (hang, left) = if is_column { (taken + GAP, left) } else { (BELOW, room.saturating_sub(BELOW).max(1)) };
        let mut text = String::new();
        let mut lines = self.grid(beside).into_iter();
        let mut put = |style: Style, before: usize, line: &str| {
            text.push_str(&" ".repeat(before));
            text.push_str(&paint(view.styled, style, line.trim_end()));
            text.push('\n');
        };
        let header = (!self.header.is_empty()).then_some((&self.header, FAINT, None));
        let rows = self.rows.iter().map(|row| (&row.cells, row.style, row.below.as_deref()));
        for (at, (cells, style, below)) in header.into_iter().chain(rows).enumerate() {
            let line = lines.next().unwrap_or_default();
            // The heading of one column alone, below its line, says nothing that its cells do not.
            let is_said = is_column || at > 0 || self.header.is_empty() || cells.len() != beside + 1;
            let rest = cells.iter().skip(beside).map(String::as_str).filter(|cell| !cell.is_empty() && is_said);
            let rest = rest.collect::<Vec<_>>().join(&" ".repeat(GAP));
            let mut rest =
                broken(&rest, left, if is_column { 0 } else { HANG }).into_iter().filter(|line| !line.is_empty());
            let first = if is_column { rest.next().unwrap_or_default() } else { String::new() };
            match first.is_empty() {
                true => put(style, indent, &line),
                false => put(style, indent, &format!("{line}{}{first}", " ".repeat(hang.saturating_sub(width(&line))))),
            }
            rest.for_each(|line| put(style, indent + hang, &line));
            let below = below.map(|below| broken(below, room.saturating_sub(BELOW).max(1), HANG));
            below.into_iter().flatten().for_each(|line| put(style, indent + BELOW, &line));
        }
        text
    }

    /// The widest cell of each column.
    fn widths(&self) -> Vec<usize> {
        let lines = || self.rows.iter().map(|row| &row.cells).chain((!self.header.is_empty()).then_some(&self.header));
        let columns = lines().map(Vec::len).max().unwrap_or_default();
        let widest = |at: usize| lines().filter_map(|cells| cells.get(at)).map(|cell| width(cell)).max();
        (0..columns).map(|at| widest(at).unwrap_or_default()).collect()
    }

    /// The lines of the first columns, aligned.
    fn grid(&self, columns: usize) -> Vec<String> {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        if !self.header.is_empty() {
            grid.set_header(self.header.iter().take(columns));
        }
        for row in &self.rows {
            grid.add_row(row.cells.iter().take(columns));
        }
        let gap = u16::try_from(GAP).unwrap_or_default();
        for (at, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            if self.right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid.lines().collect()
    }
}

/// How many columns there is room for, and how much they take.
fn fitting(widths: &[usize], room: usize) -> (usize, usize) {
    let mut taken = widths.first().copied().unwrap_or_default();
    let mut columns = 1;
    for wide in widths.iter().skip(1) {
        if taken + GAP + wide > room {
            break;
        }
        taken += GAP + wide;
        columns += 1;
    }
    (columns, taken)
}

#[cfg(test)]
mod tests {
    use super::super::style::PLAIN;
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[0]).header(&["ROW", "ACTION", "NOTE"]);
        table.row(PLAIN, ["2", "retire", ""]);
        table.row(PLAIN, ["1,000", "wipe", "a\nb"]);
        table
    }

    #[test]
    fn columns_line_up_and_lines_end_where_their_text_does() {
        let text = table().render(View::default(), 1);
        assert_eq!(text, "   ROW  ACTION  NOTE\n     2  retire\n 1,000  wipe    a b\n");
    }

    #[test]
    fn a_long_text_in_the_last_column_stays_in_it_where_that_is_wide_enough() {
        let mut table = Table::new(&[]);
        table.row(PLAIN, ["risk", "irreversible"]);
        table.row(PLAIN, ["lost reply", "sent again only after a read has shown that it had no effect"]);
        let view = View { width: Some(60), styled: false };
        assert_eq!(
            table.render(view, 2),
            "  risk        irreversible\n  lost reply  sent again only after a read has shown that it\n              had no effect\n"
        );
    }

    #[test]
    fn where_it_is_narrow_the_last_columns_stand_below() {
        let narrow = |columns| View { width: Some(columns), styled: false };
        assert_eq!(table().render(narrow(14), 0), "  ROW  ACTION\n    2  retire\n1,000  wipe\n     a b\n");
        assert_eq!(
            table().render(narrow(10), 0),
            "  ROW\n     ACTION\n       NOTE\n    2\n     retire\n1,000\n     wipe\n       a b\n"
        );
    }
}
