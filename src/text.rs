//! Foreign text: when two spellings are one text, and what in it nobody can see.
//!
//! In: any text. Out: the form in which it is compared, the form in which it is asked for, and the first character in it
//! that is there and does not show. Must not: know what the text stands for, or take anything out of it in silence.
//!
//! Source: the `Default_Ignorable_Code_Point` and `Bidi_Control` properties of Unicode, and its white space.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The composed form: what is written in another one (`e` and an accent for `é`) is the same text.
pub fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// The form in which two texts are compared: composed, without regard to case and to space around it.
pub fn key(text: &str) -> Cow<'_, str> {
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
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
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
pub struct Hidden(char);

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
///
/// What follows a pictograph only chooses how that is drawn: `❤️` is one sign of two characters.
pub fn hidden(text: &str) -> Option<Hidden> {
    let text = text.trim();
    if text.is_ascii() {
        return None;
    }
    let mut before = None;
    text.chars()
        .find(|c| {
            let draws = matches!(*c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}') && before.is_some_and(is_pictograph);
            let within = |ranges: &[RangeInclusive<char>]| ranges.iter().any(|range| range.contains(c));
            // A joiner may stand behind what chooses the drawing.
            before = if draws && *c != '\u{200d}' { before } else { Some(*c) };
            !draws && (within(HIDDEN) || within(ODD_SPACES))
        })
        .map(Hidden)
}

/// Whether it shows nothing of its own, wherever it stands.
pub fn is_hidden(c: char) -> bool {
    HIDDEN.iter().any(|range| range.contains(&c))
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
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in any::<String>()) {
            let once = key(&text).into_owned();
            prop_assert_eq!(key(&once), once.as_str());
        }
    }
}
