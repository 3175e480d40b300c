//! Many rows as text: made on two threads, written in their order.
//!
//! In: how many rows there are, and the text of some of them. Out: the text of all, in their order. Must not: hold more than a few
//! blocks of rows.
//!
//! A plan may have a million rows. Their text takes a third of the time of a preview, and no row depends on another.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::mpsc;
use std::thread;

/// Rows in a block: their text is longer than the buffer before a file, so that it is not copied there.
const BLOCK: usize = 320;
/// Blocks that the second thread may be ahead.
const AHEAD: usize = 4;

/// Writes the rows `0..rows`. `text_of` gives the text of those in a range.
pub(super) fn write(
    rows: usize,
    text_of: impl Fn(Range<usize>) -> io::Result<String> + Sync,
    out: &mut impl Write,
) -> io::Result<()> {
    let blocks = rows.div_ceil(BLOCK);
    let block = |number: usize| text_of(number * BLOCK..rows.min((number + 1) * BLOCK));
    thread::scope(|scope| {
        let (made, others) = mpsc::sync_channel(AHEAD);
        let block = &block;
        let make = move || (1..blocks).step_by(2).try_for_each(|number| made.send(block(number)));
        if blocks > 1 {
            // Without a second thread this one makes all blocks.
            let _ = thread::Builder::new().name("rows".into()).spawn_scoped(scope, make);
        }
        for number in 0..blocks {
            let text = match number % 2 {
                0 => block(number),
                _ => others.recv().unwrap_or_else(|_| block(number)),
            };
            out.write_all(text?.as_bytes())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(rows: Range<usize>) -> io::Result<String> {
        Ok(rows.map(|row| format!("{row}\n")).collect())
    }

    #[test]
    fn every_row_is_written_once_and_in_its_order() {
        for rows in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 40 * BLOCK + 7] {
            let mut out = Vec::new();
            write(rows, text_of, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text_of(0..rows).unwrap(), "{rows}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_made_ends_it_where_it_stands() {
        for bad in [0, BLOCK + 3, 2 * BLOCK] {
            let mut out = Vec::new();
            let text_of = |rows: Range<usize>| match rows.contains(&bad) {
                true => Err(io::Error::other("no text")),
                false => text_of(rows),
            };
            assert!(write(20 * BLOCK, text_of, &mut out).is_err());
            let whole = super::tests::text_of(0..bad / BLOCK * BLOCK).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), whole);
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let mut full = [0; BLOCK * 10];
        assert!(write(40 * BLOCK, text_of, &mut full.as_mut_slice()).is_err());
    }
}
