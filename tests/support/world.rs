//! A world in which processes die: one tenant that stays, the journal as it is on the disk, and time.
//!
//! In: a scenario, and lives of processes. Out: what a life came to, or nothing if the power went; then the next life finds
//! the disk as it was at that moment. Under a paused clock and in one process: a power cut is a copy of the database, and
//! whoever had the old one never moves again. Must not: open sockets.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use musterout::testing::clock::Clock;
use musterout::testing::daily::DailyAccount;
use musterout::testing::daily::{DailyRules, DailySettings};
use musterout::testing::job::Job;
use musterout::testing::journal::{Journal, NewRun, RunId};
use musterout::testing::msgraph::client::GraphClient;
use musterout::testing::msgraph::request;
use musterout::testing::msgraph::token::{Credentials, TokenSource};
use musterout::testing::msgraph::transport::Transport;
use musterout::testing::outcome::{Outcome, Settlement, Standing};
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::plan;
use musterout::testing::runner::{self, Run};
use musterout::testing::simulator::power::Power;
use musterout::testing::simulator::scenario::Scenario;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub const GRAPH: &str = "https://graph.microsoft.com";
pub const LOGIN: &str = "https://login.microsoftonline.com";
pub const HOUR: Duration = Duration::from_secs(3_600);

/// No power cut.
pub const ALWAYS: usize = usize::MAX;

/// A Sunday morning in November, at which every world begins.
pub fn wall() -> Timestamp {
    Timestamp::constant(1_795_330_800, 0)
}

/// Runs on tokio's clock, which is paused: days pass in milliseconds.
pub fn paused<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

pub struct World {
    pub tenant: Arc<Tenant>,
    began: Instant,
    folder: TempDir,
    /// Power cuts so far. Each has a folder of its own for the journal.
    pub cuts: usize,
}

thread_local! {
    /// When the world of this thread began, and how long it has been suspended.
    static SYSTEM: Cell<Option<(Instant, SignedDuration)>> = const { Cell::new(None) };
}

/// What the system's clock shows in the world of this thread.
pub fn system() -> Timestamp {
    let (began, suspended) = SYSTEM.get().expect("a world has begun on this thread");
    wall() + SignedDuration::try_from(began.elapsed()).unwrap() + suspended
}

/// A world begins on this thread.
pub fn begin_clock() -> Instant {
    let began = Instant::now();
    SYSTEM.set(Some((began, SignedDuration::ZERO)));
    began
}

/// The machine sleeps so long: the system's clock goes on, and the process does not notice.
pub fn suspend(time: SignedDuration) {
    SYSTEM.set(SYSTEM.get().map(|(began, suspended)| (began, suspended + time)));
}

/// In memory where there is a place for that: time passes while somebody waits for a disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl World {
    pub fn new(scenario: &str, seed: u64) -> Self {
        let mut scenario = Scenario::from_yaml(scenario).unwrap();
        scenario.seed = seed;
        let began = begin_clock();
        Self { tenant: Tenant::new(scenario, wall()), began, folder: folder(), cuts: 0 }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a plan, and reads it as the program does.
    pub fn plan(&self, name: &str, text: &str) -> Arc<[Job]> {
        fs::write(self.path(name), text).unwrap();
        let plan = plan::load(&self.path(name)).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert!(plan.unresolved.is_empty(), "nothing is looked up here");
        plan.jobs.into()
    }

    /// Where the journal is.
    pub fn state(&self) -> PathBuf {
        self.state_after(self.cuts)
    }

    fn state_after(&self, cuts: usize) -> PathBuf {
        let state = self.folder.path().join(format!("state-{cuts}"));
        fs::create_dir_all(&state).unwrap();
        state
    }

    pub fn journal(&self) -> Journal {
        Journal::open(self.state()).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        wall() + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    pub fn days(&self) -> f64 {
        self.began.elapsed().as_secs_f64() / 86_400.0
    }

    /// Lives until the end, or until the power goes: `None`.
    pub async fn live<F: AsyncFnOnce(&Self, SimTransport) -> T, T>(&mut self, power: usize, life: F) -> Option<T> {
        let power = Arc::new(Power::lasting(power));
        let transport = SimTransport::new(Arc::clone(&self.tenant)).powered(Arc::clone(&power));
        let (disk, copy) = (self.state(), self.state_after(self.cuts + 1));
        let watched = Arc::clone(&power);
        let ended = tokio::select! {
            biased;
            () = async { power.gone().await; copy_journal(&disk, &copy) } => None,
            ended = life(self, transport) => Some(ended),
            () = hold_the_clock(&watched) => None,
        };
        self.cuts += usize::from(ended.is_none());
        ended
    }
}

/// Nothing has moved for so long: whoever waits, waits for time to pass. In real time, because that is what a disk takes.
const QUIET: Duration = Duration::from_millis(10);

/// A paused clock jumps as soon as nothing is left to do but to wait, and waiting for the disk looks like that. So it is held
/// for as long as requests come and go, and a moment longer: it moves only while nothing blocks.
async fn hold_the_clock(power: &Arc<Power>) {
    loop {
        let power = Arc::clone(power);
        let watched = Arc::clone(&power);
        let quiet = tokio::task::spawn_blocking(move || {
            let mut passed = usize::MAX;
            while std::mem::replace(&mut passed, watched.passed()) != watched.passed() {
                std::thread::park_timeout(QUIET);
            }
        });
        let _ = quiet.await;
        power.moved().await;
    }
}

/// What is committed now.
fn copy_journal(disk: &Path, copy: &Path) {
    let copy = copy.join(Journal::FILE).display().to_string();
    let journal = rusqlite::Connection::open(disk.join(Journal::FILE)).unwrap();
    journal.busy_timeout(Duration::from_secs(30)).unwrap();
    journal.execute("VACUUM INTO ?1", [copy]).unwrap();
}

/// Keeps tokio's paused clock where it is for as long as `life` takes: it moves only while nothing blocks.
pub async fn at_one_moment<T>(life: impl Future<Output = T>) -> T {
    let (over, is_over) = tokio::sync::oneshot::channel::<()>();
    let still = tokio::task::spawn_blocking(move || is_over.blocking_recv());
    let ended = life.await;
    drop(over);
    let _ = still.await;
    ended
}

/// A client that signs in with a secret.
pub fn client<T: Transport>(transport: &T, clock: Clock) -> GraphClient<T> {
    let credentials = Credentials::ClientSecret {
        tenant: "contoso.onmicrosoft.com".into(),
        client_id: "33333333-3333-4333-8333-333333333333".into(),
        secret: SecretString::from("some-secret".to_owned()),
    };
    let tokens = TokenSource::new(transport.clone(), credentials, LOGIN, GRAPH);
    GraphClient::new(transport.clone(), tokens, GRAPH, clock, Gates::new(Pacing::Off))
}

/// Puts a run into the journal, as the program does.
pub fn begin(journal: &mut Journal, id: &RunId, jobs: &[Job]) -> i64 {
    let new = NewRun {
        id,
        plan_key: id.as_str(),
        plan_file: "plan",
        plan_digest: "",
        plan_files: &[],
        tenant: "simulated",
        place: GRAPH,
        known: 0,
        settings: &serde_json::json!({}),
        report: None,
        jobs,
        inherited: &[],
        request: request::recorded,
        now: wall(),
    };
    journal.begin(&new).unwrap()
}

pub fn account(settings: &DailySettings) -> Arc<DailyAccount> {
    Arc::new(DailyAccount { tenant: "simulated".into(), rules: DailyRules::new(settings).unwrap() })
}

/// A CSV plan of so many retires; `part` keeps the targets of two plans apart.
pub fn retires(part: u32, count: u32) -> String {
    let rows = (1..=count).map(|row| format!("retire,{}\n", target(part, row)));
    format!("action,managedDeviceId\n{}", rows.collect::<String>())
}

pub fn target(part: u32, row: u32) -> String {
    format!("{part:08x}-0000-4000-8000-{row:012x}")
}

/// Each row says what happened to its target, by us and by people in the portal, and that is no more than once.
pub fn balance(tenant: &Tenant, jobs: &[Job], settlements: &[Settlement], place: &str) {
    let counts = tenant.counts();
    let mut requests: std::collections::HashMap<String, (u32, &'static str)> = Default::default();
    for request in tenant.approvals() {
        let (in_portal, status) = requests.entry(request.target).or_default();
        *in_portal += u32::from(request.in_portal);
        *status = request.status;
    }
    assert_eq!(tenant.approval_counts().reused_codes, 0, "{place}: an approval was used twice");
    assert_eq!(settlements.len(), jobs.len(), "{place}");
    for (job, settled) in jobs.iter().zip(settlements) {
        let ours = counts.of(job.action.name, job.target()).effects;
        let (theirs, status) = requests.get(job.target()).copied().unwrap_or((0, "never filed"));
        let told = format!("{place}: row {}: {ours} by us, {theirs} in the portal, {status}: {settled:?}", job.row);
        assert!(ours + theirs <= 1, "acted on twice: {told}");
        match settled.outcome.standing() {
            Standing::Good => assert_eq!(ours + theirs, 1, "good without effect: {told}"),
            Standing::Bad => assert_eq!(ours + theirs, 0, "bad with an effect: {told}"),
            Standing::Open => {}
        }
    }
}

/// Where nobody else can act between a read and the send after it, no code may ever be refused.
pub fn no_code_was_refused(tenant: &Tenant, place: &str) {
    assert_eq!(tenant.approval_counts().refused_codes, 0, "{place}: a code left when it was not good");
}

pub fn all(settlements: &[Settlement], outcome: Outcome) -> bool {
    settlements.iter().all(|settled| settled.outcome == outcome)
}

/// Performs a run to its end, with nobody who listens or stops it, and gives what its journal has been told.
pub async fn perform(run: Run, transport: &SimTransport) -> Vec<Settlement> {
    let client = client(transport, run.clock.clone());
    let (events, _told) = mpsc::unbounded_channel();
    let (_stop, requests) = mpsc::unbounded_channel();
    let ended = runner::run(run, Arc::new(client), events, requests).await;
    ended.journal.unwrap().finish().unwrap();
    ended.settlements
}
