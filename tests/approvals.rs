//! Approvals over days: filed, approved late, rejected, expired, completed in the portal, with crashes between and within.
//!
//! In: seeds. Out: the seed and what does not balance: a target acted on twice, a code that left when it was not good, a
//! row that says other than what happened. And the days of the tenant's limits, which are waited for in the same place.
//! A crash is followed by a new runner that goes on from the disk, days later. Must not: open sockets.

use std::sync::Arc;

use fastrand::Rng;
use jiff::SignedDuration;
use musterout::testing::clock::Clock;
use musterout::testing::daily::DailyAccount;
use musterout::testing::daily::DailySettings;
use musterout::testing::daily::DailyTerms;
use musterout::testing::guard::Brakes;
use musterout::testing::guard::breaker::StopWhen;
use musterout::testing::guard::preflight;
use musterout::testing::job::Job;
use musterout::testing::journal::RunId;
use musterout::testing::journal::resume::Only;
use musterout::testing::ops;
use musterout::testing::ops::rounds::{FIRST_WAIT, Requests, RoundGround, Rounds, RoundsEnded};
use musterout::testing::ops::{RecordedRun, RunTask};
use musterout::testing::outcome::Cause;
use musterout::testing::outcome::{Outcome, Settlement, Standing, Tally};
use musterout::testing::pacing::Pacing;
use musterout::testing::runner::Limits;
use musterout::testing::runner::event::StopReason;
use musterout::testing::session::SessionTransport;
use musterout::testing::simulator::transport::SimTransport;
use tokio::sync::{mpsc, oneshot};

use crate::support::world::{
    self, ALWAYS, HOUR, World, account, balance, begin, client, no_code_was_refused, paused, retires, target, wall,
};

/// One plan, one run, one tenant.
struct Life {
    world: World,
    jobs: Arc<[Job]>,
    process: Process,
}

/// What every process of the machine has in common.
#[derive(Clone)]
struct Process {
    /// The documented limits, whole, unless a test says otherwise.
    account: Arc<DailyAccount>,
    concurrency: u16,
    /// Whether it asks the system's clock again.
    follows: bool,
    brakes: Brakes,
}

impl Life {
    fn new(plan: &str, scenario: &str, seed: u64, concurrency: u16) -> Self {
        let world = World::new(scenario, seed);
        let jobs = world.plan("plan.csv", plan);
        let account = account(&DailySettings { reserve_percent: Some(0), ..DailySettings::default() });
        Self { world, jobs, process: Process { account, concurrency, follows: false, brakes: Default::default() } }
    }

    /// Begins the run or goes on with it, until it ends or the power goes.
    async fn live(&mut self, power: usize, requests: Requests, rng: &mut Rng) -> Option<RoundsEnded> {
        let (jobs, process) = (Arc::clone(&self.jobs), self.process.clone());
        self.world
            .live(power, async |world, transport| process.perform(world, transport, jobs, requests, rng).await)
            .await
    }

    fn balance(&self, settlements: &[Settlement], place: &str) {
        no_code_was_refused(&self.world.tenant, place);
        balance(&self.world.tenant, &self.jobs, settlements, place);
    }
}

impl Process {
    async fn perform(
        self,
        world: &World,
        transport: SimTransport,
        jobs: Arc<[Job]>,
        requests: Requests,
        rng: &mut Rng,
    ) -> RoundsEnded {
        let mut journal = world.journal();
        let id = journal.find("latest").unwrap_or_else(|_| {
            let id = RunId::new(wall(), [7; 10]);
            begin(&mut journal, &id, &jobs);
            id
        });
        let record = journal.read(&id).unwrap();
        let clock = Clock::starting_at(if self.follows { world::system() } else { world.now() });
        let clock = if self.follows { clock.following(world::system) } else { clock };
        let client =
            Arc::new(client(&SessionTransport::Simulated(transport), clock.clone()).justified(Some("CHG0012345")));
        let lock = journal.lock(&record.head.plan_key, &id, world.now()).unwrap();
        let mut recorded = RecordedRun::again(journal, lock, &record).unwrap();
        let task = RunTask {
            holds: preflight::inspect(&jobs, world.now()).holds,
            jobs,
            earlier: ops::take_up(&record.jobs, requests.only, requests.refile).unwrap(),
            brakes: self.brakes,
            lookout: Default::default(),
            between_waves: false,
        };
        let daily = DailyTerms { account: Some(self.account), patience: FIRST_WAIT };
        let limits = Limits { concurrency: self.concurrency, pacing: Pacing::Off, ..Limits::default() };
        let rounds = Rounds::new(&mut recorded, task, daily, RoundGround { limits, clock, rng: rng.fork() });
        let mut rounds = Rounds { is_older: false, requests, ..rounds };
        let (stop, mut asked) = mpsc::unbounded_channel();
        rounds.play(&client, &stop, &mut asked, |_| oneshot::channel().1, |_| {}).await
    }
}

/// Approvers who do everything that approvers do, and a network that does what networks do.
const EVERYTHING: &str = "
throttle: off
log: off
approvals:
  actions: [retire]
  decisions:
    - { on: { probability: 0.5 }, after: { min: 1m, max: 40h }, do: approve }
    - { on: { probability: 0.3 }, after: { min: 1m, max: 40h }, do: complete }
    - { on: { probability: 0.3 }, after: 20h, do: reject }
    - { on: { probability: 0.2 }, after: 20h, do: cancel }
faults:
  - { on: { probability: 0.08 }, do: drop_reply }
  - { on: { probability: 0.05 }, do: reset }
  - { on: { probability: 0.05 }, do: { status: { code: 503, body: html } } }
  - { on: { probability: 0.05 }, do: { throttle: { seconds: 2s } } }
";

async fn interleave(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let variants = [
        "",
        "  status: 403\n",
        "  code_in: text\n",
        "  code_in: header\n  filter: eq\n",
        "  filter: none\n",
        "  filter: status\n",
    ];
    let variant = variants[rng.usize(..variants.len())];
    let scenario = EVERYTHING.replace("  actions: [retire]\n", &format!("  actions: [retire]\n{variant}"));
    let mut life = Life::new(&retires(1, rng.u32(4..14)), &scenario, seed, rng.u16(1..5));
    let place = format!("seed {seed}, variant {variant:?}");
    for _ in 0..60 {
        let crashes = life.world.days() < 6.0 && rng.u8(..3) > 0;
        let stops_at = if crashes { rng.usize(..60) } else { ALWAYS };
        let refile = rng.u8(..4) == 0;
        let requests = Requests { refile, wait: rng.u8(..5) == 0, ..Requests::default() };
        if let Some(ended) = life.live(stops_at, requests, &mut rng).await {
            assert_eq!(ended.stopped, None, "{place}");
            life.balance(&ended.settlements, &place);
            let open = ended.settlements.iter().any(|settled| settled.outcome.standing() == Standing::Open);
            if !open && !refile {
                return;
            }
        }
        tokio::time::advance(HOUR.mul_f64(rng.f64() * 14.0)).await;
    }
    panic!("{place}: still open after {:.1} days", life.world.days());
}

/// No interleaving of approvals, crashes and resumes sends one approved request twice.
#[test]
fn no_interleaving_uses_an_approval_twice() {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more of them")]
    let wanted = std::env::var("MUSTEROUT_INTERLEAVINGS").ok().and_then(|number| number.parse().ok());
    let wanted: u64 = wanted.unwrap_or(12);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || (0..wanted / 2).for_each(|seed| paused(interleave(1_000 * thread + seed))));
        }
    });
}

fn tally(settlements: &[Settlement]) -> Tally {
    settlements.iter().map(|settled| settled.outcome).collect()
}

/// One command, left alone: it waits, looks a few times an hour, completes, and ends when the last request has expired.
#[test]
fn a_run_that_waits_ends_by_itself_and_is_gentle() {
    let scenario = "
throttle: off
approvals:
  actions: [retire]
  decisions:
    - { on: { target: 00000001-0000-4000-8000-000000000001 }, after: 5h, do: approve }
    - { on: { target: 00000001-0000-4000-8000-000000000002 }, after: 50h, do: approve }
    - { on: { target: 00000001-0000-4000-8000-000000000003 }, after: 7h, do: reject }
    - { on: { target: 00000001-0000-4000-8000-000000000004 }, after: 9h, do: complete }
";
    paused(async {
        let mut life = Life::new(&retires(1, 5), scenario, 1, 4);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "waiting");
        let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
        assert_eq!(
            outcomes,
            [Outcome::Accepted, Outcome::Accepted, Outcome::Failed, Outcome::Accepted, Outcome::Failed],
            "{:#?}",
            ended.settlements
        );
        assert!((2.9..3.2).contains(&life.world.days()), "{} days", life.world.days());
        let reads = life.world.tenant.counts().reads;
        assert!((400..600).contains(&reads), "{reads} reads in three days");
    });
}

fn retires_a_day(retires: u32) -> Arc<DailyAccount> {
    account(&DailySettings { retire: Some(retires), reserve_percent: Some(0), ..DailySettings::default() })
}

/// One command, left alone: it goes on when the day has turned, and asks for nothing in between.
#[test]
fn a_run_that_waits_goes_on_from_day_to_day() {
    paused(async {
        let scenario = "throttle: off\ndaily: { retire: 10 }\ndaily_day: sliding\ndaily_answer: 403\n";
        let mut life = Life::new(&retires(1, 25), scenario, 1, 4);
        life.process.account = retires_a_day(10);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "days");
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 25, "{:#?}", ended.settlements);
        assert!((2.0..2.1).contains(&life.world.days()), "{} days", life.world.days());
        let counts = life.world.tenant.counts();
        assert_eq!((counts.reads, counts.statuses.get(&403)), (0, None), "the service had to say no, or was asked");
    });
}

/// What is approved and has no room today is completed on its day, by its code, after a new look at it.
#[test]
fn what_is_approved_waits_for_its_day() {
    let scenario = "
throttle: off
daily: { retire: 2 }
daily_day: sliding
daily_answer: 403
approvals:
  actions: [retire]
  decisions: [{ after: 5h, do: approve }]
";
    paused(async {
        let mut life = Life::new(&retires(1, 6), scenario, 1, 4);
        life.process.account = retires_a_day(2);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "approved");
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 6, "{:#?}", ended.settlements);
        assert!((2.2..2.4).contains(&life.world.days()), "{} days", life.world.days());
        let counts = life.world.tenant.counts();
        assert_eq!(counts.statuses.get(&403), None, "the service had to say no");
        assert!((250..500).contains(&counts.reads), "{} reads in two days", counts.reads);
    });
}

/// What is approved is found by a short question; a service that does not understand it is asked once, and then for all.
#[test]
fn many_requests_that_wait_are_not_listed_again_and_again() {
    let day = |filter: &str| {
        let scenario = format!(
            "throttle: off\npage_size: 10\napprovals:\n  actions: [retire]\n  filter: {filter}\n  decisions:
    - {{ on: {{ probability: 0.1 }}, after: 23h, do: reject }}\n    - {{ after: 24h, do: approve }}\n"
        );
        paused(async {
            let mut life = Life::new(&retires(1, 60), &scenario, 3, 4);
            let requests = Requests { wait: true, ..Requests::default() };
            let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(3)).await.unwrap();
            life.balance(&ended.settlements, filter);
            assert_eq!(tally(&ended.settlements).standing(Standing::Open), 0, "{filter}");
            assert!((1.0..1.02).contains(&life.world.days()), "{filter}: approved is noticed within minutes");
            let rejected = ended.settlements.iter().filter(|settled| settled.outcome == Outcome::Failed);
            let late = rejected.filter_map(|settled| settled.finished_at).map(|at| at.time().duration_since(wall()));
            assert!(
                late.clone().count() > 2 && late.max().unwrap().as_hours() <= 24,
                "{filter}: rejected, within the hour"
            );
            let counts = life.world.tenant.counts();
            // Two reads for each row that is completed: the target, and the request once more.
            let completed = u64::from(tally(&ended.settlements).of(Outcome::Accepted));
            (counts.reads - 2 * completed, counts.statuses.get(&400).copied().unwrap_or_default())
        })
    };
    let (short, refused) = day("status");
    assert_eq!(refused, 0);
    // A day has 144 looks, and 24 of them read six pages.
    assert!((24 * 6 + 100..24 * 6 + 200).contains(&short), "{short} reads");
    let (whole, refused) = day("or");
    assert_eq!(refused, 1, "it is not asked again what it does not understand");
    assert!((144 * 6..170 * 6).contains(&whole), "{whole} reads");
}

/// Whoever chooses what failed means all of it, also what has to wait for another day.
#[test]
fn what_was_chosen_and_had_no_room_is_chosen_still() {
    let scenario = "
throttle: off
faults: [{ on: { calls: [1] }, do: { status: { code: 400, body: json } } }]
";
    paused(async {
        let mut life = Life::new(&retires(1, 5), scenario, 1, 4);
        let mut rng = Rng::with_seed(1);
        let ended = life.live(ALWAYS, Requests::default(), &mut rng).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Failed), 5, "{:#?}", ended.settlements);
        life.process.account = retires_a_day(2);
        let requests = Requests { only: Only::Failed, wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut rng).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 5, "{:#?}", ended.settlements);
        assert!((2.0..2.1).contains(&life.world.days()), "{} days", life.world.days());
        assert!(life.world.tenant.counts().each("retire").all(|(_, target)| target.effects == 1));
    });
}

/// Limits of `stop_when` hold over all the days of a run, not for each of them.
#[test]
fn a_breaker_remembers_the_days_before() {
    let refused =
        |row: u32| format!("  - {{ on: {{ target: {} }}, do: {{ status: {{ code: 400 }} }} }}\n", target(1, row));
    let scenario = format!("throttle: off\nfaults:\n{}{}{}", refused(1), refused(4), refused(7));
    let stop_when = StopWhen { failures: Some(2), ..StopWhen::default() };
    paused(async {
        let mut life = Life::new(&retires(1, 12), &scenario, 1, 1);
        life.process.account = retires_a_day(2);
        life.process.brakes = Brakes { stop_when, ..Brakes::default() };
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        assert!(
            matches!(&ended.stopped, Some(StopReason::Policy(Cause::Breaker, why)) if why.contains("2 jobs failed")),
            "{ended:?}"
        );
        let tally = tally(&ended.settlements);
        assert_eq!((tally.of(Outcome::Accepted), tally.of(Outcome::Failed)), (2, 2), "{:#?}", ended.settlements);
        assert!((1.0..1.1).contains(&life.world.days()), "{} days", life.world.days());
    });
}

/// The lid is closed for ten hours while the run waits for its day: it goes on when that has come, and what it sends then
/// counts from then on.
#[test]
fn a_machine_that_was_suspended_goes_on_within_a_minute() {
    paused(async {
        let mut life = Life::new(&retires(1, 25), "throttle: off\n", 1, 4);
        life.process.account = retires_a_day(10);
        life.process.follows = true;
        tokio::spawn(async {
            tokio::time::sleep(5 * HOUR).await;
            world::suspend(SignedDuration::from_hours(10));
        });
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 25, "{:#?}", ended.settlements);
        let first = |row: usize| ended.settlements[row].started_at.unwrap().time();
        for (row, day) in [(10, 1), (20, 2)] {
            let late = first(row).duration_since(wall() + SignedDuration::from_secs(day * (24 * 3_600 + 120)));
            assert!((0..60).contains(&late.as_secs()), "row {row}: {late:?} late");
        }
        let awake = life.world.days() * 24.0;
        assert!((38.0..38.3).contains(&awake), "{awake} hours awake");
    });
}

/// One that was suspended while requests of it were out counts what it sends afterwards from when it is sent.
#[test]
fn what_is_sent_after_a_suspension_counts_from_then_on() {
    paused(async {
        let scenario = "throttle: off\nfaults: [{ on: { calls: [1] }, do: { throttle: { seconds: 600 } } }]\n";
        let mut life = Life::new(&retires(1, 4), scenario, 1, 1);
        life.process.account = retires_a_day(2);
        life.process.follows = true;
        tokio::spawn(async {
            tokio::time::sleep(HOUR / 20).await;
            world::suspend(SignedDuration::from_hours(12));
        });
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(ALWAYS, requests, &mut Rng::with_seed(1)).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 4, "{:#?}", ended.settlements);
        let hours = world::system().duration_since(wall()).as_secs_f64() / 3_600.0;
        assert!(
            (36.2..37.0).contains(&hours),
            "a day after the two that left at noon, not after the run began: {hours}"
        );
    });
}
