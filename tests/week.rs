//! The week of an admin: 5,000 retires under a daily limit and Multi Admin Approval, and everything that goes wrong in it.
//! In a build without optimisation it is a twentieth of them, and of the limits, unless `MUSTEROUT_LONG=1` asks for all.
//!
//! In: what a scheduler starts, through the same operations as the program. People approve late, reject, forget, and
//! complete by hand; the portal takes its part of the day; the power goes three times. Out: nothing, or what does not
//! balance. Must not: open sockets.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use musterout::testing::catalog::StatedLimits;
use musterout::testing::journal::JournalError;
use musterout::testing::journal::resume::Only;
use musterout::testing::ops::{
    self, Choices, Error, Finished, Repeats, ResumeRequest, RunRequest, Start, Stay, TargetTenant,
};
use musterout::testing::outcome::{Outcome, Standing, Tally};
use musterout::testing::runner::event::StopReason;
use musterout::testing::settings::{Environment, Flags, Settings};
use musterout::testing::simulator::transport::SimTransport;
use musterout::testing::ui::stderr::Stderr;

use crate::support::left_to_confirm;
use crate::support::world::{ALWAYS, HOUR, World, balance, no_code_was_refused, paused, system, target};

const PLAN: &str = "plan.yaml";

/// Requests that are out; as many more are recorded and about to leave.
const AT_A_TIME: u16 = 8;

/// A plan as an admin writes it.
fn plan(rows: u32, more: &str) -> String {
    let targets: String = (1..=rows).map(|row| format!("      - id: {}\n", target(1, row))).collect();
    format!(
        "version: 1\nname: mass-retirement\ntenant: contoso.onmicrosoft.com\njustification: CHG0012345 mass retirement\n\
         guards: {{ max_targets: {rows} }}\n{more}jobs:\n  - action: retire\n    targets:\n{targets}"
    )
}

/// What is started from a terminal or by a scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// `run plan.yaml --once --confirm N`
    Once(u32),
    /// `run plan.yaml --wait --confirm N`
    Wait(u32),
    /// `run plan.yaml --once --wait --confirm N`
    OnceAndWait(u32),
    /// `resume`, perhaps with `--wait`, perhaps with `--refile`
    Resume { wait: bool, refile: bool },
}

fn flags(world: &World) -> Flags {
    Flags { state_dir: Some(world.state().into()), ..Flags::default() }
}

/// Starts it, as the program does.
async fn start(world: &World, transport: SimTransport, command: Command, seed: u64) -> Result<Finished, Error> {
    let flags = flags(world);
    let report = Some(world.path("report.csv"));
    let (once, wait, confirm) = match command {
        Command::Once(number) => (true, false, number),
        Command::Wait(number) => (false, true, number),
        Command::OnceAndWait(number) => (true, true, number),
        Command::Resume { wait, refile } => {
            let request = |confirm| ResumeRequest {
                confirm,
                run: "latest".into(),
                only: Only::Open,
                as_agreed: false,
                refile,
                justification: None,
                in_process: Some(transport.clone()),
                policy: None,
                report: report.clone(),
                interactive: false,
                stay: Stay { wait, ..Stay::default() },
                start: Start { now: system(), system, seed },
            };
            let (flags, environment, stderr) = (&flags, &Environment::default(), &Stderr::silent());
            let resume = |confirm| ops::resume(request(confirm), flags, environment, stderr, |_| {});
            return match resume(None).await {
                Err(error) if left_to_confirm(&error).is_some() => resume(left_to_confirm(&error)).await,
                ended => ended,
            };
        }
    };
    let request = RunRequest {
        plan: world.path(PLAN),
        tenant: TargetTenant::InProcess(transport),
        policies: Vec::new(),
        report,
        confirm: Some(musterout::testing::ops::Confirm::Exactly(confirm)),
        interactive: false,
        repeats: Repeats { once, ..Repeats::default() },
        inventory: None,
        missing: None,
        justification: None,
        choices: Choices {
            unpaced: true,
            limits: StatedLimits { concurrency: Some(AT_A_TIME), ..StatedLimits::default() },
        },
        stay: Stay { wait, ..Stay::default() },
        start: Start { now: system(), system, seed },
    };
    let settings = Settings::new(&flags, &Environment::default()).unwrap();
    ops::run(request, &settings, &Stderr::silent()).await
}

fn tally(finished: &Finished) -> Tally {
    finished.settlements.iter().map(|settled| settled.outcome).collect()
}

/// How many requests the ledger counts in the worst 24 hours.
fn most_in_a_day(world: &World) -> usize {
    let journal = rusqlite::Connection::open(world.state().join("journal.db")).unwrap();
    let mut select = journal.prepare("SELECT left_at FROM daily_uses ORDER BY left_at").unwrap();
    let times: Vec<i64> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let day = 24 * 3_600 * 1_000_000;
    let from = |at: &i64| times.iter().skip_while(|time| *time < at).take_while(|time| **time < at + day).count();
    times.iter().map(from).max().unwrap_or_default()
}

/// What is in the report, by outcome. Each row tells when it was sent and when it was settled, under which id, and in which
/// run if not in the last one.
fn reported(report: PathBuf) -> (usize, HashSet<String>) {
    let rows = crate::support::program::rows(&report);
    for row in &rows {
        let told = ["started_at", "finished_at", "client_request_id"].iter().all(|column| !row[*column].is_empty());
        assert!(told && row["attempts"] != "0", "{row:?}");
        assert!(row["outcome"] != "already_done" || row["note"].contains(" in run "), "{row:?}");
    }
    (rows.len(), rows.iter().map(|row| row["outcome"].clone()).collect())
}

/// People take more in the portal than the tenth that is left to them, and it is not the same each day: what they complete
/// by hand counts too.
const WEEK: &str = "
throttle: off
log: off
daily: { retire: A_DAY }
daily_day: sliding
daily_answer: 403
daily_portal: { retire: BY_HAND }
approvals:
  actions: [retire]
  filter: FILTER
  decisions:
    - { on: { probability: 0.55 }, after: { min: 20m, max: 8h }, do: approve }
    - { on: { probability: 0.7 }, after: { min: 8h, max: 30h }, do: approve }
    - { on: { probability: 0.3 }, after: { min: 1h, max: 40h }, do: complete }
    - { on: { probability: 0.5 }, after: 20h, do: reject }
    - { on: { probability: 0.2 }, after: 20h, do: cancel }
faults:
  - { on: { probability: 0.004 }, do: drop_reply }
  - { on: { probability: 0.002 }, do: { status: { code: 503, body: html } } }
";

/// A fifth of it is a day's limit.
fn rows() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for the long one")]
    let wanted = std::env::var("MUSTEROUT_LONG").is_ok_and(|long| long == "1");
    if wanted || !cfg!(debug_assertions) { 5_000 } else { 250 }
}

/// `filter`: what may be asked of the list of requests.
fn week(seed: u64, filter: &str) -> World {
    let (rows, a_day) = (rows(), rows() / 5);
    let by_hand = a_day * 12 / 100;
    let scenario =
        WEEK.replace("A_DAY", &a_day.to_string()).replace("BY_HAND", &by_hand.to_string()).replace("FILTER", filter);
    let world = World::new(&scenario, seed);
    world.plan(PLAN, &plan(rows, &format!("limits: {{ daily: {{ retire: {a_day} }} }}\n")));
    world
}

/// Who started what, and what must hold at the end of it.
fn settled(world: &World, finished: &Finished, place: &str) {
    assert_eq!(finished.stopped, None::<StopReason>, "{place}");
    no_code_was_refused(&world.tenant, place);
    balance(&world.tenant, &finished.jobs, &finished.settlements, place);
    let (tally, counts) = (tally(finished), world.tenant.counts());
    let by_hand = world.tenant.approvals().iter().filter(|request| request.in_portal).count();
    let refusals = counts.statuses.get(&403).copied().unwrap_or_default();
    let (good, failed) = (tally.standing(Standing::Good), tally.of(Outcome::Failed));
    println!(
        "{place}: {:.1} days, {good} good ({by_hand} by hand), {failed} failed, {refusals} refusals, {} reads, {} in a day, {} open",
        world.days(),
        counts.reads,
        most_in_a_day(world),
        world.tenant.approval_counts().most_open
    );
    let share = |number: u32| f64::from(number) / f64::from(rows());
    assert_eq!((tally.standing(Standing::Open), good + failed), (0, rows()), "{place}: {tally:?}");
    // Rejected, withdrawn, forgotten: about one in ten of so few rows, and no more because of us.
    assert!((0.03..0.16).contains(&share(failed)), "{place}: {tally:?}");
    assert!((0.01..0.08).contains(&share(by_hand as u32)), "{place}: {by_hand} by hand");
    assert_eq!(world.cuts, 3, "{place}");
    // Six for those who are approved within the day; the last ones are left to expire, or approved late.
    assert!((5.0..11.0).contains(&world.days()), "{place}: {} days", world.days());
    let a_day = rows() / 5 * 9 / 10;
    assert!(most_in_a_day(world) <= a_day as usize, "{place}: {} in a day", most_in_a_day(world));
    assert!((1..=10 * 24).contains(&refusals), "{place}: {refusals} times the service said that the day was used up");
    // What was on its way when the power went was filed, and the journal did not know of it yet.
    let most = u64::from(2 * a_day) + 3 * 2 * u64::from(AT_A_TIME);
    let most_open = world.tenant.approval_counts().most_open;
    assert!(most_open <= most, "{place}: {most_open} were open, more than two days carry out");
    let (rows, outcomes) = reported(world.path("report.csv"));
    assert_eq!(rows, finished.jobs.len(), "{place}");
    assert!(
        outcomes.is_subset(&["accepted", "already_done", "failed"].map(String::from).into()),
        "{place}: {outcomes:?}"
    );
}

/// One line in a scheduler, always the same, three times a day.
#[test]
fn five_thousand_retires_by_one_line_of_a_scheduler() {
    paused(async {
        let mut world = week(7, "or");
        let some = rows() as usize / 5;
        for turn in 0.. {
            let command = Command::Once(rows());
            let power = if turn % 3 == 0 && world.cuts < 3 { some } else { ALWAYS };
            let mut finished =
                world.live(power, async |world, transport| start(world, transport, command, turn).await).await;
            if finished.is_none() {
                tokio::time::advance(HOUR / 4).await;
                finished =
                    world.live(ALWAYS, async |world, transport| start(world, transport, command, turn).await).await;
            }
            let finished = finished.unwrap().unwrap();
            if tally(&finished).standing(Standing::Open) == 0 {
                return settled(&world, &finished, "three times a day");
            }
            assert!(turn < 30, "{:?}", tally(&finished));
            next_turn(&world).await;
        }
    });
}

/// Until the scheduler starts it again.
async fn next_turn(world: &World) {
    let third = 8.0 * 3_600.0;
    let into = (world.days() * 24.0 * 3_600.0) % third;
    tokio::time::advance(Duration::from_secs_f64(third - into)).await;
}

/// One command, which stays; after a power cut, somebody says `resume --wait`.
#[test]
fn five_thousand_retires_by_one_command_that_waits() {
    paused(async {
        let mut world = week(8, "status");
        let some = rows() as usize / 5;
        let mut command = Command::Wait(rows());
        for power in [2 * some, 3 * some, 2 * some, ALWAYS] {
            let finished = world.live(power, async |world, transport| start(world, transport, command, 1).await).await;
            if let Some(finished) = finished {
                return settled(&world, &finished.unwrap(), "with --wait");
            }
            command = Command::Resume { wait: true, refile: false };
            tokio::time::advance(HOUR * 3).await;
        }
        panic!("the power goes three times");
    });
}

/// Approvers do what approvers do, at any time, also between a read and the send after it.
const ANYTHING: &str = "
throttle: off
log: off
latency: { min: 0ms, max: 90s }
daily: { retire: 6 }
daily_day: sliding
daily_answer: 403
daily_portal: { retire: 1 }
approvals:
  actions: [retire]
  decisions:
    - { on: { probability: 0.5 }, after: { min: 1s, max: 40h }, do: approve }
    - { on: { probability: 0.4 }, after: { min: 1s, max: 20h }, approved_for: { min: 1s, max: 20m }, do: complete }
    - { on: { probability: 0.4 }, after: 20h, do: reject }
faults:
  - { on: { probability: 0.06 }, do: drop_reply }
  - { on: { probability: 0.04 }, do: reset }
  - { on: { probability: 0.04 }, do: { throttle: { seconds: 2s } } }
";

/// Two people at two terminals of one machine, who know nothing of each other, and no power to rely on.
async fn at_two_terminals(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new(ANYTHING, seed);
    let rows = rng.u32(4..12);
    world.plan(PLAN, &plan(rows, "limits: { daily: { retire: 6, reserve_percent: 0 } }\n"));
    let place = format!("seed {seed}");
    let mut quiet = 0;
    for _ in 0..120 {
        let mut any = || match rng.u8(..4) {
            0 => Command::OnceAndWait(rows),
            1 => Command::Resume { wait: rng.bool(), refile: rng.u8(..6) == 0 },
            _ => Command::Once(rows),
        };
        let commands = [any(), any()];
        let power = if world.days() < 6.0 && rng.u8(..3) > 0 { rng.usize(..60) } else { ALWAYS };
        let (late, seeds) = (Duration::from_secs(rng.u64(..600)), [rng.u64(..), rng.u64(..)]);
        let both = async |world: &World, transport: SimTransport| {
            let second = async {
                tokio::time::sleep(late).await;
                start(world, transport.clone(), commands[1], seeds[1]).await
            };
            let (first, second) = tokio::join!(start(world, transport.clone(), commands[0], seeds[0]), second);
            [first, second]
        };
        let mut open = true;
        for ended in world.live(power, both).await.into_iter().flatten() {
            match ended {
                Ok(finished) => {
                    balance(&world.tenant, &finished.jobs, &finished.settlements, &place);
                    open = tally(&finished).standing(Standing::Open) > 0;
                }
                // The other one has the plan, or has left nothing to go on with, or what it left is to be gone on with.
                Err(Error::Journal(JournalError::Locked(_) | JournalError::NoSuchRun(_))) => {}
                Err(Error::Refused(_) | Error::NothingOpen(_)) => {}
                Err(error) => panic!("{place}: {error}"),
            }
        }
        quiet = if open { 0 } else { quiet + 1 };
        if quiet > 2 {
            return;
        }
        tokio::time::advance(HOUR.mul_f64(rng.f64() * 14.0)).await;
    }
    panic!("{place}: still open after {:.1} days", world.days());
}

/// No interleaving of approvals, crashes, runs and resumes uses an approval twice, whoever used it first.
#[test]
fn nobody_at_another_terminal_uses_an_approval_twice() {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more of them")]
    let wanted = std::env::var("MUSTEROUT_INTERLEAVINGS").ok().and_then(|number| number.parse().ok());
    let wanted: u64 = wanted.unwrap_or(4);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || (0..wanted / 2).for_each(|seed| paused(at_two_terminals(1_000 * thread + seed))));
        }
    });
}
