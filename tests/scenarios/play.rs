//! Plays one scenario with one seed, through the pipeline that `run` uses.
//!
//! In: a [`ScenarioFile`] and a seed. Out: a [`Played`]: jobs, settlements, events, and what the tenant counted.
//! Must not: judge; `measure` does.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use musterout::testing::clock::Clock;
use musterout::testing::daily::{DailyTerms, Later};
use musterout::testing::guard::Brakes;
use musterout::testing::guard::preflight::{self, Hold};
use musterout::testing::guard::waves::Schedule;
use musterout::testing::job::Job;
use musterout::testing::msgraph::client::GraphClient;
use musterout::testing::msgraph::token::{Credentials, TokenSource};
use musterout::testing::outcome::Cause;
use musterout::testing::outcome::Settlement;
use musterout::testing::pacing::Gates;
use musterout::testing::plan::{self, Plan};
use musterout::testing::report::ReportFile;
use musterout::testing::runner::event::{Event, StopReason};
use musterout::testing::runner::question::WaveQuestion;
use musterout::testing::runner::shutdown::StopRequest;
use musterout::testing::runner::{self, Earlier, Ended, History, Limits, Run};
use musterout::testing::simulator::counts::Counts;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::file::{ScenarioFile, SignIn, Stopped};
use super::wire::Wire;

const LOGIN: &str = "https://login.microsoftonline.com";
const GRAPH: &str = "https://graph.microsoft.com";

/// All that is known of a run that is over.
pub struct Played {
    pub jobs: Arc<[Job]>,
    pub limits: Limits,
    pub settlements: Vec<Settlement>,
    /// What was left for another day.
    pub left: Vec<Later>,
    pub events: Vec<Event>,
    pub stopped: Stopped,
    /// Why it stopped, in the words that people see.
    pub reason: String,
    pub took: Duration,
    pub counts: Counts,
    pub wire: Wire,
    /// The report as it was written.
    pub report: String,
}

/// Runs on tokio's clock, which is paused: hours pass in milliseconds.
pub fn play(file: &ScenarioFile, seed: u64) -> Result<Played, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let patience = file.patience();
        let played = tokio::time::timeout(patience, perform(file, seed)).await;
        played.map_err(|_| format!("it was still going on after {patience:?}"))?
    })
}

async fn perform(file: &ScenarioFile, seed: u64) -> Result<Played, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let plan = load(file, folder.path())?;
    let rules = plan.rules;
    let jobs: Arc<[Job]> = plan.jobs.into();
    let clock = Clock::starting_at(wall());
    let mut scenario = file.simulator.clone();
    scenario.seed = seed;
    let tenant = Tenant::new(scenario, wall());
    let rotated = file.sign_in.secret_rotated_after.map(|after| after.0);
    let wire = Wire::new(SimTransport::new(Arc::clone(&tenant)), rotated);
    let tokens = TokenSource::new(wire.clone(), credentials(&file.sign_in), LOGIN, GRAPH);
    let limits = file.limits.limits();
    let gates = Gates::new(limits.pacing);
    let client = GraphClient::new(wire.clone(), tokens, GRAPH, clock.clone(), gates.clone());
    let client = client.justified(plan.justification.as_deref());
    let began = Instant::now();
    let mut played = Played {
        jobs: Arc::clone(&jobs),
        limits,
        settlements: Vec::new(),
        left: Vec::new(),
        events: Vec::new(),
        stopped: Stopped::BeforeStart,
        reason: String::new(),
        took: Duration::ZERO,
        counts: Counts::default(),
        wire,
        report: String::new(),
    };
    match client.tokens().claims().await {
        Err(error) => played.reason = error.to_string(),
        Ok(_) => {
            let holds = preflight::inspect(&jobs, wall()).holds;
            let waves = Schedule::new(&rules.waves, &jobs, &holds);
            let brakes = Brakes { stop_when: rules.stop_when, waves, until: None };
            let run = Run {
                jobs,
                holds,
                limits,
                gates: gates.clone(),
                daily: file.daily()?,
                brakes,
                people: file.answers.as_ref().map(|answers| people(answers.clone())),
                clock: clock.clone(),
                rng: Rng::with_seed(seed),
                lookout: Default::default(),
                guards: musterout::testing::runner::guards::Guards::default(),
                history: History::default(),
                verify: None,
            };
            let client = Arc::new(client);
            let holds = run.holds.clone();
            run_and_interrupt(file, run, &client, &mut played).await;
            if let (Some(verify), Stopped::None) = (file.verify, played.stopped) {
                let run = verification(&played, (holds, gates), clock, Rng::with_seed(seed), verify.0);
                run_and_interrupt(file, run, &client, &mut played).await;
            }
            let report = ReportFile::create(folder.path().join("report.csv")).map_err(|error| error.to_string())?;
            let report = report.finish(&played.jobs, &played.settlements).map_err(|error| error.to_string())?;
            played.report = fs::read_to_string(report).map_err(|error| error.to_string())?;
        }
    }
    played.took = began.elapsed();
    played.counts = tenant.counts();
    Ok(played)
}

/// The round after the last: everything is kept, and what was accepted is followed up.
fn verification(
    played: &Played,
    (holds, gates): (Vec<Option<Hold>>, Gates),
    clock: Clock,
    rng: Rng,
    within: Duration,
) -> Run {
    let kept = played.settlements.iter().map(|settled| Earlier::Kept(Box::new(settled.clone())));
    let earlier = (0u32..).zip(kept).collect();
    Run {
        jobs: Arc::clone(&played.jobs),
        holds,
        limits: played.limits,
        gates,
        daily: DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock,
        rng,
        lookout: Default::default(),
        guards: musterout::testing::runner::guards::Guards::default(),
        history: History { earlier, ..History::default() },
        verify: Some(within),
    }
}

async fn run_and_interrupt(file: &ScenarioFile, run: Run, client: &Arc<GraphClient<Wire>>, played: &mut Played) {
    let (stop, requests) = mpsc::unbounded_channel();
    for after in file.interrupt.iter().map(|after| after.0) {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = stop.send(StopRequest::Interrupt);
        });
    }
    for after in file.stop.iter().map(|after| after.0) {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = stop.send(StopRequest::Stop);
        });
    }
    let (events, mut told) = mpsc::unbounded_channel();
    let Ended { settlements, stopped, left, .. } = runner::run(run, Arc::clone(client), events, requests).await;
    let later = left.later;
    drop(stop);
    let settles = played.settlements.is_empty();
    while let Ok(event) = told.try_recv() {
        // What a verification keeps was settled before.
        if settles || !matches!(event, Event::Settled { .. }) {
            played.events.push(event);
        }
    }
    played.settlements = settlements;
    played.left = later;
    (played.stopped, played.reason) = match stopped {
        None => (Stopped::None, String::new()),
        Some(StopReason::Interrupted) => (Stopped::Interrupted, String::new()),
        Some(StopReason::Requested) => (Stopped::Requested, String::new()),
        Some(StopReason::Policy(Cause::Breaker, reason)) => (Stopped::Breaker, reason.into()),
        Some(StopReason::Policy(Cause::Wave, reason)) => (Stopped::Wave, reason.into()),
        Some(StopReason::SignIn(reason)) => (Stopped::SignIn, reason.into()),
        Some(StopReason::Unreachable(reason)) => (Stopped::Unreachable, reason.into()),
        Some(StopReason::Justification(_, reason)) => (Stopped::Justification, reason.into()),
        Some(StopReason::Policy(cause, reason)) => {
            panic!("a run without guards was stopped by {}: {reason}", cause.name())
        }
        Some(StopReason::Journal(reason)) => panic!("a run without a journal lost it: {reason}"),
    };
}

/// Somebody who gives these answers, one to each question, and is gone after the last.
fn people(answers: Vec<bool>) -> mpsc::UnboundedSender<WaveQuestion> {
    let (sender, mut questions) = mpsc::unbounded_channel::<WaveQuestion>();
    tokio::spawn(async move {
        for answer in answers {
            let Some(question) = questions.recv().await else { return };
            question.answer(answer);
        }
    });
    sender
}

fn load(file: &ScenarioFile, folder: &Path) -> Result<Plan, String> {
    let (name, text) = file.plan_file();
    let path = folder.join(name);
    fs::write(&path, text).map_err(|error| error.to_string())?;
    let plan =
        plan::load(&path).map_err(|faults| faults.iter().map(|fault| fault.render(false)).collect::<String>())?;
    match plan.unresolved.len() {
        0 => Ok(plan),
        rows => Err(format!("{rows} rows would have to be looked up, and nothing is looked up here")),
    }
}

fn credentials(sign_in: &SignIn) -> Credentials {
    let secret = |text: &Option<String>| SecretString::from(text.clone().unwrap_or_else(|| "some-secret".to_owned()));
    match sign_in.access_token {
        Some(_) => Credentials::AccessToken(secret(&sign_in.access_token)),
        None => Credentials::ClientSecret {
            tenant: "contoso.onmicrosoft.com".to_owned(),
            client_id: "33333333-3333-4333-8333-333333333333".to_owned(),
            secret: secret(&sign_in.secret),
        },
    }
}

/// A Sunday morning in November, at which every run begins.
fn wall() -> Timestamp {
    Timestamp::constant(1_795_330_800, 0)
}
