//! Approvals over days: filed, approved late, rejected, expired, completed in the portal, with crashes between and within.
//!
//! In: seeds. Out: the seed and what does not balance: a target acted on twice, a code that left when it was not good, a
//! row that says other than what happened. And the days of the tenant's limits, which are waited for in the same place. Under a paused clock and in one process: a crash is a copy of the database as
//! it is committed at that moment, and a new runner that goes on from the copy, days later. Must not: open sockets.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use musterout::clock::Clock;
use musterout::guard::daily::{Rules, Settings};
use musterout::guard::preflight;
use musterout::job::Job;
use musterout::journal::daily::Account;
use musterout::journal::resume::Only;
use musterout::journal::{Journal, NewRun, RunId};
use musterout::msgraph::client::GraphClient;
use musterout::msgraph::request;
use musterout::msgraph::token::{Credentials, TokenSource};
use musterout::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
use musterout::ops::rounds::{FIRST_WAIT, Requests, Rounds, RoundsEnded};
use musterout::outcome::{Outcome, Settlement, Standing, Tally};
use musterout::runner::Limits;
use musterout::runner::limiter::Pacing;
use musterout::runner::quota::Daily;
use musterout::simulator::scenario::Scenario;
use musterout::simulator::tenant::Tenant;
use musterout::simulator::transport::SimTransport;
use musterout::{ops, plan};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

const GRAPH: &str = "https://graph.microsoft.com";
const LOGIN: &str = "https://login.microsoftonline.com";
const HOUR: Duration = Duration::from_secs(3_600);

/// The way to the tenant, until the moment of the crash.
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
    /// The documented limits, whole.
    account: Arc<Account>,
    began: Instant,
    concurrency: u16,
    folder: TempDir,
    generation: u32,
}

fn wall() -> Timestamp {
    Timestamp::constant(1_795_330_800, 0)
}

fn recorded(job: &Job) -> (&'static str, String, Option<&str>) {
    request::recorded(job)
}

fn account(settings: &Settings) -> Arc<Account> {
    Arc::new(Account { tenant: "simulated".into(), rules: Rules::new(settings).unwrap() })
}

impl Life {
    fn new(plan: &str, scenario: &str, seed: u64, concurrency: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.csv");
        fs::write(&file, plan).unwrap();
        let jobs = plan::load(&file).unwrap().jobs.into();
        let mut scenario = Scenario::from_yaml(scenario).unwrap();
        scenario.seed = seed;
        let tenant = Tenant::new(scenario, wall());
        let account = account(&Settings { reserve_percent: Some(0), ..Settings::default() });
        Self { jobs, tenant, account, began: Instant::now(), concurrency, folder, generation: 0 }
    }

    fn state(&self, generation: u32) -> PathBuf {
        self.folder.path().join(generation.to_string())
    }

    fn now(&self) -> Timestamp {
        wall().checked_add(SignedDuration::try_from(self.began.elapsed()).unwrap()).unwrap()
    }

    fn days(&self) -> f64 {
        self.began.elapsed().as_secs_f64() / 86_400.0
    }

    /// Begins the run or goes on with it, until it ends or the world stops; then a new process would go on from the copy.
    async fn live(&mut self, stops_at: usize, requests: Requests, rng: &mut Rng) -> Option<RoundsEnded> {
        let (state, next) = (self.state(self.generation), self.state(self.generation + 1));
        fs::create_dir_all(&next).unwrap();
        let (journal, copy) = (state.join(Journal::FILE), next.join(Journal::FILE));
        let world = Arc::new(World { moments: AtomicUsize::new(0), stops_at, stopped: Notify::new(), journal, copy });
        let ended = tokio::select! {
            () = world.stopped.notified() => None,
            ended = self.perform(requests, Arc::clone(&world), rng) => Some(ended),
        };
        self.generation += u32::from(ended.is_none());
        ended
    }

    async fn perform(&self, requests: Requests, world: Arc<World>, rng: &mut Rng) -> RoundsEnded {
        let mut journal = Journal::open(&self.state(self.generation)).unwrap();
        let id = journal.find("latest").ok();
        let id = id.unwrap_or_else(|| self.begin(&mut journal));
        let record = journal.read(&id).unwrap();
        let wire = Wire { tenant: SimTransport::new(Arc::clone(&self.tenant)), world };
        let credentials = Credentials::ClientSecret {
            tenant: "contoso.onmicrosoft.com".into(),
            client_id: "33333333-3333-4333-8333-333333333333".into(),
            secret: SecretString::from("some-secret".to_owned()),
        };
        let clock = Clock::starting_at(self.now());
        let tokens = TokenSource::new(wire.clone(), credentials, LOGIN, GRAPH);
        let client = Arc::new(GraphClient::new(wire, tokens, GRAPH, clock).justified(Some("CHG0012345")));
        let mut rounds = Rounds {
            is_older: false,
            journal: &mut journal,
            id: &id,
            number: record.number,
            tenant: "simulated",
            jobs: Arc::clone(&self.jobs),
            holds: preflight::inspect(&self.jobs, self.now()).holds,
            earlier: ops::take_up(&record.jobs, requests.only, requests.refile).unwrap(),
            requests,
            brakes: musterout::guard::Brakes::default(),
            people: None,
            lookout: Default::default(),
            between_waves: false,
            daily: Daily { account: Some(Arc::clone(&self.account)), patience: FIRST_WAIT },
            limits: Limits { concurrency: self.concurrency, pacing: Pacing::Off, ..Limits::default() },
            clock,
            rng: rng.fork(),
        };
        let (stop, mut asked) = mpsc::unbounded_channel();
        rounds.play(&client, &stop, &mut asked, |_| oneshot::channel().1, |_| {}).await.unwrap()
    }

    fn begin(&self, journal: &mut Journal) -> RunId {
        let id = RunId::new(wall(), [7; 10]);
        let new = NewRun {
            id: &id,
            plan_key: "key",
            plan_file: "plan.csv",
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
        journal.begin(&new).unwrap();
        id
    }

    /// What happened to each target, by us and by people in the portal, and how its request stands.
    fn balance(&self, settlements: &[Settlement], place: &str) {
        let counts = self.tenant.counts();
        let mut in_portal: HashMap<String, u32> = HashMap::new();
        let mut status: HashMap<String, &'static str> = HashMap::new();
        for request in self.tenant.approvals() {
            *in_portal.entry(request.target.clone()).or_default() += u32::from(request.in_portal);
            status.insert(request.target, request.status);
        }
        assert_eq!(self.tenant.approval_counts().0, 0, "{place}: a code left when it was not good");
        assert_eq!(settlements.len(), self.jobs.len(), "{place}");
        for (job, settled) in self.jobs.iter().zip(settlements) {
            let ours = counts.of(job.action.name, job.target()).effects;
            let theirs = in_portal.get(job.target()).copied().unwrap_or_default();
            let status = status.get(job.target()).copied().unwrap_or("never filed");
            let told = format!("{place}: row {}: {ours} by us, {theirs} in the portal, {status}: {settled:?}", job.row);
            assert!(ours + theirs <= 1, "acted on twice: {told}");
            match settled.outcome.standing() {
                Standing::Good => assert_eq!(ours + theirs, 1, "good without effect: {told}"),
                Standing::Bad => assert_eq!(ours + theirs, 0, "bad with an effect: {told}"),
                Standing::Open => {}
            }
        }
    }
}

fn retires(count: usize) -> String {
    let rows = (1..=count).map(|number| format!("retire,{number:08x}-0000-4000-8000-000000000001\n"));
    format!("action,managedDeviceId\n{}", rows.collect::<String>())
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

fn paused<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

async fn interleave(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let variants =
        ["", "  status: 403\n", "  code_in: text\n", "  code_in: header\n  filter: eq\n", "  filter: none\n"];
    let variant = variants[rng.usize(..variants.len())];
    let scenario = EVERYTHING.replace("  actions: [retire]\n", &format!("  actions: [retire]\n{variant}"));
    let mut life = Life::new(&retires(rng.usize(4..14)), &scenario, seed, rng.u16(1..5));
    let place = format!("seed {seed}, variant {variant:?}");
    for _ in 0..60 {
        let crashes = life.days() < 6.0 && rng.u8(..3) > 0;
        let stops_at = if crashes { rng.usize(..60) } else { usize::MAX };
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
    panic!("{place}: still open after {:.1} days", life.days());
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

/// Most are approved, some late, some rejected, some completed by hand, some by nobody.
const SLOW_APPROVERS: &str = "
throttle: off
log: off
approvals:
  actions: [retire]
  decisions:
    - { on: { probability: 0.8 }, after: { min: 4h, max: 60h }, do: approve }
    - { on: { probability: 0.5 }, after: { min: 4h, max: 60h }, do: complete }
    - { on: { probability: 0.5 }, after: 30h, do: reject }
";

/// A scheduler starts `resume` every eight hours; the machine fails three times. Nothing is acted on twice, no more is
/// open than can be carried out before it expires, and in the end every row is settled.
#[test]
fn five_thousand_retires_over_days() {
    paused(async {
        let mut life = Life::new(&retires(5_000), SLOW_APPROVERS, 7, 128);
        let mut rng = Rng::with_seed(7);
        let mut crashes = vec![500, 2_500, 2_000];
        let mut most_attempted = 0;
        while life.days() < 12.0 {
            let stops_at = crashes.pop().unwrap_or(usize::MAX);
            if let Some(ended) = life.live(stops_at, Requests::default(), &mut rng).await {
                let tally = tally(&ended.settlements);
                most_attempted = most_attempted.max(tally.of(Outcome::NotAttempted));
                if tally.standing(Standing::Open) == 0 {
                    life.balance(&ended.settlements, "5,000 retires");
                    let (failed, good) = (tally.of(Outcome::Failed), tally.standing(Standing::Good));
                    println!("{:.1} days: {good} good, {failed} failed, {most_attempted} left for later", life.days());
                    assert!((300..700).contains(&failed) && failed + good == 5_000, "{tally:?}");
                    assert_eq!(life.generation, 3, "it failed three times");
                    assert!(most_attempted > 1_000, "there was no room for all at once");
                    assert!(life.tenant.approval_counts().1 <= 3_000, "more were open than three days carry out");
                    return;
                }
            }
            tokio::time::advance(8 * HOUR).await;
        }
        panic!("still open after {:.1} days", life.days());
    });
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
    - { on: { target: 00000002-0000-4000-8000-000000000001 }, after: 50h, do: approve }
    - { on: { target: 00000003-0000-4000-8000-000000000001 }, after: 7h, do: reject }
    - { on: { target: 00000004-0000-4000-8000-000000000001 }, after: 9h, do: complete }
";
    paused(async {
        let mut life = Life::new(&retires(5), scenario, 1, 4);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(usize::MAX, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "waiting");
        let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
        assert_eq!(
            outcomes,
            [Outcome::Accepted, Outcome::Accepted, Outcome::Failed, Outcome::Accepted, Outcome::Failed],
            "{:#?}",
            ended.settlements
        );
        assert!((2.9..3.2).contains(&life.days()), "{} days", life.days());
        let reads = life.tenant.counts().reads;
        assert!((400..600).contains(&reads), "{reads} reads in three days");
    });
}

fn retires_a_day(retires: u32) -> Arc<Account> {
    account(&Settings { retire: Some(retires), reserve_percent: Some(0), ..Settings::default() })
}

/// One command, left alone: it goes on when the day has turned, and asks for nothing in between.
#[test]
fn a_run_that_waits_goes_on_from_day_to_day() {
    paused(async {
        let scenario = "throttle: off\ndaily: { retire: 10 }\ndaily_day: sliding\ndaily_answer: 403\n";
        let mut life = Life::new(&retires(25), scenario, 1, 4);
        life.account = retires_a_day(10);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(usize::MAX, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "days");
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 25, "{:#?}", ended.settlements);
        assert!((2.0..2.1).contains(&life.days()), "{} days", life.days());
        let counts = life.tenant.counts();
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
        let mut life = Life::new(&retires(6), scenario, 1, 4);
        life.account = retires_a_day(2);
        let requests = Requests { wait: true, ..Requests::default() };
        let ended = life.live(usize::MAX, requests, &mut Rng::with_seed(1)).await.unwrap();
        life.balance(&ended.settlements, "approved");
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 6, "{:#?}", ended.settlements);
        assert!((2.2..2.4).contains(&life.days()), "{} days", life.days());
        let counts = life.tenant.counts();
        assert_eq!(counts.statuses.get(&403), None, "the service had to say no");
        assert!((250..500).contains(&counts.reads), "{} reads in two days", counts.reads);
    });
}

/// Whoever chooses what failed means all of it, also what has to wait for another day.
#[test]
fn what_was_chosen_and_had_no_room_is_chosen_still() {
    let scenario = "
throttle: off
faults: [{ on: { calls: [1] }, do: { status: { code: 400, body: json } } }]
";
    paused(async {
        let mut life = Life::new(&retires(5), scenario, 1, 4);
        let mut rng = Rng::with_seed(1);
        let ended = life.live(usize::MAX, Requests::default(), &mut rng).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Failed), 5, "{:#?}", ended.settlements);
        life.account = retires_a_day(2);
        let requests = Requests { only: Only::Failed, wait: true, ..Requests::default() };
        let ended = life.live(usize::MAX, requests, &mut rng).await.unwrap();
        assert_eq!(tally(&ended.settlements).of(Outcome::Accepted), 5, "{:#?}", ended.settlements);
        assert!((2.0..2.1).contains(&life.days()), "{} days", life.days());
        assert!(life.tenant.counts().each("retire").all(|(_, target)| target.effects == 1));
    });
}
