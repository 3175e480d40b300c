//! Foreign text: when two spellings are one text, what in it nobody can see, and how it is shown without harm.
//!
//! In: any text, and the medium that it goes to. Out: the form in which it is compared, the form in which it is asked for,
//! the first character in it that is there and does not show, and the form that a terminal, a CSV file, the log and the
//! journal can take. Must not: know what the text stands for, or take anything out of it in silence: what cannot be shown
//! leaves a mark.
//!
//! Source: the `Default_Ignorable_Code_Point` and `Bidi_Control` properties of Unicode, and its white space.

mod folding;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub(crate) use self::folding::Folding;

/// The composed form: what is written in another one (`e` and an accent for `é`) is the same text.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// The form in which two texts are compared: composed, without regard to case and to space around it.
pub(crate) fn key(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    // Lower case may need composing again: `İ` has a form of two characters.
    Cow::Owned(composed(&composed(text).to_lowercase()).into_owned())
}

/// Characters without a shape of their own, and those that turn the direction of what stands around them.
const HIDDEN: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    // A Braille cell without a dot.
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Spaces that look like a space or like nothing, and are none that anybody types.
const ODD_SPACES: &[RangeInclusive<char>] = &[
    '\u{85}'..='\u{85}',
    '\u{a0}'..='\u{a0}',
    '\u{1680}'..='\u{1680}',
    '\u{2000}'..='\u{200a}',
    '\u{2028}'..='\u{2029}',
    '\u{202f}'..='\u{202f}',
    '\u{205f}'..='\u{205f}',
];

/// A character that nobody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hidden(char);

/// `U+200B (zero width space)`.
impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))?;
        match NAMES.iter().find(|(range, _)| range.contains(&self.0)) {
            Some((_, name)) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// Those that are met, as people may know them.
const NAMES: &[(RangeInclusive<char>, &str)] = &[
    ('\u{a0}'..='\u{a0}', "no-break space"),
    ('\u{ad}'..='\u{ad}', "soft hyphen"),
    ('\u{2000}'..='\u{200a}', "space of a certain width"),
    ('\u{200b}'..='\u{200b}', "zero width space"),
    ('\u{200c}'..='\u{200c}', "zero width non-joiner"),
    ('\u{200d}'..='\u{200d}', "zero width joiner"),
    ('\u{200e}'..='\u{200f}', "mark of direction"),
    ('\u{202a}'..='\u{202e}', "mark of direction"),
    ('\u{202f}'..='\u{202f}', "narrow no-break space"),
    ('\u{2060}'..='\u{2060}', "word joiner"),
    ('\u{2066}'..='\u{2069}', "mark of direction"),
    ('\u{61c}'..='\u{61c}', "mark of direction"),
    ('\u{feff}'..='\u{feff}', "zero width no-break space"),
];

/// The first character of `text` that does not show, wherever it stands; white space around the text is not looked at.
pub(crate) fn hidden(text: &str) -> Option<Hidden> {
    let text = text.trim();
    if text.is_ascii() {
        return None;
    }
    let mut sight = Sight::default();
    text.chars().find(|c| sight.hides(*c) || within(ODD_SPACES, *c)).map(Hidden)
}

fn within(ranges: &[RangeInclusive<char>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&c))
}

/// Whether characters that come one after the other show.
///
/// What follows a pictograph only chooses how that is drawn: `❤️` is one sign of two characters.
#[derive(Default)]
struct Sight {
    before: Option<char>,
}

impl Sight {
    fn hides(&mut self, c: char) -> bool {
        let draws = matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}') && self.before.is_some_and(is_pictograph);
        // A joiner may stand behind what chooses the drawing.
        if !draws || c == '\u{200d}' {
            self.before = Some(c);
        }
        !draws && within(HIDDEN, c)
    }
}

/// Where foreign text goes, and so what is harmless there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// One line, however long: of the terminal, of the log, a cell of a table or of a CSV file, a remark in the journal.
    Line,
    /// Several lines: those of a remedy.
    Lines,
    /// A word or a name inside a sentence of ours: one line, and not longer than a glance.
    Word,
    /// What a service said, as journal and report keep it: one line, one space between words, of bearable length.
    Message,
    /// A screen of ours, with our colours: the last look before the terminal. Foreign text in it has gone through
    /// another medium before.
    Screen,
    /// JSON text. It stays exact: what does not show is escaped.
    Json,
}

impl Medium {
    /// In characters.
    fn longest(self) -> Option<usize> {
        match self {
            Self::Word => Some(60),
            Self::Message => Some(400),
            Self::Line | Self::Lines | Self::Screen | Self::Json => None,
        }
    }

    fn keeps_breaks(self) -> bool {
        matches!(self, Self::Lines | Self::Screen | Self::Json)
    }
}

/// The one way in which text that we did not write reaches a terminal, a CSV file, the log and the journal.
///
/// What breaks a line or jumps becomes a space where there is one line. Other control characters, those that turn the
/// direction of text and those that nobody sees become `U+FFFD`. Text that is too long ends in `…`.
pub(crate) fn harmless(text: &str, medium: Medium) -> Cow<'_, str> {
    let longest = medium.longest().unwrap_or(usize::MAX);
    let spaced = medium == Medium::Message && (text != text.trim() || text.contains("  "));
    if text.len() <= longest && !spaced && is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let (mut sight, mut length) = (Sight::default(), 0);
    // Where the text is cut, if it turns out to be too long.
    let mut cut = 0;
    let mut rest = if medium == Medium::Message { text.trim() } else { text };
    while let Some(c) = rest.chars().next() {
        let width = if medium == Medium::Screen { colour(rest).unwrap_or(c.len_utf8()) } else { c.len_utf8() };
        let (this, behind) = rest.split_at(width);
        rest = behind;
        let before = out.len();
        match as_shown(c, sight.hides(c), medium) {
            _ if width > c.len_utf8() => out.push_str(this),
            ShownAs::Space if medium == Medium::Message && out.ends_with(' ') => {}
            ShownAs::Space => out.push(' '),
            ShownAs::Itself => out.push(c),
            ShownAs::Mark => out.push(char::REPLACEMENT_CHARACTER),
            ShownAs::Escape => escape(c, &mut out),
        }
        let grown = out.len() > before;
        length += usize::from(grown);
        if grown && length == longest {
            cut = before;
        } else if length > longest {
            out.truncate(cut);
            out.push('…');
            break;
        }
    }
    Cow::Owned(out)
}

/// Looks at all of it, many bytes at a time: nearly all cells of a large file are like that.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Foreign text on a line of its own, in a cell, or as long as it is in a sentence.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    harmless(text, Medium::Line)
}

/// A word of somebody's file or of the service's inside a sentence.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    harmless(text, Medium::Word)
}

enum ShownAs {
    Itself,
    Space,
    Mark,
    Escape,
}

fn as_shown(c: char, hidden: bool, medium: Medium) -> ShownAs {
    match c {
        '\n' if medium.keeps_breaks() => ShownAs::Itself,
        // Space between the values of a document.
        '\t' | '\r' if medium == Medium::Json => ShownAs::Itself,
        _ if medium == Medium::Json => {
            let breaks = matches!(c, '\u{2028}' | '\u{2029}');
            if hidden || breaks || c.is_control() { ShownAs::Escape } else { ShownAs::Itself }
        }
        '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ShownAs::Space,
        _ if hidden || c.is_control() => ShownAs::Mark,
        _ if medium == Medium::Message && c.is_whitespace() => ShownAs::Space,
        _ => ShownAs::Itself,
    }
}

/// `\u200b`, by code units of UTF-16 as JSON has it.
fn escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// How long a code for a colour is that `text` begins with.
fn colour(text: &str) -> Option<usize> {
    let code = text.strip_prefix("\u{1b}[")?;
    let end = code.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    code[end..].starts_with('m').then_some(text.len() - code.len() + end + 1)
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27bf}' | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_text_has_one_key_however_it_is_composed() {
        assert_eq!(key("E\u{301}va@contoso.com"), key(" éva@Contoso.com "));
        assert_eq!(key("\u{130}stanbul"), key("I\u{307}stanbul"));
        assert_eq!(composed("e\u{301}"), "é");
        assert_ne!(key("eva"), key("éva"));
    }

    #[test]
    fn what_does_not_show_is_named() {
        let named = |text: &str| hidden(text).map(|found| found.to_string());
        assert_eq!(named("\u{200b}bo@contoso.com").as_deref(), Some("U+200B (zero width space)"));
        assert_eq!(named("5CD5600003\u{200b}").as_deref(), Some("U+200B (zero width space)"));
        assert_eq!(named("a\u{202e}b").as_deref(), Some("U+202E (mark of direction)"));
        assert_eq!(named("a\u{a0}b").as_deref(), Some("U+00A0 (no-break space)"));
        assert_eq!(named("a\u{e0041}").as_deref(), Some("U+E0041"));
        for text in [
            "ada",
            "éva",
            "Ada’s iPhone \u{2764}\u{fe0f}",
            "\u{a0}around\u{a0}",
            "日本 太郎",
            "\u{1f469}\u{fe0f}\u{200d}\u{1f4bb}",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
        assert!(named("a\u{fe0f}").is_some() && named("a\u{200d}b").is_some());
        assert!(["a\u{2800}b", "a\u{13430}b", "a\u{1d159}b"].into_iter().all(|text| named(text).is_some()));
    }

    #[test]
    fn foreign_text_steers_no_terminal_and_no_reader() {
        let nasty = "a\u{1b}[2J\u{9b}2Jb\nc\u{202e}d\u{200b}e\u{61c}f\u{2028}g\th";
        assert_eq!(visible(nasty), "a\u{fffd}[2J\u{fffd}2Jb c\u{fffd}d\u{fffd}e\u{fffd}f g h");
        assert_eq!(harmless("a\n\u{7}b\tc", Medium::Lines), "a\n\u{fffd}b c");
        assert_eq!(harmless("\u{1b}[1;31mno\u{1b}[0m\u{1b}[2J", Medium::Screen), "\u{1b}[1;31mno\u{1b}[0m\u{fffd}[2J");
        for text in ["Ada’s iPhone \u{2764}\u{fe0f}", "\u{1f469}\u{fe0f}\u{200d}\u{1f4bb}", "日本 太郎", "a\u{a0}b", ""]
        {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn foreign_text_is_as_long_as_there_is_patience_for() {
        assert_eq!(shown(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(shown(&"é".repeat(61)), "é".repeat(59) + "…");
        assert_eq!(shown(&"x".repeat(1_000_000)), "x".repeat(59) + "…");
        assert_eq!(harmless(" a \r\n\u{a0}  b ", Medium::Message), "a b");
        assert_eq!(harmless(&"a  ".repeat(1_000), Medium::Message).chars().count(), 400);
    }

    #[test]
    fn json_stays_what_it_says() {
        let value = serde_json::json!({ "name": "a\u{202e}\u{9b}2J\u{7f}\u{e0041}\u{2028}\nb\u{2764}\u{fe0f}é" });
        let text = format!("{value:#}\n");
        let harmless = harmless(&text, Medium::Json);
        assert!(harmless.contains(r"a\u202e\u009b2J\u007f\udb40\udc41\u2028\nb"), "{harmless}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&harmless).unwrap(), value);
    }

    proptest! {
        #[test]
        fn what_is_harmless_stays_as_it_is(text in any::<String>()) {
            for medium in [Medium::Line, Medium::Lines, Medium::Word, Medium::Message, Medium::Screen, Medium::Json] {
                let once = harmless(&text, medium).into_owned();
                prop_assert_eq!(harmless(&once, medium), once.as_str(), "{:?}", medium);
                let control = |c: char| c.is_control() && !(c == '\n' && medium.keeps_breaks());
                let json = medium == Medium::Json;
                let screen = medium == Medium::Screen;
                prop_assert!(json || screen || !once.contains(control), "{:?}", once);
            }
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in any::<String>()) {
            let once = key(&text).into_owned();
            prop_assert_eq!(key(&once), once.as_str());
        }
    }
}
