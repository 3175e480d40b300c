//! The world stops: before and after every request of a run, in turn.
//!
//! In: a plan, a tenant that misbehaves, the number of the moment. At that moment the power goes, and a new runner goes on
//! from what is on the disk, against the same tenant; so every moment of a run can be tried. Out: the seed, the moment,
//! what does not balance.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use musterout::testing::clock::Clock;
use musterout::testing::daily::DailyTerms;
use musterout::testing::guard::drift::Sighting;
use musterout::testing::guard::lookout::{PreSendCheck, SeenBy};
use musterout::testing::guard::{Brakes, preflight};
use musterout::testing::job::Job;
use musterout::testing::journal::resume::Only;
use musterout::testing::journal::{Recorder, RunId};
use musterout::testing::ops;
use musterout::testing::outcome::Seen;
use musterout::testing::outcome::Settlement;
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::runner::{History, Limits, Run};
use musterout::testing::simulator::power::Power;
use musterout::testing::simulator::scenario::Scenario;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;

use crate::crash::{plan, scenario, wrong};
use crate::outside::Row;
use crate::support::world::{self, ALWAYS, World, begin, client, paused, wall};

struct Life {
    world: World,
    jobs: Arc<[Job]>,
    concurrency: u16,
    seed: u64,
    /// Who the targets were before anything happened: half of the lives are those of a saved preview.
    seen: HashMap<u32, Sighting>,
}

/// Looks at the targets in a tenant of its own, in which nothing goes wrong.
async fn look(jobs: &[Job], seed: u64) -> HashMap<u32, Sighting> {
    let mut healthy = Scenario::from_yaml(&scenario(seed)).unwrap();
    healthy.faults.clear();
    let client = client(&SimTransport::new(Tenant::new(healthy, wall())), Clock::starting_at(wall()));
    let mut all = HashMap::new();
    for (index, job) in (0u32..).zip(jobs) {
        all.insert(
            index,
            match client.inspect(job, "look").await {
                Seen::Identity(identity) => Sighting::Identity(identity),
                Seen::Gone => Sighting::Gone,
                Seen::NotRead(reply) => panic!("{reply:?}"),
            },
        );
    }
    all
}

impl Life {
    async fn new(seed: u64, concurrency: u16) -> Self {
        let world = World::new(&scenario(seed), seed);
        let jobs = world.plan("plan.yaml", &plan(&mut Rng::with_seed(seed), 1).0);
        let seen = if seed.is_multiple_of(2) { look(&jobs, seed).await } else { HashMap::new() };
        Self { world, jobs, concurrency, seed, seen }
    }

    /// Runs until that moment. Returns the settlements if the end came first.
    async fn live(&mut self, power: usize) -> Option<Vec<Settlement>> {
        let (jobs, seen) = (Arc::clone(&self.jobs), self.seen.clone());
        let (seed, concurrency) = (self.seed, self.concurrency);
        self.world
            .live(power, async |world, transport| perform(world, transport, jobs, seen, (seed, concurrency)).await)
            .await
    }

    fn balance(&self, settlements: &[Settlement], place: &str) {
        let counts = self.world.tenant.counts();
        let journal = self.world.journal();
        let record = journal.read(&journal.find("latest").unwrap()).unwrap();
        assert_eq!(settlements.len(), self.jobs.len(), "{place}");
        for ((job, settlement), stored) in self.jobs.iter().zip(settlements).zip(&record.jobs) {
            let row = Row {
                row: job.row,
                action: job.action.name.to_owned(),
                target: job.target().to_owned(),
                outcome: settlement.outcome.name().to_owned(),
                note: settlement.note.as_deref().unwrap_or_default().to_owned(),
            };
            let wrong = wrong(&row, u64::from(counts.of(&row.action, &row.target).effects));
            assert!(wrong.is_empty(), "{place}: {wrong}: {row:?}");
            assert_eq!(stored.standing().outcome, settlement.outcome, "{place}: the journal says otherwise: {row:?}");
        }
    }
}

/// Begins the run, or goes on with it.
async fn perform(
    world: &World,
    transport: SimTransport,
    jobs: Arc<[Job]>,
    seen: HashMap<u32, Sighting>,
    (seed, concurrency): (u64, u16),
) -> Vec<Settlement> {
    let mut journal = world.journal();
    let (number, earlier) = match journal.find("latest") {
        Err(_) => (begin(&mut journal, &RunId::new(wall(), [7; 10]), &jobs), HashMap::new()),
        Ok(id) => {
            let record = journal.read(&id).unwrap();
            (record.head.number, ops::take_up(&record.jobs, Only::Open, false).unwrap())
        }
    };
    let recorder = Recorder::start(&journal, number, |why| panic!("{why}")).unwrap();
    let run = Run {
        holds: preflight::inspect(&jobs, wall()).holds,
        jobs,
        limits: Limits { concurrency, max_attempts: 5, settling: Duration::from_secs(60), pacing: Pacing::Off },
        gates: Gates::new(Pacing::Off),
        daily: DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock: Clock::starting_at(world.now()),
        rng: Rng::with_seed(seed),
        lookout: PreSendCheck::for_drift(seen.into_iter().map(|(at, seen)| (at, (seen, SeenBy::Preview))).collect()),
        guards: musterout::testing::runner::guards::Guards::default(),
        history: History { journal: Some(recorder), earlier, ..History::default() },
        verify: None,
    };
    world::perform(run, &transport).await
}

/// How many moments a life without power cuts has.
async fn moments(seed: u64, concurrency: u16) -> usize {
    let life = Life::new(seed, concurrency).await;
    let power = Arc::new(Power::lasting(ALWAYS));
    let transport = SimTransport::new(Arc::clone(&life.world.tenant)).powered(Arc::clone(&power));
    perform(&life.world, transport, life.jobs, life.seen, (seed, concurrency)).await;
    power.passed()
}

/// Stops at that moment, perhaps stops again, goes on to the end. Returns how often it stopped.
async fn stop_at(seed: u64, concurrency: u16, moment: usize) -> usize {
    let mut life = Life::new(seed, concurrency).await;
    let mut rng = Rng::with_seed(seed ^ moment as u64);
    let mut power = moment;
    let place = format!("seed {seed}, {concurrency} at a time, first stopped at moment {moment}");
    loop {
        if let Some(settlements) = life.live(power).await {
            life.balance(&settlements, &place);
            return life.world.cuts;
        }
        power = if life.world.cuts < 4 { rng.usize(..24) } else { ALWAYS };
    }
}

#[test]
fn crash_before_and_after_every_request() {
    let stops = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for concurrency in 1..=4 {
            let stops = &stops;
            scope.spawn(move || {
                for seed in [700, 800].map(|seed| seed + u64::from(concurrency)) {
                    let moments = paused(moments(seed, concurrency));
                    assert!(moments > 20, "seed {seed}");
                    for moment in 0..moments {
                        stops.fetch_add(paused(stop_at(seed, concurrency, moment)), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    println!("the world stopped {} times", stops.into_inner());
}
