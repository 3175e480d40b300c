//! CSV plans.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn one(text: &str, parts: &[&str]) {
    one_fault("plan.csv", text, parts);
}

#[test]
fn rows_become_jobs_with_their_lines() {
    let text = format!(
        "sep=;\r\nAction;Managed Device ID;Deprovision reason;User ID;id;Not before;note;with.keepUserData\r\n\
         retire;{A};;;;;\"two\r\nlines\";\r\n;;;;;;;\r\n\
         deprovision; {{{B}}} ;left;;;2026-12-01;;\r\n\
         removeAllDevicesFromManagement;;;{A};;;;\r\n\
         wipe;;;;{A};;;TRUE\r\nwipe;;;;{B};;;true\r\n"
    );
    let plan = loaded("plan.csv", &text);
    let jobs: Vec<_> = plan.jobs.iter().map(|j| (j.row, j.action.name, j.target())).collect();
    assert_eq!(
        jobs,
        [
            (3, "retire", A),
            (6, "deprovision", B),
            (7, "removeAllDevicesFromManagement", A),
            (8, "wipe", A),
            (9, "wipe", B),
        ]
    );
    assert_eq!(plan.jobs[0].note.as_deref(), Some("two\r\nlines"));
    assert_eq!(plan.jobs[1].parameters.as_ref().map(|p| p.body()), Some(r#"{"deprovisionReason":"left"}"#));
    assert_eq!(plan.jobs[3].parameters.as_ref().map(|p| p.body()), Some(r#"{"keepUserData":true}"#));
    assert_eq!((plan.inputs[0].rows, plan.inputs[0].format.as_str()), (5, "CSV, UTF-8, separated by ;"));
}

#[test]
fn equal_parameters_are_shared() {
    let rows: String = (0..10).map(|_| format!("wipe,{A},true\n")).collect();
    let plan = loaded("plan.csv", &format!("action,id,keepUserData\n{rows}"));
    let first = plan.jobs[0].parameters.as_ref().unwrap();
    assert!(plan.jobs.iter().all(|job| std::sync::Arc::ptr_eq(job.parameters.as_ref().unwrap(), first)));
}

#[test]
fn a_header_alone_is_an_empty_plan() {
    assert!(loaded("plan.csv", "action,id\n").jobs.is_empty());
    assert!(loaded("plan.tsv", "action\tid\r\n\r\n").jobs.is_empty());
}

#[test]
fn headers_are_checked() {
    one(&format!("id\n{A}\n"), &["missing-column", "`action` is missing"]);
    let two = refused(&[("plan.csv", "action,Device ID (managedDeviceId),id\nretire,,x\n")]);
    assert!(two.contains("unknown-column") && two.contains("bad-id"), "{two}");
    one("action,note\nretire,x\n", &["missing-column", "no column identifies the targets"]);
    one(
        &format!("action,id,Managd Device Id\nretire,{A},\n"),
        &["unknown-column", "did you mean `managedDeviceId`?", "plan.csv:1:11"],
    );
    one(&format!("action,managedDeviceId,intune device id\nretire,{A},\n"), &["duplicate-column", "mean the same"]);
    one(&format!("action,keepUserData,with.keepUserData,id\nwipe,,,{A}\n"), &["duplicate-column"]);
    one(&format!("action,id,\nretire,{A},x\n"), &["row 2", "no header"]);
    assert_eq!(loaded("plan.csv", &format!("action,id,\nretire,{A},\n")).jobs.len(), 1);
    one(&vec!["x"; 2_000].join(","), &["too-large", "2000 columns"]);
}

#[test]
fn cells_are_checked_where_they_stand() {
    one(
        &format!("action,id\nretire,{A}\nretier,{B}\n"),
        &["row 3, column `action`: there is no action `retier`", "did you mean `retire`?", "plan.csv:3:1"],
    );
    one(&format!("action,id\n,{A}\n"), &["missing-action", "row 2, column `action`"]);
    one(&format!("action,id,note\nretire,{A}\n"), &["ragged-row", "row 2 has 2 cells, but the header has 3"]);
    one("action,id\nretire,1.23E+10\n", &["bad-id", "row 2, column `id`", "spreadsheet", "^^^^^^^^"]);
    one("action,id\nretire,00000000-0000-0000-0000-000000000000\n", &["nil GUID"]);
    one(
        "action,managedDeviceId\nretire,\n",
        &["missing-id", "row 2, column `managedDeviceId`: `retire` needs managedDeviceId"],
    );
    one(
        &format!("action,id,deprovisionReason\nretire,{A},x\n"),
        &["unknown-parameter", "row 2, column `deprovisionReason`", "it has none"],
    );
    one(
        &format!("action,id,deprovisionReason\ndeprovision,{A},\n"),
        &["missing-parameter", "row 2, column `deprovisionReason`"],
    );
    one(&format!("action,id\ndeprovision,{A}\n"), &["missing-parameter", "row 2, column `action`"]);
    one(&format!("action,id,macOsUnlockCode\nwipe,{A},12345\n"), &["bad-parameter", "`12345` is not six digits\n"]);
    one(&format!("action,id,keepUserData\nwipe,{A},yes\n"), &["bad-parameter", "true or false"]);
    one(
        &format!("action,managedDeviceId,userId\nretire,{A},{B}\n"),
        &["no-route", "row 2, column `userId`", "routes of `retire`"],
    );
    one(&format!("action,id,managedDeviceId\nretire,{A},{B}\n"), &["contradicting-ids", "row 2, column `id`"]);
    one(&format!("action,id,deviceName\nretire,{A},x\n"), &["selector", "not both", "row 2, column `id`"]);
    one(&format!("action,id,notBefore\nretire,{A},12/1/2026\n"), &["bad-date", "row 2, column `notBefore`"]);
    one(&format!("action,id,route\nretire,{A},comanagedDevice\n"), &["no-route", "did you mean `comanagedDevices`?"]);
    let text = format!("action,id,route\nretire,{A},comanagedDevices\n");
    assert_eq!(loaded("plan.csv", &text).jobs[0].route.name, "comanagedDevices");
}

#[test]
fn a_huge_cell_does_not_flood_the_terminal() {
    let text = format!("action,id\nretire,{}\n", "x".repeat(1_000_000));
    let rendered = refused(&[("plan.csv", text)]);
    assert!(rendered.len() < 1_500, "{}", rendered.len());
    assert!(rendered.contains("plan.csv:2:8"), "{rendered}");
}

#[test]
fn every_broken_row_is_counted() {
    let rows = "retire,x\n".repeat(5_000);
    let faults = load(&folder(&[("plan.csv", format!("action,id\n{rows}"))]).plan).unwrap_err();
    assert_eq!((faults.errors(), faults.iter().count()), (5_000, Diagnostics::KEPT));
}

#[test]
fn utf_16_reads_like_utf_8() {
    let text = format!("action\tid\tnote\r\nretire\t{A}\tgröße\r\n");
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let plan = load(&folder(&[("plan.csv", bytes)]).plan).unwrap();
    assert_eq!(plan.jobs[0].note.as_deref(), Some("größe"));
    assert_eq!(plan.inputs[0].format, "CSV, UTF-16LE, separated by tab");
}

proptest! {
    #[test]
    fn rows_in_are_jobs_or_faults_out(rows in prop::collection::vec(prop::sample::select(vec![
        "retire,7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11,", "wipe,7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11,true", ",,", "retire,,", "nope,1,2", "a", "\"x,\"\"", "wipe,,,", "deprovision,1,é",
    ]), 0..20)) {
        let text = format!("action,id,keepUserData\n{}", rows.join("\n"));
        let filled = rows.iter().filter(|row| **row != ",,").count();
        match load(&folder(&[("p.csv", text)]).plan) {
            Ok(plan) => prop_assert_eq!(plan.jobs.len(), filled),
            Err(faults) => prop_assert!(faults.errors() > 0),
        }
    }
}
