//! Looking up as a whole: rows in, a simulated tenant asked, jobs or faults out.
//!
//! In: scenarios, rows. Out: verdicts on what was found, and on the requests that the tenant counted. The oracle of the
//! property test looks at every device for every row, and knows no index, filter or page.

use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::jobs::Resolved;
use super::*;
use crate::catalog::Bucket;
use crate::catalog::{Action, Budget, PRINCIPAL_NAME, Selector, TargetKind, selector_named};
use crate::clock::Clock;
use crate::diagnostics::{Diagnostics, Place};
use crate::job::{Ids, Job, JobParts};
use crate::msgraph::client::GraphClient;
use crate::msgraph::read_only::NoEnd;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::token::{Credentials, TokenSource};
use crate::pacing::{Gates, Pacing};
use crate::plan::{Criterion, Places, Pointer, Unresolved, UnresolvedStep};
use crate::simulator::counts::Counts;
use crate::simulator::scenario::Scenario;
use crate::simulator::tenant::Tenant;
use crate::simulator::transport::SimTransport;

const NOW: &str = "2026-11-22T12:00:00Z";
const GRAPH: &str = "https://graph.microsoft.com";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn selector(name: &str) -> &'static Selector {
    if name == PRINCIPAL_NAME.name { &PRINCIPAL_NAME } else { selector_named(name).unwrap() }
}

fn row(number: u32, action: &str, criteria: &[(&str, &str)]) -> Unresolved {
    let action = Action::named(action).unwrap();
    let step = UnresolvedStep {
        action,
        route: action.default_route(),
        kind: action.target,
        parameters: None,
        verified_within: None,
        if_found: false,
    };
    let criterion = |(name, value): &(&str, &str)| Criterion { selector: selector(name), value: (*value).into() };
    Unresolved {
        group: None,
        ids: None,
        at: 0,
        row: Some(number),
        pointer: Pointer::Given(criteria.iter().map(criterion).collect()),
        through_device: false,
        steps: Arc::new([step]),
        not_before: None,
        priority: 0,
        missing: None,
        note: None,
        place: Box::new(Place::file("plan.csv")),
        line: number,
    }
}

fn serials<'a>(action: &str, serials: impl IntoIterator<Item = &'a str>) -> Vec<Unresolved> {
    (2u32..).zip(serials).map(|(number, serial)| row(number, action, &[("serialNumber", serial)])).collect()
}

pub(super) fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// A tenant that holds these devices and nothing else, by their serial numbers.
fn tenant_of<'a>(serials: impl IntoIterator<Item = &'a str>, more: Value) -> Arc<Tenant> {
    let device = |(number, serial): (usize, &str)| json!({"id": id(number), "serialNumber": serial});
    let devices: Vec<_> = serials.into_iter().enumerate().map(device).collect();
    let mut scenario = json!({"only_listed": true, "devices": devices});
    scenario.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tenant(&scenario.to_string())
}

/// Nothing is known of earlier nights.
pub(super) fn known(pool: &mut Pool, now: Timestamp) -> Knowledge<'_> {
    static NOTHING: std::sync::LazyLock<Before> = std::sync::LazyLock::new(Before::new);
    Knowledge { pool, before: &NOTHING, hold_several: false, now }
}

pub(super) fn tenant(scenario: &str) -> Arc<Tenant> {
    Tenant::new(Scenario::from_yaml(scenario).unwrap(), now())
}

pub(super) fn client(tenant: &Arc<Tenant>, pacing: Pacing) -> GraphClient<SimTransport> {
    let transport = SimTransport::new(Arc::clone(tenant));
    let credentials = Credentials::AccessToken("t".to_owned().into());
    let tokens = TokenSource::new(transport.clone(), credentials, "https://login.example", GRAPH);
    GraphClient::new(transport, tokens, GRAPH, Clock::starting_at(now()), Gates::new(pacing))
}

pub(super) fn paced() -> Pacing {
    Pacing::Within(Budget::documented(0))
}

/// The targets by row, or the codes of the faults, and what the tenant counted.
async fn looked_up(tenant: &Arc<Tenant>, rows: &[Unresolved], pacing: Pacing) -> (Found, Counts) {
    let client = client(tenant, pacing);
    let before = tenant.counts().requests;
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(7));
    let found = match gather(&rows.iter().collect::<Vec<_>>(), now(), &mut reading).await {
        Ok(mut pool) => found(resolve(Vec::new(), &Places::default(), rows, known(&mut pool, now()))),
        Err(error) => Found::NotRead(error),
    };
    let let_through: u64 = Bucket::all().map(|bucket| u64::from(client.gates().used(bucket).sent)).sum();
    // What was lost on the way is not counted there.
    assert!(let_through >= tenant.counts().requests - before, "every request has passed a gate");
    (found, tenant.counts())
}

#[derive(Debug)]
enum Found {
    Targets(Vec<(u32, String)>),
    Faults(Vec<String>),
    NotRead(ReadError),
}

fn found(resolved: Result<Resolved, Diagnostics>) -> Found {
    match resolved {
        Ok(resolved) => Found::Targets(resolved.jobs.iter().map(|job| (job.row, job.target().to_owned())).collect()),
        Err(faults) => Found::Faults(faults.iter().map(|fault| fault.message.clone()).collect()),
    }
}

impl Found {
    #[track_caller]
    fn targets(self) -> Vec<(u32, String)> {
        match self {
            Self::Targets(targets) => targets,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn not_read(self) -> ReadError {
        match self {
            Self::NotRead(error) => error,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_job_keeps_the_place_of_its_row() {
    let named = |number: u32| {
        let action = Action::named("retire").unwrap();
        let (route, ids) = (action.default_route(), Ids::new([id(number as usize).as_str()]));
        let (parameters, not_before, note, after) = (None, None, None, None);
        Job::new(JobParts { row: number, action, route, ids, parameters, not_before, note, after })
    };
    let mut places = Places::default();
    for (file, line) in [("plan.yaml", 7), ("more.csv", 2)] {
        places.begin(file);
        places.push(line);
    }
    let mut pool = Pool::default();
    for number in 1..=3 {
        let document = json!({"id": id(number), "serialNumber": format!("SN{number}")});
        pool.add(TargetKind::ManagedDevice, FoundRecord::from_document(TargetKind::ManagedDevice, &document).unwrap());
    }
    let serial = |at, line, serial: &str| Unresolved { at, line, ..row(line, "retire", &[("serialNumber", serial)]) };
    let rows = [serial(0, 3, "SN1"), serial(1, 4, "SN2"), serial(2, 5, "SN3")];
    let resolved = resolve(vec![named(8), named(9)], &places, &rows, known(&mut pool, now())).unwrap();
    let of = |at| (resolved.places.of(at).file, resolved.places.of(at).line);
    let stand: Vec<_> = (0..resolved.jobs.len()).map(of).collect();
    let expected = [("plan.csv", 3), ("plan.yaml", 7), ("plan.csv", 4), ("more.csv", 2), ("plan.csv", 5)];
    assert_eq!(stand, expected.map(|(file, line)| (file.to_owned(), Some(line))));
}

#[tokio::test(start_paused = true)]
async fn a_few_rows_are_one_envelope_and_many_are_pages() {
    let many: Vec<String> = (0..60).map(|number| format!("SN{number}")).collect();
    let all = || many.iter().map(String::as_str);
    let (few, counts) = looked_up(&tenant_of(all(), json!({})), &serials("retire", all().take(5)), paced()).await;
    assert_eq!(few.targets().len(), 5);
    assert_eq!((counts.batches, counts.requests, counts.reads), (1, 5, 5));

    let (whole, counts) =
        looked_up(&tenant_of(all(), json!({"page_size": 20})), &serials("retire", all()), paced()).await;
    assert_eq!(whole.targets(), (2u32..).zip((0..60).map(id)).collect::<Vec<_>>());
    assert_eq!((counts.batches, counts.requests), (0, 1 + 3), "the size, and three pages");

    let (alone, counts) = looked_up(&tenant_of(all(), json!({})), &serials("retire", ["sn7"]), paced()).await;
    assert_eq!(alone.targets(), [(2, id(7))]);
    assert_eq!((counts.batches, counts.requests), (0, 1), "one read needs no envelope");
}

#[tokio::test(start_paused = true)]
async fn the_same_value_is_read_once() {
    let rows = serials("retire", ["SN1", "sn1", " SN1 ", "SN1"]);
    let (found, counts) = looked_up(&tenant_of(["SN1"], json!({})), &rows, paced()).await;
    assert_eq!(found.targets().len(), 4);
    assert_eq!(counts.requests, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_or_broken_in_an_envelope_is_read_again_alone() {
    let all: Vec<String> = (0..20).map(|number| format!("SN{number}")).collect();
    for fault in [
        json!({"throttle": {"seconds": 3}}),
        json!({"throttle": {"seconds": 3, "retry_after": "absent"}}),
        json!({"status": {"code": 503, "body": "html"}}),
        json!({"status": {"code": 500}}),
        json!("conflict"),
    ] {
        let faults = json!({"faults": [{"on": {"every": 3, "limit": 9}, "do": fault}]});
        let tenant = tenant_of(all.iter().map(String::as_str), faults);
        let (found, counts) = looked_up(&tenant, &serials("retire", all.iter().map(String::as_str)), paced()).await;
        assert_eq!(found.targets().len(), 20, "{fault}");
        assert_eq!(counts.requests, 20 + 9, "{fault}");
        assert!(counts.batches < 9, "{fault}: {} envelopes", counts.batches);
    }
}

#[tokio::test(start_paused = true)]
async fn an_envelope_that_is_lost_is_sent_again() {
    let lost = json!({"faults": [{"on": {"limit": 1}, "do": "drop_reply"}]});
    let (found, counts) =
        looked_up(&tenant_of(["SN1", "SN2"], lost), &serials("retire", ["SN1", "SN2"]), paced()).await;
    assert_eq!(found.targets(), [(2, id(0)), (3, id(1))]);
    assert_eq!(counts.batches, 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_refuses_everything() {
    for (fault, status) in [
        (json!({"status": {"code": 403, "error_code": "Forbidden"}}), Some(403)),
        (json!({"status": {"code": 500}}), Some(500)),
        (json!("drop_reply"), None),
        (json!({"throttle": {"seconds": 86_400}}), Some(429)),
        (json!({"redirect": "https://elsewhere.example/"}), Some(302)),
    ] {
        let tenant = tenant_of(["SN1", "SN2"], json!({"faults": [{"on": {"every": 2}, "do": fault}]}));
        let (found, _) = looked_up(&tenant, &serials("retire", ["SN1", "SN2", "SN3"]), paced()).await;
        match (found, status) {
            // Every second read fails, so that what is only shaky goes well in the end.
            (Found::Faults(faults), Some(500 | 302) | None) => assert!(faults[0].contains("SN3"), "{faults:?}"),
            (Found::NotRead(error), expected) => match error.cause() {
                ReadError::Refused { status, .. } => assert_eq!(*status, expected),
                other => panic!("{other:?}"),
            },
            (other, _) => panic!("{fault}: {other:?}"),
        }
        let always = tenant_of(["SN1"], json!({"faults": [{"do": fault}]}));
        let (found, counts) = looked_up(&always, &serials("retire", ["SN1"]), paced()).await;
        assert!(matches!(found.not_read().cause(), ReadError::Refused { .. }));
        assert!(counts.requests <= 5, "{fault}: tried {} times", counts.requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_not_there_is_given_up() {
    let tenant = tenant_of(["SN1"], json!({"faults": [{"do": "refuse_connection"}]}));
    let (found, _) = looked_up(&tenant, &serials("retire", ["SN1"]), paced()).await;
    assert!(matches!(found.not_read().cause(), ReadError::Unreachable(_)));
}

#[tokio::test(start_paused = true)]
async fn a_link_to_another_host_is_not_followed() {
    let all: Vec<String> = (0..30).map(|number| format!("SN{number}")).collect();
    let elsewhere = json!({"page_size": 10, "next_links": "https://graph.microsoft.com.elsewhere.example"});
    let tenant = tenant_of(all.iter().map(String::as_str), elsewhere);
    let (found, counts) = looked_up(&tenant, &serials("retire", all.iter().map(String::as_str)), paced()).await;
    assert!(matches!(found.not_read(), ReadError::NoEnd(NoEnd::Foreign { .. })));
    assert_eq!(counts.requests, 2, "the size and the first page");
}

#[tokio::test(start_paused = true)]
async fn pages_of_one_value_are_read_to_the_end() {
    let doubled = tenant_of(["SN1", "X", "sn1"], json!({"page_size": 1}));
    let (found, _) = looked_up(&doubled, &serials("retire", ["SN1", "X"]), paced()).await;
    match found {
        Found::Faults(faults) => assert_eq!(faults, ["serialNumber SN1 matches 2 managed devices"]),
        other => panic!("{other:?}"),
    }
    // Autopilot knows `contains` alone: what is meant may stand behind many that are not.
    let identities: Vec<_> = (0..40).map(|n| json!({"id": id(n), "serialNumber": format!("SN1{n}")})).collect();
    let mut scenario = json!({"only_listed": true, "page_size": 3, "autopilot": identities});
    scenario["autopilot"].as_array_mut().unwrap().push(json!({"id": id(99), "serialNumber": "sn1"}));
    let rows = serials("unassignUserFromDevice", ["SN1", "SN139"]);
    let (found, _) = looked_up(&tenant(&scenario.to_string()), &rows, paced()).await;
    assert_eq!(found.targets(), [(2, id(99)), (3, id(39))]);
}

#[tokio::test(start_paused = true)]
async fn reads_keep_to_their_allowance() {
    // Nobody says how large the inventory is, and 190 rows are too few to read it for.
    let all: Vec<String> = (0..190).map(|number| format!("SN{number}")).collect();
    let scenario = json!({
        "throttle": {"intune-devices/read": {"requests": 1_800, "window": "20s"}},
        "faults": [{"on": {"calls": [1], "target": "", "limit": 1}, "do": {"status": {"code": 403}}}],
    });
    let tenant = tenant_of(all.iter().map(String::as_str), scenario);
    let begun = tokio::time::Instant::now();
    let (found, counts) = looked_up(&tenant, &serials("retire", all.iter().map(String::as_str)), paced()).await;
    assert_eq!(found.targets().len(), 190);
    assert_eq!((counts.batches, counts.requests), (10, 191));
    assert_eq!(counts.statuses.get(&429), None);
    let seconds = begun.elapsed().as_secs_f64();
    assert!((2.0..4.0).contains(&seconds), "{seconds} s at 90 a second");
}

#[tokio::test(start_paused = true)]
async fn lost_zeros_are_looked_for_only_where_something_is_not_found_and_not_for_ever() {
    let tenant = tenant_of(["00123", "456", "ABC"], json!({}));
    let (found, counts) = looked_up(&tenant, &serials("retire", ["456", "abc"]), Pacing::Off).await;
    assert_eq!((found.targets().len(), counts.reads), (2, 2));
    let told = |rows: Vec<Unresolved>| {
        let tenant = Arc::clone(&tenant);
        async move {
            let client = client(&tenant, Pacing::Off);
            let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(7));
            let mut pool = gather(&rows.iter().collect::<Vec<_>>(), now(), &mut reading).await.unwrap();
            resolve(Vec::new(), &Places::default(), &rows, known(&mut pool, now())).unwrap_err()
        }
    };
    let faults = told(serials("retire", ["123", "X9", "456"])).await;
    let helps: Vec<_> = faults.iter().map(|fault| fault.help.clone().unwrap_or_default()).collect();
    assert!(helps[0].contains("serial 00123") && helps.len() == 2, "{helps:?}");
    assert_eq!(tenant.counts().reads, 2 + 3 + 8, "only the number was tried with zeros");
    let many: Vec<String> = (0..200).map(|number| (7_000 + number).to_string()).collect();
    assert_eq!(told(serials("retire", many.iter().map(String::as_str))).await.errors(), 200);
    assert!(tenant.counts().reads <= 13 + 1 + 200 + 20 * 8, "{}", tenant.counts().reads);
}

#[tokio::test(start_paused = true)]
async fn many_serials_cost_a_fifteenth_of_a_read_for_each() {
    let all: Vec<String> = (0..3_000).map(|number| format!("SN{number}")).collect();
    let tenant = tenant_of(all.iter().map(String::as_str), json!({}));
    let (found, counts) = looked_up(&tenant, &serials("retire", all.iter().map(String::as_str)), Pacing::Off).await;
    assert_eq!(found.targets().len(), 3_000);
    assert_eq!(counts.requests + counts.batches, 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn an_inventory_is_the_same_when_it_comes_back() {
    let tenant = tenant_of(["SN1", "O'Brien \"#\" \u{1F4BB}", ""], json!({"page_size": 2}));
    let client = client(&tenant, paced());
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(1));
    let inventory = take_inventory(&mut reading).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = inventory.to_json().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let again = SavedInventory::load(file.path()).unwrap();
    assert_eq!((&again, again.to_json().unwrap()), (&inventory, text.clone()));
    let mut shuffled = inventory.clone();
    shuffled.devices.reverse();
    assert_eq!(shuffled.to_json().unwrap(), text);
    let refused = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        SavedInventory::load(file.path()).unwrap_err().to_string()
    };
    assert!(refused(&text[..text.len() - 4]).contains("it is incomplete"));
    assert!(refused(&text.replacen(":2,", ":3,", 1)).contains("version 3"));
    assert!(
        refused(&text.replacen("\"imei\"", "\"imie\"", 1).replacen("user_id", "usr", 1)).contains("not an inventory")
    );
    let twice = text.replace(&id(1), &id(0));
    assert!(refused(&twice).contains("twice"));
}

/// What a person would call the same: letter by letter, whatever the case, without spaces around it.
fn same(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.trim().chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    letters(one) == letters(other)
}

#[derive(Debug, Clone)]
struct Device {
    serial: String,
    name: String,
    owner: String,
}

fn device() -> impl Strategy<Value = Device> {
    let text =
        || prop::sample::select(vec!["", "a", "A", "aa", "a a", "é", "É", "a'a", "'", "#", "a#", "%27", "ß", "1"]);
    let owner = prop::sample::select(vec!["", "a@c", "A@c", "a#EXT#@c", "o'a@c", "aa@c"]);
    (text(), text(), owner).prop_map(|(serial, name, owner)| Device {
        serial: serial.into(),
        name: name.into(),
        owner: owner.into(),
    })
}

type Wanted = Vec<(&'static str, String)>;

fn wanted() -> impl Strategy<Value = Wanted> {
    let value =
        || prop::sample::select(vec!["a", "A ", " aa", "a a", "é", "a'a", "'", "a#", "#", "%27", "ß", "b", "a%"]);
    let owner = prop::sample::select(vec!["a@c", "A@C", "a#ext#@c", "o'a@c", "@c"]);
    prop_oneof![
        value().prop_map(|v| vec![("serialNumber", v.trim().to_owned())]),
        value().prop_map(|v| vec![("deviceName", v.trim().to_owned())]),
        owner.prop_map(|v| vec![("userPrincipalName", v.to_owned())]),
        (value(), value())
            .prop_map(|(a, b)| vec![("deviceName", a.trim().to_owned()), ("serialNumber", b.trim().to_owned())]),
    ]
}

/// Looks at every device.
fn by_hand(devices: &[Device], wanted: &Wanted) -> Option<String> {
    let fits = |device: &Device| {
        wanted.iter().all(|(name, value)| match *name {
            "serialNumber" => same(&device.serial, value),
            "deviceName" => same(&device.name, value),
            _ => same(&device.owner, value),
        })
    };
    let mut fitting = devices.iter().enumerate().filter(|(_, device)| fits(device)).map(|(number, _)| id(number));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_row_leads_to_the_one_device_that_is_exactly_meant_or_to_none(
        devices in prop::collection::vec(device(), 0..12),
        wanted in prop::collection::vec(wanted(), 1..8),
        page_size in 1u32..5,
        filler in any::<bool>(),
    ) {
        let listed: Vec<_> = devices.iter().enumerate().map(|(number, device)| json!({
            "id": id(number), "serialNumber": device.serial, "deviceName": device.name,
            "userPrincipalName": device.owner,
        })).collect();
        let scenario = json!({"only_listed": true, "page_size": page_size, "devices": listed}).to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        // With many other values beside them, the whole inventory is read instead of single values.
        let others: Vec<String> = (0..if filler { 60 } else { 0 }).map(|number| format!("none-{number}")).collect();
        for one in &wanted {
            let criteria: Vec<_> = one.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut rows = serials("retire", others.iter().map(String::as_str));
            rows.insert(0, row(1, "retire", &criteria));
            let tenant = tenant(&scenario);
            let expected = by_hand(&devices, one);
            let pool = runtime.block_on(async {
                let client = client(&tenant, Pacing::Off);
                let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(1));
                gather(&rows.iter().collect::<Vec<_>>(), now(), &mut reading).await.unwrap()
            });
            let mut pool = pool;
            let got = match found(resolve(Vec::new(), &Places::default(), &rows[..1], known(&mut pool, now()))) {
                Found::Targets(targets) => Some(targets[0].1.clone()),
                _ => None,
            };
            prop_assert_eq!(got, expected, "{:?} among {:?}", one, devices);
        }
    }

    #[test]
    fn no_answer_of_the_service_makes_it_panic_or_guess(answer in "[\\[{\"valueid:,}\\] 0-9a]{0,60}") {
        let document: Value = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
        if let Some(record) = FoundRecord::from_document(TargetKind::ManagedDevice, &document) {
            let mut pool = Pool::default();
            pool.add(TargetKind::ManagedDevice, record);
            let rows = serials("retire", ["SN1"]);
            prop_assert!(resolve(Vec::new(), &Places::default(), &rows, known(&mut pool, now())).is_err());
        }
    }
}
