//! Each policy by itself: what it hears, what it says. No runtime, no service, no clock that moves.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::dialogue::{
    Admission, Announcement, Attempted, Command, Door, Happened, Policy, QueuePlace, ReadBackAnswer, Then, Times, Who,
};
use super::super::event::StopReason;
use super::super::guards::Guards;
use super::super::job_state::{Item, JobState, NextRequest, WaitsFor};
use super::super::ledger::Ledger;
use super::super::limits::Limits;
use super::super::mailbox::{Mailbox, News};
use super::super::queue::{Lane, Queues};
use super::super::run::{History, Run};
use super::super::view::RunView;
use super::*;
use crate::catalog::Action;
use crate::clock::Clock;
use crate::daily::{DailyAccount, DailyRules, DailyTerms, Ground, UsedUp};
use crate::guard::Brakes;
use crate::guard::breaker::StopWhen;
use crate::guard::drift::Sighting;
use crate::guard::filing::Filing;
use crate::guard::lookout::{PreSendCheck, SeenBy};
use crate::guard::now::GuardsNow;
use crate::guard::waves::{Conditions, Schedule, Size, Wave};
use crate::guard::window::{RunWindow, RunWindows};
use crate::identity::Identity;
use crate::job::{Ids, Job, JobParts};
use crate::journal::TurnedAway;
use crate::outcome::{Cause, Ending, Evidence, Outcome, Presence, Reply, Seen, Stage, Verdict};
use crate::pacing::{Gates, Pacing};

/// A run at one moment, around the policy that is tested.
struct Stand {
    jobs: Arc<[Job]>,
    ledger: Ledger,
    queues: Queues,
    limits: Limits,
    clock: Clock,
    now: Instant,
    stopped: Option<StopReason>,
}

impl Stand {
    fn view(&self) -> RunView<'_> {
        RunView {
            jobs: &self.jobs,
            ledger: &self.ledger,
            queues: &self.queues,
            limits: &self.limits,
            clock: &self.clock,
            now: self.now,
            stopped: self.stopped.as_ref(),
            has_journal: true,
        }
    }

    fn hears(&self, policy: &mut impl Policy, happened: &Happened) -> Vec<Command> {
        let mut then = Then::default();
        policy.on(happened, &self.view(), &mut then);
        then.decide();
        std::iter::from_fn(|| then.next()).collect()
    }

    /// The same in words.
    fn says(&self, policy: &mut impl Policy, happened: &Happened) -> String {
        format!("{:?}", self.hears(policy, happened))
    }

    fn settles(&mut self, job: u32, outcome: Outcome) {
        self.ledger.settle(job, Ending::settled(outcome, None), self.now);
    }

    fn times(&self) -> Times {
        Times { sent: self.now, now: self.now }
    }
}

/// An action on each of these targets, in this order; `>`: a step behind the one before.
fn jobs(plan: &[(&str, &str)]) -> Vec<Job> {
    let job = |(index, (action, target)): (usize, &(&str, &str))| {
        let after = target.strip_prefix('>').map(|_| index as u32 - 1);
        let ids = Ids::new([target.trim_start_matches('>')]);
        let action = Action::named(action).unwrap();
        Job::new(JobParts { after, ..JobParts::plain(index as u32 + 1, action, ids) })
    };
    plan.iter().enumerate().map(job).collect()
}

fn run(jobs: Vec<Job>) -> (Run, Stand) {
    let (jobs, clock): (Arc<[Job]>, _) = (jobs.into(), Clock::starting_at(Timestamp::UNIX_EPOCH));
    let limits = Limits { concurrency: 4, pacing: Pacing::Off, ..Limits::default() };
    let stand = Stand {
        ledger: Ledger::new(jobs.len(), clock.clone()),
        queues: Queues::new(Arc::clone(&jobs)),
        jobs: Arc::clone(&jobs),
        limits,
        clock: clock.clone(),
        now: Instant::now(),
        stopped: None,
    };
    let run = Run {
        holds: vec![None; jobs.len()],
        jobs,
        limits,
        gates: Gates::new(Pacing::Off),
        daily: DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock,
        rng: Rng::with_seed(7),
        lookout: PreSendCheck::default(),
        guards: Guards::default(),
        history: History::default(),
        verify: None,
    };
    (run, stand)
}

fn retires(targets: &[&str]) -> (Run, Stand) {
    run(jobs(&targets.iter().map(|target| ("retire", *target)).collect::<Vec<_>>()))
}

fn mail() -> Mailbox {
    Mailbox::new().0
}

fn reply(verdict: Verdict, status: u16) -> Reply {
    Reply { http_status: Some(status), ..Reply::none(verdict, "as scripted", "c".into()) }
}

#[test]
fn of_two_answers_the_strictest_wins() {
    let hold = || Admission::Hold(Cause::Denied.plain());
    let aside = || Admission::Aside(WaitsFor::Day(0));
    let rising =
        [Admission::Go, Admission::First(NextRequest::Check), Admission::Wait, aside(), Admission::Drop, hold()];
    for (one, mild) in rising.iter().enumerate() {
        for strict in &rising[one..] {
            assert_eq!(mild.clone().and(strict.clone()), *strict);
            assert_eq!(strict.clone().and(mild.clone()), *strict);
        }
    }
    let other = Admission::Hold(Cause::WindowEnded.plain());
    assert_eq!(hold().and(other), hold(), "of two that are as strict, the first");
}

#[test]
fn the_breaker_keeps_new_jobs_back_and_stops_the_run() {
    let (mut run, mut stand) = retires(&["a", "b", "c"]);
    run.brakes.stop_when = StopWhen { failures: Some(1), ..StopWhen::default() };
    let mut braking = braking::policy(&mut run, &mail());
    let admits =
        |braking: &mut braking::Braking, stand: &Stand, job| braking.admit(Item::send(job), Door::Gate, &stand.view());
    assert_eq!(admits(&mut braking, &stand, 0), Admission::Go);
    stand.ledger.progress_mut(0).at_risk = true;
    stand.hears(&mut braking, &Happened::LetOut { item: Item::send(0), first: true });
    assert_eq!(admits(&mut braking, &stand, 1), Admission::Wait, "one that is out may fail");
    assert_eq!(admits(&mut braking, &stand, 0), Admission::Go, "one that is out already comes before a new one");
    assert!(stand.hears(&mut braking, &Happened::Turn).is_empty());
    stand.settles(0, Outcome::Failed);
    let settled = Happened::Settled { job: 0, outcome: Outcome::Failed, counted: Outcome::Failed, sent_here: true };
    stand.hears(&mut braking, &settled);
    assert!(stand.says(&mut braking, &Happened::Turn).contains("Stop(Policy(Breaker"));
    stand.stopped = Some(StopReason::Interrupted);
    assert!(stand.hears(&mut braking, &Happened::Turn).is_empty(), "a run ends once");
}

#[test]
fn a_wave_waits_for_the_one_before_it() {
    let (mut run, mut stand) = retires(&["a", "b", "c"]);
    let wave = |size| Wave { size, conditions: Conditions::default() };
    run.brakes.waves = Schedule::new(&[wave(Size::Jobs(1)), wave(Size::Rest)], &run.jobs, &run.holds);
    let mut waves = waves::policy(&mut run, &mail());
    for job in 0..3 {
        let admission = waves.admit(Item::send(job), Door::Queue, &stand.view());
        assert_eq!(admission, Admission::Aside(WaitsFor::Wave));
        stand.ledger.moves(job, JobState::Waiting(WaitsFor::Wave, NextRequest::Send));
    }
    let queued = |commands: Vec<Command>| -> Vec<u32> {
        let queued = |command: &Command| match command {
            Command::Queue(item, QueuePlace::Back) => Some(item.job),
            _ => None,
        };
        commands.iter().filter_map(queued).collect()
    };
    assert_eq!(queued(stand.hears(&mut waves, &Happened::Began)), [0]);
    assert_eq!(queued(stand.hears(&mut waves, &Happened::Turn)), [0; 0], "it has not settled");
    stand.settles(0, Outcome::Accepted);
    let outcome = Outcome::Accepted;
    stand.hears(&mut waves, &Happened::Settled { job: 0, outcome, counted: outcome, sent_here: true });
    let says = stand.says(&mut waves, &Happened::Turn);
    assert!(says.contains("Follow { job: 0, who: Wave") && !says.contains("Queue"), "it has not landed: {says}");
    let landed = Announcement::Landed { job: 0, stage: Stage::Done };
    stand.hears(&mut waves, &Happened::Announced(&landed));
    assert_eq!(queued(stand.hears(&mut waves, &Happened::Turn)), [1, 2]);
}

#[test]
fn a_wave_that_has_gone_wrong_is_the_last_one_where_nobody_is_asked() {
    let (mut run, mut stand) = retires(&["a", "b"]);
    let wave = |size| Wave { size, conditions: Conditions { ask: true, ..Conditions::default() } };
    run.brakes.waves = Schedule::new(&[wave(Size::Jobs(1)), wave(Size::Rest)], &run.jobs, &run.holds);
    let (people, mut questions) = mpsc::unbounded_channel();
    let mut asking = Run { people: Some(people), brakes: run.brakes.clone(), ..retires(&["a", "b"]).0 };
    let (mut alone, mut asked) = (waves::policy(&mut run, &mail()), waves::policy(&mut asking, &mail()));
    let failed = Happened::Settled { job: 0, outcome: Outcome::Failed, counted: Outcome::Failed, sent_here: true };
    stand.hears(&mut alone, &Happened::Began);
    stand.hears(&mut asked, &Happened::Began);
    stand.settles(0, Outcome::Failed);
    stand.hears(&mut alone, &failed);
    stand.hears(&mut asked, &failed);
    assert!(stand.says(&mut alone, &Happened::Turn).contains("Stop(Policy(Wave"));
    assert!(!stand.says(&mut asked, &Happened::Turn).contains("Stop"));
    let question = questions.try_recv().unwrap();
    assert!(question.result.trouble.as_deref().unwrap().contains("1 failed"), "{:?}", question.result);
    assert!(asked.is_asking());
    let no = News::NextWave(false);
    assert!(stand.says(&mut asked, &Happened::News(&no)).contains("Stop(Policy(Wave"));
}

#[test]
fn a_step_follows_a_good_one_and_is_held_behind_a_bad_one() {
    let (mut run, mut stand) = run(jobs(&[("retire", "a"), ("delete", ">a"), ("retire", "b"), ("delete", ">b")]));
    let mut steps = steps::policy(&mut run, &mail());
    let settled = |job, outcome| Happened::Settled { job, outcome, counted: outcome, sent_here: true };
    stand.settles(0, Outcome::Completed);
    let says = stand.says(&mut steps, &settled(0, Outcome::Completed));
    assert!(says.contains("LetIn(Item { job: 1, next: Send })"), "{says}");
    stand.settles(2, Outcome::Failed);
    let says = stand.says(&mut steps, &settled(2, Outcome::Failed));
    assert!(says.contains("Settle(3") && says.contains("StepBeforeFailed"), "{says}");
    assert!(stand.hears(&mut steps, &settled(2, Outcome::Failed)).is_empty(), "it waits once");
}

#[test]
fn a_job_without_an_allowance_waits_aside_and_comes_back_when_the_day_does() {
    let (mut run, mut stand) = retires(&["a", "b"]);
    let rules = DailyRules::new(&crate::daily::DailySettings::default()).unwrap();
    run.daily =
        DailyTerms { account: Some(Arc::new(DailyAccount { tenant: "t".into(), rules })), ..DailyTerms::default() };
    let mut days = days::policy(&mut run, &mail());
    let limit = crate::catalog::DailyLimit::index_of(run.jobs[0].action).unwrap();
    let until = Timestamp::UNIX_EPOCH + Duration::from_secs(3_600);
    let why = TurnedAway::UsedUp(UsedUp { limit, until, ground: Ground::Counted });
    let says = stand.says(&mut days, &Happened::TurnedAway { job: 0, why: &why });
    assert!(says.contains("Spare(0)") && says.contains("Queue(Item { job: 0, next: Send }, Front)"), "{says}");
    let aside = Admission::Aside(WaitsFor::Day(limit as u8));
    assert_eq!(days.admit(Item::send(0), Door::Gate, &stand.view()), aside);
    let waits_for = WaitsFor::Day(limit as u8);
    stand.ledger.moves(0, JobState::Waiting(waits_for, NextRequest::Send));
    stand.hears(&mut days, &Happened::PutAside { item: Item::send(0), waits_for });
    let wait = days.wake(&stand.view()).unwrap() - stand.now;
    assert!(Duration::from_secs(3_599) < wait && wait <= Duration::from_secs(3_600), "{wait:?}");
    assert!(!stand.says(&mut days, &Happened::Turn).contains("Queue"));
    stand.now += Duration::from_secs(3_601);
    let says = stand.says(&mut days, &Happened::Turn);
    assert!(says.contains("Queue(Item { job: 0, next: Send }, Front)"), "{says}");
}

#[test]
fn what_may_file_a_request_waits_for_the_ones_under_way() {
    let (mut run, mut stand) = run(jobs(&[("wipe", "a"), ("wipe", "b"), ("syncDevice", "c")]));
    let rules = DailyRules::new(&crate::daily::DailySettings::default()).unwrap();
    let open = [("wipe".to_owned(), rules.allowance(0) * 100 - 1)].into();
    run.history.filing = Filing::new(open, &rules, &crate::daily::Book::default(), Timestamp::UNIX_EPOCH);
    let mut filing = filing::policy(&mut run, &mail());
    stand.ledger.moves(1, JobState::Out(NextRequest::Send));
    assert_eq!(filing.admit(Item::send(0), Door::Gate, &stand.view()), Admission::Wait);
    stand.ledger.moves(1, JobState::InHand);
    let admission = filing.admit(Item::send(0), Door::Gate, &stand.view());
    assert!(matches!(&admission, Admission::Hold(why) if why.cause() == Cause::ApprovalRequestsFull), "{admission:?}");
    assert_eq!(filing.admit(Item::send(2), Door::Gate, &stand.view()), Admission::Go, "it can file nothing");
}

#[test]
fn a_target_is_checked_first_and_held_if_it_is_another_one() {
    let (mut run, mut stand) = retires(&["a", "b"]);
    let seen = Identity { name: Some("LAB-1".into()), ..Identity::default() };
    let sighting = (Sighting::Identity(Box::new(seen.clone())), SeenBy::Preview);
    run.lookout = PreSendCheck::for_drift([(0, sighting)].into());
    let mut check = pre_send_check::policy(&mut run, &mail());
    assert_eq!(check.admit(Item::send(0), Door::Gate, &stand.view()), Admission::First(NextRequest::Check));
    assert_eq!(check.admit(Item::send(1), Door::Gate, &stand.view()), Admission::Go, "nobody has seen it");
    let same = Seen::Identity(Box::new(seen));
    let says = stand.says(&mut check, &Happened::Checked { job: 0, seen: &same });
    assert_eq!(says, "[Queue(Item { job: 0, next: Send }, Checked)]");
    stand.queues.push_checked(run.jobs[0].bucket(), 0);
    stand.ledger.moves(0, JobState::Checked);
    assert_eq!(check.admit(Item::send(0), Door::Gate, &stand.view()), Admission::Go);
    assert!(stand.hears(&mut check, &Happened::Turn).is_empty());
    stand.now += Duration::from_secs(11);
    assert_eq!(stand.says(&mut check, &Happened::Turn), "[Queue(Item { job: 0, next: Send }, Front)]", "it is old");
    let other = Seen::Identity(Box::new(Identity { name: Some("CEO-1".into()), ..Identity::default() }));
    let says = stand.says(&mut check, &Happened::Checked { job: 0, seen: &other });
    assert!(says.contains("Settle(0") && says.contains("TargetChanged"), "{says}");
}

#[test]
fn guards_are_asked_before_a_send_and_hold_what_they_deny() {
    let (mut run, mut stand) = retires(&["a", "b"]);
    let (guards, mut asked) = Guards::asked(Arc::default());
    run.guards = guards;
    let (mail, mut news) = Mailbox::new();
    let mut guarding = guarding::policy(&mut run, &mail);
    assert_eq!(guarding.admit(Item::send(0), Door::Gate, &stand.view()), Admission::Wait);
    assert!(guarding.is_asking());
    let held = [(1, Cause::Denied.with("retire is denied"))].into();
    asked.try_recv().unwrap().answer(Ok(Arc::new(GuardsNow { held, ..GuardsNow::default() })));
    let answer = news.try_recv().unwrap();
    assert_eq!(stand.says(&mut guarding, &Happened::News(&answer)), "[WithdrawAll]");
    assert_eq!(guarding.admit(Item::send(0), Door::Wire, &stand.view()), Admission::Go);
    let admission = guarding.admit(Item::send(1), Door::Gate, &stand.view());
    assert!(matches!(&admission, Admission::Hold(why) if why.cause() == Cause::Denied), "{admission:?}");
    stand.now += Duration::from_secs(1);
    assert_eq!(guarding.admit(Item::send(0), Door::Wire, &stand.view()), Admission::Wait, "an answer holds a second");
    drop(asked.try_recv().unwrap());
    let answer = news.try_recv().unwrap();
    assert!(stand.says(&mut guarding, &Happened::News(&answer)).contains("Stop(Policy(Guards"), "no answer is a no");
}

#[test]
fn a_lost_wipe_is_read_and_sent_again_only_when_a_late_read_shows_no_effect() {
    let (mut run, mut stand) = run(jobs(&[("wipe", "a")]));
    let mut retrying = retrying::policy(&mut run, &mail());
    let lost = reply(Verdict::Lost, 0);
    stand.ledger.progress_mut(0).sent(Timestamp::UNIX_EPOCH);
    let until = stand.now + Duration::from_secs(60);
    stand.ledger.progress_mut(0).doubted(Timestamp::UNIX_EPOCH, until, true);
    let attempted = Attempted { job: 0, reply: &lost, times: stand.times() };
    let says = stand.says(&mut retrying, &Happened::Attempted(attempted));
    assert!(says.contains("Later { item: Item { job: 0, next: ReadBack { resend: true } }"), "{says}");
    let read = |times| {
        let evidence = Evidence::NoEffect("managed".into());
        ReadBackAnswer { job: 0, evidence, resend: true, times, judged: false }
    };
    let says = stand.says(&mut retrying, &Happened::ReadBack(&read(stand.times())));
    assert!(says.contains("Later {") && !says.contains("NoDoubt"), "too early to tell: {says}");
    stand.now = until;
    let says = stand.says(&mut retrying, &Happened::ReadBack(&read(stand.times())));
    assert_eq!(says, "[NoDoubt(0), Queue(Item { job: 0, next: Send }, Front)]");
}

#[test]
fn a_throttled_attempt_pauses_its_bucket_and_is_no_try() {
    let (mut run, stand) = retires(&["a"]);
    let mut retrying = retrying::policy(&mut run, &mail());
    let throttled = reply(Verdict::Throttled { after: Some(Duration::from_secs(9)) }, 429);
    let attempted = Attempted { job: 0, reply: &throttled, times: stand.times() };
    let says = stand.says(&mut retrying, &Happened::Attempted(attempted));
    assert!(says.contains("NotATry(0), Pause {") && says.contains("asked: Some(9s)"), "{says}");
}

#[test]
fn what_nothing_has_ever_shown_is_not_found_and_what_was_shown_is_done() {
    let (mut run, stand) = retires(&["a", "b"]);
    run.history.shown = [1].into();
    let mut absence = absence::policy(&mut run, &mail());
    let missing = |job| Announcement::Missing { job, found_by: NextRequest::Send };
    let says = stand.says(&mut absence, &Happened::Announced(&missing(0)));
    assert_eq!(says, "[Queue(Item { job: 0, next: Find { at: 0 } }, Front)]", "each id is read");
    let found = |job| Happened::Found { job, at: 0, presence: &Presence::Missing };
    assert!(stand.says(&mut absence, &found(0)).contains("NotFound"));
    assert!(stand.says(&mut absence, &found(1)).contains("AlreadyDone"));
}

#[test]
fn an_effect_is_ours_only_if_the_journal_knows_of_no_other_action() {
    let (mut run, stand) = retires(&["a"]);
    let (mail, mut news) = Mailbox::new();
    let mut rivals = rivals::policy(&mut run, &mail);
    let evidence = Evidence::Effect("retirePending".into());
    let read = ReadBackAnswer { job: 0, evidence, resend: true, times: stand.times(), judged: false };
    let commands = stand.hears(&mut rivals, &Happened::ReadBack(&read));
    assert!(matches!(commands[..], [Command::Write(_), Command::Wait(_, WaitsFor::Journal)]), "{commands:?}");
    assert!(rivals.is_asking());
    drop(commands);
    let unanswered = news.try_recv().unwrap();
    let says = stand.says(&mut rivals, &Happened::News(&unanswered));
    assert!(says.contains("CannotTell") && says.contains("judged: true"), "no word is no proof: {says}");
}

#[test]
fn an_accepted_job_is_read_after_a_while_and_in_vain_only_so_long() {
    let (mut run, mut stand) = retires(&["a"]);
    let mut follow_ups = follow_up::policy(&mut run, &mail());
    stand.ledger.progress_mut(0).sent(Timestamp::UNIX_EPOCH);
    stand.settles(0, Outcome::Accepted);
    let within = Duration::from_secs(600);
    let follow = Announcement::Follow { job: 0, who: Who::Step, within };
    stand.hears(&mut follow_ups, &Happened::Announced(&follow));
    assert!(!stand.says(&mut follow_ups, &Happened::Turn).contains("Watch"), "hardly anything shows so soon");
    stand.now += Duration::from_secs(6);
    assert!(stand.says(&mut follow_ups, &Happened::Turn).contains("Watch(0)"));
    let item = Item { job: 0, next: NextRequest::FollowUp };
    assert_eq!(follow_ups.admit(item, Door::Gate, &stand.view()), Admission::Go);
    stand.hears(&mut follow_ups, &Happened::LetOut { item, first: false });
    assert_eq!(follow_ups.admit(item, Door::Gate, &stand.view()), Admission::Drop, "not twice within a minute");
    stand.now += within * 2;
    let says = stand.says(&mut follow_ups, &Happened::Turn);
    assert!(says.contains("InVain { job: 0, who: Step"), "{says}");
}

#[test]
fn a_send_that_was_put_off_after_its_read_is_read_again() {
    let (mut run, mut stand) = run(jobs(&[("wipe", "a")]));
    let mut retrying = retrying::policy(&mut run, &mail());
    let evidence = Evidence::NoEffect("managed".into());
    let read = ReadBackAnswer { job: 0, evidence, resend: true, times: stand.times(), judged: false };
    stand.hears(&mut retrying, &Happened::ReadBack(&read));
    assert_eq!(retrying.admit(Item::send(0), Door::Gate, &stand.view()), Admission::Go);
    stand.now += Duration::from_secs(11);
    let first = Admission::First(NextRequest::ReadBack { resend: true });
    assert_eq!(retrying.admit(Item::send(0), Door::Gate, &stand.view()), first);
    stand.hears(&mut retrying, &Happened::LetOut { item: Item::send(0), first: true });
    assert_eq!(retrying.admit(Item::send(0), Door::Gate, &stand.view()), Admission::Go, "it has left");
}

#[test]
fn a_request_that_waited_for_a_token_goes_back_to_its_gate() {
    let (mut run, stand) = retires(&["a"]);
    let mut retrying = retrying::policy(&mut run, &mail());
    let late = Reply::none(Verdict::Late, "as scripted", "c".into());
    let attempted = Attempted { job: 0, reply: &late, times: stand.times() };
    let says = stand.says(&mut retrying, &Happened::Attempted(attempted));
    assert_eq!(says, "[NeverSent(0), Queue(Item { job: 0, next: Send }, Front)]");
}

#[test]
fn a_step_that_has_waited_in_vain_as_the_run_stops_settles_once() {
    let (mut run, mut stand) = run(jobs(&[("retire", "a"), ("delete", ">a")]));
    let mut steps = steps::policy(&mut run, &mail());
    stand.ledger.moves(1, JobState::Waiting(WaitsFor::StepSeen, NextRequest::Send));
    let in_vain = Announcement::InVain { job: 0, who: Who::Step, seen: None };
    assert!(stand.says(&mut steps, &Happened::Announced(&in_vain)).contains("Settle(1"));
    assert!(stand.hears(&mut steps, &Happened::Stopping).is_empty());
}

#[test]
fn a_window_that_has_ended_holds_what_is_recorded_and_has_not_left() {
    let (mut run, mut stand) = retires(&["a"]);
    let open = RunWindow::new([true; 7], 0, 60, "UTC").unwrap().strictly(true);
    let mut windows = RunWindows::default();
    windows.add(open, Vec::new());
    run.guards = Guards::fixed(GuardsNow { windows, ..GuardsNow::default() });
    let mut guarding = guarding::policy(&mut run, &mail());
    stand.ledger.progress_mut(0).sent(Timestamp::UNIX_EPOCH);
    stand.ledger.moves(0, JobState::Recorded);
    assert_eq!(guarding.admit(Item::send(0), Door::Wire, &stand.view()), Admission::Go);
    stand.now += Duration::from_secs(3_601);
    let admission = guarding.admit(Item::send(0), Door::Wire, &stand.view());
    assert!(matches!(&admission, Admission::Hold(why) if why.cause() == Cause::WindowEnded), "{admission:?}");
}

#[test]
fn what_has_begun_does_not_wait_behind_a_new_job() {
    let (_, mut stand) = retires(&["a", "b"]);
    let bucket = stand.jobs[0].bucket();
    stand.queues.push_front(bucket, Item::send(0), true);
    stand.queues.push_front(bucket, Item::send(1), false);
    assert_eq!(stand.queues.peek(bucket, Lane::Begun), Some(Item::send(0)));
    assert_eq!(stand.queues.peek(bucket, Lane::Ready), Some(Item::send(1)));
}
