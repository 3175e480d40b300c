//! Long lines, broken between words: a terminal breaks them anywhere, also inside an id.
//!
//! In: text that may hold colours, and the columns there are. Out: the same words on more lines. Must not: break a word, or
//! touch what fits.

use super::text::width;

/// What follows the first line of a broken one stands so far to the right of it.
pub(super) const HANG: usize = 2;
/// Narrower than this, breaking helps nobody.
const NARROWEST: usize = 20;

/// Every line of `text`; `None` leaves it as it is.
pub(crate) fn wrapped(text: &str, columns: Option<u16>) -> String {
    let Some(columns) = columns.map(usize::from).filter(|columns| *columns >= NARROWEST) else {
        return text.to_owned();
    };
    if text.lines().all(|line| width(line) <= columns) {
        return text.to_owned();
    }
    let lines = text.split('\n').map(|line| match is_excerpt(line) || width(line) <= columns {
        true => line.to_owned(),
        false => broken(line, columns, HANG).join("\n"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of a file, or the mark below it: they have to stand as they are, one above the other.
fn is_excerpt(line: &str) -> bool {
    line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|')
}

/// One line, as lines that fit. What follows the first hangs so far to the right of it.
pub(super) fn broken(line: &str, columns: usize, hang: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let hang = " ".repeat((indent + hang).min(columns / 2));
    let mut lines = vec![" ".repeat(indent)];
    let mut taken = indent;
    let mut is_first = true;
    for word in line[indent..].split(' ') {
        let wide = width(word);
        let gap = usize::from(!is_first);
        if !is_first && taken + gap + wide > columns {
            lines.push(hang.clone());
            taken = hang.len();
            is_first = true;
            if word.is_empty() {
                continue;
            }
        }
        let Some(last) = lines.last_mut() else { continue };
        if !is_first {
            last.push(' ');
            taken += 1;
        }
        last.push_str(word);
        taken += wide;
        is_first = false;
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_hang() {
        let text = "short\n  2 devices drop their other pending actions: 7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11\n";
        assert_eq!(
            wrapped(text, Some(40)),
            "short\n  2 devices drop their other pending\n    actions:\n    7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11\n"
        );
        assert_eq!(wrapped(text, None), text);
        assert_eq!(wrapped(text, Some(200)), text);
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        assert_eq!(
            wrapped("a 7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11 b", Some(20)),
            "a\n  7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11\n  b"
        );
    }

    #[test]
    fn colours_take_no_room_and_excerpts_stay() {
        let text = "\u{1b}[31mone two three four\u{1b}[0m five";
        assert_eq!(wrapped(text, Some(24)), text);
        let excerpt = "12 | a line of a file that is much longer than this\n   |   ^^^^ what is wrong about it";
        assert_eq!(wrapped(excerpt, Some(30)), excerpt);
    }
}
