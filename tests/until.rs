//! A run with `--until`: what reached the tenant by then, and what a resume does later.
//!
//! In: runs in the process, against a tenant in the same process, under a clock that jumps. Out: rows and requests that do not add up.
//! Must not: open sockets.

use jiff::SignedDuration;
use musterout::testing::journal::resume::Only;
use musterout::testing::ops::{self, Choices, Repeats, ResumeRequest, RunRequest, Start, Stay, TargetTenant};
use musterout::testing::outcome::{Outcome, Tally};
use musterout::testing::settings::{Environment, Flags, Settings};
use musterout::testing::ui::stderr::Stderr;

use crate::support::world::{ALWAYS, World, paused, system, target};

const ROWS: u32 = 60;

/// What is settled, and how many requests have arrived, after a run that ends so soon, and after its resume.
async fn counts(after: SignedDuration) -> [(Tally, u64); 2] {
    let mut world = World::new("{}", 7);
    let rows: String = (1..=ROWS).map(|row| format!("syncDevice,{}\n", target(1, row))).collect();
    std::fs::write(world.path("plan.csv"), format!("action,managedDeviceId\n{rows}")).unwrap();
    let tenant = world.tenant.clone();
    let settings = |world: &World| {
        let flags = Flags { state_dir: Some(world.state().into()), ..Flags::default() };
        Settings::new(&flags, &Environment::default()).unwrap()
    };
    let first = world
        .live(ALWAYS, async |world, transport| {
            let request = RunRequest {
                plan: world.path("plan.csv"),
                tenant: TargetTenant::InProcess(transport),
                policies: Vec::new(),
                report: Some(world.path("report.csv")),
                confirm: None,
                interactive: false,
                repeats: Repeats::default(),
                inventory: None,
                missing: None,
                justification: None,
                choices: Choices::default(),
                stay: Stay { until: Some(system() + after), ..Stay::default() },
                start: Start { now: system(), system, seed: 7 },
            };
            let finished = ops::run(request, &settings(world), &Stderr::silent()).await.unwrap();
            finished.settlements.iter().map(|settled| settled.outcome).collect::<Tally>()
        })
        .await
        .unwrap();
    let by_then = tenant.counts().requests;
    let second = world
        .live(ALWAYS, async |world, transport| {
            let request = ResumeRequest {
                run: "latest".into(),
                only: Only::Open,
                refile: false,
                justification: None,
                as_agreed: false,
                in_process: Some(transport),
                policy: None,
                report: None,
                confirm: None,
                interactive: false,
                stay: Stay::default(),
                start: Start { now: system(), system, seed: 7 },
            };
            let flags = Flags { state_dir: Some(world.state().into()), ..Flags::default() };
            let silent = Stderr::silent();
            let finished = ops::resume(request, &flags, &Environment::default(), &silent, |_| {}).await.unwrap();
            finished.settlements.iter().map(|settled| settled.outcome).collect::<Tally>()
        })
        .await
        .unwrap();
    [(first, by_then), (second, tenant.counts().requests)]
}

#[test]
fn nothing_is_sent_after_the_time_and_resume_does_the_rest() {
    let [(first, by_then), (second, in_all)] = paused(counts(SignedDuration::from_secs(3)));
    let (sent, left) = (first.of(Outcome::Accepted), first.of(Outcome::NotAttempted));
    assert!(sent > 0 && left > 0 && sent + left == ROWS, "{first:?}");
    assert_eq!(by_then, u64::from(sent), "what arrived is what was accepted");
    assert_eq!((second.of(Outcome::Accepted), in_all), (ROWS, u64::from(ROWS)), "{second:?}");
}

#[test]
fn a_time_that_is_over_sends_nothing() {
    let [(first, by_then), (second, _)] = paused(counts(SignedDuration::from_secs(-1)));
    assert_eq!((first.of(Outcome::NotAttempted), by_then), (ROWS, 0), "{first:?}");
    assert_eq!(second.of(Outcome::Accepted), ROWS);
}
