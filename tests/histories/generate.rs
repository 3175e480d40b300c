//! Histories at random.
//!
//! In: a seed. Out: a [`Script`]: few devices, few rows, few steps, so that a machine plays thousands of them. Must not:
//! know what is right; the judge does.

use fastrand::Rng;

use super::script::{Act, By, Fault, Kill, Only, Plan, Row, Script, Step, Verb, Wrong};

/// What is done to devices, the more often the more of it is here.
const ACTIONS: &[&str] =
    &["wipe", "wipe", "wipe", "retire", "retire", "rebootNow", "deprovision", "syncDevice", "delete"];
const NAMES: &[Option<&str>] = &[None, Some("lab"), Some("leavers")];

pub fn script(seed: u64) -> Script {
    let rng = &mut Rng::with_seed(seed);
    let devices = rng.usize(1..=4);
    let count = rng.usize(1..=2);
    let plans: Vec<Plan> = (0..count).map(|number| plan(rng, number, devices)).collect();
    let mut faults: Vec<Fault> = (0..rng.usize(0..=4)).map(|_| fault(rng, &plans)).collect();
    faults.dedup_by_key(|fault| (fault.action, fault.device, fault.nth));
    let mut plans_by_now = count;
    let steps = (0..rng.usize(2..=8)).map(|_| step(rng, devices, &mut plans_by_now)).collect();
    Script {
        seed,
        settling: pick(rng, &[0, 10, 60, 60, 300]),
        max_attempts: pick(rng, &[1, 2, 5, 5]),
        concurrency: pick(rng, &[1, 2, 16]),
        devices,
        plans,
        faults,
        steps,
    }
}

fn pick<T: Clone>(rng: &mut Rng, among: &[T]) -> T {
    among[rng.usize(..among.len())].clone()
}

fn plan(rng: &mut Rng, number: usize, devices: usize) -> Plan {
    let protected = if rng.u8(..8) == 0 { vec![rng.usize(..devices)] } else { Vec::new() };
    Plan { name: pick(rng, NAMES), file: format!("plan-{number}.yaml"), rows: rows(rng, devices), protected }
}

/// One row for a device; the same once more, sometimes.
fn rows(rng: &mut Rng, devices: usize) -> Vec<Row> {
    let mut among: Vec<usize> = (0..devices).collect();
    rng.shuffle(&mut among);
    among.truncate(rng.usize(1..=devices));
    let mut rows: Vec<Row> = among.into_iter().map(|device| row(rng, device)).collect();
    if rng.u8(..12) == 0 {
        let again = pick(rng, &rows);
        rows.push(again);
    }
    rows
}

fn row(rng: &mut Rng, device: usize) -> Row {
    let by = pick(rng, &[By::Id, By::Id, By::Id, By::Id, By::Serial, By::Name]);
    Row { action: pick(rng, ACTIONS), device, by }
}

/// Among what the plans may do at first.
fn fault(rng: &mut Rng, plans: &[Plan]) -> Fault {
    let plan = pick(rng, plans);
    let row = pick(rng, &plan.rows);
    let action = (rng.u8(..5) != 0).then_some(row.action);
    let nth = pick(rng, &[1, 1, 1, 2, 2, 3]);
    Fault { action, device: row.device, nth, goes: wrong(rng, action.is_none()) }
}

fn wrong(rng: &mut Rng, is_read: bool) -> Wrong {
    let after = rng.bool();
    match rng.u8(..if is_read { 8 } else { 12 }) {
        0 | 1 => Wrong::Answer { status: pick(rng, &[503, 509]), after, wait: Some(pick(rng, &[0, 1, 20])), html: rng.bool() },
        2 | 3 => Wrong::Answer { status: pick(rng, &[500, 502, 503, 504]), after, wait: None, html: rng.bool() },
        4 => Wrong::Answer { status: 429, after: false, wait: Some(pick(rng, &[0, 5])), html: false },
        5 => Wrong::Slow(pick(rng, &[1, 40, 200])),
        6 => Wrong::Unreachable,
        7 | 8 => Wrong::Lost { after },
        9 | 10 => Wrong::Lost { after: true },
        _ => Wrong::Late(pick(rng, &[1, 5, 9, 30])),
    }
}

fn step(rng: &mut Rng, devices: usize, plans: &mut usize) -> Step {
    let plan = rng.usize(..*plans);
    match rng.u8(..32) {
        0..=16 => Step::One(act(rng, *plans)),
        17..=19 => Step::Two(act(rng, *plans), pick(rng, &[0, 5, 300, 2_000, 70_000]), act(rng, *plans)),
        20..=22 => Step::Wait(pick(rng, &[1, 30, 100, 700, 90_000])),
        23 | 24 => Step::Clock(pick(rng, &[-90_000, -3_600, -30, 30, 3_600, 90_000])),
        25 => Step::Edit { plan, rows: rows(rng, devices) },
        26 => Step::Rename { plan, name: pick(rng, NAMES) },
        27 => Step::Move { plan, file: format!("moved-{plan}.yaml") },
        28 => {
            *plans += 1;
            Step::Copy { plan, file: format!("copy-{}.yaml", *plans - 1) }
        }
        29 => Step::Prune(pick(rng, &[0, 0, 1])),
        30 => match rng.bool() {
            true => Step::Leaves(rng.usize(..devices)),
            false => Step::Returns(rng.usize(..devices)),
        },
        _ => Step::NamesMove(rng.usize(..devices), rng.usize(..devices)),
    }
}

fn act(rng: &mut Rng, plans: usize) -> Act {
    let plan = rng.usize(..plans);
    let once = rng.bool();
    let verb = match rng.u8(..16) {
        0..=7 => Verb::Run { plan, once },
        8..=11 => Verb::Resume {
            run: rng.bool().then(|| rng.usize(..4)),
            only: pick(rng, &[Only::Open, Only::Open, Only::Open, Only::Failed, Only::Unknown, Only::NotAttempted]),
        },
        12 | 13 => Verb::Save { plan },
        14 => Verb::RunSaved { plan, once },
        _ => Verb::Verify { run: rng.usize(..4) },
    };
    let kill = match rng.u8(..9) {
        0 => Some(Kill::Poll(rng.u32(1..60))),
        1 | 2 => Some(Kill::Moment(rng.u32(2..16))),
        3 => Some(Kill::After(rng.u32(1..5_000))),
        _ => None,
    };
    let stop = (rng.u8(..10) == 0).then(|| pick(rng, &[1, 150, 2_000]));
    Act { verb, kill, stop }
}
