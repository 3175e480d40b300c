//! Faults that a user can cause, each with its place and a remedy.
//!
//! In: whoever reads user input makes [`Diagnostic`]s and hands them to a [`Diagnostics`] collector, which does not
//! stop at the first. Out: rendered text in the look of rustc, or objects for `--format json`.
//! Must not: print, read files, or know what was being read.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::text::{Medium, harmless, visible};

/// Whether a fault stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// From 1; `None` where the fault is the whole file's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Name of the CSV column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column_name: Option<String>,
    /// The offending text in its line or lines.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

impl Place {
    /// The whole of a file.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None, column_name: None, excerpt: None }
    }

    /// The bytes `range` of a file's `text`.
    pub fn in_text(file: impl Into<String>, text: &str, range: Range<usize>) -> Self {
        let start = floor(text, range.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[..line_start].matches('\n').count() + 1;
        let column = text[line_start..start].chars().count() + 1;
        Self::known(file, text, line, column, range)
    }

    /// The bytes `range` of a file's `text`, for a caller who knows line and column already and need not count again.
    pub fn known(file: impl Into<String>, text: &str, line: usize, column: usize, range: Range<usize>) -> Self {
        let excerpt = Some(Excerpt::around(text, line, range));
        Self { file: file.into(), line: Some(line), column: Some(column), column_name: None, excerpt }
    }

    fn origin(&self, shown_file: String) -> Origin<'static> {
        let mut origin = Origin::path(shown_file);
        if let Some(line) = self.line {
            origin = origin.line(line);
        }
        if let Some(column) = self.column {
            origin = origin.char_column(column);
        }
        origin
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The line of a fault, and the bytes of it to underline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub text: String,
    pub first_line: usize,
    pub mark: Range<usize>,
}

impl Excerpt {
    /// Bytes shown on each side of where the mark begins: a line of a megabyte must not flood the terminal.
    const REACH: usize = 90;

    /// The line of `text` in which `range` starts, cut around it. A mark over several lines ends with its first.
    fn around(text: &str, line: usize, range: Range<usize>) -> Self {
        let end_of_line = |c| matches!(c, '\n' | '\r');
        let start = floor(text, range.start);
        let (from, to) = (floor(text, start.saturating_sub(Self::REACH)), floor(text, start + Self::REACH));
        let (before, after) = (&text[from..start], &text[start..to]);
        let (before, cut_before) = match before.rfind(end_of_line) {
            Some(at) => (&before[at + 1..], false),
            None => (before, from > 0),
        };
        let (after, cut_after) = match after.find(end_of_line) {
            Some(at) => (&after[..at], false),
            None => (after, to < text.len()),
        };
        let mut excerpt = String::with_capacity(before.len() + after.len() + 6);
        excerpt.push_str(if cut_before { "…" } else { "" });
        excerpt.push_str(before);
        let mark = excerpt.len();
        excerpt.push_str(after);
        let mark_end = floor(&excerpt, mark + range.end.saturating_sub(start));
        excerpt.push_str(if cut_after { "…" } else { "" });
        Self { text: excerpt, first_line: line, mark: mark..mark_end }
    }

    /// The line as a terminal can take it, with as many characters as before, and where the mark stands in it.
    fn harmless(&self) -> (String, Range<usize>) {
        // The renderer sees to tabs.
        let part = |range: Range<usize>| {
            let parts = self.text.get(range).unwrap_or_default().split('\t');
            parts.map(visible).collect::<Vec<_>>().join("\t")
        };
        let mut text = part(0..self.mark.start);
        let start = text.len();
        text.push_str(&part(self.mark.clone()));
        let end = text.len();
        text.push_str(&part(self.mark.end..self.text.len()));
        (text, start..end)
    }

    fn begins_its_line(&self, place: &Place) -> bool {
        let before = self.text.get(..self.mark.start).map_or(0, |before| before.chars().count());
        place.column == Some(before + 1)
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable name of the kind of fault, for programs: `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What stands beside the underline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), place: None, label: None, help: None }
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault as programs read it: one flat object, always with the same keys.
    pub fn object(&self) -> Value {
        let place = self.place.as_ref();
        json!({
            "file": place.map(|place| &place.file),
            "line": place.and_then(|place| place.line),
            "column": place.and_then(|place| place.column),
            "column_name": place.and_then(|place| place.column_name.as_ref()),
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
        })
    }

    /// The fault as people read it, ending in a newline. `styled` adds colours.
    pub fn render(&self, styled: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(owned(&self.message)).id(self.code);
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            let file = owned(&place.file);
            let excerpt = place.excerpt.as_ref().map(|excerpt| {
                let (text, mark) = excerpt.harmless();
                let mut mark = AnnotationKind::Primary.span(mark);
                if let Some(label) = &self.label {
                    mark = mark.label(owned(label));
                }
                (excerpt, Snippet::source(text).line_start(excerpt.first_line).annotation(mark))
            });
            group = match excerpt {
                Some((excerpt, snippet)) if excerpt.begins_its_line(place) => group.element(snippet.path(file)),
                // The renderer would work out the column from the middle of a line, and be wrong.
                Some((_, snippet)) => group.element(place.origin(file)).element(snippet),
                None => group.element(place.origin(file)),
            };
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let help = self.help.as_ref().map(|help| harmless(help, Medium::Lines).into_owned());
        let framed = self.place.as_ref().is_some_and(|place| place.excerpt.is_some());
        let text = match help {
            Some(help) if framed => renderer.render(&[group.element(Level::HELP.message(help))]).to_string(),
            // Without an excerpt there is no frame for the help to hang on.
            Some(help) => {
                let help = Group::with_title(Level::HELP.secondary_title(help));
                format!("{}\n{}", renderer.render(&[group]), renderer.render(&[help]))
            }
            None => renderer.render(&[group]).to_string(),
        };
        text + "\n"
    }
}

/// The renderer keeps what it is given.
fn owned(text: &str) -> String {
    visible(text).into_owned()
}

/// A collector of faults. It keeps the first [`Diagnostics::KEPT`] and counts the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// A file of a million broken rows must not fill the memory with their descriptions.
    pub const KEPT: usize = 1_000;

    pub fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.kept.len() < Self::KEPT {
            self.kept.push(diagnostic);
        }
    }

    /// Counts an error, and describes it only where the description will be kept.
    pub fn push_error_with(&mut self, describe: impl FnOnce() -> Diagnostic) {
        if self.kept.len() < Self::KEPT {
            self.push(describe());
        } else {
            self.errors += 1;
        }
    }

    /// Puts the faults in the order of files (as first met), and of places within a file.
    pub fn sort(&mut self) {
        let mut files: Vec<String> = Vec::new();
        for file in self.kept.iter().filter_map(|fault| fault.place.as_ref()).map(|place| &place.file) {
            if !files.contains(file) {
                files.push(file.clone());
            }
        }
        self.kept.sort_by_key(|fault| {
            fault
                .place
                .as_ref()
                .map(|place| (files.iter().position(|file| *file == place.file), place.line, place.column))
        });
    }

    pub fn extend(&mut self, other: Diagnostics) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        let room = Self::KEPT.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
    }

    pub fn errors(&self) -> usize {
        self.errors
    }

    pub fn warnings(&self) -> usize {
        self.warnings
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.kept.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        let mut diagnostics = Self::default();
        diagnostics.push(diagnostic);
        diagnostics
    }
}

/// The word among `known` that somebody who typed `wrong` most likely meant.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    // A short word is like the beginning of many long ones.
    let as_long = |word: &&str| word.len() <= wrong.len() * 2 + 2;
    known
        .into_iter()
        .filter(as_long)
        .map(|word| (strsim::jaro_winkler(&wrong, &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_knows_its_line_and_its_column_in_characters() {
        let text = "version: 1\nnäme: lab\n";
        let at = text.find("lab").unwrap();
        let place = Place::in_text("plan.yaml", text, at..at + 3);
        assert_eq!((place.line, place.column), (Some(2), Some(7)));
        let excerpt = place.excerpt.unwrap();
        assert_eq!(&excerpt.text[excerpt.mark], "lab");
    }

    #[test]
    fn the_offending_text_is_underlined() {
        let text = "version: 1\nnmae: lab\n";
        let rendered = Diagnostic::error("unknown-key", "unknown key `nmae`")
            .at(Place::in_text("plan.yaml", text, 11..15))
            .label("not a key of a plan")
            .help("did you mean `name`?")
            .render(false);
        assert!(rendered.contains("error[unknown-key]: unknown key `nmae`"), "{rendered}");
        assert!(rendered.contains("--> plan.yaml:2:1"), "{rendered}");
        assert!(rendered.contains("^^^^ not a key of a plan"), "{rendered}");
        assert!(rendered.contains("help: did you mean `name`?"), "{rendered}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark_and_keeps_its_column() {
        let text = format!("{}WRONG{}", "é".repeat(300), "x".repeat(1_000_000));
        let at = text.find("WRONG").unwrap();
        let place = Place::in_text("plan.csv", &text, at..at + 5);
        let excerpt = place.excerpt.clone().unwrap();
        assert!(excerpt.text.len() < 200 && excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
        assert_eq!(&excerpt.text[excerpt.mark], "WRONG");
        let rendered = Diagnostic::error("x", "x").at(place).render(false);
        assert!(rendered.contains("plan.csv:1:301"), "{rendered}");
    }

    #[test]
    fn foreign_text_in_a_fault_steers_no_terminal() {
        let text = "näme: \u{9b}2J\u{200b}a\u{202e}b\t\u{1b}[2Jc\n";
        let at = text.find("a\u{202e}").unwrap();
        let fault = Diagnostic::error("x", "no `a\u{202e}b\nerror: c`").at(Place::in_text(
            "p\u{1b}c\u{61c}.yaml",
            text,
            at..at + 5,
        ));
        let rendered = fault.label("\u{200f}l").help("one\u{202d}\ntwo").render(false);
        assert!(
            rendered.starts_with("error[x]: no `a\u{fffd}b error: c`\n --> p\u{fffd}c\u{fffd}.yaml:1:11\n"),
            "{rendered}"
        );
        assert!(rendered.contains("1 | näme: \u{fffd}2J\u{fffd}a\u{fffd}b    \u{fffd}[2Jc\n"), "{rendered}");
        assert!(rendered.contains("^^^ \u{fffd}l\n"), "{rendered}");
        assert!(rendered.contains("help: one\u{fffd}\n") && rendered.contains("two"), "{rendered}");
    }

    #[test]
    fn faults_are_sorted_by_file_and_place() {
        let text = "a\nb\n";
        let mut all = Diagnostics::default();
        for (file, at) in [("z", 2), ("a", 2), ("z", 0), ("a", 0)] {
            all.push(Diagnostic::error("x", "x").at(Place::in_text(file, text, at..at + 1)));
        }
        all.sort();
        let order: Vec<_> = all.iter().filter_map(|f| f.place.as_ref()).map(|p| (p.file.as_str(), p.line)).collect();
        assert_eq!(order, [("z", Some(1)), ("z", Some(2)), ("a", Some(1)), ("a", Some(2))]);
    }

    #[test]
    fn faults_beyond_the_kept_ones_are_counted() {
        let mut all = Diagnostics::default();
        for _ in 0..Diagnostics::KEPT + 5 {
            all.push(Diagnostic::error("x", "x"));
        }
        assert_eq!((all.iter().count(), all.errors()), (Diagnostics::KEPT, Diagnostics::KEPT + 5));
    }

    #[test]
    fn suggestions_are_near_or_absent() {
        assert_eq!(did_you_mean("retier", ["wipe", "retire"]), Some("retire"));
        assert_eq!(did_you_mean("launch", ["wipe", "retire"]), None);
    }
}
