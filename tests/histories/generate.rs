//! Histories at random.
//!
//! In: a seed. Out: a [`Script`]: few devices, few rows, few steps, so that a machine plays thousands of them. Must not:
//! know what is right; the judge does.

use fastrand::Rng;

use super::script::{
    Act, Again, By, Entry, Fault, Kill, Only, Plan, Policy, Repeats, Row, Script, Step, USERS, Verb, Wrong,
};

/// What is done to devices, the more often the more of it is here.
pub const ACTIONS: &[&str] =
    &["wipe", "wipe", "wipe", "retire", "retire", "rebootNow", "deprovision", "syncDevice", "delete"];
/// What is done to users.
pub const TO_USERS: &[&str] =
    &["removeLicenses", "removeLicenses", "disableUser", "revokeSignInSessions", "deleteUser"];
const NAMES: &[Option<&str>] = &[None, Some("lab"), Some("leavers")];
const OTHER_NAMES: &[Option<&str>] = &[None, Some("lab"), Some("year-end")];

pub fn script(seed: u64) -> Script {
    let rng = &mut Rng::with_seed(seed);
    // With one device, everything that happens happens to it.
    let devices = pick(rng, &[1, 1, 1, 2, 2, 3, 4]);
    let users = pick(rng, &[0, 0, 0, 1, 2]);
    let things: Vec<usize> = (0..devices).chain(USERS..USERS + users).collect();
    let count = pick(rng, &[1, 1, 2]);
    let settling = pick(rng, &[10, 60, 60, 300]);
    let plans: Vec<Plan> = (0..count).map(|number| plan(rng, number, &things)).collect();
    let faults = faults(rng, &plans, settling);
    let mut plans_by_now = count;
    let steps = (0..rng.usize(2..=8)).map(|_| step(rng, &things, &mut plans_by_now)).collect();
    Script {
        seed,
        settling,
        max_attempts: pick(rng, &[1, 1, 2, 5]),
        concurrency: pick(rng, &[1, 2, 16]),
        devices,
        users,
        plans,
        faults,
        steps,
    }
}

fn pick<T: Clone>(rng: &mut Rng, among: &[T]) -> T {
    among[rng.usize(..among.len())].clone()
}

fn plan(rng: &mut Rng, number: usize, things: &[usize]) -> Plan {
    let entry = |rng: &mut Rng| Entry { device: pick(rng, things), by: pick(rng, &[By::Id, By::Serial, By::Name]) };
    let protected = if rng.u8(..8) == 0 { vec![entry(rng)] } else { Vec::new() };
    let missing = pick(rng, &[None, None, None, None, Some("hold"), Some("done")]);
    Plan { name: pick(rng, NAMES), missing, file: format!("plan-{number}.yaml"), rows: rows(rng, things), protected }
}

/// One row for a device; the same once more, sometimes.
fn rows(rng: &mut Rng, things: &[usize]) -> Vec<Row> {
    let mut among = things.to_vec();
    rng.shuffle(&mut among);
    among.truncate(rng.usize(1..=things.len()));
    let mut rows: Vec<Row> = among.into_iter().map(|device| row(rng, device)).collect();
    if rng.u8(..12) == 0 {
        let again = pick(rng, &rows);
        rows.push(again);
    }
    rows
}

fn row(rng: &mut Rng, device: usize) -> Row {
    let by = pick(rng, &[By::Id, By::Id, By::Id, By::Id, By::Id, By::Serial, By::Name]);
    let action = pick(rng, if device < USERS { ACTIONS } else { TO_USERS });
    Row { action, device, by }
}

/// For each thing that plans may do at first: what becomes of the first few requests about it.
fn faults(rng: &mut Rng, plans: &[Plan], settling: u16) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let rate = rng.u8(1..=4);
    for row in plans.iter().flat_map(|plan| &plan.rows) {
        for (action, most) in [(Some(row.action), 4u32), (None, 3)] {
            for nth in 1..=most {
                if rng.u8(..8) >= rate {
                    continue;
                }
                let goes = wrong(rng, action.is_none());
                let late = (action.is_some() && rng.bool()).then(|| lateness(rng, settling));
                faults.push(Fault { action, device: row.device, nth, goes, late });
            }
        }
    }
    faults.sort_by_key(|fault| (fault.device, fault.action, fault.nth));
    faults.dedup_by_key(|fault| (fault.device, fault.action, fault.nth));
    faults
}

/// Within the settling time, which is what it is for; and beyond it, now and then.
fn lateness(rng: &mut Rng, settling: u16) -> u16 {
    pick(rng, &[1, settling / 3, settling / 2, settling - 4, settling - 2, settling * 2])
}

fn wrong(rng: &mut Rng, is_read: bool) -> Wrong {
    let after = rng.bool();
    let html = rng.bool();
    match rng.u8(..if is_read { 8 } else { 14 }) {
        0 if rng.bool() => Wrong::Answer {
            status: pick(rng, &[200, 302, 400, 401, 403, 404, 407, 409, 410, 423]),
            after,
            wait: None,
            html: true,
        },
        0 | 1 => Wrong::Answer { status: pick(rng, &[503, 509]), after, wait: Some(pick(rng, &[0, 1, 20])), html },
        2 | 3 => Wrong::Answer { status: pick(rng, &[500, 502, 503, 504]), after, wait: None, html },
        4 => Wrong::Answer { status: 429, after: false, wait: Some(pick(rng, &[0, 5])), html: false },
        5 => Wrong::Slow(pick(rng, &[1, 40, 200])),
        6 => Wrong::Unreachable,
        7 => Wrong::Lost { after },
        8 => Wrong::Answer { status: 200, after: true, wait: None, html: true },
        9 => Wrong::Nothing,
        10 => Wrong::Lost { after: false },
        _ => Wrong::Lost { after: true },
    }
}

fn step(rng: &mut Rng, things: &[usize], plans: &mut usize) -> Step {
    let plan = rng.usize(..*plans);
    match rng.u8(..42) {
        0..=20 => Step::One(act(rng, *plans)),
        21..=23 => Step::Two(act(rng, *plans), pick(rng, &[0, 5, 300, 2_000, 70_000]), act(rng, *plans)),
        24..=26 => Step::Wait(pick(rng, &[1, 8, 30, 100, 700, 90_000])),
        27 | 28 => Step::Clock(pick(rng, &[-90_000, -3_600, -30, 30, 3_600, 90_000])),
        29 => Step::Edit { plan, rows: rows(rng, things) },
        30 => Step::Rename { plan, name: pick(rng, OTHER_NAMES) },
        31 => Step::Move { plan, file: format!("moved-{plan}.yaml") },
        32 => {
            *plans += 1;
            Step::Copy { plan, file: format!("copy-{}.yaml", *plans - 1) }
        }
        33 => Step::Prune(pick(rng, &[0, 0, 1])),
        34 => match rng.bool() {
            true => Step::Leaves(pick(rng, things)),
            false => Step::Returns(pick(rng, things)),
        },
        35 | 36 => Step::Policy(policy(rng, things)),
        37..=39 => Step::Under(act(rng, *plans), pick(rng, &LATER), policy(rng, things)),
        40 => Step::Edited(act(rng, *plans), pick(rng, &LATER), plan, rows(rng, things)),
        _ => {
            let one = pick(rng, things);
            let same: Vec<usize> = things.iter().copied().filter(|thing| (*thing < USERS) == (one < USERS)).collect();
            Step::NamesMove(one, pick(rng, &same))
        }
    }
}

/// When something changes under a process.
const LATER: [u32; 5] = [5, 60, 300, 2_000, 70_000];

fn policy(rng: &mut Rng, things: &[usize]) -> Policy {
    match rng.u8(..4) {
        0 => Policy::default(),
        1 | 2 => Policy { protects: Some(pick(rng, things)), denies: None },
        _ => Policy { protects: None, denies: Some(pick(rng, ACTIONS)) },
    }
}

fn act(rng: &mut Rng, plans: usize) -> Act {
    let plan = rng.usize(..plans);
    let again = pick(
        rng,
        &[Again::Nothing, Again::Nothing, Again::Nothing, Again::Nothing, Again::Nothing, Again::First, Again::All],
    );
    let repeats = Repeats { once: rng.bool(), again };
    let run = rng.bool().then(|| rng.usize(..4));
    let only = pick(rng, &[Only::Open, Only::Open, Only::Open, Only::Failed, Only::Unknown, Only::NotAttempted]);
    let verb = match rng.u8(..18) {
        0..=7 => Verb::Run { plan, repeats },
        8..=13 => Verb::Resume { run, only },
        14 | 15 => Verb::Save { plan },
        16 => Verb::RunSaved { plan, repeats },
        _ => Verb::Verify { run: rng.usize(..4) },
    };
    let kill = match rng.u8(..8) {
        0 => Some(Kill::Poll(rng.u32(1..60))),
        1 | 2 => Some(Kill::Moment(rng.u32(2..16))),
        3 => Some(Kill::After(pick(rng, &[10, 90, 300, 1_000, 3_000, 30_000]))),
        _ => None,
    };
    let stop = (rng.u8(..8) == 0).then(|| pick(rng, &[1, 150, 2_000]));
    Act { verb, kill, stop }
}
