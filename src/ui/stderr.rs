//! Stderr, shared by log lines, messages and the bar so that they do not tear each other.
//!
//! In: whole lines. Out: the same lines above the bar, where there is one. Must not: write half a line at a time while
//! the bar is drawn.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::style::{View, stderr_width};
use super::wrap::wrapped;
use crate::text::{Medium, harmless};

/// A handle on stderr; clones share the bar. For `tracing_subscriber`: `.with_writer(move || stderr.clone())`.
#[derive(Debug, Clone)]
pub struct Stderr {
    bars: Option<MultiProgress>,
    styled: bool,
    silent: bool,
}

impl Stderr {
    /// A bar is drawn only on a terminal that takes one; `styled` is for colours.
    pub fn new(bar: bool, styled: bool) -> Self {
        let bars = bar.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self { bars, styled, silent: false }
    }

    /// For whoever uses the library, and shows what he wants himself.
    pub fn silent() -> Self {
        Self { bars: None, styled: false, silent: true }
    }

    /// With a bar if stderr is a terminal.
    pub fn detect(styled: bool) -> Self {
        Self::new(io::stderr().is_terminal(), styled)
    }

    /// Whether nothing is ever shown.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    pub fn styled(&self) -> bool {
        self.styled
    }

    /// How text looks there.
    pub fn view(&self) -> View {
        View { width: stderr_width(), styled: self.styled }
    }

    /// Writes one line, or several, above the bar.
    pub fn say(&self, line: &str) {
        let text = wrapped(&harmless(line, Medium::Screen), self.view().width);
        // Nobody is left to be told that stderr is closed.
        let _ = self.clone().write_all(format!("{text}\n").as_bytes());
    }

    /// Does something that has the terminal for itself: the bar would draw over what is typed.
    pub(super) fn without_bar(&self, doing: impl FnOnce()) {
        let target = |drawn: bool| match drawn {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        if let Some(bars) = &self.bars {
            // A terminal that cannot be cleared shows the question all the same.
            let _ = bars.clear();
            bars.set_draw_target(target(false));
        }
        doing();
        if let Some(bars) = &self.bars {
            bars.set_draw_target(target(true));
        }
    }

    /// The bar's place, if there is one.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        self.bars.as_ref().map(|bars| bars.add(ProgressBar::no_length()))
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.bars {
            _ if self.silent => Ok(()),
            Some(bars) => bars.suspend(|| io::stderr().lock().write_all(bytes)),
            None => io::stderr().lock().write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
