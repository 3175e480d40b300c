//! Cases: folders of plain files, run through the real binary. A new test is a new folder in `tests/cases/`.
//!
//! `args` holds the arguments; `before` may hold those of runs that come before it, one a line, or `copy A B`; `env` may hold variables, one `NAME=value` a line. `stdout`, `stderr`, `exit` and
//! `report.csv` or `report.jsonl` are what is expected; everything else is laid out beside the plan.
//! `MUSTEROUT_ACCEPT=1 cargo test` writes what the program said over what was expected.

mod compare;
mod normal;
#[cfg(unix)]
mod picture;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;

use self::normal::Normaliser;
use crate::saved::sealed;
use crate::support::guid;
use crate::support::program::{musterout, rows, run};

const EXPECTED: &[&str] = &["stdout", "stderr", "exit", "report.csv", "report.jsonl"];
/// These are there, empty or not.
const REQUIRED: &[&str] = &["stdout", "stderr", "exit"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

#[test]
fn cases() {
    #[expect(clippy::disallowed_methods, reason = "how a person says that the output is right")]
    let accept = std::env::var_os("MUSTEROUT_ACCEPT").is_some();
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    all.sort();
    assert!(all.len() > 50, "the cases were not found");
    let count = all.len();
    let queue = Mutex::new(all);
    let failed = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().pop() else { return };
                    if let Some(why) = fails(&case, accept) {
                        failed.lock().unwrap().insert(case, why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if !failed.is_empty() {
        let told: Vec<_> = failed.iter().map(|(case, why)| format!("=== {}\n{why}", name_of(case))).collect();
        panic!(
            "\n{}\n{} of {count} cases differ; `MUSTEROUT_ACCEPT=1 cargo test cases` takes what came for right\n",
            told.join("\n"),
            failed.len(),
        );
    }
}

fn name_of(case: &Path) -> String {
    case.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs a case, and says how it differs from what was expected.
fn fails(case: &Path, accept: bool) -> Option<String> {
    let came = perform(case)?;
    if accept {
        for name in EXPECTED {
            let _ = fs::remove_file(case.join(name));
        }
        came.iter().for_each(|(name, text)| fs::write(case.join(name), text).unwrap());
        return None;
    }
    let mut differences = Vec::new();
    for name in EXPECTED {
        let expected = fs::read_to_string(case.join(name)).ok();
        match (expected, came.get(*name)) {
            (None, None) => {}
            (Some(expected), Some(came)) if expected == *came => {}
            (None, Some(_)) if REQUIRED.contains(name) => differences.push(format!("the file `{name}` is missing")),
            (None, Some(came)) => differences.push(format!("an unexpected {name}:\n{came}")),
            (Some(_), None) => differences.push(format!("there is no {name}")),
            (Some(expected), Some(came)) => {
                differences.push(format!("{name}:\n{}", compare::difference(&expected, came)));
            }
        }
    }
    (!differences.is_empty()).then(|| differences.join("\n"))
}

/// Everything that the program said and wrote, made the same for every run.
fn perform(case: &Path) -> Option<BTreeMap<&'static str, String>> {
    let desk = tempfile::tempdir().unwrap();
    let mut laid_out = String::new();
    lay_out(case, desk.path(), true, &mut laid_out);
    let arguments = fs::read_to_string(case.join("args")).unwrap_or_else(|_| panic!("{}: no args", name_of(case)));
    let state = tempfile::tempdir().unwrap();
    for line in fs::read_to_string(case.join("before")).unwrap_or_default().lines() {
        match line.strip_prefix("copy ").and_then(|files| files.split_once(' ')) {
            Some((from, to)) => drop(fs::copy(desk.path().join(from), desk.path().join(to)).unwrap()),
            None => drop(run(musterout(words(line)).current_dir(desk.path()).env("XDG_STATE_HOME", state.path()))),
        }
    }
    let mut command = musterout(words(&arguments));
    command.current_dir(desk.path()).env("XDG_STATE_HOME", state.path());
    for line in fs::read_to_string(case.join("env")).unwrap_or_default().lines() {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: env: {line}", name_of(case)));
        command.env(name, value);
    }
    let ran = run(&mut command);
    let normaliser = Normaliser::knowing(&format!("{laid_out}\n{arguments}"));
    let mut came = BTreeMap::new();
    let anywhere = |text: &str| text.replace(&desk.path().canonicalize().unwrap().display().to_string(), "[DESK]");
    came.insert("stdout", normaliser.text(&anywhere(&ran.stdout)));
    came.insert("stderr", normaliser.text(&anywhere(&ran.stderr)));
    came.insert("exit", format!("{}\n", ran.exit));
    for entry in fs::read_dir(desk.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = name_of(&path);
        if case.join(&name).exists() && !EXPECTED.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        match name.rsplit_once('.') {
            Some((_, "csv")) => came.insert("report.csv", normaliser.csv(&text)),
            Some((_, "jsonl")) => came.insert("report.jsonl", normaliser.text(&text)),
            _ => panic!("{}: it left {name} behind", name_of(case)),
        };
    }
    Some(came)
}

/// Copies a case's own files, and gathers what they say.
fn lay_out(from: &Path, to: &Path, top: bool, said: &mut String) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = name_of(&path);
        if path.is_dir() {
            fs::create_dir(to.join(&name)).unwrap();
            lay_out(&path, &to.join(&name), false, said);
        } else if !top || !(EXPECTED.contains(&name.as_str()) || ["args", "env", "before"].contains(&name.as_str())) {
            let bytes = fs::read(&path).unwrap();
            let is_run = from.file_name().is_some_and(|case| case.to_string_lossy().starts_with("saved-run"));
            let bytes = if is_run && name.ends_with(".json") { made_today(bytes) } else { bytes };
            said.push_str(&String::from_utf8_lossy(&bytes));
            fs::write(to.join(&name), bytes).unwrap();
        }
    }
}

/// Words as a shell would take them, with quotes and without anything else.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote): (Option<String>, Option<char>) = (None, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn arguments_are_split_as_a_shell_would() {
    assert_eq!(words("run 'a b' \"\" x='y z'\n--confirm 3\n"), ["run", "a b", "", "x=y z", "--confirm", "3"]);
}

/// A hole of 100 MB that takes no room on the disk.
#[test]
fn a_plan_that_is_far_too_large_is_refused_unread() {
    for (name, says) in [("plan.yaml", "the file is larger than"), ("plan.csv", "the file is larger than")] {
        let desk = tempfile::tempdir().unwrap();
        let file = fs::File::create(desk.path().join(name)).unwrap();
        file.set_len(300_000_000).unwrap();
        for verb in [&["check"][..], &["preview"], &["run", "--simulate-fresh", "--confirm", "1"]] {
            let ran = run(musterout(verb).arg(name).current_dir(desk.path())).ended_with(2);
            assert!(ran.stderr.contains(says) && ran.stderr.contains("MiB"), "{}", ran.stderr);
            assert!(ran.stderr.contains(name) && ran.stdout.is_empty(), "{}", ran.stderr);
        }
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 1, "no report");
    }
}

/// Whoever read stdout may have gone; what became of the rows is told by the exit code and the report all the same.
#[test]
fn the_exit_code_does_not_depend_on_who_reads_stdout() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("plan.csv"), format!("action,id\nwipe,{}\n", guid(1))).unwrap();
    fs::write(desk.path().join("scenario.yaml"), format!("missing: [{}]\n", guid(1))).unwrap();
    for form in ["human", "json"] {
        let mut command =
            musterout(["run", "plan.csv", "--simulate-fresh=scenario.yaml", "--confirm", "1", "--format", form]);
        command.args(["--report", "report.csv"]).current_dir(desk.path());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(3), "{form}");
        assert_eq!(rows(&desk.path().join("report.csv"))[0]["outcome"], "not_found");
    }
}

/// Every row of a large plan comes back, in its order.
#[test]
fn two_thousand_rows_in_are_two_thousand_rows_out() {
    let desk = tempfile::tempdir().unwrap();
    let lines = (1..=2_000).map(|number| format!("retire,{},seat {number}\n", guid(number)));
    fs::write(desk.path().join("plan.csv"), format!("action,id,note\n{}", lines.collect::<String>())).unwrap();
    let mut command = musterout(["run", "plan.csv", "--simulate-fresh=storm.yaml", "--confirm", "2000", "--unpaced"]);
    let missing: Vec<_> = (1..=50).map(|number| guid(number * 40)).collect();
    let storm = format!("throttle: off\nmissing: [{}]\n", missing.join(", "));
    fs::write(desk.path().join("storm.yaml"), storm).unwrap();
    let policy = "version: 1\nguards: { max_targets: 2000 }\nlimits: { daily: { retire: 3000 } }\n";
    fs::write(desk.path().join("policy.yaml"), policy).unwrap();
    let ran =
        run(command.args(["--report", "report.csv", "--policy", "policy.yaml"]).current_dir(desk.path())).ended_with(3);
    let account = "rows in 2000, rows out 2000: accepted 1950, not_found 50";
    assert!(ran.account().contains(account), "{}", ran.account());
    let rows = rows(&desk.path().join("report.csv"));
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!((row["row"].as_str(), &row["target"]), ((number + 1).to_string().as_str(), &guid(number)));
    }
    assert_eq!(rows.len(), 2_000);
}

/// No saved preview may be run for longer than a week: those that a case has are dated anew. What was edited stays that.
fn made_today(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let seal = |text: &str| {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        sealed(&lines.iter().collect::<Vec<_>>())
    };
    if !text.contains("\"expires\":\"2099-01-01T10:00:00Z\"") || seal(&text) != text {
        return bytes;
    }
    let now = jiff::Timestamp::now();
    let at = |hours: i64| (now + jiff::SignedDuration::from_hours(hours)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let text = text.replace("2026-01-01T10:00:00Z", &at(-1)).replace("2099-01-01T10:00:00Z", &at(12));
    seal(&text).into_bytes()
}
