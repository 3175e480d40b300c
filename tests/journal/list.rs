//! What is kept, handed out and thrown away, and what is never written down.

use std::fs;

use fastrand::Rng;

use super::{QUICK, SLOW, effects, in_order, kill, under_way};
use crate::outside::{Desk, SECRET, Simulator, retires, rows};
use crate::support::program;

#[test]
fn only_runs_with_nothing_open_are_pruned() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let mut rng = Rng::with_seed(41);
    let (text, _) = retires(&mut rng, 3);
    desk.run(&desk.write("done.csv", &text), 3, &[]).expect(0);
    let (text, targets) = retires(&mut rng, 12);
    kill(under_way(&desk, &simulator, &desk.write("open.csv", &text), 12, &["--concurrency", "1"], 2));
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed 1 run with 3 jobs"));
    in_order(&rows(&desk.call(&["report"]).expect(0).out), &targets);
    assert_eq!(desk.call(&["runs"]).expect(0).out.matches("done.csv").count(), 0);
}

#[test]
fn an_exported_run_is_a_journal_of_one_run() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let mut rng = Rng::with_seed(42);
    let (text, targets) = retires(&mut rng, 4);
    desk.run(&desk.write("first.csv", &text), 4, &[]).expect(0);
    let id = desk.call(&["runs", "--format", "json"]).out.split('"').find(|word| word.len() == 36).unwrap().to_owned();
    let (text, _) = retires(&mut rng, 4);
    desk.run(&desk.write("second.csv", &text), 4, &[]).expect(0);
    desk.call(&["report", "0"]).expect(2).says("at least its first 8 characters");
    desk.call(&["runs", "--export", &id, "one.db"]).expect(0);
    desk.call(&["runs", "--export", &id, "one.db"]).expect(2).says("already exists");
    let other = Desk::new(&simulator);
    fs::create_dir(other.state()).unwrap();
    fs::copy(desk.path("one.db"), other.journal()).unwrap();
    assert!(!desk.path("one.db-wal").exists(), "the auditor gets one file");
    in_order(&rows(&other.call(&["report"]).expect(0).out), &targets);
    assert_eq!(other.call(&["runs", "--format", "json"]).expect(0).out.lines().count(), 1);
    assert_eq!(other.call(&["report", &id]).expect(0).out, desk.call(&["report", &id]).expect(0).out);
}

/// The damage is on the second page of what is read.
#[test]
fn a_run_that_is_damaged_is_neither_reported_in_part_nor_exported() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(45), 1_001);
    // More than a day allows: the last rows wait, and are reported all the same.
    desk.run(&desk.write("plan.csv", &text), 1_001, &[]).expect(5);
    in_order(&rows(&desk.call(&["report"]).expect(0).out), &targets);
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let another = format!("[\"{}\"]", targets[0]);
    journal.execute("UPDATE jobs SET ids = ?1 WHERE job = 1000", [another]).unwrap();
    let told = desk.call(&["report"]);
    told.expect(1).says("its digest does not fit");
    assert_eq!(told.out, "");
    // To programs the fault is told on stdout.
    let told = desk.call(&["report", "--format", "json"]);
    assert!(told.expect(1).out.contains("its digest does not fit"), "{}", told.out);
    assert_eq!(told.out.lines().count(), 1);
    desk.call(&["runs", "--export", "latest", "one.db"]).expect(1).says("its digest does not fit");
    assert!(!desk.path("one.db").exists());
}

#[test]
fn why_a_row_was_not_sent_is_read_back_and_an_older_journal_does_not_say() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(44), 2);
    let plan = desk.write("plan.csv", &format!("{text}retire,{}\n", targets[0]));
    desk.run(&plan, 2, &[]).expect(3);
    let third = || {
        let told = desk.call(&["report", "--format", "json"]);
        let row: serde_json::Value = serde_json::from_str(told.expect(0).out.lines().nth(2).unwrap()).unwrap();
        (row["outcome"].clone(), row["cause"].clone(), row["note"].clone())
    };
    assert_eq!(third(), ("held".into(), "duplicate".into(), "same job as row 2".into()));
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    for cause in ["NULL", "'of_a_later_version'"] {
        journal.execute_batch(&format!("UPDATE outcomes SET cause = {cause}")).unwrap();
        assert_eq!(third(), ("held".into(), serde_json::Value::Null, "same job as row 2".into()));
    }
}

#[test]
fn no_secret_is_in_the_state_directory_and_nobody_else_reads_it() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(43), 8);
    kill(under_way(&desk, &simulator, &desk.write("plan.csv", &text), 8, &["--concurrency", "2"], 4));
    let mut files = vec![];
    for folder in [desk.state(), desk.state().join("locks")] {
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    }
    assert!(files.len() >= 3, "{files:?}");
    for file in &files {
        let bytes = fs::read(file).unwrap();
        // Tokens are JWTs: their header begins like that.
        for secret in [SECRET, "eyJ", "Bearer"] {
            let there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!there, "{} holds {secret}", file.display());
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!((mode(desk.state()), mode(desk.journal())), (0, 0));
    }
}

/// `--state-dir .` must not lock everybody else out of a folder that is not ours.
#[cfg(unix)]
#[test]
fn a_folder_that_was_there_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    fs::create_dir(desk.state()).unwrap();
    fs::set_permissions(desk.state(), fs::Permissions::from_mode(0o755)).unwrap();
    desk.call(&["runs"]).expect(0);
    assert_eq!(fs::metadata(desk.state()).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(desk.journal()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_a_standing_plan_has_done_outlives_the_pruning() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let mut rng = Rng::with_seed(43);
    let (text, _) = retires(&mut rng, 3);
    let plan = desk.write("standing.csv", &text);
    desk.run(&plan, 3, &["--once"]).expect(0);
    let before = program::rows(&desk.path("report.csv"));
    let first =
        desk.call(&["runs", "--format", "json"]).out.split('"').find(|word| word.len() == 36).unwrap().to_owned();
    // A night without the second row: what was done about it is remembered all the same.
    let lines: Vec<_> = text.lines().collect();
    desk.write("standing.csv", &format!("{}\n{}\n{}\n", lines[0], lines[1], lines[3]));
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed 1 run with 3 jobs"));
    desk.write("standing.csv", &text);
    desk.run(&plan, 0, &["--once"]).expect(4);
    let after = program::rows(&desk.path("report.csv"));
    for (row, first_night) in after.iter().zip(&before) {
        assert!(row["note"].starts_with("accepted at 20"), "{row:?}");
        assert!(row["note"].ends_with(&format!(" in run {first}")), "{row:?}");
        // The run is gone, and all that it knew of the row is still told.
        for (column, told) in first_night.iter().filter(|(column, _)| !["outcome", "note"].contains(&column.as_str())) {
            assert_eq!(&row[column], told, "{column}");
        }
    }
}

#[test]
fn what_a_killed_process_left_beside_the_report_is_cleared_up() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(45), 6);
    let plan = desk.write("open.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 6, &["--concurrency", "1"], 2));
    let parts = || -> Vec<_> {
        let entries = fs::read_dir(desk.path(".")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "part")).collect()
    };
    let [left] = &parts()[..] else { panic!("{:?}", parts()) };
    // Made a moment ago, it might be another's that is about to be locked.
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(left).unwrap().set_modified(long_ago).unwrap();
    desk.resume(&[]).expect(0);
    assert_eq!(parts(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_plan_that_is_run_again_after_a_crash_leaves_alone_what_is_done() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let mut rng = Rng::with_seed(44);
    let (text, targets) = retires(&mut rng, 12);
    let plan = desk.write("open.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 12, &["--concurrency", "1"], 2));
    desk.run(&plan, 12, &[]).expect(10).says("skipped, already done by run").says("--again ROWS");
    desk.resume(&[]).expect(0);
    desk.run(&plan, 12, &[]).expect(4);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 12]);
    // Somebody may want it all the same.
    desk.run(&plan, 12, &["--again", "all"]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [2; 12]);
}
