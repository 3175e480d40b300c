//! The picture in the README: what a terminal shows of a preview and a run, drawn as an SVG.
//!
//! In: the real binary on a terminal of its own, and a sample plan. Out: `docs/pictures/run.svg`, compared or, with
//! `MUSTEROUT_ACCEPT=1 cargo test picture`, written. Must not: show what is different in every run.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use anstyle::{Ansi256Color, Color, Style};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::normal::fixed;
use crate::support::program::{Desk, run};

const COLUMNS: u16 = 92;
/// Higher than anything that is shown, so that nothing scrolls away.
const ROWS: u16 = 200;

const COMMANDS: &[&str] = &["preview plans/lab-a.csv --simulate", "run plans/lab-a.csv --simulate --confirm 6"];

/// A run's id that is the same in every picture.
const RUN: &str = "01a20253-7c41-7d30-9f52-6a1c0b8e4d17";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the program writes to a terminal of [`COLUMNS`] columns.
fn on_a_terminal(desk: &Desk, state: &Path, arguments: &str) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize { ws_row: 50, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let screen = OpenOptions::new().read(true).write(true).open(name).unwrap();
    tcsetwinsize(&screen, size).unwrap();
    let mut command = desk.musterout(arguments.split(' '));
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color").env("XDG_STATE_HOME", state);
    let mut child = command.stdout(screen.try_clone().unwrap()).stderr(screen).spawn().unwrap();
    // The terminal ends when nobody holds its other side any more, and the command holds it too.
    drop(command);
    let (mut terminal, mut shown, mut part) = (File::from(terminal), Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = terminal.read(&mut part) {
        shown.extend_from_slice(&part[..length]);
    }
    assert!(child.wait().unwrap().success(), "{arguments}: {}", String::from_utf8_lossy(&shown));
    String::from_utf8(shown).unwrap()
}

/// The ids of the runs that the journal knows.
fn runs(desk: &Desk, state: &Path) -> Vec<String> {
    let listed = run(desk.musterout(["runs", "--format", "json"]).env("XDG_STATE_HOME", state));
    let lines = listed.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter_map(|line| line["run"].as_str().map(str::to_owned)).collect()
}

/// An id of a run may be shown by its beginning.
fn with_fixed_runs(mut shown: String, runs: &[String]) -> String {
    for id in runs {
        for length in (8..=id.len().min(RUN.len())).rev() {
            shown = shown.replace(&id[..length], &RUN[..length]);
        }
    }
    shown
}

fn style_of(cell: &vt100::Cell) -> Style {
    let mut style = Style::new();
    if let vt100::Color::Idx(index) = cell.fgcolor() {
        style = style.fg_color(Ansi256Color(index).into_ansi().map(Color::from));
    }
    style = if cell.bold() { style.bold() } else { style };
    if cell.dim() { style.dimmed() } else { style }
}

/// The lines of a screen, with the colours that the drawing understands.
fn lines(screen: &vt100::Screen) -> String {
    let mut text = String::new();
    for row in 0..ROWS {
        let cells =
            (0..COLUMNS).filter_map(|column| screen.cell(row, column)).filter(|cell| !cell.is_wide_continuation());
        let mut parts: Vec<(Style, String)> = Vec::new();
        for cell in cells {
            let shown = if cell.has_contents() { cell.contents() } else { " " };
            match parts.last_mut().filter(|(style, _)| *style == style_of(cell)) {
                Some((_, part)) => part.push_str(shown),
                None => parts.push((style_of(cell), shown.to_owned())),
            }
        }
        if let Some((_, end)) = parts.last_mut() {
            end.truncate(end.trim_end().len());
        }
        parts.iter().filter(|(_, part)| !part.is_empty()).for_each(|(style, part)| {
            let _ = write!(text, "{style}{part}{style:#}");
        });
        text.push('\n');
    }
    format!("{}\n", text.trim_end())
}

fn drawn() -> String {
    let desk = Desk::with(&[]);
    fs::create_dir(desk.path("plans")).unwrap();
    fs::copy(root().join("plans/lab-a.csv"), desk.path("plans/lab-a.csv")).unwrap();
    let state = tempfile::tempdir().unwrap();
    let size = |number| NonZeroU16::new(number).unwrap();
    let mut terminal = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
    for (at, arguments) in COMMANDS.iter().enumerate() {
        let shown = on_a_terminal(&desk, state.path(), arguments);
        let shown = with_fixed_runs(fixed(&shown), &runs(&desk, state.path()));
        let before = if at == 0 { "" } else { "\r\n" };
        terminal
            .process(format!("{before}\u{1b}[32m$\u{1b}[0m \u{1b}[1mmusterout {arguments}\u{1b}[0m\r\n").as_bytes());
        terminal.process(shown.as_bytes());
    }
    anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE).render_svg(&lines(terminal.screen()))
}

fn picture() -> PathBuf {
    root().join("docs/pictures/run.svg")
}

#[test]
fn the_picture_in_the_readme_is_what_a_terminal_shows() {
    let drawn = drawn();
    #[expect(clippy::disallowed_methods, reason = "how a person says that the picture is right")]
    if std::env::var_os("MUSTEROUT_ACCEPT").is_some() {
        fs::create_dir_all(picture().parent().unwrap()).unwrap();
        fs::write(picture(), &drawn).unwrap();
    }
    let kept = fs::read_to_string(picture()).unwrap_or_default();
    assert!(
        kept == drawn,
        "docs/pictures/run.svg is not what a terminal shows today; `MUSTEROUT_ACCEPT=1 cargo test picture` draws it again"
    );
}

#[test]
fn the_readme_shows_the_commands_of_the_picture() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("docs/pictures/run.svg"));
    for arguments in COMMANDS {
        assert!(readme.contains(&format!("musterout {arguments}")), "README.md lacks musterout {arguments}");
    }
}
