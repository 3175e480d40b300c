//! The words of a `$filter` expression.
//!
//! In: its text, decoded. Out: words, literals in quotes, and brackets. Must not: know what they mean.

/// One piece of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryWord<'t> {
    /// A name, an operator, or a literal without quotes.
    Bare(&'t str),
    Quoted(String),
    Open,
    Close,
    Comma,
    Colon,
}

/// `None`: a quote is not closed, or a character has no place in an expression.
pub(crate) fn split(text: &str) -> Option<Vec<QueryWord<'_>>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '(' => (QueryWord::Open, 1),
            ')' => (QueryWord::Close, 1),
            ',' => (QueryWord::Comma, 1),
            ':' => (QueryWord::Colon, 1),
            '\'' => quoted(rest)?,
            _ => bare(rest)?,
        };
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Some(words)
}

/// Text in single quotes, in which two quotes stand for one.
fn quoted(text: &str) -> Option<(QueryWord<'_>, usize)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let end = rest.find('\'')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((QueryWord::Quoted(value), text.len() - rest.len())),
        }
    }
}

/// A colon belongs to a word that begins with a digit: it is a time.
fn bare(text: &str) -> Option<(QueryWord<'_>, usize)> {
    let is_moment = text.starts_with(|first: char| first.is_ascii_digit());
    let belongs = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '$' | '+' | '@') || (is_moment && c == ':')
    };
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    (end > 0).then(|| (QueryWord::Bare(&text[..end]), end))
}
