//! What is done under one of this machine's names is known under the others: they are one place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::guid;
use crate::support::program::{Desk, run};
use crate::support::recorder::{Answer, Recorder};

#[test]
fn a_wipe_is_known_under_every_name_of_this_machine() {
    let wipes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wipes);
    let recorder = Recorder::start(move |seen, _| {
        counted.fetch_add(usize::from(seen.target.ends_with("/wipe")), Ordering::Relaxed);
        Answer::no_content()
    });
    let desk = Desk::with(&[]);
    let by_number = recorder.url();
    let names =
        [by_number.replace("127.0.0.1", "localhost"), by_number.clone(), by_number.replace("127.0.0.1", "LocalHost")];
    let mut told = Vec::new();
    for (url, plan) in names.iter().zip(["first.csv", "second.csv", "third.csv"]) {
        // Another plan each time: what may not be repeated is known whatever plan asks for it.
        std::fs::write(desk.path(plan), format!("action,id\nwipe,{}\n", guid(1))).unwrap();
        let mut command = desk.musterout(["run", plan, "--report", "report.csv", "--state-dir", "state"]);
        let confirm = if told.is_empty() { "1" } else { "0" };
        command.args(["--confirm", confirm, "--graph-url", url, "--login-url", &by_number]);
        let ran = run(command.env("MUSTEROUT_ACCESS_TOKEN", "t"));
        let outcome = desk.path("report.csv").exists().then(|| desk.report().remove(0)["outcome"].clone());
        told.push((outcome.unwrap_or(ran.stderr), wipes.load(Ordering::Relaxed)));
    }
    let expected = ["accepted", "already_done", "already_done"].map(|outcome| (outcome.to_owned(), 1));
    assert_eq!(told, expected);
}
