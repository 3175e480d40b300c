//! Two runs of one machine share a tenant's day, die at any request, and go on some hours later.
//!
//! In: seeds; two plans, one journal, a tenant that counts every stretch of 24 hours and says no at the first request too
//! many. Time stands still while requests are under way and passes between the lives of the processes. Out: the seed, and
//! what does not balance.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use musterout::clock::Clock;
use musterout::guard::Brakes;
use musterout::guard::daily::{Rules, Settings};
use musterout::guard::preflight;
use musterout::job::Job;
use musterout::journal::daily::Account;
use musterout::journal::resume::Only;
use musterout::journal::{Journal, NewRun, Recorder, RunId};
use musterout::msgraph::client::GraphClient;
use musterout::msgraph::request;
use musterout::msgraph::token::{Credentials, TokenSource};
use musterout::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
use musterout::outcome::{Outcome, Settlement};
use musterout::runner::limiter::Pacing;
use musterout::runner::quota::Daily;
use musterout::runner::{self, History, Limits, Run};
use musterout::simulator::scenario::Scenario;
use musterout::simulator::tenant::Tenant;
use musterout::simulator::transport::SimTransport;
use musterout::{ops, plan};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc, oneshot};

const GRAPH: &str = "https://graph.microsoft.com";
const LOGIN: &str = "https://login.microsoftonline.com";
/// What a machine is made of.
struct Setting {
    retires_a_day: u32,
    reserve_percent: u8,
    /// Rows of each plan.
    rows: u32,
    portal: u32,
}

const SMALL: Setting = Setting { retires_a_day: 7, reserve_percent: 0, rows: 16, portal: 0 };
const LARGE: Setting = Setting { retires_a_day: 1_000, reserve_percent: 10, rows: 5_000, portal: 150 };

/// The way to the tenant, until the power goes.
#[derive(Clone)]
struct Wire {
    tenant: SimTransport,
    power: Arc<Power>,
}

struct Power {
    /// Requests and replies until it goes.
    left: AtomicUsize,
    gone: Notify,
    disk: PathBuf,
    /// What is on the disk when it goes: a writer that has not heard of it writes to the other.
    copy: PathBuf,
}

impl Power {
    fn is_on(&self) -> bool {
        let on = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if !on && !self.copy.exists() {
            let copy = self.copy.display().to_string();
            rusqlite::Connection::open(&self.disk).unwrap().execute("VACUUM INTO ?1", [copy]).unwrap();
            self.gone.notify_one();
        }
        on
    }
}

impl Transport for Wire {
    async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
        if request.url.starts_with(LOGIN) {
            return self.tenant.send(request).await;
        }
        if !self.power.is_on() {
            std::future::pending::<()>().await;
        }
        let reply = self.tenant.send(request).await;
        if !self.power.is_on() {
            std::future::pending::<()>().await;
        }
        reply
    }
}

struct Machine {
    plans: [Arc<[Job]>; 2],
    runs: [RunId; 2],
    tenant: Arc<Tenant>,
    account: Arc<Account>,
    clock: Clock,
    generation: usize,
    folder: TempDir,
}

fn wall() -> Timestamp {
    Timestamp::constant(1_795_330_800, 0)
}

fn recorded(job: &Job) -> (&'static str, String, Option<&str>) {
    request::recorded(job)
}

impl Machine {
    fn new(setting: &Setting) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("0")).unwrap();
        let Setting { retires_a_day, reserve_percent, rows, portal } = *setting;
        let scenario = format!(
            "throttle: off\nlog: off\ndaily: {{ retire: {retires_a_day} }}\ndaily_day: sliding\ndaily_answer: 403\n\
             daily_portal: {{ retire: {portal} }}\n"
        );
        let settings =
            Settings { retire: Some(retires_a_day), reserve_percent: Some(reserve_percent), ..Settings::default() };
        let plan = |number: u32| -> Arc<[Job]> {
            let rows = (1..=rows).map(|row| format!("retire,{number:08x}-0000-4000-8000-{row:012x}\n"));
            let file = folder.path().join(format!("{number}.csv"));
            fs::write(&file, format!("action,id\n{}", rows.collect::<String>())).unwrap();
            plan::load(&file).unwrap().jobs.into()
        };
        let plans = [plan(1), plan(2)];
        let runs = [1, 2].map(|number| RunId::new(wall(), [number; 10]));
        for (jobs, id) in plans.iter().zip(&runs) {
            let new = NewRun {
                id,
                plan_key: id.as_str(),
                plan_file: "plan.csv",
                plan_digest: "",
                plan_files: &[],
                tenant: "contoso",
                settings: &serde_json::json!({}),
                report: None,
                jobs,
                inherited: &[],
                request: recorded,
                now: wall(),
            };
            journal.begin(&new).unwrap();
        }
        let rules = Rules::new(&settings).unwrap();
        Self {
            plans,
            runs,
            tenant: Tenant::new(Scenario::from_yaml(&scenario).unwrap(), wall()),
            account: Arc::new(Account { tenant: "contoso".into(), rules }),
            clock: Clock::starting_at(wall()),
            generation: 0,
            folder,
        }
    }

    fn state(&self, generation: usize) -> PathBuf {
        self.folder.path().join(generation.to_string())
    }

    /// A process that runs one of the plans from where it stands.
    async fn run(&self, which: usize, seed: u64, concurrency: u16, power: &Arc<Power>) -> Vec<Settlement> {
        let journal = Journal::open(&self.state(self.generation)).unwrap();
        let record = journal.read(&self.runs[which]).unwrap();
        let earlier = ops::take_up(&record.jobs, Only::Open, false).unwrap();
        let recorder = Recorder::start(&journal, record.number, |why| panic!("{why}")).unwrap();
        let wire = Wire { tenant: SimTransport::new(Arc::clone(&self.tenant)), power: Arc::clone(power) };
        let credentials = Credentials::ClientSecret {
            tenant: "contoso.onmicrosoft.com".into(),
            client_id: "33333333-3333-4333-8333-333333333333".into(),
            secret: SecretString::from("some-secret".to_owned()),
        };
        let tokens = TokenSource::new(wire.clone(), credentials, LOGIN, GRAPH);
        let jobs = &self.plans[which];
        let run = Run {
            jobs: Arc::clone(jobs),
            holds: preflight::inspect(jobs, wall()).holds,
            limits: Limits { concurrency, max_attempts: 5, settling: Duration::ZERO, pacing: Pacing::Off },
            daily: Daily { account: Some(Arc::clone(&self.account)), patience: Duration::ZERO },
            brakes: Brakes::default(),
            people: None,
            clock: self.clock,
            rng: Rng::with_seed(seed),
            lookout: Default::default(),
            history: History { journal: Some(recorder), earlier, ..History::default() },
            verify: None,
        };
        let client = GraphClient::new(wire, tokens, GRAPH, self.clock);
        let (events, _told) = mpsc::unbounded_channel();
        let (_stop, requests) = mpsc::unbounded_channel();
        let ended = runner::run(run, Arc::new(client), events, requests).await;
        ended.journal.unwrap().finish().unwrap();
        ended.settlements
    }

    /// Some processes at once, until they end or the power goes. While they run, time stands still.
    async fn live(&mut self, which: &[usize], rng: &mut Rng, power: usize) -> Vec<(usize, Vec<Settlement>)> {
        let next = self.state(self.generation + 1);
        fs::create_dir_all(&next).unwrap();
        let (disk, copy) = (self.state(self.generation).join(Journal::FILE), next.join(Journal::FILE));
        let power = Arc::new(Power { left: AtomicUsize::new(power), gone: Notify::new(), disk, copy });
        let (over, is_over) = oneshot::channel::<()>();
        // tokio moves its paused clock only while nothing blocks.
        let still = tokio::task::spawn_blocking(move || is_over.blocking_recv());
        let (seeds, concurrency) = ([rng.u64(..), rng.u64(..)], rng.u16(1..6));
        let one = |which: usize| self.run(which, seeds[which], concurrency, &power);
        let all = async {
            match which {
                [one_of_them] => vec![(*one_of_them, one(*one_of_them).await)],
                _ => {
                    let (first, second) = tokio::join!(one(0), one(1));
                    vec![(0, first), (1, second)]
                }
            }
        };
        let ended = tokio::select! {
            biased;
            () = power.gone.notified() => Vec::new(),
            ended = all => ended,
        };
        drop(over);
        let _ = still.await;
        self.generation += usize::from(power.copy.exists());
        ended
    }
}

async fn a_fortnight(seed: u64) -> (usize, usize) {
    let mut machine = Machine::new(&SMALL);
    let mut rng = Rng::with_seed(seed);
    let (mut lives, mut crashes) = (0, 0);
    let mut last: [Vec<Settlement>; 2] = Default::default();
    while lives < 200 && last.iter().any(|settled| settled.is_empty() || !all_well(settled)) {
        lives += 1;
        let which: &[usize] = [&[0][..], &[1], &[0, 1]][rng.usize(..3)];
        let power = if lives < 30 && rng.u8(..3) > 0 { rng.usize(..30) } else { usize::MAX };
        let ended = machine.live(which, &mut rng, power).await;
        crashes += usize::from(ended.is_empty());
        for (which, settlements) in ended {
            last[which] = settlements;
        }
        let hours = rng.u64(1..20);
        tokio::time::sleep(Duration::from_secs(hours * 3_600 + rng.u64(..3_600))).await;
    }
    let counts = machine.tenant.counts();
    let place = format!("seed {seed}, {lives} lives, {crashes} crashes");
    assert!(last.iter().all(|settled| all_well(settled)), "{place}: {last:?}");
    assert_eq!(counts.statuses.get(&403), None, "{place}: the service had to say no");
    let effects = counts.total("retire").effects;
    assert_eq!(effects, 2 * SMALL.rows, "{place}");
    assert!(counts.each("retire").all(|(_, target)| target.effects == 1), "{place}: a device was retired twice");
    (lives, crashes)
}

fn all_well(settlements: &[Settlement]) -> bool {
    settlements.iter().all(|settled| settled.outcome == Outcome::Accepted)
}

#[test]
fn no_interleaving_of_crashes_and_runs_passes_a_days_limit() {
    let totals = std::thread::scope(|scope| {
        let threads = [0, 1].map(|thread| {
            scope.spawn(move || {
                let mut totals = (0, 0);
                for seed in (9_000..9_014).filter(|seed| seed % 2 == thread) {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
                    let (lives, crashes) = runtime.block_on(a_fortnight(seed));
                    totals = (totals.0 + lives, totals.1 + crashes);
                }
                totals
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let (lives, crashes) = totals.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(crashes > 20, "{crashes} crashes in {lives} lives prove little");
}

/// What an admin does who starts a large plan in the evening and lets a scheduler go on with it.
#[test]
fn five_thousand_retires_are_done_within_the_week_whatever_happens() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut machine = Machine::new(&LARGE);
        let mut rng = Rng::with_seed(4_711);
        let (mut nights, mut crashes) = (0, 0);
        let mut done = Vec::new();
        while nights < 10 && done.len() < LARGE.rows as usize {
            nights += 1;
            let power = if nights % 2 == 1 && crashes < 3 { 2 * rng.usize(100..600) } else { usize::MAX };
            let mut ended = machine.live(&[0], &mut rng, power).await;
            if ended.is_empty() {
                crashes += 1;
                ended = machine.live(&[0], &mut rng, usize::MAX).await;
            }
            let (_, settlements) = ended.remove(0);
            done = settlements.into_iter().filter(|settled| settled.outcome == Outcome::Accepted).collect();
            tokio::time::sleep(Duration::from_secs(24 * 3_600 + 300)).await;
        }
        let counts = machine.tenant.counts();
        let refused = counts.statuses.get(&403).copied().unwrap_or_default();
        assert_eq!((done.len(), nights, crashes), (5_000, 6, 3), "{refused} refusals");
        assert!(counts.each("retire").all(|(_, target)| target.effects == 1), "a device was retired twice");
        assert!((5..=5 * 6).contains(&refused), "people take 150 where 100 are left to them: {refused} refusals");
    });
}
