//! Tests of the preview as a whole.
//!
//! In: a small plan with every state in it. Out: verdicts on counts, rows and both formats. Must not: need a tenant.

use std::time::Duration;

use serde_json::{Value, json};

use super::write::COLUMNS;
use super::*;
use crate::catalog::{Action, Budget};
use crate::guard::preflight;
use crate::job::{Ids, Job, JobParts, Parameters};

const ID: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";

fn job(row: u32, action: &str, id: &str, values: Vec<(&str, Value)>) -> Job {
    let action = Action::named(action).unwrap();
    let values = values.into_iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value)).collect();
    Job::new(JobParts {
        row,
        action,
        route: action.default_route(),
        ids: Ids::new([id]),
        parameters: Parameters::new(action, values),
        not_before: None,
        note: None,
        after: None,
    })
}

fn plan() -> Vec<Job> {
    let mut jobs = vec![
        job(2, "retire", ID, vec![]),
        job(3, "retire", &ID.to_uppercase(), vec![]),
        job(4, "deprovision", ID, vec![("deprovisionReason", json!("upgrade"))]),
        job(5, "removeAllDevicesFromManagement", "ada@contoso.com", vec![]),
    ];
    jobs[0].note = Some("=lab".into());
    jobs[2].after = Some(0);
    jobs[3].not_before = Some("2026-12-01T00:00:00Z".parse().unwrap());
    jobs
}

fn with_preview<T>(check: impl FnOnce(&Preview<'_>) -> T) -> T {
    let jobs = plan();
    let found = preflight::inspect(&jobs, "2026-11-22T07:00:00Z".parse().unwrap());
    check(&Preview::new(&jobs, &found, Budget::documented(0)))
}

#[test]
fn every_row_is_counted_once() {
    with_preview(|preview| {
        let counts: Vec<_> = preview.actions.iter().map(|c| (c.action.name, c.send, c.held, c.not_due)).collect();
        assert_eq!(
            counts,
            [("retire", 1, 1, 0), ("deprovision", 1, 0, 0), ("removeAllDevicesFromManagement", 0, 0, 1)]
        );
        assert_eq!((preview.total(), preview.send(), preview.held(), preview.not_due()), (4, 2, 1, 1));
        assert_eq!(preview.dangerous(), 2);
    });
}

#[test]
fn the_longest_bucket_is_the_forecast() {
    let jobs: Vec<_> = (0..100)
        .map(|row| job(row, "syncDevice", &format!("{row}"), vec![]))
        .chain((100..200).map(|row| job(row, "unassignUserFromDevice", &format!("{row}"), vec![])))
        .collect();
    let found = preflight::inspect(&jobs, jiff::Timestamp::UNIX_EPOCH);
    let preview = Preview::new(&jobs, &found, Budget::documented(20));
    let longest = preview.longest().unwrap();
    assert_eq!((longest.bucket.to_string(), longest.requests), ("intune-other/write".into(), 100));
    assert!(longest.time > Duration::from_secs(25) && longest.time < Duration::from_secs(26), "{:?}", longest.time);
    assert_eq!(preview.buckets.len(), 2);
}

#[test]
fn csv_looks_like_this() {
    with_preview(|preview| {
        let mut out = Vec::new();
        write_csv(preview, "https://graph.microsoft.com/", &mut out).unwrap();
        let devices = "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices";
        let ids: Vec<_> = preview.rows().map(|row| row.job.id.to_string()).collect();
        let expected = [
            COLUMNS.join(","),
            format!("2,{},retire,{ID},POST,{devices}/{ID}/retire,,irreversible,send,,'=lab", ids[0]),
            format!(
                "3,{},retire,{upper},POST,{devices}/{upper}/retire,,irreversible,held,,same job as row 2",
                ids[1],
                upper = ID.to_uppercase()
            ),
            format!(
                "4,{},deprovision,{ID},POST,{}/{ID}/deprovision,\"{{\"\"deprovisionReason\"\":\"\"upgrade\"\"}}\",\
                 destructive,send,,after retire of row 2",
                ids[2],
                devices.replace("v1.0", "beta")
            ),
            format!(
                "5,{},removeAllDevicesFromManagement,ada@contoso.com,POST,https://graph.microsoft.com/v1.0/users/\
                 ada@contoso.com/removeAllDevicesFromManagement,,irreversible,not_due,2026-12-01T00:00:00Z,\
                 not before 2026-12-01 00:00:00 UTC",
                ids[3]
            ),
        ];
        assert_eq!(String::from_utf8(out).unwrap(), expected.join("\n") + "\n");
    });
}

#[test]
fn json_is_one_document_with_exact_values() {
    with_preview(|preview| {
        let mut out = Vec::new();
        write_json(preview, "https://graph.microsoft.com", None, &mut out).unwrap();
        let document: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["summary"]["send"], 2);
        assert_eq!(document["summary"]["buckets"][0]["per_second"], 10.0);
        let jobs = document["jobs"].as_array().unwrap();
        assert!(jobs.iter().all(|job| job.as_object().unwrap().keys().eq(COLUMNS)));
        assert_eq!((jobs.len(), &jobs[0]["note"]), (4, &json!("=lab")));
        assert_eq!(jobs[2]["body"], json!({"deprovisionReason": "upgrade"}));
        assert!(jobs[0]["body"].is_null());
    });
}

#[test]
fn a_plan_without_jobs_is_shown_too() {
    let found = preflight::inspect(&[], jiff::Timestamp::UNIX_EPOCH);
    let preview = Preview::new(&[], &found, Budget::documented(0));
    let mut out = Vec::new();
    write_json(&preview, "https://graph.microsoft.com", None, &mut out).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&document["jobs"], &document["summary"]["seconds"]), (&json!([]), &json!(0.0)));
    assert!(preview.longest().is_none());
}
