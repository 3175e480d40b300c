//! What is on file of the devices, for people.
//!
//! In: what was found out about keys. Out: a few words for a row, and a line for each secret. Must not: show what a device
//! cannot have, or make a missing key look like one of which nobody knows.

use std::fmt::Write as _;

use super::style::{BAD, OPEN, PLAIN, STRONG, View, paint};
use super::tables::Table;
use super::text::{count, count_of};
use crate::catalog::SECRETS;
use crate::escrow::{KeyStatus, Keys};
use crate::preview::Preview;
use crate::text::visible;

/// `BitLocker, no LAPS`, `FileVault ?`.
pub(super) fn in_short(keys: Option<&Keys>) -> String {
    let Some(keys) = keys else { return String::new() };
    let words = SECRETS.iter().filter_map(|row| match keys.of(row.secret).status {
        KeyStatus::OnFile => Some(row.label.to_owned()),
        KeyStatus::Missing => Some(format!("no {}", row.label)),
        KeyStatus::Unknown | KeyStatus::Forbidden => Some(format!("{} ?", row.label)),
        KeyStatus::NotApplicable => None,
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() { "-".into() } else { words.join(", ") }
}

/// A heading and the lines; empty where nobody looked, or no device has anything to keep.
pub(super) fn counts(preview: &Preview<'_>, view: View) -> String {
    let counts = preview.key_counts();
    if counts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[1, 2, 3]);
    for of in &counts {
        let style = match (of.missing, of.unknown) {
            (0, 0) => PLAIN,
            (0, _) => OPEN,
            _ => BAD,
        };
        let cell = |number: u32, word: &str| format!("{} {word}", count(number));
        let (there, missing, unknown) = (of.on_file, of.missing, of.unknown);
        let cells = [cell(there, "on file"), cell(missing, "missing"), cell(unknown, "not known")];
        table.row(style, [of.secret.label, &cells[0], &cells[1], &cells[2]]);
    }
    let mut text = format!("{}\n{}", paint(view.styled, STRONG, "Keys of the devices:"), table.render(view, 2));
    for (why, number) in preview.key_reasons() {
        let line = format!("  {}: {}", count_of(number, "device"), visible(&why));
        let _ = writeln!(text, "{}", paint(view.styled, OPEN, &line));
    }
    text
}
