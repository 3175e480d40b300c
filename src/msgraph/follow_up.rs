//! What a read tells about an action that the service has accepted: whether the device has done it.
//!
//! In: the job, the document that was read, when the attempt left, when it is read. Out: a [`FollowUp`]. Pure.
//! Must not: take a queue for a deed, or an old failure for a new one. `evidence` asks whether the service has the action;
//! here the question is how it ended.
//!
//! Source: `managementState`, `deviceActionResults` and `lastSyncDateTime` of Graph's managedDevice resource.

use jiff::Timestamp;
use serde_json::Value;

use super::evidence::{self, CLOCK_SKEW, UNTOUCHED, items, state_of, stays_managed};
use crate::catalog::ReadBack;
use crate::job::Job;
use crate::outcome::{Evidence, FollowUp, Since, Stage};
use crate::text::{Medium, harmless};

/// How far an action is, and what was seen.
type StageInWords = (Stage, String);

/// The entry of `deviceActionResults` that is about the action.
struct NewestEntry<'d> {
    name: &'d str,
    state: &'d str,
    started: Timestamp,
    /// The service wrote it after the attempt had left, by whatever clock.
    is_news: bool,
}

pub(super) fn judge(job: &Job, document: &Value, since: Timestamp, now: Timestamp) -> FollowUp {
    let (stage, words) = match job.action.read_back {
        ReadBack::ManagementState { landed, failed, cancelled, action_names, stays } => {
            let states = DeviceStates { landed, failed, cancelled, stays: stays_managed(job, stays) };
            device_state(document, &states, newest(document, action_names, since), since)
        }
        ReadBack::ActionResult { action_name } => match newest(document, &[action_name], since) {
            Some(entry) => by_entry(&entry),
            None => (Stage::Unseen, format!("deviceActionResults shows no {action_name}")),
        },
        ReadBack::UserDevices { .. } => by_devices(job, document, since),
        _ => by_evidence(evidence::judge(job, document, Since::by_this_clock(since))),
    };
    FollowUp {
        stage,
        words: harmless(&words, Medium::Message).into(),
        last_check_in: last_check_in(document),
        read_at: now,
    }
}

/// What it means that the service knows nothing to read. It has accepted the action, so that the target was there.
pub(super) fn of_nothing(job: &Job, now: Timestamp) -> FollowUp {
    let (stage, words) = match job.action.read_back {
        ReadBack::ManagementState { stays, .. } if !stays_managed(job, stays) => {
            (Stage::Done, "the device is not there any more".to_owned())
        }
        ReadBack::Absent | ReadBack::AbsentLater => (Stage::Done, "a read showed that it is gone".to_owned()),
        // A user that goes leaves its devices behind.
        ReadBack::UserDevices { .. } => {
            (Stage::Untold, "the user is not there any more, so nothing tells of the devices".to_owned())
        }
        _ => by_evidence(evidence::of_nothing(job)),
    };
    FollowUp { stage, words: words.into(), last_check_in: None, read_at: now }
}

/// Where what is there is what there is to it.
fn by_evidence(evidence: Evidence) -> StageInWords {
    match evidence {
        Evidence::Effect(seen) => (Stage::Done, seen),
        Evidence::Gone(seen) => (Stage::Untold, format!("{seen}, so nothing tells any more")),
        Evidence::NoEffect(seen) | Evidence::CannotTell(seen) => (Stage::Unseen, seen),
        Evidence::NotRead(reply) => (Stage::Unseen, reply.reason().into()),
    }
}

/// What `managementState` says of an action.
struct DeviceStates<'a> {
    landed: &'a [&'a str],
    failed: &'a str,
    cancelled: &'a str,
    /// The device is managed again in the end.
    stays: bool,
}

fn device_state(
    device: &Value,
    states: &DeviceStates<'_>,
    entry: Option<NewestEntry<'_>>,
    since: Timestamp,
) -> StageInWords {
    let DeviceStates { landed, failed, cancelled, stays } = *states;
    let state = state_of(device);
    let told = match entry.as_ref().map(by_entry) {
        // What the device is about to do has not ended: an entry that says so is of another attempt, by whatever clock.
        Some((stage, _)) if !stage.is_open() && landed.contains(&state) => None,
        Some((stage, words)) if !stage.is_open() => return (stage, words),
        told => told,
    };
    let words = format!("managementState is {state}");
    let ends = [(failed, Stage::Failed), (cancelled, Stage::Cancelled)];
    let ended = ends.into_iter().find(|(name, _)| *name == state).map(|(_, stage)| stage);
    match ended {
        // A device that failed at it once may be asked again: only what it says after the attempt is about this one.
        Some(_) if checked_in_since(device, since) != Some(true) => {
            (Stage::Unseen, format!("{words}, which may be of an earlier attempt"))
        }
        Some(stage) => (stage, words),
        None if landed.contains(&state) => (Stage::Pending, words),
        None if state == UNTOUCHED && stays && checked_in_since(device, since) == Some(true) => (
            Stage::Unseen,
            format!("{words}, as it is in the end; the device has checked in since, and nothing tells more"),
        ),
        None => told.unwrap_or((Stage::Unseen, words)),
    }
}

fn by_entry(entry: &NewestEntry<'_>) -> StageInWords {
    let NewestEntry { name, state, is_news, .. } = entry;
    let words = format!("deviceActionResults shows {name} {state}");
    match *state {
        "done" | "failed" | "notSupported" | "canceled" if !is_news => {
            (Stage::Unseen, format!("{words}, which may be of an earlier attempt"))
        }
        "done" => (Stage::Done, words),
        "failed" | "notSupported" => (Stage::Failed, words),
        "canceled" => (Stage::Cancelled, words),
        _ => (Stage::Pending, words),
    }
}

fn by_devices(job: &Job, page: &Value, since: Timestamp) -> StageInWords {
    let none_left = items(page).is_some_and(|(devices, _)| devices.is_empty());
    match evidence::judge(job, page, Since::by_this_clock(since)) {
        Evidence::Effect(seen) if !none_left => (Stage::Pending, seen),
        other => by_evidence(other),
    }
}

/// The newest entry under one of those names that is not older than the attempt.
fn newest<'d>(device: &'d Value, names: &[&str], since: Timestamp) -> Option<NewestEntry<'d>> {
    let entries = device.get("deviceActionResults").and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &'d Value, name: &str| entry.get(name).and_then(Value::as_str);
    let entry = |entry: &'d Value| {
        let moment = |name: &str| text(entry, name)?.parse::<Timestamp>().ok();
        let started = moment("startDateTime")?;
        let updated = moment("lastUpdatedDateTime").unwrap_or(started).max(started);
        Some(NewestEntry {
            name: text(entry, "actionName")?,
            state: text(entry, "actionState").unwrap_or("pending"),
            started,
            // It may be told to the second. One that began before is of an attempt before.
            is_news: updated.as_second() >= since.as_second() && started.as_second() >= since.as_second(),
        })
    };
    let mine = entries.filter_map(entry).filter(|entry| {
        names.iter().any(|name| name.eq_ignore_ascii_case(entry.name)) && is_since(entry.started, since)
    });
    mine.max_by_key(|entry| entry.started)
}

fn is_since(at: Timestamp, since: Timestamp) -> bool {
    at.saturating_add(CLOCK_SKEW).is_ok_and(|at| at >= since)
}

/// Our clock may be slow: a check-in counts as one after the attempt only if it is so by any clock.
fn checked_in_since(device: &Value, since: Timestamp) -> Option<bool> {
    last_check_in(device).map(|at| at.saturating_sub(CLOCK_SKEW).is_ok_and(|at| at >= since))
}

/// Of several devices, that of the one that was away longest.
fn last_check_in(document: &Value) -> Option<Timestamp> {
    let of = |device: &Value| {
        let at: Timestamp = device.get("lastSyncDateTime")?.as_str()?.parse().ok()?;
        // A year before 1900 is how the service writes "never".
        (at > NEVER).then_some(at)
    };
    match document.get("value").and_then(Value::as_array) {
        Some(devices) => devices.iter().filter_map(of).min(),
        None => of(document),
    }
}

const NEVER: Timestamp = Timestamp::constant(-2_208_988_800, 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts, Parameters};
    use serde_json::json;

    const SENT: &str = "2026-11-22T12:00:00.5Z";
    const BEFORE: &str = "2026-11-22T11:00:00Z";
    const AFTER: &str = "2026-11-22T12:30:00Z";

    fn job(action: &str, with: &[&str]) -> Job {
        let action = Action::named(action).unwrap();
        let values = with.iter().map(|name| (action.parameter_named(name).unwrap(), Value::Bool(true)));
        Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new(["x"]),
            parameters: Parameters::new(action, values.collect()),
            not_before: None,
            note: None,
            after: None,
        })
    }

    fn stage(action: &str, document: Value) -> Stage {
        let (sent, now) = (SENT.parse().unwrap(), AFTER.parse().unwrap());
        judge(&job(action, &[]), &document, sent, now).stage
    }

    fn state(state: &str, last_check_in: &str) -> Value {
        json!({ "managementState": state, "lastSyncDateTime": last_check_in, "deviceActionResults": [] })
    }

    fn entry(name: &str, state: &str, started: &str, updated: &str) -> Value {
        let entry = json!({ "actionName": name, "actionState": state, "startDateTime": started, "lastUpdatedDateTime": updated });
        json!({ "managementState": "managed", "deviceActionResults": [entry] })
    }

    #[test]
    fn the_words_of_the_service_steer_nothing() {
        let (sent, now) = (SENT.parse().unwrap(), AFTER.parse().unwrap());
        let seen = judge(&job("wipe", &[]), &state("wipe\u{1b}[2J\u{202e}\nIssued", AFTER), sent, now);
        assert!(seen.words.contains("wipe\u{fffd}[2J\u{fffd} Issued"), "{}", seen.words);
    }

    #[test]
    fn what_waits_for_the_device_is_pending_and_what_is_gone_is_done() {
        for (action, waiting) in [("retire", "retirePending"), ("retire", "retireIssued"), ("wipe", "wipeIssued")] {
            assert_eq!(stage(action, state(waiting, BEFORE)), Stage::Pending, "{waiting}");
        }
        assert_eq!(stage("wipe", state("managed", AFTER)), Stage::Unseen);
        assert_eq!(stage("wipe", state("retirePending", AFTER)), Stage::Unseen);
        assert_eq!(stage("wipe", json!({})), Stage::Unseen);
        let gone = |action: &str, with: &[&str]| of_nothing(&job(action, with), Timestamp::UNIX_EPOCH).stage;
        assert_eq!([gone("retire", &[]), gone("wipe", &[])], [Stage::Done; 2]);
        assert_eq!([gone("delete", &[]), gone("deleteAutopilotIdentity", &[])], [Stage::Done; 2]);
        // The user is gone, and nobody has looked at the devices.
        assert_eq!(gone("removeAllDevicesFromManagement", &[]), Stage::Untold);
        // It was to come back, and it has not; and a lock proves nothing by a device that is gone.
        assert_eq!([gone("wipe", &["keepUserData"]), gone("remoteLock", &[])], [Stage::Untold; 2]);
    }

    #[test]
    fn a_failure_counts_when_the_device_has_been_there_since() {
        for (action, name, stage_of) in [
            ("retire", "retireFailed", Stage::Failed),
            ("retire", "retireCanceled", Stage::Cancelled),
            ("wipe", "wipeFailed", Stage::Failed),
            ("wipe", "wipeCanceled", Stage::Cancelled),
        ] {
            assert_eq!(stage(action, state(name, AFTER)), stage_of, "{name}");
            assert_eq!(stage(action, state(name, BEFORE)), Stage::Unseen, "{name}");
        }
        assert_eq!(stage("retire", state("wipeFailed", AFTER)), Stage::Unseen, "that is about another action");
    }

    #[test]
    fn the_list_of_results_says_how_it_ended() {
        for (word, stage_of) in [
            ("pending", Stage::Pending),
            ("none", Stage::Pending),
            ("active", Stage::Pending),
            ("done", Stage::Done),
            ("failed", Stage::Failed),
            ("notSupported", Stage::Failed),
            ("canceled", Stage::Cancelled),
        ] {
            assert_eq!(stage("rebootNow", entry("rebootNow", word, AFTER, AFTER)), stage_of, "{word}");
            assert_eq!(stage("wipe", entry("factoryReset", word, AFTER, AFTER)), stage_of, "{word}");
            assert_eq!(stage("rebootNow", entry("rebootNow", word, BEFORE, BEFORE)), Stage::Unseen, "{word}");
            assert_eq!(stage("rebootNow", entry("shutDown", word, AFTER, AFTER)), Stage::Unseen, "{word}");
        }
        // A minute before by the service's clock: it may be this one, and then it is not over.
        let close = |word: &str| entry("rebootNow", word, "2026-11-22T11:59:10Z", "2026-11-22T11:59:20Z");
        assert_eq!(
            [stage("rebootNow", close("pending")), stage("rebootNow", close("failed"))],
            [Stage::Pending, Stage::Unseen]
        );
        let same_second = entry("rebootNow", "done", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z");
        assert_eq!(stage("rebootNow", same_second), Stage::Done);
    }

    #[test]
    fn a_user_without_devices_is_done_and_devices_that_are_leaving_are_not() {
        let devices = |states: &[&str]| {
            let value: Vec<_> = states.iter().map(|name| state(name, BEFORE)).collect();
            stage("removeAllDevicesFromManagement", json!({ "value": value }))
        };
        assert_eq!(devices(&[]), Stage::Done);
        assert_eq!(devices(&["retirePending", "retireIssued"]), Stage::Pending);
        assert_eq!([devices(&["managed"]), devices(&["managed", "retirePending"])], [Stage::Unseen; 2]);
    }

    #[test]
    fn the_last_check_in_is_told_and_never_is_none() {
        let seen = |device: Value| {
            let now = AFTER.parse().unwrap();
            judge(&job("wipe", &[]), &device, SENT.parse().unwrap(), now).to_string()
        };
        let told = "managementState is wipePending; last check-in 2026-11-22 11:00:00 UTC";
        assert_eq!(seen(state("wipePending", BEFORE)), told);
        assert_eq!(seen(state("wipePending", "0001-01-01T00:00:00Z")), "managementState is wipePending");
    }
}
