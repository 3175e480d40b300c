//! Runs jobs against a simulated tenant that loses replies, and shows that nothing happens twice.
//!
//! cargo run --example rehearse_against_the_simulator

use std::error::Error;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use musterout::testing::catalog::Action;
use musterout::testing::clock::Clock;
use musterout::testing::daily::DailyTerms;
use musterout::testing::guard::{Brakes, preflight};
use musterout::testing::job::{Ids, Job, JobParts};
use musterout::testing::msgraph::client::GraphClient;
use musterout::testing::msgraph::token::{Credentials, TokenSource};
use musterout::testing::pacing::Gates;
use musterout::testing::report::Account;
use musterout::testing::runner::{self, History, Limits, Run};
use musterout::testing::simulator::scenario::Scenario;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use tokio::sync::mpsc;

const SCENARIO: &str = "
# The first wipe of every device takes effect, and its reply is lost.
faults:
  - on: { action: wipe, calls: [1] }
    do: drop_reply
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let now = Timestamp::now();
    let clock = Clock::starting_at(now);
    let tenant = Tenant::new(Scenario::from_yaml(SCENARIO)?, now);
    let transport = SimTransport::new(tenant.clone());
    let credentials = Credentials::AccessToken("any".to_owned().into());
    let (login, graph) = ("https://login.microsoftonline.com", "https://graph.microsoft.com");
    let tokens = TokenSource::new(transport.clone(), credentials, login, graph);
    let limits = Limits { concurrency: 4, ..Limits::default() };
    let client = Arc::new(GraphClient::new(transport, tokens, graph, clock.clone(), Gates::new(limits.pacing)));

    let jobs: Arc<[Job]> = (1..=5).filter_map(wipe).collect();
    let holds = preflight::inspect(&jobs, now).holds;
    let run = Run {
        jobs: Arc::clone(&jobs),
        holds,
        limits,
        gates: client.gates().clone(),
        daily: DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock,
        rng: Rng::with_seed(1),
        lookout: Default::default(),
        guards: Default::default(),
        history: History::default(),
        verify: None,
    };
    let (events, _told) = mpsc::unbounded_channel();
    let (_stop, requests) = mpsc::unbounded_channel();
    let ended = runner::run(run, client, events, requests).await;

    for (job, settled) in jobs.iter().zip(&ended.settlements) {
        let note = settled.note.as_deref().unwrap_or_default();
        println!("{} {} after {} attempt: {note}", job.target(), settled.outcome.name(), settled.attempts);
    }
    println!("{}", Account::new(jobs.len(), &ended.settlements).line());
    Ok(())
}

fn wipe(number: u32) -> Option<Job> {
    let action = Action::named("wipe")?;
    let id = format!("00000000-0000-4000-8000-{number:012}");
    Some(Job::new(JobParts {
        row: number,
        action,
        route: action.default_route(),
        ids: Ids::new([id.as_str()]),
        parameters: None,
        not_before: None,
        note: None,
        after: None,
    }))
}
