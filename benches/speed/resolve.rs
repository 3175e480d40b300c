//! Looking targets up: rows joined against an inventory, what that takes in memory, and how many requests it costs.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use crate::{ACTION, Fallible, Job, Scratch, Table, Target, device, mebibytes, median, millis};
use fastrand::Rng;
use jiff::Timestamp;
use musterout::testing::catalog::{Action, SELECTORS, TargetKind};
use musterout::testing::clock::Clock;
use musterout::testing::diagnostics::Place;
use musterout::testing::identity::Identity;
use musterout::testing::msgraph::client::GraphClient;
use musterout::testing::msgraph::read_only::ReadOnly;
use musterout::testing::msgraph::token::{Credentials, TokenSource};
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::plan::{Criterion, Places, Pointer, Unresolved, UnresolvedStep};
use musterout::testing::resolve::{Before, FoundRecord, Knowledge, Pool, Reading, SavedInventory, gather, resolve};
use musterout::testing::simulator::scenario::{Scenario, Switch, Throttle};
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use serde_json::json;
use tokio::runtime::Builder;

const ROUNDS: usize = 5;
const DEVICES: u64 = 100_000;
const FEW: u32 = 10_000;
const GRAPH: &str = "https://graph.microsoft.com";

pub fn bench() -> Fallible<()> {
    let mut table = Table::new("100,000 rows by serial number, 100,000 devices; medians of the rounds");
    join(&mut table)?;
    memory(&mut table)?;
    requests(&mut table)?;
    table.print();
    Ok(())
}

fn serial(number: u64) -> String {
    format!("5CG{:09X}", number.wrapping_mul(2_654_435_761) & 0xf_ffff_ffff)
}

fn record(number: u64) -> FoundRecord {
    let text = |text: String| Some(text.into_boxed_str());
    let identity = Identity {
        id: device(number).into(),
        name: text(format!("LAB-{number:06}")),
        serial_number: text(serial(number)),
        user_principal_name: text(format!("user{number}@contoso.onmicrosoft.com")),
        azure_ad_device_id: text(device(number + DEVICES)),
        operating_system: text("Windows".into()),
        ownership: text("company".into()),
        enrollment_type: text("windowsAzureADJoin".into()),
        management_state: text("managed".into()),
        ..Identity::default()
    };
    FoundRecord { identity: identity.into(), imei: None, user_id: text(device(number + 2 * DEVICES)), mail: None }
}

/// Rows of a CSV plan, in another order than the devices.
fn rows(count: u32) -> Fallible<Vec<Unresolved>> {
    let action = Action::named("retire").ok_or("there is no retire")?;
    let step = UnresolvedStep {
        action,
        route: action.default_route(),
        kind: TargetKind::ManagedDevice,
        parameters: None,
        if_found: false,
        verified_within: None,
    };
    let steps: Arc<[UnresolvedStep]> = Arc::new([step]);
    let row = |number: u32| Unresolved {
        ids: None,
        group: None,
        at: 0,
        row: Some(number + 2),
        pointer: Pointer::Given(Box::new([Criterion {
            selector: &SELECTORS[0],
            value: serial(u64::from(number) * 7_919 % DEVICES).to_lowercase().into(),
        }])),
        through_device: false,
        steps: Arc::clone(&steps),
        not_before: None,
        priority: 0,
        missing: None,
        note: None,
        place: Box::new(Place::file("plan.csv")),
        line: number + 2,
    };
    Ok((0..count).map(row).collect())
}

/// Nothing is known of earlier nights.
fn known(pool: &mut Pool, now: Timestamp) -> Knowledge<'_> {
    static NOTHING: std::sync::LazyLock<Before> = std::sync::LazyLock::new(Before::new);
    Knowledge { pool, before: &NOTHING, hold_several: false, now }
}

/// The join alone, beside the least that a join can be: the same keys in a hash map.
fn join(table: &mut Table) -> Fallible<()> {
    let count = u32::try_from(DEVICES)?;
    let rows = rows(count)?;
    let (mut joined, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut pool = Pool::default();
        (0..DEVICES).for_each(|number| pool.add(TargetKind::ManagedDevice, record(number)));
        let start = Instant::now();
        let resolved = resolve(Vec::new(), &Places::default(), &rows, known(&mut pool, Timestamp::UNIX_EPOCH))
            .map_err(|_| "a row has no target")?;
        joined.push(start.elapsed());
        assert_eq!(resolved.jobs.len(), rows.len());

        let serials: Vec<String> = (0..DEVICES).map(serial).collect();
        let start = Instant::now();
        let map: HashMap<String, usize> =
            serials.iter().enumerate().map(|(at, serial)| (serial.to_lowercase(), at)).collect();
        let found = (0..u64::from(count)).filter(|number| map.contains_key(&serial(*number).to_lowercase())).count();
        bare.push(start.elapsed());
        assert_eq!(found, rows.len());
    }
    let [joined, bare] = [joined, bare].map(|times| millis(median(times).unwrap_or_default()));
    let yardstick = format!("bare hash join {bare:.0} ms");
    let judged = (joined / 1e3, Target::AtMost(1.0), "< 1 s");
    table.row("rows to jobs", &format!("{joined:.0} ms"), &yardstick, Some(joined / bare), judged);
    Ok(())
}

/// What the whole program takes for all rows, over what it takes for one: both hold the inventory.
fn memory(table: &mut Table) -> Fallible<()> {
    let scratch = Scratch::new()?;
    let mut inventory = SavedInventory::default();
    inventory.graph_url = "simulated".into();
    inventory.taken_at = Timestamp::now();
    inventory.devices = (0..DEVICES).map(record).collect();
    let inventory = scratch.write("inventory.json", &inventory.to_json()?)?;
    let plan = |count: u64| {
        let rows: String =
            (0..count).map(|number| format!("{ACTION},{}\n", serial(number * 7_919 % DEVICES))).collect();
        scratch.write(&format!("by-serial-{count}.csv"), &format!("action,serialNumber\n{rows}"))
    };
    let preview = |count: u64| -> Fallible<Job> {
        let (plan, inventory) = (plan(count)?, inventory.to_string_lossy().into_owned());
        let arguments =
            ["preview", &plan.to_string_lossy(), "--simulate", "--format", "csv", "--inventory", &inventory];
        Ok(Job::musterout(arguments))
    };
    let (one, all) = (preview(1)?, preview(DEVICES)?);
    let (mut beyond, mut walls, mut of_one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (one, all) = (one.run()?, all.run()?);
        beyond.push(mebibytes(all.peak_bytes.saturating_sub(one.peak_bytes)));
        walls.push(millis(all.wall));
        of_one.push((millis(one.wall), mebibytes(one.peak_bytes)));
    }
    let (wall, beyond) = (median(walls).unwrap_or_default(), median(beyond).unwrap_or_default());
    let (wall_of_one, peak_of_one) = median(of_one).unwrap_or_default();
    let size = mebibytes(fs::metadata(&inventory)?.len());
    let yardstick = format!("one row {wall_of_one:.0} ms");
    table.note("preview --inventory, all of it", &format!("{wall:.0} ms"), &yardstick, Some(wall / wall_of_one));
    let yardstick = format!("one row {peak_of_one:.0} MiB, file {size:.0} MiB");
    let judged = (beyond, Target::AtMost(300.0), "< 300 MB");
    table.row("peak memory beyond the inventory", &format!("{beyond:.0} MiB"), &yardstick, None, judged);
    Ok(())
}

/// Ten thousand rows against a tenant, beside one read for each.
fn requests(table: &mut Table) -> Fallible<()> {
    let devices: Result<Vec<_>, _> = (0..DEVICES)
        .map(|number| serde_json::from_value(json!({"id": device(number), "serialNumber": serial(number)})))
        .collect();
    let scenario = Scenario {
        devices: devices?,
        only_listed: true,
        log: Switch(false),
        throttle: serde_json::from_value::<Throttle>(json!("off"))?,
        ..Scenario::default()
    };
    let start = Timestamp::now();
    let tenant = Tenant::new(scenario, start);
    let transport = SimTransport::new(Arc::clone(&tenant));
    let credentials = Credentials::AccessToken("t".to_owned().into());
    let tokens = TokenSource::new(transport.clone(), credentials, "https://login.example", GRAPH);
    let client = GraphClient::new(transport, tokens, GRAPH, Clock::starting_at(start), Gates::new(Pacing::Off));
    let rows = rows(FEW)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(1));
    let mut pool = runtime.block_on(gather(&rows.iter().collect::<Vec<_>>(), start, &mut reading))?;
    let resolved =
        resolve(Vec::new(), &Places::default(), &rows, known(&mut pool, start)).map_err(|_| "a row has no target")?;
    assert_eq!(resolved.jobs.len(), rows.len());
    let counts = tenant.counts();
    let sent = (counts.requests + counts.batches) as f64;
    let share = sent / f64::from(FEW);
    let judged = (share, Target::AtMost(1.0 / 15.0), "< 1/15");
    table.row("requests for 10,000 serials", &format!("{sent}"), "one for each 10000", Some(share), judged);
    Ok(())
}
