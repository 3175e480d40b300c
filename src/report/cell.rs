//! What may stand in a cell of a CSV file that people open in a spreadsheet, and how instants are written.
//!
//! In: any text. Out: one line that no spreadsheet takes for a formula, and no terminal for a command. Must not: be used
//! for JSON, which stays exact.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::text::visible;

/// A cell that a spreadsheet would calculate gets a leading apostrophe, as OWASP advises: one that starts with
/// `=`, `+`, `-`, `@` or their full-width forms, leading white space or not, or with a tab or line break. What no terminal
/// should see is made harmless first.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    let is_changed = matches!(shown, Cow::Owned(_));
    match is_formula(text) || (is_changed && is_formula(&shown)) {
        true => Cow::Owned(format!("'{shown}")),
        false => shown,
    }
}

pub(super) fn is_formula(text: &str) -> bool {
    // Most cells begin with a letter or a digit.
    if text.bytes().next().is_none_or(|first| first.is_ascii_alphanumeric()) {
        return false;
    }
    let starts_oddly = text.starts_with(['\t', '\r', '\n']);
    starts_oddly || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// RFC 3339 in UTC with milliseconds: `2026-11-22T07:00:00.000Z`.
pub(crate) fn instant(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    PRINTER.timestamp_to_string(&at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_made_harmless_and_all_else_stays() {
        for text in ["=1+1", "+49 30", "-1", "@SUM(A1)", "\tx", "\r=x", "\n=x", "  =x", "＝x", "－x", "\u{a0}@x"] {
            assert_eq!(harmless(text), format!("'{}", visible(text)), "{text:?}");
        }
        for text in ["", "7f4e", "a=b", "'=x", "ada@contoso.com", " ", "POST /v1.0/users"] {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_formula_is_told_by_how_it_begins(text in "[ -~＝\t\r\n\u{a0}é]{0,4}") {
            let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
            let expected = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(signs);
            prop_assert_eq!(is_formula(&text), expected, "{:?}", text);
            let shown = visible(&text);
            let mark = if expected || is_formula(&shown) { "'" } else { "" };
            prop_assert_eq!(harmless(&text), format!("{mark}{shown}"));
        }
    }

    #[test]
    fn a_cell_is_one_line_without_codes() {
        assert_eq!(harmless("LAB\u{1b}[2J\r\n\u{202e}01\u{200b}"), "LAB\u{fffd}[2J  \u{fffd}01\u{fffd}");
        assert_eq!(harmless("\u{7}=1"), "\u{fffd}=1");
    }

    #[test]
    fn instants_have_milliseconds_always() {
        assert_eq!(instant("2026-11-22T08:00:00+01:00".parse().unwrap()), "2026-11-22T07:00:00.000Z");
        assert_eq!(instant("2026-11-22T07:00:00.1239Z".parse().unwrap()), "2026-11-22T07:00:00.123Z");
    }
}
