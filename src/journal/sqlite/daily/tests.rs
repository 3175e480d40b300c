//! Tests of the ledger of daily limits.

use std::sync::mpsc;

use jiff::SignedDuration;

use std::sync::Arc;

use super::*;
use crate::daily::{DailySettings, Ground};
use crate::journal::{Attempt, Journal, NewRun, Recorder, RunId, RunState, TurnedAway};

const RETIRE: usize = 0;

fn account(tenant: &str, retires: u32) -> Arc<DailyAccount> {
    let settings = DailySettings { retire: Some(retires), reserve_percent: Some(0), ..DailySettings::default() };
    Arc::new(DailyAccount { tenant: tenant.into(), rules: DailyRules::new(&settings).unwrap() })
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn begin(journal: &mut Journal, number: u8) -> i64 {
    journal
        .begin(&NewRun {
            id: &RunId::new(noon(), [number; 10]),
            plan_key: "key",
            plan_file: "plan.csv",
            plan_digest: "",
            plan_files: &[],
            tenant: "contoso",
            place: "https://graph.microsoft.com",
            known: 0,
            settings: &serde_json::json!({}),
            report: None,
            jobs: &[],
            inherited: &[],
            request: |_| ("POST", String::new(), None),
            now: noon(),
        })
        .unwrap()
}

/// Asks for room so many times, a second apart, and waits for all the answers.
fn ask(
    recorder: &Recorder,
    account: &Arc<DailyAccount>,
    from: Timestamp,
    ids: &str,
    times: u32,
) -> Vec<Result<(), UsedUp>> {
    let (say, said) = mpsc::channel();
    for number in 0..times {
        let say = say.clone();
        recorder.attempt(Attempt {
            job: number,
            number: 0,
            client_request_id: format!("{ids}{number}").as_str().into(),
            sent_at: from + SignedDuration::from_secs(number.into()),
            may_follow: |_, _| true,
            take: Some(Take { account: Arc::clone(account), limit: RETIRE }),
            release: Box::new(move |room| say.send(room).unwrap()),
        });
    }
    let used_up = |why| match why {
        TurnedAway::UsedUp(used_up) => used_up,
        other => panic!("{other:?}"),
    };
    said.into_iter().take(times as usize).map(|room| room.map_err(used_up)).collect()
}

fn recorded(journal: &Journal) -> (u32, u32) {
    let count = |table: &str| {
        journal.store.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    (count("attempts"), count("daily_uses"))
}

#[test]
fn two_runs_at_once_do_not_overshoot_together() {
    let folder = tempfile::tempdir().unwrap();
    let account = account("contoso", 50);
    let room: usize = std::thread::scope(|scope| {
        let run = |number: u8| {
            let (folder, account) = (folder.path(), Arc::clone(&account));
            move || {
                let mut journal = Journal::open(folder).unwrap();
                let run = begin(&mut journal, number);
                let recorder = Recorder::start(&journal, run, |why| panic!("{why}")).unwrap();
                let room = ask(&recorder, &account, noon(), &number.to_string(), 40);
                recorder.finish().unwrap();
                room.into_iter().filter(Result::is_ok).count()
            }
        };
        let runs = [1, 2, 3].map(|number| scope.spawn(run(number)));
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!(room, 50);
    assert_eq!(recorded(&Journal::open(folder.path()).unwrap()), (50, 50), "without room, nothing is recorded");
}

#[test]
fn what_did_nothing_is_given_back_and_what_left_counts_when_its_run_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let account = account("contoso", 2);
    let run = begin(&mut journal, 1);
    let recorder = Recorder::start(&journal, run, |why| panic!("{why}")).unwrap();
    assert_eq!(ask(&recorder, &account, noon(), "a", 2), [Ok(()), Ok(())]);
    let until = noon() + SignedDuration::from_secs(24 * 3_600 + 120);
    let later = noon() + SignedDuration::from_secs(60);
    assert_eq!(
        ask(&recorder, &account, later, "b", 1),
        [Err(UsedUp { limit: RETIRE, until, ground: Ground::Counted })]
    );
    recorder.give_back(&"a0".into());
    recorder.finish().unwrap();
    journal.set_state(run, RunState::Finished, Some(later)).unwrap();
    journal.store.connection.execute("DELETE FROM runs", []).unwrap();
    let other = begin(&mut journal, 2);
    let recorder = Recorder::start(&journal, other, |why| panic!("{why}")).unwrap();
    let room = ask(&recorder, &account, later, "c", 2);
    assert_eq!(room.iter().filter(|room| room.is_ok()).count(), 1, "{room:?}");
    recorder.finish().unwrap();
}

#[test]
fn a_refusal_holds_for_every_run_and_shows_in_a_forecast() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let account = account("contoso", 9);
    let run = begin(&mut journal, 1);
    let recorder = Recorder::start(&journal, run, |why| panic!("{why}")).unwrap();
    let until = noon() + SignedDuration::from_hours(5);
    let take = || Take { account: Arc::clone(&account), limit: RETIRE };
    let presumed = UsedUp { limit: RETIRE, until, ground: Ground::Presumed };
    recorder.pause(take(), presumed);
    recorder.pause(take(), UsedUp { until: noon(), ground: Ground::Said, ..presumed });
    assert_eq!(ask(&recorder, &account, noon(), "a", 1), [Err(presumed)]);
    let refused = UsedUp { until: until + SignedDuration::from_hours(1), ground: Ground::Said, ..presumed };
    recorder.pause(take(), refused);
    assert_eq!(ask(&recorder, &account, noon(), "b", 1), [Err(refused)]);
    recorder.finish().unwrap();
    let book = journal.daily_book("contoso", &account.rules).unwrap();
    assert_eq!(book.fits(&account.rules, RETIRE, noon()), Err(refused));
    assert_eq!(journal.daily_book("fabrikam", &account.rules).unwrap().fits(&account.rules, RETIRE, noon()), Ok(()));
}

#[test]
fn two_spellings_of_a_tenant_become_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let by_name = account("contoso.example", 2);
    let run = begin(&mut journal, 1);
    let recorder = Recorder::start(&journal, run, |why| panic!("{why}")).unwrap();
    ask(&recorder, &by_name, noon(), "a", 2);
    recorder.finish().unwrap();
    journal.know_tenant("Contoso.example", "1111", noon()).unwrap();
    assert_eq!(journal.tenant_known_as("CONTOSO.example").unwrap(), "1111");
    assert_eq!(journal.tenant_known_as("fabrikam").unwrap(), "fabrikam");
    let rules = &by_name.rules;
    assert!(journal.daily_book("1111", rules).unwrap().fits(rules, RETIRE, noon()).is_err());
    journal.know_tenant("1111", "1111", noon() + SignedDuration::from_hours(24 * 30)).unwrap();
    assert_eq!(recorded(&journal).1, 0, "what counts by no rule any more is forgotten");
}
