//! What a read of a target tells about an attempt whose answer was lost.
//!
//! In: the job, the document that was read, when the attempt left. Out: [`Evidence`]. Pure.
//! Must not: take the absence of a sign for a sign where the catalog does not say so.
//!
//! Source: `managementState` and `deviceActionResults` of Graph's managedDevice resource.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::catalog::ReadBack;
use crate::job::Job;
use crate::outcome::Evidence;

/// The service's clock and ours may differ by this much.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

const UNTOUCHED: &str = "managed";

pub fn judge(job: &Job, document: &Value, since: Timestamp) -> Evidence {
    match job.action.read_back {
        ReadBack::ManagementState { landed, action_names, stays } => {
            match newer_result(document, action_names, since) {
                Some(name) if state_of(document) == UNTOUCHED => {
                    Evidence::Effect(format!("deviceActionResults shows {name}"))
                }
                None if state_of(document) == UNTOUCHED && stays_managed(job, stays) => by_check_in(document, since),
                _ => by_state(state_of(document), landed),
            }
        }
        ReadBack::Cleared { property } => by_property(document, property),
        ReadBack::Absent => Evidence::NoEffect("it is still there".into()),
        ReadBack::ActionResult { action_name } => by_result(document, action_name, since),
        ReadBack::UserDevices { landed } => by_devices(document, landed),
        ReadBack::Nobody => Evidence::CannotTell("no read tells".into()),
    }
}

fn state_of(device: &Value) -> &str {
    device.get("managementState").and_then(Value::as_str).unwrap_or("absent")
}

fn by_state(state: &str, landed: &[&str]) -> Evidence {
    match state {
        state if landed.contains(&state) => Evidence::Effect(format!("managementState is {state}")),
        UNTOUCHED => Evidence::NoEffect(format!("managementState is {state}")),
        state => Evidence::CannotTell(format!("managementState is {state}, which does not tell")),
    }
}

/// Whether the device would be managed again after the action.
fn stays_managed(job: &Job, stays: &[&str]) -> bool {
    let body = job.parameters.as_ref().map(|parameters| parameters.body());
    let body: Option<Value> = body.and_then(|body| serde_json::from_str(body).ok());
    body.is_some_and(|body| stays.iter().any(|name| body.get(name).and_then(Value::as_bool) == Some(true)))
}

/// A device acts when it checks in, and not before.
fn by_check_in(device: &Value, since: Timestamp) -> Evidence {
    let seen = device.get("lastSyncDateTime").and_then(Value::as_str).and_then(|at| at.parse::<Timestamp>().ok());
    match seen.map(|at| at.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since)) {
        Some(false) => Evidence::NoEffect("managementState is managed, and the device has not checked in since".into()),
        Some(true) => Evidence::CannotTell(
            "managementState is managed, but the device has checked in since, and one that keeps its enrolment comes back so"
                .into(),
        ),
        None => Evidence::CannotTell("managementState is managed, and nothing tells when the device checked in".into()),
    }
}

/// The name of an entry that is newer than the attempt.
fn newer_result<'n>(device: &Value, action_names: &[&'n str], since: Timestamp) -> Option<&'n str> {
    let results = device.get("deviceActionResults").and_then(Value::as_array);
    results.into_iter().flatten().find_map(|result| {
        let named = result.get("actionName").and_then(Value::as_str)?;
        let started = result.get("startDateTime").and_then(Value::as_str)?.parse::<Timestamp>().ok()?;
        let newer = started.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since);
        action_names.iter().copied().find(|name| newer && name.eq_ignore_ascii_case(named))
    })
}

fn by_result(device: &Value, action_name: &str, since: Timestamp) -> Evidence {
    match newer_result(device, &[action_name], since) {
        Some(name) => Evidence::Effect(format!("deviceActionResults shows {name}")),
        None => Evidence::CannotTell(format!("deviceActionResults shows no {action_name}, which proves nothing")),
    }
}

fn by_property(document: &Value, property: &str) -> Evidence {
    match document.get(property) {
        Some(Value::Null) => Evidence::Effect(format!("{property} is empty")),
        Some(Value::String(text)) if text.is_empty() => Evidence::Effect(format!("{property} is empty")),
        Some(_) => Evidence::NoEffect(format!("{property} is still there")),
        None => Evidence::CannotTell(format!("the read shows no {property}")),
    }
}

fn by_devices(page: &Value, landed: &[&str]) -> Evidence {
    let Some(devices) = page.get("value").and_then(Value::as_array) else {
        return Evidence::CannotTell("the read shows no list of devices".into());
    };
    let whole = page.get("@odata.nextLink").is_none();
    let count = |test: &dyn Fn(&str) -> bool| devices.iter().filter(|device| test(state_of(device))).count();
    let leaving = count(&|state| landed.contains(&state));
    let staying = count(&|state| state == UNTOUCHED);
    match devices.len() {
        0 if whole => Evidence::Effect("the user has no managed devices left".into()),
        all if whole && leaving == all => Evidence::Effect(format!("all {all} devices of the user are leaving")),
        all if whole && staying == all => Evidence::NoEffect(format!("all {all} devices of the user are managed")),
        all => Evidence::CannotTell(format!("{leaving} of {all} devices of the user are leaving")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts, Parameters};
    use serde_json::json;

    fn evidence(action: &str, document: Value) -> Evidence {
        evidence_with(action, &[], document)
    }

    /// Of a job with these parameters set to true.
    fn evidence_with(action: &str, parameters: &[&str], document: Value) -> Evidence {
        let action = Action::named(action).unwrap();
        let values = parameters.iter().map(|name| (action.parameter_named(name).unwrap(), Value::Bool(true)));
        let job = Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new(["x"]),
            parameters: Parameters::new(action, values.collect()),
            not_before: None,
            note: None,
            after: None,
        });
        judge(&job, &document, "2026-11-22T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_state_tells_landed_untouched_and_neither() {
        let state = |state: &str| evidence("wipe", json!({"managementState": state}));
        assert!(matches!(state("wipePending"), Evidence::Effect(_)));
        assert!(matches!(state("managed"), Evidence::NoEffect(_)));
        assert!(matches!(state("retirePending"), Evidence::CannotTell(_)));
        assert!(matches!(evidence("wipe", json!({})), Evidence::CannotTell(_)));
    }

    #[test]
    fn a_result_that_is_newer_than_the_attempt_outruns_the_state() {
        let device = |name: &str, at: &str| {
            let results = json!([{"actionName": name, "startDateTime": at}]);
            evidence("wipe", json!({"managementState": "managed", "deviceActionResults": results}))
        };
        assert!(matches!(device("factoryReset", "2026-11-22T12:00:01Z"), Evidence::Effect(_)));
        assert!(matches!(device("wipe", "2026-11-21T12:00:00Z"), Evidence::NoEffect(_)));
        assert!(matches!(device("retire", "2026-11-22T12:00:01Z"), Evidence::NoEffect(_)));
    }

    #[test]
    fn a_device_that_keeps_its_enrolment_is_managed_before_and_after() {
        let managed = |at: &str| json!({"managementState": "managed", "lastSyncDateTime": at});
        for keeps in ["keepEnrollmentData", "keepUserData"] {
            let wipe = |document| evidence_with("wipe", &[keeps], document);
            assert!(matches!(wipe(managed("2026-11-22T11:00:00Z")), Evidence::NoEffect(_)));
            assert!(matches!(wipe(managed("2026-11-22T12:30:00Z")), Evidence::CannotTell(_)));
            assert!(matches!(wipe(json!({"managementState": "managed"})), Evidence::CannotTell(_)));
            assert!(matches!(wipe(json!({"managementState": "wipeIssued"})), Evidence::Effect(_)));
        }
        assert!(matches!(evidence("wipe", managed("2026-11-22T12:30:00Z")), Evidence::NoEffect(_)));
    }

    #[test]
    fn a_user_that_is_gone_from_the_identity_was_unassigned() {
        let identity = |value: Value| evidence("unassignUserFromDevice", json!({"userPrincipalName": value}));
        assert!(matches!(identity(json!("")), Evidence::Effect(_)));
        assert!(matches!(identity(Value::Null), Evidence::Effect(_)));
        assert!(matches!(identity(json!("ada@contoso.com")), Evidence::NoEffect(_)));
        assert!(matches!(evidence("unassignUserFromDevice", json!({})), Evidence::CannotTell(_)));
    }

    #[test]
    fn an_action_result_counts_only_when_it_is_newer_than_the_attempt() {
        let result = |at: &str| {
            evidence(
                "deprovision",
                json!({"deviceActionResults": [{"actionName": "deprovision", "startDateTime": at}]}),
            )
        };
        assert!(matches!(result("2026-11-22T12:00:01Z"), Evidence::Effect(_)));
        assert!(matches!(result("2026-11-21T12:00:00Z"), Evidence::CannotTell(_)));
        assert!(matches!(evidence("deprovision", json!({"deviceActionResults": []})), Evidence::CannotTell(_)));
    }

    #[test]
    fn devices_of_a_user_must_agree() {
        let states = |states: &[&str]| {
            let value: Vec<_> = states.iter().map(|state| json!({"managementState": state})).collect();
            evidence("removeAllDevicesFromManagement", json!({ "value": value }))
        };
        assert!(matches!(states(&[]), Evidence::Effect(_)));
        let nonsense = evidence("removeAllDevicesFromManagement", json!({"login": "portal"}));
        assert!(matches!(nonsense, Evidence::CannotTell(_)));
        assert!(matches!(states(&["retirePending", "retireIssued"]), Evidence::Effect(_)));
        assert!(matches!(states(&["managed"]), Evidence::NoEffect(_)));
        assert!(matches!(states(&["managed", "retirePending"]), Evidence::CannotTell(_)));
    }
}
