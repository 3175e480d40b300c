//! The world stops: before and after every request of a run, in turn.
//!
//! In: a plan, a tenant that misbehaves, the number of the moment. At that moment the database is copied as it is
//! committed, and nothing moves any more; a new runner goes on from the copy, against the same tenant. Under a paused
//! clock and in one process, so that every moment of a run can be tried. Out: the seed, the moment, what does not balance.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use musterout::clock::Clock;
use musterout::guard::drift::Sighting;
use musterout::guard::lookout::Lookout;
use musterout::guard::{Brakes, preflight};
use musterout::job::Job;
use musterout::journal::resume::Only;
use musterout::journal::{Journal, NewRun, Recorder, RunId};
use musterout::msgraph::client::GraphClient;
use musterout::msgraph::request;
use musterout::msgraph::token::{Credentials, TokenSource};
use musterout::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
use musterout::outcome::Settlement;
use musterout::runner::executor::{Executor, Seen};
use musterout::runner::limiter::Pacing;
use musterout::runner::{self, Ended, History, Limits, Run};
use musterout::simulator::scenario::Scenario;
use musterout::simulator::tenant::Tenant;
use musterout::simulator::transport::SimTransport;
use musterout::{ops, plan};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};

use crate::crash::{plan, scenario, wrong};
use crate::outside::Row;

const GRAPH: &str = "https://graph.microsoft.com";
const LOGIN: &str = "https://login.microsoftonline.com";

/// The way to the tenant, until the moment comes.
#[derive(Clone)]
struct Wire {
    tenant: SimTransport,
    world: Arc<World>,
}

struct World {
    moments: AtomicUsize,
    stops_at: usize,
    stopped: Notify,
    journal: PathBuf,
    copy: PathBuf,
}

impl World {
    /// One more moment has come; whether the world still moves.
    fn moves(&self) -> bool {
        let moment = self.moments.fetch_add(1, Ordering::SeqCst);
        if moment == self.stops_at {
            let copy = self.copy.display().to_string();
            rusqlite::Connection::open(&self.journal).unwrap().execute("VACUUM INTO ?1", [copy]).unwrap();
            self.stopped.notify_one();
        }
        moment < self.stops_at
    }
}

impl Transport for Wire {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        if request.url.starts_with(LOGIN) {
            return self.tenant.send(request).await;
        }
        if !self.world.moves() {
            std::future::pending::<()>().await;
        }
        let reply = self.tenant.send(request).await;
        if !self.world.moves() {
            std::future::pending::<()>().await;
        }
        reply
    }
}

struct Life {
    jobs: Arc<[Job]>,
    tenant: Arc<Tenant>,
    concurrency: u16,
    seed: u64,
    /// Who the targets were before anything happened: half of the lives are those of a saved preview.
    seen: HashMap<u32, Sighting>,
    folder: TempDir,
}

fn wall() -> Timestamp {
    Timestamp::constant(1_795_330_800, 0)
}

fn recorded(job: &Job) -> (&'static str, String, Option<&str>) {
    request::recorded(job)
}

/// Looks at the targets in a tenant of its own, in which nothing goes wrong.
fn look(jobs: &[Job], seed: u64) -> HashMap<u32, Sighting> {
    let mut healthy = Scenario::from_yaml(&scenario(seed)).unwrap();
    healthy.faults.clear();
    let transport = SimTransport::new(Tenant::new(healthy, wall()));
    let tokens = TokenSource::new(transport.clone(), Credentials::AccessToken("t".to_owned().into()), LOGIN, GRAPH);
    let client = GraphClient::new(transport, tokens, GRAPH, Clock::starting_at(wall()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let seen = |(index, job): (u32, &Job)| match runtime.block_on(client.inspect(job, "look")) {
        Seen::Identity(identity) => (index, Sighting::Identity(identity)),
        Seen::Gone => (index, Sighting::Gone),
        Seen::NotRead(reply) => panic!("{reply:?}"),
    };
    (0u32..).zip(jobs).map(seen).collect()
}

impl Life {
    fn new(seed: u64, concurrency: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (text, _) = plan(&mut Rng::with_seed(seed), 1);
        let file = folder.path().join("plan.yaml");
        fs::write(&file, text).unwrap();
        let jobs: Arc<[Job]> = plan::load(&file).unwrap().jobs.into();
        let tenant = Tenant::new(Scenario::from_yaml(&scenario(seed)).unwrap(), wall());
        let seen = if seed.is_multiple_of(2) { look(&jobs, seed) } else { HashMap::new() };
        Self { jobs, tenant, concurrency, seed, seen, folder }
    }

    fn state(&self, generation: u32) -> PathBuf {
        self.folder.path().join(generation.to_string())
    }

    /// Runs until that moment. Returns the settlements if the end came first, and how many moments there were.
    fn live(&self, generation: u32, stops_at: usize) -> (Option<Vec<Settlement>>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let state = self.state(generation);
        let next = self.state(generation + 1);
        fs::create_dir_all(&next).unwrap();
        let world = Arc::new(World {
            moments: AtomicUsize::new(0),
            stops_at,
            stopped: Notify::new(),
            journal: state.join(Journal::FILE),
            copy: next.join(Journal::FILE),
        });
        let (number, mut history) = self.take_up(&state);
        history.journal =
            Some(Recorder::start(&Journal::open(&state).unwrap(), number, |why| panic!("{why}")).unwrap());
        let settlements = runtime.block_on(async {
            let ended = self.perform(history, Arc::clone(&world));
            tokio::select! {
                () = world.stopped.notified() => None,
                ended = ended => {
                    ended.journal.unwrap().finish().unwrap();
                    Some(ended.settlements)
                }
            }
        });
        drop(runtime);
        (settlements, world.moments.load(Ordering::SeqCst))
    }

    /// Begins the run, or goes on with it.
    fn take_up(&self, state: &Path) -> (i64, History) {
        let mut journal = Journal::open(state).unwrap();
        let Ok(id) = journal.find("latest") else {
            let new = NewRun {
                id: &RunId::new(wall(), [7; 10]),
                plan_key: "key",
                plan_file: "plan.yaml",
                plan_digest: "",
                plan_files: &[],
                tenant: "simulated",
                settings: &serde_json::json!({}),
                report: None,
                jobs: &self.jobs,
                inherited: &[],
                request: recorded,
                now: wall(),
            };
            return (journal.begin(&new).unwrap(), History::default());
        };
        let record = journal.read(&id).unwrap();
        (
            record.number,
            History { earlier: ops::take_up(&record.jobs, Only::Open, false).unwrap(), ..History::default() },
        )
    }

    async fn perform(&self, history: History, world: Arc<World>) -> Ended {
        let wire = Wire { tenant: SimTransport::new(Arc::clone(&self.tenant)), world };
        let credentials = Credentials::ClientSecret {
            tenant: "contoso.onmicrosoft.com".into(),
            client_id: "33333333-3333-4333-8333-333333333333".into(),
            secret: SecretString::from("some-secret".to_owned()),
        };
        let clock = Clock::starting_at(wall());
        let tokens = TokenSource::new(wire.clone(), credentials, LOGIN, GRAPH);
        let client = GraphClient::new(wire, tokens, GRAPH, clock);
        let run = Run {
            jobs: Arc::clone(&self.jobs),
            holds: preflight::inspect(&self.jobs, wall()).holds,
            limits: Limits {
                concurrency: self.concurrency,
                max_attempts: 5,
                settling: Duration::from_secs(60),
                pacing: Pacing::Off,
            },
            daily: musterout::runner::quota::Daily::default(),
            brakes: Brakes::default(),
            people: None,
            clock,
            rng: Rng::with_seed(self.seed),
            lookout: Lookout::for_drift(self.seen.clone()),
            history,
            verify: None,
        };
        let (events, _told) = mpsc::unbounded_channel();
        let (_stop, requests) = mpsc::unbounded_channel();
        runner::run(run, Arc::new(client), events, requests).await
    }

    fn balance(&self, generation: u32, settlements: &[Settlement], place: &str) {
        let counts = self.tenant.counts();
        let journal = Journal::open(&self.state(generation)).unwrap();
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

/// Stops at that moment, perhaps stops again, goes on to the end.
fn stop_at(seed: u64, concurrency: u16, moment: usize) -> u32 {
    let life = Life::new(seed, concurrency);
    let mut rng = Rng::with_seed(seed ^ moment as u64);
    let (mut generation, mut moments) = (0, moment);
    let place = format!("seed {seed}, {concurrency} at a time, first stopped at moment {moment}");
    loop {
        let (settlements, _) = life.live(generation, moments);
        if let Some(settlements) = settlements {
            life.balance(generation, &settlements, &place);
            return generation;
        }
        generation += 1;
        moments = if generation < 4 { rng.usize(..24) } else { usize::MAX };
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
                    let (settlements, moments) = Life::new(seed, concurrency).live(0, usize::MAX);
                    assert!(settlements.is_some() && moments > 20, "seed {seed}");
                    for moment in 0..moments {
                        stops.fetch_add(stop_at(seed, concurrency, moment) as usize, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    println!("the world stopped {} times", stops.into_inner());
}
