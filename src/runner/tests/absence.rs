//! What the service does not know: which thing that is, and what it means for the job.

use super::*;
use crate::catalog::Missing;
use crate::guard::breaker::REPEATED_REFUSAL;
use crate::guard::waves::{Conditions, Schedule, Size, Wave};
use crate::job::Found;
use crate::outcome::Cause;
use crate::runner::event::StopReason;

const GONE: Answer = Answer::Bad(Verdict::Gone);

/// How a case differs from the plainest one.
#[derive(Default)]
struct Case {
    action: &'static str,
    ids: &'static [&'static str],
    /// Ids behind which nothing is.
    missing: &'static [&'static str],
    before: Vec<Answer>,
    /// Another run has seen the target.
    shown: bool,
    said: Option<Missing>,
    bad_finds: Vec<Verdict>,
    states: Vec<Evidence>,
}

impl Case {
    fn job(&self) -> Job {
        let action = Action::named(self.action).unwrap();
        let mut job = Job::new(JobParts::plain(1, action, Ids::new(self.ids.iter().copied())));
        job.missing = self.said;
        job
    }

    fn executor(&self) -> Arc<Scripted> {
        let answers: Vec<_> = self.before.iter().cloned().chain([GONE]).collect();
        Arc::new(Scripted {
            missing: self.missing.to_vec(),
            bad_finds: Mutex::new(self.bad_finds.iter().rev().cloned().collect()),
            states: Mutex::new(self.states.iter().rev().cloned().collect()),
            ..Scripted::answering(self.ids.last().unwrap(), &answers)
        })
    }

    async fn play(&self) -> (Settlement, Arc<Scripted>) {
        let executor = self.executor();
        let mut run = plan(vec![self.job()], 7);
        run.history.shown.extend(self.shown.then_some(0));
        let mut ended = perform(run, &executor).await;
        (ended.settlements.remove(0), executor)
    }

    async fn ends(&self) -> (Outcome, String) {
        let (settled, _) = self.play().await;
        (settled.outcome, settled.note.unwrap_or_default().into())
    }
}

/// A device that is not there.
fn device(action: &'static str) -> Case {
    Case { action, ids: &["a"], missing: &["a"], ..Case::default() }
}

fn member(missing: &'static [&'static str]) -> Case {
    Case { action: "removeFromGroup", ids: &["g", "m"], missing, ..Case::default() }
}

#[tokio::test(start_paused = true)]
async fn what_nothing_has_ever_shown_is_not_found_whatever_the_action_wants() {
    for action in ["retire", "delete", "wipe", "syncDevice"] {
        let (settled, executor) = device(action).play().await;
        assert_eq!((settled.outcome, settled.attempts), (Outcome::NotFound, 1), "{action}");
        assert_eq!(*executor.finds.lock().unwrap(), ["a"], "{action}");
        assert_eq!(executor.sends("a"), 1, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_before_is_gone_which_some_actions_want() {
    for (action, outcome) in
        [("retire", Outcome::AlreadyDone), ("delete", Outcome::AlreadyDone), ("wipe", Outcome::Failed)]
    {
        let (found, note) = Case { shown: true, ..device(action) }.ends().await;
        assert_eq!(found, outcome, "{action}");
        assert!(note.contains("not there any more"), "{note}");
        let said = Case { shown: true, said: Some(Missing::Done), ..device(action) }.ends().await;
        assert_eq!(said.0, Outcome::AlreadyDone, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn looking_it_up_and_another_job_of_its_target_show_it() {
    let case = device("retire");
    let mut found = case.job();
    found.found = Some(Box::new(Found { name: None, identity: None, by: "serialNumber 1".into(), row: None }));
    let ended = perform(plan(vec![found], 7), &case.executor()).await;
    assert_eq!(ended.settlements[0].outcome, Outcome::AlreadyDone);
    // The first is accepted, and by the second it is gone.
    let jobs = vec![job("syncDevice", "A", 1, None), job("retire", "a", 2, Some(0))];
    let ended = perform(plan(jobs, 7), &case.executor()).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::AlreadyDone]);
}

#[tokio::test(start_paused = true)]
async fn missing_done_takes_it_for_done_and_says_that_nobody_has_seen_it() {
    for action in ["retire", "wipe"] {
        let (outcome, note) = Case { said: Some(Missing::Done), ..device(action) }.ends().await;
        assert_eq!(outcome, Outcome::AlreadyDone, "{action}");
        assert_eq!(note, "this tenant has never shown managedDevice a (missing: done)");
        for said in [Missing::Hold, Missing::Refuse] {
            let (outcome, _) = Case { said: Some(said), ..device(action) }.ends().await;
            assert_eq!(outcome, Outcome::NotFound, "{action}: it was sent, and only `done` says otherwise");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_missing_is_not_a_member_that_is_not_in_it() {
    let (settled, executor) = member(&["g"]).play().await;
    assert_eq!(settled.outcome, Outcome::NotFound);
    assert!(settled.note.unwrap().contains("group g"));
    assert_eq!(*executor.finds.lock().unwrap(), ["g"]);
    assert_eq!(Case { shown: true, ..member(&["g"]) }.ends().await.0, Outcome::NotFound);
    let (settled, executor) = member(&["m"]).play().await;
    assert_eq!(settled.outcome, Outcome::NotFound);
    assert_eq!(*executor.finds.lock().unwrap(), ["g", "m"]);
    assert_eq!(Case { shown: true, ..member(&["m"]) }.ends().await.0, Outcome::AlreadyDone);
}

#[tokio::test(start_paused = true)]
async fn only_a_member_that_is_there_and_not_in_a_group_that_is_there_is_out_of_it_already() {
    let with = |state: Evidence| Case { states: vec![state], ..member(&[]) };
    assert_eq!(with(Evidence::Effect("not listed".into())).ends().await.0, Outcome::AlreadyDone);
    assert_eq!(with(Evidence::CannotTell("no ids".into())).ends().await.0, Outcome::Failed);
    let (outcome, note) = with(Evidence::NoEffect("it is still listed".into())).ends().await;
    assert!(outcome == Outcome::Failed && note.contains("it is still listed"), "{outcome:?} {note}");
    // Whoever may not read the member has read that the list does not show it.
    let refused = Case { bad_finds: vec![], ..with(Evidence::Effect("not listed".into())) };
    let executor = refused.executor();
    *executor.bad_finds.lock().unwrap() = vec![Verdict::Refused];
    let settled = perform(plan(vec![refused.job()], 7), &executor).await.settlements.remove(0);
    assert_eq!(settled.outcome, Outcome::Failed, "the group was not read");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_all_the_same_has_failed() {
    let case = Case { missing: &[], ..device("retire") };
    let (outcome, note) = case.ends().await;
    assert_eq!(outcome, Outcome::Failed);
    assert!(note.contains("a read shows that it is there: managed"), "{note}");
    let done = Case { missing: &[], states: vec![Evidence::Effect("retirePending".into())], ..device("retire") };
    assert_eq!(done.ends().await.0, Outcome::AlreadyDone);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_tried_again_and_never_called_missing() {
    let lost = |times: usize| Case { bad_finds: vec![Verdict::Lost; times], ..device("delete") };
    let (settled, executor) = lost(2).play().await;
    assert_eq!((settled.outcome, executor.finds.lock().unwrap().len()), (Outcome::NotFound, 3));
    let (settled, executor) = lost(9).play().await;
    assert_eq!((settled.outcome, executor.finds.lock().unwrap().len()), (Outcome::Failed, 3));
    assert!(settled.note.unwrap().contains("could not be read"));
    let throttled = Verdict::Throttled { after: Some(Duration::from_secs(40)) };
    let (settled, executor) = Case { bad_finds: vec![throttled], ..device("delete") }.play().await;
    assert_eq!((settled.outcome, executor.finds.lock().unwrap().len()), (Outcome::NotFound, 2));
    assert!(settled.waited_ms >= 40_000, "{}", settled.waited_ms);
    let refused = Case { bad_finds: vec![Verdict::Refused], said: Some(Missing::Done), ..device("delete") };
    assert_eq!(refused.ends().await.0, Outcome::Failed, "not even where missing is done");
}

#[tokio::test(start_paused = true)]
async fn after_a_doubt_only_what_was_seen_is_called_done() {
    let doubtful = |action, shown| Case { before: vec![lost(true)], shown, ..device(action) };
    assert_eq!(doubtful("delete", true).ends().await.0, Outcome::Completed);
    let (outcome, note) = doubtful("delete", false).ends().await;
    assert_eq!(outcome, Outcome::Unknown);
    assert!(note.contains("nothing has ever shown it"), "{note}");
    let said = Case { said: Some(Missing::Done), ..doubtful("delete", false) };
    let (outcome, note) = said.ends().await;
    assert_eq!(outcome, Outcome::AlreadyDone);
    assert!(note.contains("has never shown"), "what nobody has seen is called deleted: {note}");
    // A read that shows no effect has shown the target, and has cleared the doubt.
    let read = Case { before: vec![lost(false)], ..device("retire") };
    let (settled, executor) = read.play().await;
    assert_eq!((settled.outcome, executor.sends("a")), (Outcome::AlreadyDone, 2));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_finds_nothing_after_a_doubt_is_no_effect_by_itself() {
    let gone = || Evidence::Gone("not there".into());
    for (action, shown, outcome) in [
        ("retire", true, Outcome::AlreadyDone),
        ("retire", false, Outcome::Unknown),
        ("wipe", true, Outcome::Unknown),
        ("deleteAutopilotIdentity", true, Outcome::Accepted),
        ("deleteAutopilotIdentity", false, Outcome::Unknown),
    ] {
        let case = Case { before: vec![lost(true)], shown, states: vec![gone()], ..device(action) };
        assert_eq!(case.ends().await.0, outcome, "{action}, shown {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_strangers_stops_the_run_and_no_wave_lands_on_it() {
    let ids: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    let ids: Vec<&'static str> = ids.into_iter().map(|id| &*id.leak()).collect();
    let jobs: Vec<Job> = (1..).zip(&ids).map(|(row, id)| job("retire", id, row, None)).collect();
    let script = ids.iter().map(|id| ((*id).to_owned(), vec![GONE])).collect();
    let strangers = || {
        Arc::new(Scripted { script: Mutex::new(HashMap::clone(&script)), missing: ids.clone(), ..Scripted::default() })
    };
    let ended = perform(plan(jobs.clone(), 7), &strangers()).await;
    let count = |ended: &Ended, outcome| ended.settlements.iter().filter(|settled| settled.outcome == outcome).count();
    let not_found = count(&ended, Outcome::NotFound);
    assert!((REPEATED_REFUSAL as usize..REPEATED_REFUSAL as usize + 5).contains(&not_found), "{not_found}");
    assert_eq!(count(&ended, Outcome::NotAttempted), 60 - not_found);
    assert!(matches!(ended.stopped, Some(StopReason::Policy(Cause::Breaker, why)) if why.contains("right kind")));
    let mut in_waves = plan(jobs.clone(), 7);
    let wave = |size| Wave { size, conditions: Conditions::default() };
    in_waves.brakes.waves = Schedule::new(&[wave(Size::Jobs(2)), wave(Size::Rest)], &in_waves.jobs, &in_waves.holds);
    let ended = perform(in_waves, &strangers()).await;
    assert_eq!((count(&ended, Outcome::NotFound), count(&ended, Outcome::NotAttempted)), (2, 58));
    // Where what is missing is done, nothing stops it.
    let done = jobs.into_iter().map(|job| Job { missing: Some(Missing::Done), ..job }).collect();
    assert_eq!(count(&perform(plan(done, 7), &strangers()).await, Outcome::AlreadyDone), 60);
}
