//! Tests of the saved preview: the bytes are an interface, and nothing that was touched is taken.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::format::END;
use super::*;
use crate::catalog::{Action, Budget, StatedLimits};
use crate::guard::drift::Sighting;
use crate::guard::preflight;
use crate::identity::Identity;
use crate::job::{Ids, Job, JobParts, Names, Parameters};
use crate::preview::Preview;

fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

fn wipe(row: u32, values: &[(&str, Value)]) -> Job {
    let action = Action::named("wipe").unwrap();
    let values = values.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value.clone())).collect();
    Job::new(JobParts {
        row,
        action,
        route: action.default_route(),
        ids: Ids::new([id(row as usize).as_str()]),
        parameters: Parameters::new(action, values),
        not_before: None,
        note: Some("Übergabe, \"Lab\"".into()),
        after: None,
    })
}

fn head(guards: Value, rows: usize) -> Head {
    Head {
        tool: "musterout 0.1.0".into(),
        created: "2026-11-22T10:00:00Z".parse().unwrap(),
        expires: "2026-11-23T10:00:00Z".parse().unwrap(),
        plan: PlanOfPreview {
            name: Some("lab".into()),
            file: "lab.yaml".into(),
            key: "0123".into(),
            digest: "4567".into(),
        },
        tenant: Some("contoso.onmicrosoft.com".into()),
        tenant_id: Some("5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001".into()),
        graph_url: "https://graph.microsoft.com".into(),
        simulated: false,
        justification: None,
        limits: LimitsOfPreview {
            stated: StatedLimits { concurrency: Some(8), ..StatedLimits::default() },
            ..LimitsOfPreview::default()
        },
        actions: Vec::new(),
        guards,
        not_read: None,
        rows: rows as u32,
    }
}

fn device(number: usize, order: &[usize]) -> Sighting {
    let properties = [
        ("id", json!(id(number))),
        ("deviceName", json!("LAB-01")),
        ("serialNumber", json!("5CG1234XYZ")),
        ("enrolledDateTime", json!("2026-01-05T08:00:00Z")),
    ];
    let document: serde_json::Map<_, _> =
        order.iter().map(|at| (properties[*at].0.to_owned(), properties[*at].1.clone())).collect();
    Sighting::Identity(Box::new(Identity::from_document(&Value::Object(document)).unwrap()))
}

fn saved(jobs: &[Job], sightings: &[Option<Sighting>], guards: Value) -> (Vec<u8>, String) {
    let preflight = preflight::inspect(jobs, "2026-11-22T10:00:00Z".parse().unwrap());
    let preview = Preview::new(jobs, &preflight, Budget::documented(0)).seen(sightings);
    let mut out = Vec::new();
    let digest = write(&head(guards, jobs.len()), &preview, &mut out).unwrap();
    (out, digest)
}

fn sample() -> (Vec<u8>, String) {
    let jobs = [
        wipe(2, &[("keepUserData", json!(false)), ("persistEsimDataPlan", json!(true))]),
        wipe(3, &[]),
        wipe(4, &[]),
        wipe(2, &[("keepUserData", json!(false)), ("persistEsimDataPlan", json!(true))]),
    ];
    let sightings = [Some(device(2, &[0, 1, 2, 3])), Some(Sighting::Gone), Some(device(4, &[3, 1, 0, 2])), None];
    saved(
        &jobs,
        &sightings,
        json!({"waves": [], "stated": [{"guard": {"max_targets": 5}, "origin": "default"}], "protected": [], "overrides": [], "stop_when": {"unknown": 1}}),
    )
}

#[test]
fn the_bytes_are_an_interface_and_stay_what_they_are() {
    let (bytes, digest) = sample();
    assert_eq!(
        digest,
        "aa4c003f923aae8631e58a7f87cc22764399693825ab57907cb6e748c7689eb1",
        "{}",
        String::from_utf8(bytes).unwrap()
    );
}

#[test]
fn what_was_written_is_what_is_read() {
    let (bytes, digest) = sample();
    let saved = read(&bytes).unwrap();
    assert_eq!((saved.digest, saved.jobs.len(), saved.preflight.due), (digest, 4, 3));
    assert_eq!(
        saved.jobs[0].parameters.as_ref().unwrap().body(),
        r#"{"keepUserData":false,"persistEsimDataPlan":true}"#
    );
    assert_eq!(saved.sightings[..2], [Some(device(2, &[0, 1, 2, 3])), Some(Sighting::Gone)]);
    assert_eq!(saved.head.limits.stated.concurrency, Some(8));
    assert_eq!(saved.jobs[1].note.as_deref(), Some("Übergabe, \"Lab\""));
}

#[test]
fn no_byte_may_differ_and_none_may_be_missing() {
    let (bytes, _) = sample();
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(read(&other).is_err(), "byte {at} was changed");
        assert!(read(&bytes[..at]).is_err(), "cut at byte {at}");
    }
    assert!(matches!(read(&bytes[..bytes.len() - 1]), Err(Unusable::CutShort)));
    assert!(read(&[bytes.as_slice(), b"\n"].concat()).is_err());
    let crlf = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
    assert!(read(crlf.as_bytes()).is_err());
}

/// Whoever edits a file and its digest still cannot make it say what this program would not.
fn forged(change: impl Fn(&str) -> String) -> Unusable {
    let text = change(&String::from_utf8(sample().0).unwrap());
    let (before, _) = text.rsplit_once(END).unwrap();
    let digest = super::write::hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(before.as_bytes()));
    read(format!("{before}{END}{digest}\"}}\n").as_bytes()).unwrap_err()
}

#[test]
fn a_forged_file_must_still_be_true() {
    let other_target = forged(|text| text.replacen(&format!("/{}/wipe", id(3)), &format!("/{}/wipe", id(9)), 1));
    assert!(matches!(other_target, Unusable::Differs { line: 3, row: 3, .. }), "{other_target}");
    let held_back = forged(|text| text.replacen("\"send\"", "\"held\"", 1));
    assert!(matches!(held_back, Unusable::Differs { .. }), "{held_back}");
    let duplicate =
        forged(|text| text.replace("\"held\",\"finding\":\"same job as row 2\"", "\"send\",\"finding\":null"));
    assert!(matches!(duplicate, Unusable::Differs { line: 5, .. }), "{duplicate}");
    let fewer = forged(|text| text.replace("\"rows\":4", "\"rows\":3"));
    assert!(matches!(fewer, Unusable::Damaged(_)), "{fewer}");
    let unknown = forged(|text| text.replace("\"rows\":4", "\"rows\":4,\"more\":1"));
    assert!(matches!(unknown, Unusable::Damaged(_)), "{unknown}");
    let spaced = forged(|text| text.replace("\"rows\":4", "\"rows\": 4"));
    assert!(matches!(spaced, Unusable::Damaged(_)), "{spaced}");
    let unseen = forged(|text| text.replacen("\"target\":\"gone\"", "\"target\":null", 1));
    assert!(matches!(unseen, Unusable::Differs { line: 3, .. }), "{unseen}");
    let version = forged(|text| text.replace("\"musterout_preview\":1", "\"musterout_preview\":12"));
    assert_eq!(version, Unusable::Version("12".into()));
    assert_eq!(read(b"{}").unwrap_err(), Unusable::Foreign);
}

/// A job on a user by name, as the plan has it, and what it became.
fn by_name(row: u32, action: &str, name: &str, found: Option<&str>, with: &[(&str, Value)]) -> Job {
    let action = Action::named(action).unwrap();
    let values = with.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value.clone())).collect();
    let job = Job::new(JobParts {
        parameters: Parameters::new(action, values),
        ..JobParts::plain(row, action, Ids::new([found.unwrap_or(name)]))
    });
    let written = Ids::new([name]);
    let users = job.parameters.as_deref().map(Parameters::users).unwrap_or_default();
    let in_body = users.iter().map(|name| (name.clone(), id(9).into())).collect();
    let names = Names { written_id: job.id_as_written(&written, job.parameters.as_deref()), written, in_body };
    Job { names: found.map(|_| Box::new(names)), ..job }
}

fn saved_by_name(jobs: &[Job]) -> Result<SavedPreview, Unusable> {
    let sightings: Vec<_> = jobs.iter().map(|_| Some(Sighting::Gone)).collect();
    let rules = json!({"waves": [], "stated": [], "protected": [], "overrides": [], "stop_when": {}});
    read(&saved(jobs, &sightings, rules).0)
}

const ASSIGN: &str = "assignUserToDevice";

#[test]
fn whose_a_name_was_is_in_the_file() {
    let with = [("userPrincipalName", json!("Bo@c.com"))];
    let device = id(3);
    let jobs = [
        by_name(2, "deleteUser", "ada@c.com", Some(&id(2)), &[]),
        by_name(3, ASSIGN, &device, Some(&device), &with),
        by_name(4, "deleteUser", &id(4), None, &[]),
    ];
    let read = saved_by_name(&jobs).unwrap();
    for (saved, job) in read.jobs.iter().zip(&jobs) {
        assert_eq!((saved.id, &saved.ids, &saved.names), (job.id, &job.ids, &job.names));
    }
}

/// Versions before this one wrote names as they stood.
#[test]
fn a_name_without_its_owner_is_refused_and_can_still_be_read_for_its_run() {
    let with = [("userPrincipalName", json!("Bo@c.com"))];
    for (nameless, name) in [
        (by_name(2, "deleteUser", "ada@c.com", None, &[]), "ada@c.com"),
        (by_name(2, ASSIGN, &id(3), None, &with), "Bo@c.com"),
    ] {
        let sightings = [Some(Sighting::Gone)];
        let rules = json!({"waves": [], "stated": [], "protected": [], "overrides": [], "stop_when": {}});
        let (bytes, _) = saved(std::slice::from_ref(&nameless), &sightings, rules);
        assert_eq!(read(&bytes).unwrap_err(), Unusable::Nameless { line: 2, row: 2, name: name.into() });
        assert_eq!(read_of_run(&bytes).unwrap().jobs[0].id, nameless.id);
    }
}

#[test]
fn a_forged_owner_must_still_fit() {
    let with = [("userPrincipalName", json!("Bo@c.com"))];
    let jobs =
        [by_name(2, "deleteUser", "ada@c.com", Some(&id(2)), &[]), by_name(3, ASSIGN, &id(3), Some(&id(3)), &with)];
    let sightings = [Some(Sighting::Gone), Some(Sighting::Gone)];
    let rules = json!({"waves": [], "stated": [], "protected": [], "overrides": [], "stop_when": {}});
    let text = String::from_utf8(saved(&jobs, &sightings, rules).0).unwrap();
    for (from, to) in [
        ("\"name\":\"Bo@c.com\"", "\"name\":\"Al@c.com\"".to_owned()),
        ("\"ids\":[\"ada@c.com\"]", format!("\"ids\":[\"{}\"]", id(7))),
        ("\"ids\":[\"ada@c.com\"]", "\"ids\":[]".to_owned()),
        ("\"musterout_preview\":2", "\"musterout_preview\":1".to_owned()),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let text = text.replacen(from, &to, 1);
        let (before, _) = text.rsplit_once(END).unwrap();
        let digest = super::write::hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(before.as_bytes()));
        let read = read(format!("{before}{END}{digest}\"}}\n").as_bytes());
        assert!(matches!(read, Err(Unusable::Differs { .. } | Unusable::Damaged(_))), "{to}: {read:?}");
    }
}

fn shuffled(length: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..length).collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    /// Whatever the order in which maps were filled, the digest is the same.
    #[test]
    fn the_order_of_maps_is_not_in_the_bytes(
        parameters in shuffled(3), properties in shuffled(4), guards in shuffled(5), stop_when in shuffled(2),
    ) {
        let values = [("keepUserData", json!(false)), ("keepEnrollmentData", json!(true)), ("macOsUnlockCode", json!("012345"))];
        let in_order = |order: &[usize]| order.iter().map(|at| values[*at].clone()).collect::<Vec<_>>();
        let object = |entries: Vec<(&str, Value)>, order: &[usize]| -> Value {
            let map: serde_json::Map<_, _> =
                order.iter().map(|at| (entries[*at].0.to_owned(), entries[*at].1.clone())).collect();
            Value::Object(map)
        };
        let rules = |outer: &[usize], inner: &[usize]| {
            let stop_when = object(vec![("failures", json!(3)), ("unknown", json!(1))], inner);
            let stated = json!([{ "guard": { "max_targets": 5 }, "origin": "default" }]);
            let mut entries = vec![("stated", stated), ("stop_when", stop_when), ("waves", json!([]))];
            entries.extend([("protected", json!([])), ("overrides", json!([]))]);
            object(entries, outer)
        };
        let make = |parameters: &[usize], properties: &[usize], outer: &[usize], inner: &[usize]| {
            // Sightings come back in the order of the answers.
            let found: HashMap<usize, Sighting> = properties.iter().map(|at| (*at, device(2, properties))).collect();
            let jobs: Vec<_> = (0..4).map(|row| wipe(row + 2, &in_order(parameters))).collect();
            let sightings: Vec<_> = (0..4).map(|at| found.get(&at).cloned()).collect();
            assert!(sightings.iter().all(Option::is_some));
            saved(&jobs, &sightings, rules(outer, inner))
        };
        let (bytes, digest) = make(&parameters, &properties, &guards, &stop_when);
        prop_assert_eq!(digest, make(&[0, 1, 2], &[0, 1, 2, 3], &[0, 1, 2, 3, 4], &[0, 1]).1);
        prop_assert!(read(&bytes).is_ok());
    }
}
