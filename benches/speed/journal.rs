//! What the journal costs: the same run over HTTP with it and without it, a large run recorded, and how soon it goes on
//! after a kill.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::measure::DISK;
use crate::server::Server;
use crate::{
    Fallible, MUSTEROUT, Scratch, TOKEN, Table, Target, accepted, cpu_of_this_process, jobs, median, micros, on_its_own,
};
use fastrand::Rng;
use jiff::Timestamp;
use musterout::testing::clock::Clock;
use musterout::testing::guard::Brakes;
use musterout::testing::job::Job;
use musterout::testing::journal::{Journal, NewRun, Recorder, RunId};
use musterout::testing::msgraph::client::GraphClient;
use musterout::testing::msgraph::http::HttpTransport;
use musterout::testing::msgraph::request;
use musterout::testing::msgraph::token::{Credentials, TokenSource};
use musterout::testing::outcome::Outcome;
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::runner::{self, History, Limits, Run};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::mpsc;

const ROUNDS: usize = 5;
const JOBS: u32 = 20_000;
const MANY: u32 = 100_000;
const IN_FLIGHT: u16 = 64;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let server = Server::start(&scratch.write("scenario.yaml", "throttle: off\nlog: off\n")?)?;
    let jobs = jobs(JOBS)?;
    let [mut with, mut without, mut cpu_with, mut cpu_without] = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let (wall, cpu) = perform(&jobs, &server.url, None)?;
        without.push(wall);
        cpu_without.push(cpu);
        let folder = TempDir::new_in(DISK)?;
        let (wall, cpu) = perform(&jobs, &server.url, Some(folder.path()))?;
        with.push(wall);
        cpu_with.push(cpu);
    }
    let [with, without, cpu_with, cpu_without] =
        [with, without, cpu_with, cpu_without].map(|figures| median(figures).unwrap_or_default());
    let mut table = Table::new("The journal: 20,000 jobs over HTTP, 64 in flight, medians of the rounds");
    let (ratio, more) = (with / without, cpu_with - cpu_without);
    let yardstick = format!("without it {without:.2} s");
    table.row(
        "a run with it",
        &format!("{with:.2} s"),
        &yardstick,
        Some(ratio),
        (ratio, Target::AtMost(1.4), "< 1.4x"),
    );
    let yardstick = format!("without it {cpu_without:.1} us");
    table.row(
        "CPU per job for it",
        &format!("{more:.1} us"),
        &yardstick,
        None,
        (more, Target::AtMost(10.0), "< 10 us"),
    );
    let recorded = record_many()?;
    table.note("100,000 jobs recorded", &format!("{recorded:.2} s"), "", None);
    let resumed = resume_many()?;
    let shown = format!("{resumed:.2} s");
    table.row("100,000 jobs resumed, to the first request", &shown, "", None, (resumed, Target::AtMost(1.0), "< 1 s"));
    table.print();
    Ok(())
}

/// Wall time in seconds, and CPU per job in microseconds. The jobs are recorded before the clock starts.
fn perform(jobs: &Arc<[Job]>, url: &str, folder: Option<&Path>) -> Fallible<(f64, f64)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let journal = folder.map(|folder| recorder(folder, jobs)).transpose()?;
    let (wall, cpu) = (Instant::now(), cpu_of_this_process()?);
    runtime
        .block_on(async {
            let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
            let transport = HttpTransport::new(usize::from(IN_FLIGHT))?;
            let credentials = Credentials::AccessToken(TOKEN.to_owned().into());
            let tokens = TokenSource::new(transport.clone(), credentials, url, url);
            let client = Arc::new(GraphClient::new(transport, tokens, url, clock.clone(), Gates::new(Pacing::Off)));
            let (events, _) = mpsc::unbounded_channel();
            let (_stop, never) = mpsc::unbounded_channel();
            let run = Run {
                jobs: Arc::clone(jobs),
                holds: vec![None; jobs.len()],
                limits: Limits {
                    concurrency: IN_FLIGHT,
                    max_attempts: 5,
                    settling: Duration::from_secs(60),
                    pacing: Pacing::Off,
                },
                gates: client.gates().clone(),
                daily: musterout::testing::daily::DailyTerms::default(),
                brakes: Brakes::default(),
                people: None,
                clock,
                rng: Rng::with_seed(1),
                lookout: Default::default(),
                guards: Default::default(),
                history: History { journal, ..History::default() },
                verify: None,
            };
            let ended = runner::run(run, client, events, never).await;
            if let Some(journal) = ended.journal {
                journal.finish()?;
            }
            match ended.settlements.iter().all(|settlement| settlement.outcome == Outcome::Accepted) {
                true => Ok(()),
                false => Err("a job did not settle well".into()),
            }
        })
        .map_err(|error: Box<dyn std::error::Error>| error)?;
    let cpu = cpu_of_this_process()? - cpu;
    Ok((wall.elapsed().as_secs_f64(), micros(cpu) / jobs.len() as f64))
}

fn recorder(folder: &Path, jobs: &[Job]) -> Fallible<Recorder> {
    let mut journal = Journal::open(folder)?;
    let number = journal.begin(&NewRun {
        id: &RunId::new(Timestamp::UNIX_EPOCH, [0; 10]),
        plan_key: "bench",
        plan_file: "bench",
        plan_digest: "",
        plan_files: &[],
        tenant: "bench",
        place: "bench",
        known: 0,
        settings: &serde_json::Value::Null,
        report: None,
        jobs,
        request: request::recorded,
        inherited: &[],
        now: Timestamp::UNIX_EPOCH,
    })?;
    Ok(Recorder::start(&journal, number, |_| {})?)
}

fn record_many() -> Fallible<f64> {
    let jobs = jobs(MANY)?;
    let folder = TempDir::new_in(DISK)?;
    let began = Instant::now();
    recorder(folder.path(), &jobs)?.finish()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Starts a large run against a listener that never answers, kills it, and measures how soon `resume` connects.
fn resume_many() -> Fallible<f64> {
    let scratch = Scratch::new()?;
    let plan = scratch.plan("many.csv", MANY.into())?;
    let folder = TempDir::new_in(DISK)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let command = |verb: &[&str]| {
        let mut command = Command::new(MUSTEROUT);
        on_its_own(&mut command, folder.path());
        command.args(verb).args(["--graph-url", &url]);
        command.arg("--report").arg(folder.path().join("report.csv"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let many = MANY.to_string();
    let plan = plan.to_string_lossy().into_owned();
    let mut run = command(&["run", &plan, "--unpaced", "--confirm", &many]).spawn()?;
    let _never_answered = accepted(&listener, &mut run)?;
    std::thread::park_timeout(Duration::from_millis(50));
    run.kill()?;
    run.wait()?;
    // What is left in the listener's queue is the dead run's.
    while listener.accept().is_ok() {}
    let began = Instant::now();
    let mut resumed = command(&["resume"]).spawn()?;
    let _first = accepted(&listener, &mut resumed)?;
    let took = began.elapsed().as_secs_f64();
    resumed.kill()?;
    resumed.wait()?;
    Ok(took)
}
