//! The program as its users start it, in a clean environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// What would change what the program does or how its output looks.
const PREFIXES: &[&str] = &["AZURE_", "MUSTEROUT_", "CLICOLOR", "FORCE_COLOR", "RUST_LOG", "COLUMNS"];

/// The program with those arguments: no credentials, no proxy, no colours, nobody at the terminal.
pub fn musterout<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musterout"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    // A policy of the machine or of whoever runs the tests would change what is refused.
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-settings");
    command.env("XDG_CONFIG_HOME", &nowhere).env("XDG_CONFIG_DIRS", &nowhere);
    command.env("NO_COLOR", "1").env("XDG_STATE_HOME", fresh_state()).stdin(Stdio::null()).args(arguments);
    command
}

/// A place for the journal that no other test uses: runs of plans of one name would lock each other out.
fn fresh_state() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{}-{number}", std::process::id()))
}

/// What came of a run of the program.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).expect("stdout is text"),
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
            exit: output.status.code().expect("it exits, and is not killed"),
        }
    }

    #[track_caller]
    pub fn ended_with(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The account, from the last line on stdout.
    pub fn account(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

pub fn run(command: &mut Command) -> Ran {
    Ran::of(command.output().expect("the program starts"))
}

/// A folder of its own for one run.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    /// Lays these files out.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, started in this folder.
    pub fn musterout<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = musterout(arguments);
        command.current_dir(self.folder.path());
        command
    }

    pub fn report(&self) -> Vec<Row> {
        rows(&self.path("report.csv"))
    }
}

/// One row of a report, by column.
pub type Row = BTreeMap<String, String>;

pub fn rows(report: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(report).unwrap_or_else(|error| panic!("{}: {error}", report.display()));
    reader.deserialize().map(|row| row.expect("a report is well-formed CSV")).collect()
}

/// A column of a report, top to bottom.
pub fn column<'r>(rows: &'r [Row], name: &str) -> Vec<&'r str> {
    rows.iter().map(|row| row[name].as_str()).collect()
}
