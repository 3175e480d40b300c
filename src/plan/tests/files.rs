//! Files: missing, too large, of the wrong kind, and targets in files of their own.

use std::path::Path;

use super::*;
use crate::plan::input::{CSV_LIMIT, YAML_LIMIT};

fn job(targets: &str) -> String {
    format!(
        "version: 1\njobs:\n  - action: deprovision\n    with: {{ deprovisionReason: x }}\n    targets: {targets}\n"
    )
}

#[test]
fn targets_come_from_a_file_beside_the_plan() {
    let csv = format!("Gerät,Managed device-id,Grund\na,{A},\nb,{B},lost\n");
    let yaml = job("{ csv: t.csv, columns: { managedDeviceId: managed DEVICE id, with.deprovisionReason: grund } }");
    let plan = load(&folder(&[("plan.yaml", yaml), ("t.csv", csv)]).plan).unwrap();
    let jobs: Vec<_> = plan.jobs.iter().map(|j| (j.row, j.target(), j.parameters.as_ref().unwrap().body())).collect();
    assert_eq!(jobs, [(1, A, r#"{"deprovisionReason":"x"}"#), (2, B, r#"{"deprovisionReason":"lost"}"#)]);
    assert_eq!(plan.inputs.len(), 2);
    assert_eq!((plan.inputs[1].rows, plan.inputs[1].unused_columns.as_slice()), (2, &["Gerät".to_owned()][..]));
    assert!(plan.inputs[1].file.ends_with("t.csv"));
}

#[test]
fn faults_of_a_file_of_targets_stand_in_it() {
    let rendered = refused(&[
        ("plan.yaml", job("{ csv: t.csv }")),
        ("t.csv", format!("managedDeviceId,Gerät,deprovisonReason,action\nx,,,\n{A},,,\n{A}\n")),
    ]);
    for part in [
        "t.csv:1:17",
        "`Gerät` has no meaning here",
        "did you mean `deprovisionReason`?",
        "a list of targets cannot have a column `action`",
        "row 2, column `managedDeviceId`: `x`: not a GUID",
        "row 4 has 1 cells, but the header has 4",
    ] {
        assert!(rendered.contains(part), "{part:?} is not in:\n{rendered}");
    }
}

#[test]
fn faults_of_columns_stand_in_the_plan() {
    let rendered = refused(&[
        (
            "plan.yaml",
            job("{ csv: t.csv, columns: { id: Devce, nte: x, action: y, note: No such, managedDeviceId: true } }"),
        ),
        ("t.csv", "Device,Other\nx,y\n".into()),
    ]);
    for part in [
        "has no column `Devce`",
        "did you mean `Device`?",
        "`columns` has no key `nte`",
        "a list of targets cannot have a column `action`",
        "its columns are Device, Other",
        "the name or number of a column must be text",
    ] {
        assert!(rendered.contains(part), "{part:?} is not in:\n{rendered}");
    }
}

#[test]
fn a_required_parameter_is_missed_once_for_a_file_without_its_column() {
    let yaml = "version: 1\njobs:\n  - { action: deprovision, targets: { csv: t.csv } }\n";
    let rows = format!("{A}\n").repeat(3);
    let faults = load(&folder(&[("plan.yaml", yaml), ("t.csv", &format!("id\n{rows}"))]).plan).unwrap_err();
    assert_eq!(faults.errors(), 1, "{}", render(&faults));
    assert!(render(&faults).contains("plan.yaml:3:15"), "{}", render(&faults));
    let faults = load(&folder(&[("plan.yaml", yaml), ("t.csv", &format!("id,deprovisionReason\n{A},\n{A},\n"))]).plan);
    assert_eq!(faults.unwrap_err().errors(), 2);
    let empty = load(&folder(&[("plan.yaml", yaml), ("t.csv", "id,deprovisionReason\n")]).plan);
    assert!(empty.is_ok_and(|plan| plan.jobs.is_empty()));
    let broken = load(&folder(&[("plan.yaml", yaml), ("t.csv", "\"id,deprovisionReason\n")]).plan);
    assert_eq!(broken.unwrap_err().errors(), 1);
}

#[test]
fn a_route_is_not_named_for_several_steps() {
    let yaml = "version: 1\njobs:\n  - { steps: [syncDevice, retire], targets: { csv: t.csv } }\n";
    let rendered = refused(&[("plan.yaml", yaml), ("t.csv", &format!("id,route\n{A},managedDevices\n"))]);
    assert!(rendered.contains("row 2, column `route`: with several steps, write `route` in each step"), "{rendered}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let fault = |path: &Path| render(&load(path).unwrap_err());
    let dir = tempfile::tempdir().unwrap();
    assert!(fault(&dir.path().join("no.yaml")).contains("missing-file"));
    std::fs::create_dir(dir.path().join("d.csv")).unwrap();
    assert!(fault(&dir.path().join("d.csv")).contains("a folder"));
    assert!(fault(&dir.path().join("plan.txt")).contains("unknown-format"));
    assert!(fault(&dir.path().join("plan")).contains(".yaml, .yml, .csv or .tsv"));
    for (name, limit) in [("big.yaml", YAML_LIMIT), ("big.csv", CSV_LIMIT)] {
        let path = dir.path().join(name);
        std::fs::File::create(&path).unwrap().set_len(limit + 1).unwrap();
        let text = fault(&path);
        assert!(text.contains("too-large") && text.contains("split it, or list targets in a CSV file"), "{text}");
        assert!(text.contains(&format!("{} MiB", limit >> 20)), "{text}");
    }
    for name in ["e.yaml", "e.csv", "e.tsv"] {
        std::fs::write(dir.path().join(name), "").unwrap();
        assert!(fault(&dir.path().join(name)).contains("empty-file"));
    }
    std::fs::write(dir.path().join("x.yaml"), b"version: 1\nname: \xff\n").unwrap();
    assert!(fault(&dir.path().join("x.yaml")).contains("line 2 is not valid UTF-8"));
}

#[test]
fn a_file_of_targets_that_cannot_be_read_is_shown_where_it_is_named() {
    let faults = load(&folder(&[("plan.yaml", job("{ csv: no.csv }"))]).plan).unwrap_err();
    let text = render(&faults);
    assert!(text.contains("plan.yaml:5:21") && text.contains("no.csv: the file does not exist"), "{text}");
    let text = refused(&[("plan.yaml", job("{ csv: t.csv }").into_bytes()), ("t.csv", b"id\n\xff\n".to_vec())]);
    assert!(text.contains("t.csv:2") && text.contains("bad-encoding"), "{text}");
}
