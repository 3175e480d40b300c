//! The few colours, in one place, and what is known about where text goes.
//!
//! In: text and whether colours are wanted. Out: text. Must not: look at the environment; whoever asks has.

use anstyle::{AnsiColor, Style};
use dialoguer::console::Term;

use crate::catalog::Risk;
use crate::outcome::{Outcome, Standing};

/// Where a rendered text goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal. `None`, as for a pipe, means that nothing is shortened.
    pub width: Option<u16>,
    /// Whether to use colours.
    pub styled: bool,
}

pub(super) const PLAIN: Style = Style::new();
pub(super) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// `text` in that style, or as it is.
pub(crate) fn paint(styled: bool, style: Style, text: &str) -> String {
    match styled && !style.is_plain() && !text.is_empty() {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    }
}

pub(super) fn of_risk(risk: Risk) -> Style {
    match risk {
        Risk::Irreversible => BAD,
        Risk::Destructive => OPEN,
        Risk::Reversible | Risk::Harmless => PLAIN,
    }
}

pub(super) fn of_outcome(outcome: Outcome) -> Style {
    match outcome.standing() {
        Standing::Good => GOOD,
        Standing::Bad => BAD,
        Standing::Open => OPEN,
    }
}

/// Columns of the terminal on stdout, if it is one.
pub(crate) fn stdout_width() -> Option<u16> {
    columns_of(&Term::stdout())
}

/// The same of stderr.
pub(super) fn stderr_width() -> Option<u16> {
    columns_of(&Term::stderr())
}

fn columns_of(terminal: &Term) -> Option<u16> {
    terminal.is_term().then(|| terminal.size_checked().map(|(_, columns)| columns)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_only_when_asked_for() {
        assert_eq!(paint(false, BAD, "failed"), "failed");
        assert_eq!(paint(true, BAD, "failed"), "\u{1b}[31mfailed\u{1b}[0m");
        assert_eq!(paint(true, PLAIN, "x"), "x");
    }
}
