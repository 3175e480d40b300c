//! Every action on every route has its effect, and its effect shows.

use serde_json::json;

use super::*;
use crate::catalog::{
    ACTIONS, Action, IdKind, IdName, Method, Parameter, ParameterKind, ReadBack, Repeat, Route, Version,
};
use crate::identity::Identity;
use crate::job::{Ids, Job, JobParts, Parameters};
use crate::msgraph::evidence;
use crate::msgraph::request::{build, build_find, build_inspection, build_read_back};
use crate::outcome::{Evidence, Since};

fn value_of(id: &IdName, number: usize) -> String {
    match id.kind {
        IdKind::Guid => format!("00000000-0000-4000-8000-{number:012}"),
        IdKind::User => format!("user{number}@contoso.com"),
        IdKind::Opaque => format!("state-{number}"),
    }
}

fn some_value(kind: ParameterKind) -> Value {
    match kind {
        ParameterKind::Text | ParameterKind::Name => json!("because"),
        ParameterKind::ComputerName | ParameterKind::DeviceName => json!("LAB-01"),
        ParameterKind::PrincipalName => json!("ada@contoso.com"),
        ParameterKind::Boolean => json!(true),
        ParameterKind::Pin => json!("012345"),
        ParameterKind::OneOf(words) => json!(words[0]),
        ParameterKind::Integer | ParameterKind::Minutes => json!(30),
        ParameterKind::MinutesInWords => json!("30"),
        ParameterKind::Guid => json!(OTHER),
        ParameterKind::Guids => json!([crate::simulator::resources::SKUS[0]]),
    }
}

fn job(action: &'static Action, route: &'static Route) -> Job {
    let wanted = |parameter: &&Parameter| {
        parameter.required || (action.needs_one_of.contains(&parameter.name) && !parameter.beta_only)
    };
    let values = action.parameters.iter().filter(wanted);
    let values = values.map(|parameter| (parameter, some_value(parameter.kind))).collect();
    let ids: Vec<_> = route.ids.iter().enumerate().map(|(number, id)| value_of(id, number)).collect();
    Job::new(JobParts {
        row: 1,
        action,
        route,
        ids: Ids::new(ids.iter().map(String::as_str)),
        parameters: Parameters::new(action, values),
        not_before: None,
        note: None,
        after: None,
    })
}

async fn perform(client: &Client, job: &Job) -> u16 {
    let request = build(job);
    let json = [("content-type", "application/json")];
    let headers: &[_] = if request.body.is_some() { &json } else { &[] };
    client.send(request.method.name(), &request.path, headers, request.text().unwrap_or_default()).await.unwrap().status
}

#[tokio::test(start_paused = true)]
async fn every_action_on_every_route_has_one_effect() {
    for action in ACTIONS {
        for route in action.routes {
            let client = Client::of("");
            let job = job(action, route);
            assert!(matches!(perform(&client, &job).await, 200 | 204), "{} / {}", action.name, route.name);
            let counts = client.tenant.counts().of(action.name, job.target());
            assert_eq!((counts.calls, counts.effects), (1, 1), "{} / {}", action.name, route.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_is_served_in_its_versions_and_in_no_other() {
    for action in ACTIONS {
        for route in action.routes {
            for version in [Version::V1, Version::Beta] {
                let client = Client::of("");
                let job = job(action, route);
                let request = build(&job);
                let path = request.path.replacen(request.version.name(), version.name(), 1);
                let json = [("content-type", "application/json")];
                let headers: &[_] = if request.body.is_some() { &json } else { &[] };
                let body = request.text().unwrap_or_default();
                let reply = client.send(request.method.name(), &path, headers, body).await.unwrap();
                // Whatever v1.0 has, beta has as well.
                let served = route.versions.contains(&version) || version == Version::Beta;
                let effects = u32::from(served);
                let counts = client.tenant.counts().of(action.name, job.target());
                assert_eq!((reply.status < 300, counts.effects), (served, effects), "{path}: {}", reply.text);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_what_the_catalog_says_and_nothing_else() {
    for action in ACTIONS {
        let job = job(action, action.default_route());
        let request = build(&job);
        let client = Client::of("");
        let json = [("content-type", "application/json")];
        let mut wrong = vec![r#"{"nobodyKnowsThis":1}"#.to_owned(), "[]".into()];
        let needs_a_body = action.fixed_body.is_some() || action.parameters.iter().any(|p| p.required);
        if needs_a_body {
            wrong.extend([String::new(), "{}".into()]);
        }
        for body in wrong {
            let headers: &[_] = if body.is_empty() { &[] } else { &json };
            let reply = client.send(request.method.name(), &request.path, headers, &body).await.unwrap();
            assert_eq!(reply.status, 400, "{} {body}: {}", action.name, reply.text);
        }
        assert_eq!(client.tenant.counts().effects(), 0, "{}", action.name);
        assert!(action.routes.iter().all(|route| route.method != Method::Get));
    }
}

/// What is not there unless a scenario says so: an account to be enabled or restored, and a group that is known.
fn held(action: &Action) -> String {
    const ZERO: &str = "00000000-0000-4000-8000-000000000000";
    let enabled = !action.name.starts_with("enable");
    format!(
        "autopilot_lingers: 0s\ndevices: [{{ id: {ZERO} }}]\nusers: [{{ id: {ZERO}, userPrincipalName: d@c.com, deleted: true }},\n\
         {{ id: {OTHER}, userPrincipalName: user0@contoso.com, accountEnabled: {enabled} }}]\n\
         entra_devices: [{{ id: {ZERO}, accountEnabled: {enabled} }}]\n\
         groups: [{{ id: {ZERO}, members: [00000000-0000-4000-8000-000000000001] }}]\n"
    )
}

/// What the client makes of it.
fn judged(job: &Job, reply: &Reply) -> Evidence {
    match reply.status {
        404 => evidence::of_nothing(job),
        _ => evidence::judge(job, &reply.json, Since::by_this_clock("2026-11-22T12:00:00Z".parse().unwrap())),
    }
}

#[tokio::test(start_paused = true)]
async fn every_target_can_be_looked_at() {
    for action in ACTIONS {
        for route in action.routes {
            let client = Client::of(&held(action));
            let job = job(action, route);
            let look = build_inspection(&job);
            let seen = client.get(&look.path).await;
            assert_eq!(seen.status, 200, "{} / {}: {}", action.name, route.name, seen.text);
            assert!(Identity::from_document(&seen.json).is_some(), "{} / {}: {}", action.name, route.name, seen.text);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_id_of_every_route_can_be_looked_for() {
    for action in ACTIONS {
        for route in action.routes {
            let there = Client::of(&held(action));
            let job = job(action, route);
            for (at, id) in job.ids.iter().enumerate() {
                let read = build_find(&job, at).unwrap();
                let found = there.get(&read.path).await;
                assert_eq!(found.status, 200, "{} / {}: {}: {}", action.name, route.name, read.path, found.text);
                assert!(found.json["id"].is_string(), "{}: {}", read.path, found.text);
                let missing = Client::of(&format!("missing: [\"{id}\"]"));
                assert_eq!(
                    missing.get(&read.path).await.status,
                    404,
                    "{} / {}: {}",
                    action.name,
                    route.name,
                    read.path
                );
            }
            assert!(build_find(&job, route.ids.len()).is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_read_back_sees_the_effect_and_saw_nothing_before() {
    for action in ACTIONS {
        for route in action.routes {
            let client = Client::of(&held(action));
            let job = job(action, route);
            let Some(read) = build_read_back(&job) else { continue };
            let before = client.get(&read.path).await;
            let there = if matches!(action.read_back, ReadBack::BackAt { .. }) { 404 } else { 200 };
            assert_eq!(before.status, there, "{} / {}: {}", action.name, route.name, before.text);
            let was = judged(&job, &before);
            assert!(!matches!(was, Evidence::Effect(_)), "{} / {}: {was:?}", action.name, route.name);
            if action.repeat == Repeat::AfterReadBack && !matches!(action.read_back, ReadBack::ActionResult { .. }) {
                assert!(matches!(was, Evidence::NoEffect(_)), "{} / {}: {was:?}", action.name, route.name);
            }
            perform(&client, &job).await;
            let after = client.get(&read.path).await;
            let is = judged(&job, &after);
            // That what was there is gone is an effect to whoever has seen it, and is not told by the read alone.
            let goes = matches!(action.read_back, ReadBack::Absent | ReadBack::AbsentLater);
            let shows = if goes { matches!(is, Evidence::Gone(_)) } else { matches!(is, Evidence::Effect(_)) };
            assert!(shows, "{} / {}: {is:?}", action.name, route.name);
            match action.read_back {
                ReadBack::ManagementState { landed, .. } => {
                    assert_eq!(before.json["managementState"], "managed");
                    assert!(landed.contains(&after.json["managementState"].as_str().unwrap()));
                }
                ReadBack::Cleared { property } => assert_eq!(after.json[property], ""),
                ReadBack::Absent | ReadBack::AbsentLater => assert_eq!(after.status, 404),
                ReadBack::ActionResult { action_name } => {
                    assert_eq!(before.json["deviceActionResults"], json!([]));
                    assert_eq!(after.json["deviceActionResults"][0]["actionName"], action_name);
                    assert_eq!(after.json["deviceActionResults"][0]["startDateTime"], "2026-11-22T12:00:00Z");
                }
                ReadBack::UserDevices { landed } => {
                    let devices = after.json["value"].as_array().unwrap();
                    assert_eq!(devices.len(), 2);
                    for device in devices {
                        assert!(landed.contains(&device["managementState"].as_str().unwrap()));
                    }
                }
                ReadBack::AsSent
                | ReadBack::BackAt { .. }
                | ReadBack::Unlisted
                | ReadBack::Emptied
                | ReadBack::Unlicensed
                | ReadBack::Nobody => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unassigning_clears_what_was_assigned() {
    let client = Client::of("");
    let identity = format!("/beta/deviceManagement/windowsAutopilotDeviceIdentities/{ID}");
    let before = client.get(&identity).await.json;
    assert!(!before["userPrincipalName"].as_str().unwrap().is_empty());
    client.post(&format!("{identity}/unassignUserFromDevice"), "").await;
    client.post(&format!("{identity}/unassignResourceAccountFromDevice"), "").await;
    let after = client.get(&identity).await.json;
    for property in ["userPrincipalName", "addressableUserName", "resourceName"] {
        assert_eq!(after[property], "", "{property}");
    }
    assert_eq!(after["serialNumber"], before["serialNumber"]);
}

#[tokio::test(start_paused = true)]
async fn a_sync_is_a_check_in_now() {
    let client = Client::of("");
    tokio::time::advance(std::time::Duration::from_secs(90)).await;
    client.post(&device(ID, "/syncDevice"), "").await;
    assert_eq!(client.get(&device(ID, "")).await.json["lastSyncDateTime"], "2026-11-22T12:01:30Z");
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_stays_deleted() {
    let client = Client::of("");
    assert_eq!(client.ask("DELETE", &device(ID, "")).await.status, 204);
    assert_eq!(client.ask("DELETE", &device(ID, "")).await.status, 404);
    assert_eq!(client.retire(&ID.to_uppercase()).await.unwrap().status, 404);
    let counts = client.tenant.counts().of("delete", ID);
    assert_eq!((counts.calls, counts.effects, counts.refused), (2, 1, 1));
    client.tenant.reset();
    assert_eq!(client.get(&device(ID, "")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_script_routes_lead_to_the_device_in_the_state_id() {
    let client = Client::of("");
    let path = format!("/beta/deviceManagement/deviceHealthScripts/{OTHER}/deviceRunStates/{OTHER}:{ID}/managedDevice");
    let reply = client.post(&format!("{path}/deprovision"), r#"{"deprovisionReason":"old"}"#).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    let results = client.get(&device(ID, "?$select=deviceActionResults")).await;
    assert_eq!(results.json["deviceActionResults"][0]["actionName"], "deprovision");
}

#[tokio::test(start_paused = true)]
async fn all_devices_of_a_user_are_the_listed_ones() {
    let client = Client::of(&format!(
        "only_listed: true\n\
         devices: [{{ id: {ID}, userPrincipalName: ada@contoso.com }}, {{ id: {OTHER} }}]\n\
         users: [{{ id: 22222222-2222-4222-8222-222222222222, userPrincipalName: ada@contoso.com }}]\n"
    ));
    assert_eq!(client.post("/v1.0/users/Ada@contoso.com/removeAllDevicesFromManagement", "").await.status, 204);
    assert_eq!(client.get(&device(ID, "")).await.json["managementState"], "retirePending");
    assert_eq!(client.get(&device(OTHER, "")).await.json["managementState"], "managed");
    let by_id = client.get("/v1.0/users/22222222-2222-4222-8222-222222222222/managedDevices").await;
    assert_eq!(by_id.json["value"].as_array().unwrap().len(), 1);
    assert_eq!(client.get("/v1.0/users/bob@contoso.com").await.status, 404);
}
