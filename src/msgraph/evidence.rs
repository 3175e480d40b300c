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
use crate::outcome::{Evidence, Since};
use crate::text::shown;

/// The service's clocks may differ by this much from one another, and from what is known of them.
pub(super) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

pub(super) const UNTOUCHED: &str = "managed";

/// `since`: when the attempt left, by the service's clock.
pub(crate) fn judge(job: &Job, document: &Value, since: Since) -> Evidence {
    match job.action.read_back {
        ReadBack::ManagementState { landed, action_names, stays, .. } => {
            match newer_result(document, action_names, since) {
                Some(entry) if state_of(document) == UNTOUCHED => entry.evidence(),
                None if state_of(document) == UNTOUCHED && is_enrolled_since(document, since) => Evidence::CannotTell(
                    "managementState is managed, but the device was enrolled since, as one is that was reset".into(),
                ),
                None if state_of(document) == UNTOUCHED && stays_managed(job, stays) => by_check_in(document, since),
                _ => by_state(state_of(document), landed),
            }
        }
        ReadBack::Cleared { property } => by_property(document, property),
        ReadBack::Absent => Evidence::NoEffect("it is still there".into()),
        ReadBack::ActionResult { action_name } => by_result(document, action_name, since),
        ReadBack::UserDevices { landed } => by_devices(document, landed, since),
        ReadBack::AsSent => as_sent(job, document),
        ReadBack::AbsentLater => Evidence::CannotTell("it is still there, which it is for some minutes anyhow".into()),
        ReadBack::BackAt { .. } => Evidence::Effect("it is there again".into()),
        ReadBack::Unlisted => by_list(document, job.target()),
        ReadBack::Emptied => by_emptiness(document),
        ReadBack::Unlicensed => by_licences(job, document),
        ReadBack::Nobody => Evidence::CannotTell("no read tells".into()),
    }
}

/// What it means that the service knows nothing to read. Not what is missing: the route may name more than the target; nor
/// that anything went: it may never have been there.
pub(crate) fn of_nothing(job: &Job) -> Evidence {
    match job.action.read_back {
        ReadBack::BackAt { .. } => Evidence::NoEffect("a read showed that it is not back".into()),
        _ => Evidence::Gone("a read showed that it is missing".into()),
    }
}

/// What was sent with the job.
fn sent(job: &Job) -> Value {
    let body = job.parameters.as_deref().map(|parameters| parameters.body());
    body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default()
}

/// The service may write a name in another case than it was given in, and nothing for what was cleared.
fn same(found: &Value, sent: &Value) -> bool {
    match (found.as_str(), sent.as_str()) {
        (Some(found), Some(sent)) => found.eq_ignore_ascii_case(sent),
        (None, Some("")) => found.is_null(),
        _ => found == sent,
    }
}

fn as_sent(job: &Job, document: &Value) -> Evidence {
    let sent = sent(job);
    let mut shown = Vec::new();
    for (name, value) in sent.as_object().into_iter().flatten() {
        match document.get(name) {
            Some(found) if same(found, value) => shown.push(format!("{name} is {value}")),
            Some(_) => return Evidence::NoEffect(format!("{name} is not {value}")),
            None => return Evidence::CannotTell(format!("the read shows no {name}")),
        }
    }
    match shown.is_empty() {
        true => Evidence::CannotTell("nothing was sent that could be read again".into()),
        false => Evidence::Effect(shown.join(", ")),
    }
}

/// The items of a collection, and whether they are all of it.
pub(super) fn items(page: &Value) -> Option<(&Vec<Value>, bool)> {
    Some((page.get("value")?.as_array()?, page.get("@odata.nextLink").is_none()))
}

fn by_list(page: &Value, target: &str) -> Evidence {
    let id = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
    let is_target = |item: &Value| id(item).is_some_and(|id| id.eq_ignore_ascii_case(target));
    match items(page) {
        None => Evidence::CannotTell("the read shows no list".into()),
        Some((listed, _)) if listed.iter().any(|item| id(item).is_none()) => {
            Evidence::CannotTell("the list shows no ids".into())
        }
        Some((listed, _)) if listed.iter().any(is_target) => Evidence::NoEffect("it is still listed".into()),
        Some((_, true)) => Evidence::Effect("it is not listed".into()),
        Some((listed, false)) => Evidence::CannotTell(format!("the list is longer than the first {}", listed.len())),
    }
}

fn by_emptiness(page: &Value) -> Evidence {
    match items(page) {
        Some((listed, true)) if listed.is_empty() => Evidence::Effect("the list is empty".into()),
        Some((listed, _)) if !listed.is_empty() => Evidence::NoEffect("the list is not empty".into()),
        _ => Evidence::CannotTell("the read shows no list".into()),
    }
}

fn by_licences(job: &Job, user: &Value) -> Evidence {
    let sent = sent(job);
    let removed = sent.get("removeLicenses").and_then(Value::as_array);
    let (Some(removed), Some(held)) = (removed, user.get("assignedLicenses").and_then(Value::as_array)) else {
        return Evidence::CannotTell("the read shows no licences".into());
    };
    let is_held = |sku: &&Value| held.iter().any(|licence| licence.get("skuId").is_some_and(|held| same(held, sku)));
    match removed.iter().filter(is_held).count() {
        0 => Evidence::Effect("the user has none of the licences".into()),
        all if all == removed.len() => Evidence::NoEffect("the user still has the licences".into()),
        some => Evidence::CannotTell(format!("the user still has {some} of {} licences", removed.len())),
    }
}

pub(super) fn state_of(device: &Value) -> &str {
    device.get("managementState").and_then(Value::as_str).unwrap_or("absent")
}

fn by_state(state: &str, landed: &[&str]) -> Evidence {
    match state {
        state if landed.contains(&state) => Evidence::Effect(format!("managementState is {state}")),
        UNTOUCHED => Evidence::NoEffect(format!("managementState is {state}")),
        state => Evidence::CannotTell(format!("managementState is {}, which does not tell", shown(state))),
    }
}

/// Whether the device would be managed again after the action.
pub(super) fn stays_managed(job: &Job, stays: &[&str]) -> bool {
    let body = job.parameters.as_ref().map(|parameters| parameters.body());
    let body: Option<Value> = body.and_then(|body| serde_json::from_str(body).ok());
    body.is_some_and(|body| stays.iter().any(|name| body.get(name).and_then(Value::as_bool) == Some(true)))
}

/// Whether the device was enrolled after the attempt, or may have been: it may be there again because it was reset.
fn is_enrolled_since(device: &Value, since: Since) -> bool {
    let at = moment(device, "enrolledDateTime");
    at.is_some_and(|at| at.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since.earliest))
}

/// A device acts when it checks in, and not before.
fn by_check_in(device: &Value, since: Since) -> Evidence {
    let seen = device.get("lastSyncDateTime").and_then(Value::as_str).and_then(|at| at.parse::<Timestamp>().ok());
    match seen.map(|at| at.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since.earliest)) {
        Some(false) => Evidence::NoEffect("managementState is managed, and the device has not checked in since".into()),
        Some(true) => Evidence::CannotTell(
            "managementState is managed, but the device has checked in since, and one that keeps its enrolment comes back so"
                .into(),
        ),
        None => Evidence::CannotTell("managementState is managed, and nothing tells when the device checked in".into()),
    }
}

/// An entry that may be about the attempt.
struct ActionEntry<'n> {
    name: &'n str,
    /// By whatever clock; otherwise it may be of an attempt shortly before.
    is_newer: bool,
}

impl ActionEntry<'_> {
    fn evidence(&self) -> Evidence {
        let words = format!("deviceActionResults shows {}", self.name);
        match self.is_newer {
            true => Evidence::Effect(words),
            false => Evidence::CannotTell(format!("{words}, which may be of an earlier attempt")),
        }
    }
}

/// The newest entry that may be about the attempt.
fn newer_result<'n>(device: &Value, action_names: &[&'n str], since: Since) -> Option<ActionEntry<'n>> {
    let results = device.get("deviceActionResults").and_then(Value::as_array);
    let entries = results.into_iter().flatten().filter_map(|result| {
        let named = result.get("actionName").and_then(Value::as_str)?;
        let started = moment(result, "startDateTime")?;
        let name = action_names.iter().copied().find(|name| name.eq_ignore_ascii_case(named))?;
        let may_be = started.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since.earliest);
        // It may be told to the second.
        may_be.then_some((started, ActionEntry { name, is_newer: started.as_second() >= since.at.as_second() }))
    });
    entries.max_by_key(|(started, _)| *started).map(|(_, entry)| entry)
}

fn moment(document: &Value, name: &str) -> Option<Timestamp> {
    document.get(name)?.as_str()?.parse().ok()
}

fn by_result(device: &Value, action_name: &str, since: Since) -> Evidence {
    match newer_result(device, &[action_name], since) {
        Some(entry) => entry.evidence(),
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

/// A device that was enrolled after the attempt says nothing about it: those that it was made for may be gone.
fn by_devices(page: &Value, landed: &[&str], since: Since) -> Evidence {
    let Some((devices, whole)) = items(page) else {
        return Evidence::CannotTell("the read shows no list of devices".into());
    };
    let count = |test: &dyn Fn(&str) -> bool| devices.iter().filter(|device| test(state_of(device))).count();
    let leaving = count(&|state| landed.contains(&state));
    let staying = count(&|state| state == UNTOUCHED);
    let was_there = |device: &Value| {
        let enrolled = moment(device, "enrolledDateTime");
        enrolled.is_some_and(|at| at.saturating_add(CLOCK_SKEW).is_ok_and(|at| at < since.earliest))
    };
    match devices.len() {
        0 if whole => Evidence::Effect("the user has no managed devices left".into()),
        all if whole && leaving == all => Evidence::Effect(format!("all {all} devices of the user are leaving")),
        _ if whole && leaving == 0 && !devices.iter().all(was_there) => {
            let why = "the user has a device that was not there, or may not have been, when it was sent";
            Evidence::CannotTell(why.into())
        }
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
        let values: Vec<_> = parameters.iter().map(|name| (*name, Value::Bool(true))).collect();
        after(action, &values, document)
    }

    fn after(action: &str, values: &[(&str, Value)], document: Value) -> Evidence {
        let action = Action::named(action).unwrap();
        let values = values.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value.clone()));
        let job = Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new(action.default_route().ids.iter().map(|_| "x")),
            parameters: Parameters::new(action, values.collect()),
            not_before: None,
            note: None,
            after: None,
        });
        judge(&job, &document, Since::by_this_clock("2026-11-22T12:00:00Z".parse().unwrap()))
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
    fn a_device_that_was_enrolled_since_may_be_there_again_because_it_was_reset() {
        for action in ["wipe", "retire"] {
            let enrolled = |at: &str| evidence(action, json!({"managementState": "managed", "enrolledDateTime": at}));
            assert!(matches!(enrolled("2026-01-05T08:00:00Z"), Evidence::NoEffect(_)));
            assert!(matches!(enrolled("2026-11-22T12:05:00Z"), Evidence::CannotTell(_)));
        }
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

    /// The clock of the process that made the attempt was ten minutes ahead, and was set right since.
    #[test]
    fn what_another_clock_has_dated_is_not_taken_for_older() {
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let device = json!({
            "managementState": "managed", "lastSyncDateTime": "2026-11-22T11:51:00Z",
            "deviceActionResults": [{ "actionName": "factoryReset", "startDateTime": "2026-11-22T11:50:00Z" }],
        });
        let action = Action::named("wipe").unwrap();
        let wipe = Job::new(JobParts::plain(1, action, Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"])));
        let no_effect = |since| matches!(judge(&wipe, &device, since), Evidence::NoEffect(_));
        assert!(no_effect(Since::by_this_clock(at)), "an earlier one, by a clock that has gone on since");
        assert!(!no_effect(Since::by_another_clock(at)));
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
    fn what_was_sent_is_compared_with_what_is_there() {
        let enabled = |value: Value| evidence("disableUser", json!({"id": "x", "accountEnabled": value}));
        assert!(matches!(enabled(json!(false)), Evidence::Effect(_)));
        assert!(matches!(enabled(json!(true)), Evidence::NoEffect(_)));
        assert!(matches!(evidence("disableUser", json!({"id": "x"})), Evidence::CannotTell(_)));
        let assigned = |upn: &str| {
            after("assignUserToDevice", &[("userPrincipalName", json!("Ada@c.com"))], json!({"userPrincipalName": upn}))
        };
        assert!(matches!(assigned("ada@c.com"), Evidence::Effect(_)));
        assert!(matches!(assigned("eve@c.com"), Evidence::NoEffect(_)));
    }

    #[test]
    fn a_list_tells_when_it_is_whole() {
        let member = |page: Value| evidence("removeFromGroup", page);
        assert!(matches!(member(json!({"value": [{"id": "y"}]})), Evidence::Effect(_)));
        assert!(matches!(member(json!({"value": [{"id": "X"}], "@odata.nextLink": "n"})), Evidence::NoEffect(_)));
        assert!(matches!(member(json!({"value": [{"id": "y"}], "@odata.nextLink": "n"})), Evidence::CannotTell(_)));
        assert!(matches!(member(json!({})), Evidence::CannotTell(_)));
        assert!(matches!(member(json!({"value": [{"name": "y"}]})), Evidence::CannotTell(_)));
        let owner = |page: Value| evidence("removePrimaryUser", page);
        assert!(matches!(owner(json!({"value": []})), Evidence::Effect(_)));
        assert!(matches!(owner(json!({"value": [{"id": "u"}]})), Evidence::NoEffect(_)));
        assert!(matches!(owner(json!({})), Evidence::CannotTell(_)));
    }

    #[test]
    fn licences_must_agree() {
        let (one, two) = ("05e9a617-0261-4cee-bb44-138d3ef5d965", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e");
        let held = |held: &[&str]| {
            let held: Vec<_> = held.iter().map(|sku| json!({ "skuId": sku })).collect();
            after("removeLicenses", &[("skuIds", json!([one, two]))], json!({ "assignedLicenses": held }))
        };
        assert!(matches!(held(&[]), Evidence::Effect(_)));
        assert!(matches!(held(&[one, two]), Evidence::NoEffect(_)));
        assert!(matches!(held(&[two]), Evidence::CannotTell(_)));
    }

    #[test]
    fn what_cannot_be_read_is_gone_or_not_back() {
        let nothing = |name: &str| {
            let action = Action::named(name).unwrap();
            of_nothing(&Job::new(JobParts::plain(1, action, Ids::new(["x"]))))
        };
        assert!(matches!(nothing("deleteUser"), Evidence::Gone(_)));
        assert!(matches!(nothing("deleteAutopilotIdentity"), Evidence::Gone(_)));
        assert!(matches!(nothing("restoreUser"), Evidence::NoEffect(_)));
        assert!(matches!(nothing("disableUser"), Evidence::Gone(_)));
        assert!(matches!(nothing("wipe"), Evidence::Gone(_)));
    }

    #[test]
    fn devices_of_a_user_must_agree() {
        let states = |states: &[&str]| {
            let value: Vec<_> = states
                .iter()
                .map(|state| json!({"managementState": state, "enrolledDateTime": "2026-01-05T08:00:00Z"}))
                .collect();
            evidence("removeAllDevicesFromManagement", json!({ "value": value }))
        };
        assert!(matches!(states(&[]), Evidence::Effect(_)));
        let nonsense = evidence("removeAllDevicesFromManagement", json!({"login": "portal"}));
        assert!(matches!(nonsense, Evidence::CannotTell(_)));
        assert!(matches!(states(&["retirePending", "retireIssued"]), Evidence::Effect(_)));
        assert!(matches!(states(&["managed"]), Evidence::NoEffect(_)));
        assert!(matches!(states(&["managed", "retirePending"]), Evidence::CannotTell(_)));
    }

    fn at(job_action: &str, document: Value, since: &str) -> Evidence {
        let action = Action::named(job_action).unwrap();
        let ids = Ids::new(action.default_route().ids.iter().map(|_| "x"));
        judge(&Job::new(JobParts::plain(1, action, ids)), &document, Since::by_this_clock(since.parse().unwrap()))
    }

    #[test]
    fn an_entry_of_shortly_before_may_be_of_an_earlier_attempt() {
        let shown = |started: &str| {
            let results = json!([{ "actionName": "rebootNow", "startDateTime": started }]);
            at("rebootNow", json!({ "id": "x", "deviceActionResults": results }), "2026-11-22T12:00:00.5Z")
        };
        assert!(matches!(shown("2026-11-22T12:00:00Z"), Evidence::Effect(_)), "it is told to the second");
        assert!(matches!(shown("2026-11-22T11:59:30Z"), Evidence::CannotTell(why) if why.contains("earlier attempt")));
    }

    #[test]
    fn a_device_that_came_after_the_attempt_says_nothing_about_it() {
        let shown = |enrolled: &[&str]| {
            let device = |at: &&str| json!({ "id": at, "managementState": "managed", "enrolledDateTime": at });
            let devices: Vec<Value> = enrolled.iter().map(device).collect();
            at("removeAllDevicesFromManagement", json!({ "value": devices }), "2026-11-22T12:00:00Z")
        };
        assert!(matches!(shown(&["2026-01-05T08:00:00Z"]), Evidence::NoEffect(_)));
        for enrolled in [&["2026-11-23T08:00:00Z"][..], &["2026-01-05T08:00:00Z", "2026-11-22T11:59:00Z"], &[""]] {
            assert!(matches!(shown(enrolled), Evidence::CannotTell(_)), "{enrolled:?}");
        }
    }
}
