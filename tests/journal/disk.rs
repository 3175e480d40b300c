//! Disks that are full, torn, corrupt, or not there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use fastrand::Rng;

use super::{QUICK, SLOW, calls, effects, in_order, kill, under_way};
use crate::crash::wrong;
use crate::outside::{Desk, Ended, Simulator, count_of, retires, rows};

#[test]
fn a_state_directory_that_cannot_be_one_is_said_before_anything_is_sent() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(1), 3);
    let plan = desk.write("plan.csv", &text);
    // Permissions mean nothing to root; a file where the folder should be stops everybody.
    fs::write(desk.state(), "a file").unwrap();
    desk.run(&plan, 3, &[]).expect(1).says("the state directory").says("--state-dir");
    assert_eq!(simulator.requests(), 0);
}

#[test]
fn corrupt_and_newer_databases_are_refused_in_words() {
    let simulator = Simulator::start(QUICK);
    let (text, targets) = retires(&mut Rng::with_seed(2), 5);
    let every_verb = |desk: &Desk<'_>, plan: &Path, word: &str| {
        desk.run(plan, 5, &[]).expect(1).says(word);
        for verb in [&["resume", "latest"][..], &["report"], &["runs"]] {
            desk.call(verb).expect(1).says(word);
        }
    };
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", &text);
    fs::create_dir(desk.state()).unwrap();
    fs::write(desk.journal(), "this is no database ".repeat(1_000)).unwrap();
    every_verb(&desk, &plan, "cannot be opened");
    fs::remove_file(desk.journal()).unwrap();
    desk.call(&["runs"]).expect(0);
    rusqlite::Connection::open(desk.journal()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    every_verb(&desk, &plan, "newer version");
    assert_eq!(calls(&simulator, "retire", &targets), [0; 5]);
}

/// Bytes anywhere in the database: an error or the truth, and never a panic.
#[test]
fn scribbles_in_the_database_never_lead_to_a_panic() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(3), 40);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 40, &[]).expect(0);
    let good = fs::read(desk.journal()).unwrap();
    for seed in 0..25 {
        let mut rng = Rng::with_seed(seed);
        let mut bad = good.clone();
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(..bad.len());
            let end = bad.len().min(at + 64);
            bad[at..end].iter_mut().for_each(|byte| *byte = rng.u8(..));
        }
        fs::write(desk.journal(), &bad).unwrap();
        for verb in [&["report"][..], &["runs"], &["resume"]] {
            let ended = desk.call(verb);
            let clear =
                matches!(ended.code, Some(0 | 2 | 4)) || (ended.code == Some(1) && ended.err.contains("journal"));
            assert!(clear && !ended.err.contains("panicked"), "seed {seed}, {verb:?}: {ended:?}");
        }
    }
}

/// A file that may not grow any further is what a full disk looks like to one process.
#[test]
fn a_disk_that_fills_up_stops_the_run_and_nothing_unrecorded_leaves() {
    let simulator = Simulator::start("log: off\nthrottle: off\nlatency: { min: 1ms, max: 4ms }\n");
    let mut in_the_middle = 0;
    for (seed, blocks) in (0..).zip([64, 160, 200, 260, 320, 400, 500]) {
        let desk = Desk::new(&simulator);
        let (text, targets) = retires(&mut Rng::with_seed(400 + seed), 150);
        let plan = desk.write("plan.csv", &text);
        desk.call(&["runs"]).expect(0);
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let run = desk.run_command(&plan, 150, &["--concurrency", "4"]);
        shell.arg("-c").arg(script).arg(run.get_program()).args(run.get_args());
        desk.settle_in(&mut shell);
        let ended = Ended::of(shell.output().unwrap());
        if full_disk(&desk, &simulator, &targets, &ended, seed) {
            in_the_middle += 1;
        }
    }
    assert!(in_the_middle > 0, "no limit was met in the middle of a run");
}

/// What must hold after a run that ran out of room. Returns whether that was in its middle.
fn full_disk(desk: &Desk<'_>, simulator: &Simulator, targets: &[String], ended: &Ended, seed: u64) -> bool {
    if ended.code == Some(0) {
        return false;
    }
    ended.expect(1).says("journal");
    let known = desk.call(&["report"]);
    if known.code == Some(2) {
        assert_eq!(calls(simulator, "retire", targets).iter().sum::<u64>(), 0, "seed {seed}: sent without a record");
        return false;
    }
    let (report, known) = (desk.report(), rows(&known.expect(0).out));
    in_order(&report, targets);
    in_order(&known, targets);
    let counts = simulator.counts();
    let mut sent = 0;
    for (row, known) in report.iter().zip(&known) {
        let called = count_of(&counts, "calls", "retire", &row.target);
        sent += called;
        let recorded = known.outcome != "not_attempted";
        assert!(called == 0 || recorded, "seed {seed}: sent without a record: {known:?}");
        let wrong = wrong(row, count_of(&counts, "effects", "retire", &row.target));
        assert!(wrong.is_empty(), "seed {seed}: {wrong}: {row:?}");
    }
    desk.resume(&[]).expect(0);
    assert!(effects(simulator, "retire", targets).iter().all(|effects| *effects == 1), "seed {seed}");
    in_order(&desk.report(), targets);
    0 < sent && sent < targets.len() as u64
}

/// A real file system without room, where this process may make one.
#[test]
fn a_full_file_system_stops_the_run_and_resume_completes() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    fs::create_dir(desk.state()).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=280k", "tmpfs"]).arg(desk.state());
    if !mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    }
    let (text, targets) = retires(&mut Rng::with_seed(5), 400);
    let plan = desk.write("plan.csv", &text);
    let ended = desk.run(&plan, 400, &["--concurrency", "2"]);
    let grown =
        Command::new("mount").args(["-o", "remount,size=16m"]).arg(desk.state()).status().is_ok_and(|s| s.success());
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert!(grown, "the tmpfs could not be made larger");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        full_disk(&desk, &simulator, &targets, &ended, 5);
    }));
    let _ = Command::new("umount").arg(desk.state()).status();
    checked.unwrap();
}

/// A log that lost bytes which the disk had acknowledged is beyond what any journal can promise: jobs whose attempts
/// were in those bytes look as if they had never been sent. That is noticed; what the database still
/// knows must hold all the same.
#[test]
fn a_torn_log_is_refused_or_what_it_still_knows_holds() {
    let simulator = Simulator::start("log: off\nthrottle: off\nlatency: { min: 1ms, max: 10ms }\n");
    let (mut refused, mut resumed, mut noticed) = (0, 0, 0);
    for seed in 0..24 {
        let mut rng = Rng::with_seed(600 + seed);
        let desk = Desk::new(&simulator);
        let (text, targets) = retires(&mut rng, 30);
        let plan = desk.write("plan.csv", &text);
        let requests = rng.u64(2..28);
        kill(under_way(&desk, &simulator, &plan, 30, &["--concurrency", "3"], requests));
        let log = desk.state().join("journal.db-wal");
        // It came through before it could be killed.
        let Ok(mut bytes) = fs::read(&log) else { continue };
        let (length, tail) = (bytes.len(), bytes.len() / 2);
        match rng.bool() {
            true => bytes.truncate(rng.usize(..=bytes.len())),
            false => (0..rng.usize(1..20)).for_each(|_| bytes[rng.usize(tail..length)] ^= 1 << rng.u8(..8)),
        }
        fs::write(&log, &bytes).unwrap();
        // The last bytes may be of nothing that was acknowledged.
        noticed += u32::from(desk.call(&["report"]).err.contains("lacks records that it had before"));
        // Somebody says that what is missing does not matter.
        let _ = fs::remove_file(desk.state().join("journal.mark"));
        let known = desk.call(&["report"]);
        let ended = match known.code {
            Some(0) => desk.resume(&[]),
            _ => desk.call(&["resume", "latest"]),
        };
        assert!(!ended.err.contains("panicked") && !known.err.contains("panicked"), "seed {seed}: {ended:?} {known:?}");
        if known.code != Some(0) {
            assert!(matches!(ended.code, Some(1 | 2)), "seed {seed}: {ended:?}");
            refused += 1;
            continue;
        }
        ended.expect(0);
        resumed += 1;
        let counts = simulator.counts();
        in_order(&desk.report(), &targets);
        for row in rows(&known.out).iter().filter(|row| row.outcome != "not_attempted") {
            let effects = count_of(&counts, "effects", "retire", &row.target);
            assert_eq!(effects, 1, "seed {seed}: a recorded attempt was repeated: {row:?}");
        }
    }
    println!("torn logs: {noticed} noticed, {resumed} resumed, {refused} refused");
    assert!(resumed > 0 && noticed > 0);
}

/// Slow enough that the disk is gone while requests are out.
#[test]
fn a_state_directory_that_vanishes_costs_no_row_of_the_report() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(7), 12);
    let plan = desk.write("plan.csv", &text);
    let child = under_way(&desk, &simulator, &plan, 12, &["--concurrency", "2"], 3);
    fs::remove_dir_all(desk.state()).unwrap();
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert!(matches!(ended.code, Some(0 | 1)) && !ended.err.contains("panicked"), "{ended:?}");
    in_order(&desk.report(), &targets);
    assert!(effects(&simulator, "retire", &targets).iter().all(|effects| *effects <= 1));
}

/// Somebody clears the folder while the run goes on: the records would go where nobody finds them.
#[test]
fn a_journal_that_is_deleted_or_replaced_under_a_run_stops_it() {
    for replaces in [false, true] {
        let simulator = Simulator::start(SLOW);
        let desk = Desk::new(&simulator);
        let (text, targets) = retires(&mut Rng::with_seed(77), 40);
        let plan = desk.write("plan.csv", &text);
        let child = under_way(&desk, &simulator, &plan, 40, &["--concurrency", "1"], 2);
        let other = Desk::new(&simulator);
        other.call(&["runs"]).expect(0);
        fs::remove_dir_all(desk.state()).unwrap();
        if replaces {
            fs::create_dir(desk.state()).unwrap();
            fs::copy(other.journal(), desk.journal()).unwrap();
        }
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(String::from_utf8_lossy(&ended.stderr).contains("deleted, moved or replaced"), "{ended:?}");
        let sent = calls(&simulator, "retire", &targets).iter().sum::<u64>();
        assert!(sent < 8, "{sent} were sent after the journal was gone");
        // Every row is in the report all the same.
        assert_eq!(desk.report().len(), 40);
    }
}

/// The last answer has come, and then something of the journal is gone: what the process knows is reported all the same.
#[test]
fn a_journal_that_fails_after_the_last_send_costs_no_report() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(78), 12);
    let plan = desk.write("plan.csv", &text);
    let child = under_way(&desk, &simulator, &plan, 12, &["--concurrency", "1", "--verify", "1h"], 14);
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    journal.execute_batch("DROP TABLE follow_ups").unwrap();
    let ended = Ended::of(child.wait_with_output().unwrap());
    ended.expect(1).says("journal").says("the report has all results");
    let report = desk.report();
    in_order(&report, &targets);
    assert!(report.iter().all(|row| row.outcome == "accepted"), "{report:?}");
}

/// Records that lie in a log without a name are in nobody's journal.
#[test]
fn a_log_that_is_deleted_under_a_run_stops_it() {
    for name in ["journal.db-wal", "journal.db-shm"] {
        let simulator = Simulator::start(SLOW);
        let desk = Desk::new(&simulator);
        let (text, targets) = retires(&mut Rng::with_seed(79), 40);
        let plan = desk.write("plan.csv", &text);
        let child = under_way(&desk, &simulator, &plan, 40, &["--concurrency", "1"], 2);
        fs::remove_file(desk.state().join(name)).unwrap();
        let ended = Ended::of(child.wait_with_output().unwrap());
        ended.expect(1).says(name).says("deleted, moved or replaced");
        assert!(calls(&simulator, "retire", &targets).iter().sum::<u64>() < 8);
        in_order(&desk.report(), &targets);
    }
}

/// What the journal has lost is known by its mark, and somebody has to say that it does not matter.
#[test]
fn a_journal_that_lacks_what_was_in_it_is_refused_until_somebody_deletes_its_mark() {
    let simulator = Simulator::start(SLOW);
    let (text, targets) = retires(&mut Rng::with_seed(80), 30);
    let (other, _) = retires(&mut Rng::with_seed(81), 1);
    let remove_log = |desk: &Desk<'_>| {
        for name in ["journal.db-wal", "journal.db-shm"] {
            fs::remove_file(desk.state().join(name)).unwrap();
        }
    };
    let restore = |desk: &Desk<'_>| {
        desk.call(&["runs"]).expect(0);
        fs::copy(desk.path("older.db"), desk.journal()).map(drop).unwrap();
    };
    let empty = |desk: &Desk<'_>| {
        remove_log(desk);
        fs::write(desk.journal(), "").unwrap();
    };
    type Loses<'a> = &'a dyn Fn(&Desk<'_>);
    let ways: [(Loses<'_>, &str); 3] =
        [(&remove_log, "lacks records"), (&restore, "lacks records"), (&empty, "not the journal that was here")];
    for (loses, words) in ways {
        let desk = Desk::new(&simulator);
        desk.run(&desk.write("other.csv", &other), 1, &["--once"]);
        fs::copy(desk.journal(), desk.path("older.db")).unwrap();
        let plan = desk.write("plan.csv", &text);
        let sent = calls(&simulator, "retire", &targets).iter().sum::<u64>();
        kill(under_way(&desk, &simulator, &plan, 30, &["--concurrency", "1"], 5));
        loses(&desk);
        let before = simulator.requests();
        for verb in [&["runs"][..], &["resume", "latest"], &["report"]] {
            desk.call(verb).expect(1).says(words).says("journal.mark");
        }
        desk.run(&plan, 30, &[]).expect(1).says(words);
        assert_eq!(simulator.requests(), before, "nothing was sent, {sent} were before");
        fs::remove_file(desk.state().join("journal.mark")).unwrap();
        desk.call(&["runs"]).expect(0);
    }
}

#[cfg(unix)]
#[test]
fn files_of_the_journal_are_closed_to_others_when_they_are_opened() {
    use std::os::unix::fs::PermissionsExt;
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(82), 1);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 1, &[]).expect(0);
    let files = || {
        let folders = [desk.state(), desk.state().join("locks")];
        let entries = folders.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let is_open = |path: &std::path::PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o077 != 0;
    assert_eq!(files().into_iter().filter(is_open).count(), 0, "{:?}", files());
    files().iter().for_each(|file| fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap());
    desk.run(&plan, 1, &["--once"]).expect(4);
    let open: Vec<_> = files().into_iter().filter(is_open).collect();
    assert!(open.is_empty(), "{open:?}");
}
