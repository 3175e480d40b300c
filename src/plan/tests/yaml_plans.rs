//! YAML plans.

use super::*;
use crate::catalog::{Allowance, TenantSize};
use proptest::prelude::*;

fn yaml(job: &str) -> String {
    format!("version: 1\njobs:\n{job}")
}

#[track_caller]
fn one(job: &str, parts: &[&str]) {
    one_fault("plan.yaml", &yaml(job), parts);
}

#[test]
fn a_priority_is_of_the_target_or_else_of_the_job() {
    let job = format!(
        "  - action: retire
    priority: 5
    targets:
      - managedDeviceId: {A}
      - {{ managedDeviceId: {B}, priority: -3 }}
  - steps: [syncDevice, wipe]
    targets:
      - {{ managedDeviceId: {B}, priority: \"7\" }}
"
    );
    let plan = loaded("plan.yaml", &yaml(&job));
    assert_eq!(plan.jobs.iter().map(|job| job.priority).collect::<Vec<_>>(), [5, -3, 7, 7]);
}

#[test]
fn what_a_plan_says_of_the_days_is_read() {
    let daily = "{ wipe: 50, turns_at: \"02:00\", zone: Europe/Berlin, delete_counts_as: [], refusals: [Tageslimit] }";
    let text = yaml(&format!(
        "  - action: retire\n    targets: [ {{ managedDeviceId: {A} }} ]\nlimits: {{ daily: {daily} }}\n"
    ));
    let daily = loaded("plan.yaml", &text).daily;
    assert_eq!((daily.wipe, daily.retire, daily.zone.as_deref()), (Some(50), None, Some("Europe/Berlin")));
    assert_eq!(daily.turns_at, Some(jiff::civil::time(2, 0, 0, 0)));
    assert_eq!((daily.delete_counts_as, daily.refusals), (Some(Vec::new()), Some(vec!["Tageslimit".to_owned()])));
}

#[test]
fn a_plan_becomes_jobs_in_its_order() {
    let text = format!(
        "version: 1
name: lab
tenant: contoso.com
justification: CHG1
limits: {{ concurrency: 16, reserve_percent: 20, max_attempts: 3 }}
jobs:
  - action: retire
    note: all
    targets:
      - managedDeviceId: '{{{}}}'
      - {{ id: {B}, note: this, notBefore: 2026-12-01, route: comanagedDevices }}
  - action: deprovision
    with: {{ deprovisionReason: upgrade }}
    targets:
      - intuneDeviceId: {A}
      - {{ managedDeviceId: {B}, with: {{ deprovisionReason: lost }} }}
",
        A.to_uppercase()
    );
    let plan = loaded("plan.yaml", &text);
    assert_eq!((plan.name.as_deref(), plan.tenant.as_deref()), (Some("lab"), Some("contoso.com")));
    assert_eq!(
        plan.limits,
        StatedLimits {
            concurrency: Some(16),
            reserve_percent: Some(20),
            max_attempts: Some(3),
            ..StatedLimits::default()
        }
    );
    let jobs: Vec<_> = plan.jobs.iter().map(|j| (j.row, j.action.name, j.route.name, j.target())).collect();
    assert_eq!(
        jobs,
        [
            (1, "retire", "managedDevices", A),
            (2, "retire", "comanagedDevices", B),
            (3, "deprovision", "managedDevices", A),
            (4, "deprovision", "managedDevices", B),
        ]
    );
    assert_eq!(plan.jobs[0].note.as_deref(), Some("all"));
    assert_eq!(plan.jobs[1].note.as_deref(), Some("this"));
    assert_eq!(plan.jobs[1].not_before.unwrap().to_string(), "2026-12-01T00:00:00Z");
    let body = |at: usize| plan.jobs[at].parameters.as_ref().map(|p| p.body().to_owned());
    assert_eq!(body(2).as_deref(), Some(r#"{"deprovisionReason":"upgrade"}"#));
    assert_eq!(body(3).as_deref(), Some(r#"{"deprovisionReason":"lost"}"#));
    assert_eq!((plan.inputs.len(), plan.inputs[0].rows, plan.inputs[0].format.as_str()), (1, 4, "YAML"));
}

#[test]
fn limits_name_the_tenants_size_a_priority_and_allowances_of_the_plans_own() {
    let with = |limits: &str| {
        format!("version: 1\nlimits: {limits}\njobs: [ {{ action: retire, targets: [ {{ id: {A} }} ] }} ]\n")
    };
    let text = with(
        "{ tenant_size: large, priority: low, allowances: { intune-devices/write: { requests: 50, window_seconds: 10 } } }",
    );
    let plan = loaded("plan.yaml", &text);
    assert_eq!((plan.limits.tenant_size, plan.limits.low_priority), (Some(TenantSize::Large), Some(true)));
    let own: Vec<_> = plan.limits.allowances.iter().flatten().collect();
    assert_eq!(own, [&Allowance { requests: 50, window: std::time::Duration::from_secs(10) }]);
    assert!(plan.warnings.is_empty());
    for (limits, parts) in [
        ("{ tenant_size: huge }", ["`tenant_size` must be small or medium or large", "huge"]),
        ("{ priority: high }", ["`priority` must be low or normal", "high"]),
        (
            "{ allowances: { intune-devices/writes: {} } }",
            ["no bucket `intune-devices/writes`", "`intune-devices/write`?"],
        ),
        ("{ allowances: { directory/read: { requests: 5 } } }", ["in a window", "window_seconds: 20"]),
        ("{ allowances: { directory/read: { requests: 0, window_seconds: 1 } } }", ["`requests`", "from 1"]),
    ] {
        one_fault("plan.yaml", &with(limits), &parts);
    }
}

#[test]
fn an_allowance_beyond_the_documented_one_is_warned_of() {
    let text = format!(
        "version: 1\nlimits: {{ allowances: {{ intune-devices/write: {{ requests: 400, window_seconds: 20 }} }} }}\n\
         jobs: [ {{ action: retire, targets: [ {{ id: {A} }} ] }} ]\n"
    );
    let plan = loaded("plan.yaml", &text);
    let warnings: Vec<_> = plan.warnings.iter().map(|warning| warning.render(false)).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("200 writes"), "{warnings:?}");
}

#[test]
fn steps_follow_each_other_for_each_target() {
    let plan = loaded(
        "plan.yaml",
        &yaml(&format!(
            "  - steps: [syncDevice, {{ action: wipe, with: {{ keepUserData: true }} }}, removeAllDevicesFromManagement]
    targets:
      - {{ managedDeviceId: {A}, userId: {B} }}
      - {{ managedDeviceId: {B}, userId: {A} }}
"
        )),
    );
    let jobs: Vec<_> = plan.jobs.iter().map(|j| (j.row, j.action.name, j.target(), j.after)).collect();
    assert_eq!(
        jobs,
        [
            (1, "syncDevice", A, None),
            (2, "wipe", A, Some(0)),
            (3, "removeAllDevicesFromManagement", B, Some(1)),
            (4, "syncDevice", B, None),
            (5, "wipe", B, Some(3)),
            (6, "removeAllDevicesFromManagement", A, Some(4)),
        ]
    );
}

#[test]
fn the_ids_choose_the_route() {
    let plan = loaded(
        "plan.yaml",
        &yaml(&format!(
            "  - action: unassignUserFromDevice
    targets:
      - {{ windowsAutopilotDeviceIdentityId: {A} }}
      - {{ windowsAutopilotDeviceIdentityId: {A}, assignedDeviceId: {B} }}
  - action: deprovision
    with: &why {{ deprovisionReason: x }}
    targets:
      - {{ deviceManagementScriptId: {A}, deviceManagementScriptDeviceStateId: 'a:b' }}
  - action: deprovision
    with: *why
    route: comanagedDevices
    targets: [ {{ id: {A}, managedDeviceId: '{}' }} ]
",
            A.to_uppercase()
        )),
    );
    let routes: Vec<_> = plan.jobs.iter().map(|job| job.route.name).collect();
    assert_eq!(
        routes,
        ["windowsAutopilotDeviceIdentities", "deploymentProfile", "deviceManagementScripts", "comanagedDevices"]
    );
    assert_eq!(plan.jobs[1].ids.iter().collect::<Vec<_>>(), [A, B]);
}

#[test]
fn targets_behind_an_alias_keep_their_own_parameters() {
    let plan = loaded(
        "plan.yaml",
        &yaml(&format!(
            "  - action: deprovision
    targets: &both
      - {{ id: {A}, with: {{ deprovisionReason: one }} }}
      - {{ id: {B}, with: {{ deprovisionReason: two }} }}
  - {{ action: deprovision, targets: *both }}
"
        )),
    );
    let reasons: Vec<_> = plan.jobs.iter().map(|job| job.parameters.as_ref().unwrap().body()).collect();
    let (one, two) = (r#"{"deprovisionReason":"one"}"#, r#"{"deprovisionReason":"two"}"#);
    assert_eq!(reasons, [one, two, one, two]);
}

#[test]
fn nothing_to_do_is_no_fault_but_a_plan_without_jobs_is() {
    assert!(loaded("p.yaml", "version: 1\njobs: []\n").jobs.is_empty());
    assert!(loaded("p.yml", &yaml("  - { action: retire, targets: [] }\n")).jobs.is_empty());
    one_fault("p.yaml", "version: 1\n", &["missing-key", "`jobs` is missing"]);
    one_fault("p.yaml", "jobs: []\n", &["missing-key", "`version` is missing", "write `version: 1`"]);
    one_fault("p.yaml", "version: 2\njobs: []\n", &["unknown-version", "p.yaml:1:10"]);
    one_fault("p.yaml", "version: '1'\njobs: []\n", &["wrong-type", "the number 1", "the text `1`"]);
    one_fault("p.yaml", "version: 1\njobs:\n", &["wrong-type", "`jobs` must be a list, not nothing"]);
}

#[test]
fn all_faults_are_told_in_one_go_in_their_order() {
    let text = format!(
        "version: 1
nmae: x
tenant: 5
limits: {{ concurrency: 0 }}
guards: {{ max_targts: 3 }}
jobs:
  - action: retier
    targets: [ {{ id: {A} }} ]
  - action: wipe
    with: {{ keepUserDat: true, macOsUnlockCode: 012345 }}
    targets:
      - managedDeviceId: 12
      - serialNumber: System Serial Number
      - {A}
      - managedDeviceId: 00000000-0000-0000-0000-000000000000
  - action: deprovision
    action: wipe
    notBefore: soon
    targets: {{ csv: nowhere.csv }}
"
    );
    let faults = load(&folder(&[("plan.yaml", text)]).plan).unwrap_err();
    let found: Vec<_> = faults.iter().map(|f| (f.code, f.place.as_ref().and_then(|p| p.line).unwrap())).collect();
    assert_eq!(
        found,
        [
            ("unknown-key", 2),
            ("wrong-type", 3),
            ("out-of-range", 4),
            ("unknown-key", 5),
            ("unknown-action", 7),
            ("unknown-parameter", 10),
            ("bad-parameter", 10),
            ("wrong-type", 12),
            ("selector", 13),
            ("wrong-type", 14),
            ("bad-id", 15),
            ("duplicate-key", 17),
            ("bad-date", 18),
            ("missing-file", 19),
        ],
        "{}",
        render(&faults)
    );
    let rendered = render(&faults);
    for part in [
        "did you mean `name`?",
        "did you mean `retire`? `musterout actions` lists them",
        "did you mean `keepUserData`?",
        "`macOsUnlockCode` must be six digits, in quotes, not the number 012345",
        "put it in quotes",
        "firmware uses this as a placeholder",
        "use the managedDeviceId of the device",
        &format!("write its kind: `managedDeviceId: {A}`"),
        "the nil GUID",
        "nowhere.csv: the file does not exist",
    ] {
        assert!(rendered.contains(part), "{part:?} is not in:\n{rendered}");
    }
}

#[test]
fn keys_of_jobs_and_targets_are_checked() {
    let t = format!("targets: [ {{ id: {A} }} ]");
    one(&format!("  - {{ action: retire, steps: [wipe], {t} }}\n"), &["wrong-keys", "either `action` or `steps`"]);
    one(&format!("  - {{ {t} }}\n"), &["missing-key", "`action` is missing"]);
    one("  - { action: retire }\n", &["missing-key", "`targets` is missing"]);
    one(&format!("  - {{ action: retire, target: 1, {t} }}\n"), &["unknown-key", "did you mean `targets`?"]);
    one(&format!("  - {{ steps: [], {t} }}\n"), &["`steps` is empty"]);
    one(&format!("  - {{ steps: [retire], route: users, {t} }}\n"), &["`route` belongs to a step"]);
    one(&format!("  - {{ steps: [{{ action: retire, after: 3d }}], {t} }}\n"), &["`after` must be `verified`"]);
    one(
        &format!("  - {{ action: retire, route: managedDevice, {t} }}\n"),
        &["no-route", "did you mean `managedDevices`?"],
    );
    one(
        &format!("  - {{ action: wipe, with: {{ keepUserData: yes }}, {t} }}\n"),
        &["bad-parameter", "true or false", "the text `yes`"],
    );
    one(&format!("  - {{ action: wipe, with: {{ keepUserData: 'true' }}, {t} }}\n"), &["bad-parameter"]);
    one(
        &format!("  - {{ action: deprovision, with: {{ deprovisionReason: 7 }}, {t} }}\n"),
        &["bad-parameter", "the number 7"],
    );
    one(
        &format!("  - {{ action: deprovision, {t} }}\n"),
        &["missing-parameter", "`deprovisionReason`", "plan.yaml:3:15"],
    );
    one("  - { action: deprovision, targets: [] }\n", &["missing-parameter"]);
    one(&format!("  - {{ action: retire, notBefore: 2026-12-01T10:00:00, {t} }}\n"), &["bad-date", "offset"]);
    one(&format!("  - {{ action: retire, << : {{}}, {t} }}\n"), &["unknown-key", "merge keys"]);
    one(
        &format!("  - {{ action: retire, targets: [ {{ managedDeviceID: {A}, id: {A} }} ] }}\n"),
        &["did you mean `managedDeviceId`?"],
    );
    one(
        &format!("  - {{ action: wipe, targets: [ {{ id: {A}, keepUserData: true }} ] }}\n"),
        &["with: { keepUserData: … }"],
    );
    one("  - { action: retire, targets: 5 }\n", &["`targets` must be a list, or a map with `csv`"]);
    one("  - { action: retire, targets: { } }\n", &["missing-key", "`csv`"]);
}

#[test]
fn ids_of_a_target_have_to_fit() {
    let target = |action: &str, keys: &str| format!("  - {{ action: {action}, targets: [ {{ {keys} }} ] }}\n");
    one(&target("retire", "note: x"), &["missing-id", "`retire` needs managedDeviceId"]);
    one(&target("retire", &format!("id: {A}, managedDeviceId: {B}")), &["contradicting-ids"]);
    one(&target("retire", &format!("managedDeviceId: {A}, intuneDeviceId: {A}")), &["duplicate-key", "mean the same"]);
    one(&target("removeAllDevicesFromManagement", "userId: a@b.c, upn: d@b.c"), &["contradicting-ids"]);
    one(
        &target("retire", &format!("assignedDeviceId: {A}")),
        &["no-route", "no route of `retire` has an id `assignedDeviceId`", "comanagedDevices (managedDeviceId)"],
    );
    one(
        &target("unassignUserFromDevice", &format!("assignedDeviceId: {A}")),
        &["no-route", "windowsAutopilotDeviceIdentityId and assignedDeviceId"],
    );
    one(&target("unassignUserFromDevice", &format!("id: {A}, route: deploymentProfile")), &["no-route", "takes 2 ids"]);
    one(
        &target("unassignUserFromDevice", &format!("id: {A}, assignedDeviceId: {B}")),
        &["no-route", "`id` is not enough"],
    );
    one(&target("retire", "managedDeviceId: 1.23E+10"), &["wrong-type", "1.23E+10"]);
    one(&target("retire", "managedDeviceId: '1.23E+10'"), &["bad-id", "1.23E+10"]);
    one(&target("retire", &format!("managedDeviceId: {A}, deviceName: x")), &["selector", "not both"]);
    let steps =
        |keys: &str| format!("  - {{ steps: [retire, removeAllDevicesFromManagement], targets: [ {{ {keys} }} ] }}\n");
    one(&steps(&format!("managedDeviceId: {A}")), &["missing-id", "`removeAllDevicesFromManagement` needs userId"]);
    one(&steps(&format!("id: {A}")), &["could mean managedDeviceId or userId"]);
    one(
        &steps(&format!("managedDeviceId: {A}, userId: {B}, assignedDeviceId: {A}")),
        &["no step uses `assignedDeviceId`"],
    );
}

#[test]
fn what_is_not_plain_yaml_stops_the_reading_with_its_reason() {
    one_fault("p.yaml", "version: 1\njobs: [\n", &["syntax", "p.yaml:2:7"]);
    one_fault("p.yaml", "version: 1\n---\njobs: []\n", &["syntax", "one YAML document"]);
    one_fault("p.yaml", "version: !x 1\njobs: []\n", &["syntax", "the tag `!x`"]);
    one_fault("p.yaml", "version: *x\njobs: []\n", &["syntax", "anchor"]);
    one_fault("p.yaml", "a:\n\t- b\n", &["syntax", "p.yaml:2:2"]);
    one_fault("p.yaml", "# nothing\n", &["empty-file"]);
    one_fault("p.yaml", "- 1\n", &["wrong-type", "a plan must be a map, not a list"]);
    one_fault("p.yaml", &format!("a: {}", "[".repeat(100_000)), &["a: ["]);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", "));
    }
    one_fault("p.yaml", &bomb, &["alias-bomb"]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(prop::sample::select(vec![
        "version: 1\n", "jobs:\n", "  - ", "action: retire", "\n", "    ", "targets: ", "[", "]", "{", "}", ", ", "id: x", "with: ", "steps: ", "'", "&a ", "*a", "\u{feff}", "é", "csv: .", "columns: ", "~", "? ",
    ]), 0..40)) {
        let _ = load(&folder(&[("p.yaml", text.concat())]).plan);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = load(&folder(&[("p.yaml", &bytes)]).plan);
        let _ = load(&folder(&[("p.csv", &bytes)]).plan);
    }
}
