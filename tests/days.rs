//! Two runs of one machine share a tenant's day, die at any request, and go on some hours later.
//!
//! In: seeds; two plans, one journal, a tenant that counts every stretch of 24 hours and says no at the first request too
//! many. Time stands still while requests are under way and passes between the lives of the processes. Out: the seed, and
//! what does not balance.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use musterout::testing::clock::Clock;
use musterout::testing::daily::DailyAccount;
use musterout::testing::daily::DailySettings;
use musterout::testing::daily::DailyTerms;
use musterout::testing::guard::Brakes;
use musterout::testing::guard::preflight;
use musterout::testing::job::Job;
use musterout::testing::journal::resume::Only;
use musterout::testing::journal::{Recorder, RunId};
use musterout::testing::ops;
use musterout::testing::outcome::{Outcome, Settlement};
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::runner::{History, Limits, Run};
use musterout::testing::simulator::transport::SimTransport;

use crate::support::world::{self, ALWAYS, HOUR, World, account, all, at_one_moment, begin, paused, retires, wall};

const RETIRES_A_DAY: u32 = 7;
/// Of each plan.
const ROWS: u32 = 16;

struct Machine {
    world: World,
    plans: Arc<[Plan; 2]>,
    account: Arc<DailyAccount>,
}

struct Plan {
    run: RunId,
    jobs: Arc<[Job]>,
}

impl Machine {
    fn new() -> Self {
        let scenario = format!(
            "throttle: off\nlog: off\ndaily: {{ retire: {RETIRES_A_DAY} }}\ndaily_day: sliding\ndaily_answer: 403\n"
        );
        let world = World::new(&scenario, 1);
        let settings =
            DailySettings { retire: Some(RETIRES_A_DAY), reserve_percent: Some(0), ..DailySettings::default() };
        let plans = [1u8, 2].map(|number| {
            let jobs = world.plan(&format!("{number}.csv"), &retires(number.into(), ROWS));
            let run = RunId::new(wall(), [number; 10]);
            begin(&mut world.journal(), &run, &jobs);
            Plan { run, jobs }
        });
        Self { world, plans: Arc::new(plans), account: account(&settings) }
    }

    /// Some processes at once, until they end or the power goes. While they run, time stands still.
    async fn live(&mut self, which: &[usize], rng: &mut Rng, power: usize) -> Vec<(usize, Vec<Settlement>)> {
        let (plans, account) = (Arc::clone(&self.plans), Arc::clone(&self.account));
        let (seeds, concurrency) = ([rng.u64(..), rng.u64(..)], rng.u16(1..6));
        let life = async |world: &World, transport: SimTransport| {
            let one =
                |which: usize| run(world, &plans[which], &account, transport.clone(), (seeds[which], concurrency));
            match which {
                [one_of_them] => vec![(*one_of_them, one(*one_of_them).await)],
                _ => {
                    let (first, second) = tokio::join!(one(0), one(1));
                    vec![(0, first), (1, second)]
                }
            }
        };
        at_one_moment(self.world.live(power, life)).await.unwrap_or_default()
    }
}

/// A process that runs one of the plans from where it stands.
async fn run(
    world: &World,
    plan: &Plan,
    account: &Arc<DailyAccount>,
    transport: SimTransport,
    (seed, concurrency): (u64, u16),
) -> Vec<Settlement> {
    let journal = world.journal();
    let record = journal.read(&plan.run).unwrap();
    let earlier = ops::take_up(&record.jobs, Only::Open, false).unwrap();
    let recorder = Recorder::start(&journal, record.head.number, |why| panic!("{why}")).unwrap();
    let run = Run {
        jobs: Arc::clone(&plan.jobs),
        holds: preflight::inspect(&plan.jobs, wall()).holds,
        limits: Limits { concurrency, max_attempts: 5, settling: Duration::ZERO, pacing: Pacing::Off },
        gates: Gates::new(Pacing::Off),
        daily: DailyTerms { account: Some(Arc::clone(account)), patience: Duration::ZERO },
        brakes: Brakes::default(),
        people: None,
        clock: Clock::starting_at(world.now()),
        rng: Rng::with_seed(seed),
        lookout: Default::default(),
        guards: musterout::testing::runner::guards::Guards::default(),
        history: History { journal: Some(recorder), earlier, ..History::default() },
        verify: None,
    };
    world::perform(run, &transport).await
}

async fn a_fortnight(seed: u64) -> (usize, usize) {
    let mut machine = Machine::new();
    let mut rng = Rng::with_seed(seed);
    let mut lives = 0;
    let mut last: [Vec<Settlement>; 2] = Default::default();
    let well = |settled: &Vec<Settlement>| !settled.is_empty() && all(settled, Outcome::Accepted);
    while lives < 200 && !last.iter().all(well) {
        lives += 1;
        let which: &[usize] = [&[0][..], &[1], &[0, 1]][rng.usize(..3)];
        let power = if lives < 30 && rng.u8(..3) > 0 { rng.usize(..30) } else { ALWAYS };
        for (which, settlements) in machine.live(which, &mut rng, power).await {
            last[which] = settlements;
        }
        tokio::time::advance(HOUR * rng.u32(1..20) + Duration::from_secs(rng.u64(..3_600))).await;
    }
    let (counts, crashes) = (machine.world.tenant.counts(), machine.world.cuts);
    let place = format!("seed {seed}, {lives} lives, {crashes} crashes");
    assert!(last.iter().all(well), "{place}: {last:?}");
    assert_eq!(counts.statuses.get(&403), None, "{place}: the service had to say no");
    assert_eq!(counts.total("retire").effects, 2 * ROWS, "{place}");
    assert!(counts.each("retire").all(|(_, target)| target.effects == 1), "{place}: a device was retired twice");
    (lives, crashes)
}

#[test]
fn no_interleaving_of_crashes_and_runs_passes_a_days_limit() {
    let totals = std::thread::scope(|scope| {
        let threads = [0, 1].map(|thread| {
            scope.spawn(move || {
                let seeds = (9_000..9_014).filter(|seed| seed % 2 == thread);
                seeds.map(|seed| paused(a_fortnight(seed))).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let (lives, crashes) = totals.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(crashes > 20, "{crashes} crashes in {lives} lives prove little");
}
