//! Scenarios: a plan, a tenant that misbehaves, and the ranges that the numbers must lie in.
//!
//! In: `tests/scenarios/*.yaml`. Out: every breach of every scenario at once, with its seed and the measured value; and
//! with `--nocapture` a line of numbers for each. Time is paused, so that a run of hours takes milliseconds.
//! Must not: open sockets. A new scenario is a new file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

mod days;
mod file;
mod measure;
mod play;
mod wire;

use file::ScenarioFile;

const SEEDS: [u64; 2] = [1, 20_261_122];

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).collect();
    files.sort();
    files
}

/// Plays a file with every seed. Returns the lines of numbers, and the breaches.
fn examine(path: &Path) -> (Vec<String>, Vec<String>) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let (mut numbers, mut breaches) = (Vec::new(), Vec::new());
    let file = match ScenarioFile::load(path) {
        Ok(file) => file,
        Err(error) => return (numbers, vec![format!("{name}: {error}")]),
    };
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long ones too")]
    let wanted = std::env::var_os("MUSTEROUT_LONG").is_some();
    if file.long && cfg!(debug_assertions) && !wanted {
        return (vec![format!("{name:<44} left out: MUSTEROUT_LONG=1 plays it")], breaches);
    }
    for seed in SEEDS.into_iter().take(file.seeds) {
        match play::play(&file, seed) {
            Ok(played) => {
                let found = measure::breaches(&file, &played);
                numbers.push(format!("{name:<44} seed {seed:<8} {}", measure::summary(&file, &played)));
                breaches.extend(found.into_iter().map(|breach| format!("{name}, seed {seed}: {breach}")));
            }
            Err(error) => breaches.push(format!("{name}, seed {seed}: {error}")),
        }
    }
    (numbers, breaches)
}

#[test]
fn every_scenario_stays_within_its_ranges() {
    let files = files();
    assert!(!files.is_empty(), "there are no scenarios");
    let next = AtomicUsize::new(0);
    let examined = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = examine(path);
                    examined.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    let (mut numbers, mut breaches) = (Vec::new(), Vec::new());
    for (lines, found) in examined.into_inner().unwrap() {
        numbers.extend(lines);
        breaches.extend(found);
    }
    numbers.sort();
    breaches.sort();
    println!("{}", numbers.join("\n"));
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn a_file_that_says_something_nobody_understands_is_refused() {
    let expect = "expect: { outcomes: {}, virtual_seconds: [0, 1] }";
    for (text, word) in [
        (format!("plan: []\n{expect}\n"), "what should happen"),
        (format!("# Two plans.\nplan: []\n{expect}\n"), "either `plan` or `plan_text`"),
        (format!("# A typo.\nplan: []\nlimit: {{}}\n{expect}\n"), "limit"),
        ("# A typo.\nexpect: { outcomes: {}, virtual_seconds: [0, 1], throtled: [0, 0] }\n".to_owned(), "throtled"),
        (format!("# A typo.\nsimulator: {{ latncy: 1s }}\n{expect}\n"), "latncy"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scenario.yaml");
        std::fs::write(&path, text).unwrap();
        let complaint = ScenarioFile::load(&path).unwrap_err();
        assert!(complaint.contains(word), "{complaint}");
    }
}
