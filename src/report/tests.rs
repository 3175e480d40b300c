//! Tests of the report as a whole: what is written reads back.
//!
//! In: jobs and settlements with whatever text a service or an operator can come up with. Out: verdicts.
//! Must not: need a tenant or a terminal.

use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;

use super::csv::write_csv;
use super::json_lines::write_json_lines;
use super::row::Mismatch;
use super::*;
use crate::catalog::Action;
use crate::job::{Ids, Job, JobParts};
use crate::outcome::{Cause, Outcome, ServiceError, Settlement, Stamp};

fn job(row: u32, action: &str, id: &str, note: Option<&str>) -> Job {
    let action = Action::named(action).unwrap();
    Job::new(JobParts {
        row,
        action,
        route: action.default_route(),
        ids: Ids::new([id]),
        parameters: None,
        not_before: None,
        note: note.map(Into::into),
        after: None,
    })
}

fn at(time: &str) -> Stamp {
    time.parse::<Timestamp>().unwrap().into()
}

fn settled(outcome: Outcome) -> Settlement {
    Settlement {
        outcome,
        cause: None,
        http_status: Some(204),
        error: None,
        attempts: 2,
        waited_ms: 1_500,
        duration_ms: 80,
        started_at: Some(at("2026-11-22T07:00:00.25Z")),
        finished_at: Some(at("2026-11-22T07:00:02Z")),
        request_id: Some("r-1".into()),
        client_request_id: Some("c-1".into()),
        note: None,
        follow_up: None,
    }
}

fn two() -> (Vec<Job>, Vec<Settlement>) {
    let jobs = vec![
        job(2, "retire", "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", Some("=lab")),
        job(3, "removeAllDevicesFromManagement", "ada@contoso.com", Some("leaver")),
    ];
    (jobs, vec![settled(Outcome::Accepted), Settlement::ended(Cause::Duplicate.with("2").into())])
}

fn csv_of(jobs: &[Job], settlements: &[Settlement]) -> String {
    let mut out = Vec::new();
    write_csv(&mut out, rows(jobs, settlements).unwrap()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_csv_report_looks_like_this() {
    let (jobs, settlements) = two();
    assert_eq!(
        csv_of(&jobs, &settlements),
        "row,job_id,action,target,target_name,outcome,http_status,error_code,error_message,attempts,waited_ms,\
         duration_ms,started_at,finished_at,request_id,client_request_id,request,note,verified_at,last_check_in\n\
         2,b79e8d84ef12afa24f35d917f24fe1d6,retire,7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11,,accepted,204,,,2,1500,80,\
         2026-11-22T07:00:00.250Z,2026-11-22T07:00:02.000Z,r-1,c-1,\
         POST /v1.0/deviceManagement/managedDevices/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11/retire,'=lab,,\n\
         3,"
        .to_owned()
            + &jobs[1].id.to_string()
            + ",removeAllDevicesFromManagement,ada@contoso.com,ada@contoso.com,held,,,,0,0,0,,,,,\
               POST /v1.0/users/ada@contoso.com/removeAllDevicesFromManagement,leaver; same job as row 2,,\n"
    );
}

#[test]
fn json_lines_are_exact_and_keep_the_order_of_the_columns() {
    let (jobs, settlements) = two();
    let mut out = Vec::new();
    write_json_lines(&mut out, rows(&jobs, &settlements).unwrap()).unwrap();
    let lines: Vec<serde_json::Map<String, serde_json::Value>> =
        std::str::from_utf8(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.keys().eq(COLUMNS.iter().chain([&"cause"]))));
    assert_eq!((&lines[0]["note"], &lines[0]["http_status"]), (&"=lab".into(), &204.into()));
    assert_eq!((&lines[0]["cause"], &lines[1]["cause"]), (&serde_json::Value::Null, &"duplicate".into()));
    assert!(lines[1]["http_status"].is_null() && lines[1]["started_at"].is_null());
}

#[test]
fn a_missing_settlement_is_an_error_and_not_a_shorter_report() {
    let (jobs, settlements) = two();
    assert_eq!(rows(&jobs, &settlements[..1]).err(), Some(Mismatch { jobs: 2, settlements: 1 }));
}

#[test]
fn a_file_appears_only_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.CSV");
    let (jobs, settlements) = two();

    let report = ReportFile::create(&path).unwrap();
    assert!(!path.exists());
    assert_eq!(report.finish(&jobs, &settlements).unwrap(), path);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), csv_of(&jobs, &settlements));

    assert!(ReportFile::create(&path).unwrap().finish(&jobs, &settlements[..1]).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), csv_of(&jobs, &settlements), "the old one stays");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left behind");
}

#[test]
fn a_report_whose_place_is_gone_is_somewhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (jobs, settlements) = two();
    let report = ReportFile::create(folder.path().join("r.csv")).unwrap();
    std::fs::remove_dir_all(folder.path()).unwrap();
    match report.finish(&jobs, &settlements) {
        Err(ReportError::Elsewhere { elsewhere, .. }) => {
            assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), csv_of(&jobs, &settlements));
            std::fs::remove_file(elsewhere).unwrap();
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn a_report_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = ReportFile::create(folder.path().join("r.jsonl")).unwrap().finish(&[], &[]).unwrap();
    std::fs::write(folder.path().join("plain"), "").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&folder.path().join("plain")));
}

#[test]
fn a_place_that_will_not_do_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str| ReportFile::create(folder.path().join(name)).unwrap_err().to_string();
    assert!(error("report").contains("use a name that ends in .csv, .jsonl, .ndjson or .json"));
    assert!(error("report.xlsx").contains("a name that ends in .csv"));
    assert!(error("no/report.csv").contains("does not exist: create it"));
    assert!(error("").contains("is a folder: use a file name"));
}

#[test]
fn the_default_name_says_which_plan_and_when() {
    let now = "2026-11-22T07:00:00Z".parse().unwrap();
    let first = OwnPlace::find(now, "mass-retirement").unwrap();
    assert_eq!(first.path(), Path::new("musterout-mass-retirement-20261122T070000Z.csv"));
    // Both are about to write theirs, and neither is there yet.
    let second = OwnPlace::find(now, "mass-retirement").unwrap();
    assert_eq!(second.path(), Path::new("musterout-mass-retirement-2-20261122T070000Z.csv"));
    drop(first);
    let third = OwnPlace::find(now, "mass-retirement").unwrap();
    assert_eq!(third.path(), Path::new("musterout-mass-retirement-20261122T070000Z.csv"));
}

/// Text that is likely to hurt.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r#"[ \t\r\n",;'=+@＝＋－＠a-]{0,12}"#]
}

proptest! {
    #[test]
    fn a_csv_report_reads_back(cells in prop::collection::vec((nasty(), nasty(), nasty()), 0..8)) {
        let mut jobs = Vec::new();
        let mut settlements = Vec::new();
        for (at, (target, note, message)) in cells.iter().enumerate() {
            let target: String = target.chars().filter(|c| !c.is_control()).collect();
            jobs.push(job(u32::try_from(at).unwrap(), "retire", &target, Some(note)));
            settlements.push(Settlement { error: ServiceError::new(None, Some(message.as_str().into())), ..settled(Outcome::Failed) });
        }
        let text = csv_of(&jobs, &settlements);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        prop_assert!(reader.headers().unwrap().iter().eq(COLUMNS));
        let records: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), jobs.len());
        for (record, (job, (_, note, message))) in records.iter().zip(jobs.iter().zip(&cells)) {
            prop_assert_eq!(&record[3], &*cell::harmless(job.target()));
            prop_assert_eq!(&record[17], &*cell::harmless(note));
            prop_assert_eq!(&record[8], &*cell::harmless(message));
            for cell in record {
                prop_assert!(!cell::is_formula(cell), "{cell:?}");
            }
        }
    }
}
