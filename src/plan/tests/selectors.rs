//! Rows without ids: what is kept to be looked up, and what is refused unseen.

use super::*;
use crate::catalog::TargetKind;

/// What is kept of a plan, as `row: pointer -> kinds`.
fn kept(plan: &Plan) -> Vec<String> {
    let row = |row: &Unresolved| {
        let kinds: Vec<_> = row.steps.iter().map(|step| step.kind.name()).collect();
        format!("{:?} at {}: {} -> {}", row.row, row.at, row.pointer, kinds.join(", "))
    };
    plan.unresolved.iter().map(row).collect()
}

fn yaml(jobs: &str) -> Plan {
    loaded("plan.yaml", &format!("version: 1\njobs:\n{jobs}"))
}

#[track_caller]
fn refused_target(action: &str, keys: &str, parts: &[&str]) {
    let text = format!("version: 1\njobs:\n  - {{ action: {action}, targets: [ {{ {keys} }} ] }}\n");
    one_fault("plan.yaml", &text, parts);
}

#[test]
fn rows_without_an_id_keep_their_place_among_the_jobs() {
    let text =
        format!("action,id,Serial number,UPN,note\nretire,{A},,,\nretire,, 5CG1 ,,n\nretire,,,a@b.c,\nretire,{B},,,\n");
    let plan = loaded("plan.csv", &text);
    assert_eq!(plan.jobs.len(), 2);
    assert_eq!(
        kept(&plan),
        ["Some(3) at 1: serialNumber 5CG1 -> managedDevice", "Some(4) at 1: userPrincipalName a@b.c -> managedDevice"]
    );
    assert_eq!(plan.unresolved[0].note.as_deref(), Some("n"));
    let place = &plan.unresolved[0].place;
    assert_eq!((place.line, place.column_name.as_deref()), (Some(3), Some("Serial number")));
}

#[test]
fn each_step_is_looked_up_for_what_it_acts_on() {
    let plan = yaml("  - { steps: [retire, unassignUserFromDevice], targets: [ { serialNumber: 5CG1 } ] }\n");
    assert_eq!(kept(&plan), ["None at 0: serialNumber 5CG1 -> managedDevice, windowsAutopilotDeviceIdentity"]);
    let routes: Vec<_> = plan.unresolved[0].steps.iter().map(|step| step.route.ids.len()).collect();
    assert_eq!(routes, [1, 1]);
    let plan = yaml(&format!(
        "  - {{ action: removeAllDevicesFromManagement, targets: [ {{ members_of_group: {A} }}, {{ upn: a@b.c }} ] }}\n"
    ));
    assert_eq!(plan.unresolved[0].steps[0].kind, TargetKind::User);
    assert_eq!(plan.jobs.len(), 0, "the name of a user leads to an id where a user is acted upon");
}

/// The ids that a row gives by themselves, and the users in its parameters.
fn given(plan: &Plan) -> Vec<String> {
    let ids = |row: &Unresolved| {
        let ids = row.ids.iter().flatten().map(|(id, value)| format!("{} {value}", id.name));
        ids.chain(row.users().map(|name| format!("with {name}"))).collect::<Vec<_>>().join(", ")
    };
    plan.unresolved.iter().map(ids).collect()
}

#[test]
fn a_user_by_name_is_kept_wherever_a_path_or_a_body_wants_one() {
    let text = format!(
        "action,userId,managedDeviceId,windowsAutopilotDeviceIdentityId,serialNumber,with.userPrincipalName\n\
         disableUser,{A},,,,\ndisableUser,a_b.c#EXT#@d.com,,,,\n\
         assignUserToDevice,,,{A},,b@b.c\nassignUserToDevice,,,,5CG1,c@b.c\n"
    );
    let plan = loaded("plan.csv", &text);
    assert_eq!(plan.jobs.len(), 1);
    assert_eq!(
        kept(&plan),
        [
            "Some(3) at 1: userPrincipalName a_b.c#EXT#@d.com -> user",
            "Some(4) at 1: its ids -> user",
            "Some(5) at 1: serialNumber 5CG1 -> windowsAutopilotDeviceIdentity",
        ]
    );
    assert_eq!(given(&plan), ["", &format!("windowsAutopilotDeviceIdentityId {A}, with b@b.c"), "with c@b.c"]);
    let place = &plan.unresolved[0].place;
    assert_eq!((place.line, place.column_name.as_deref()), (Some(3), Some("userId")));
    let steps = yaml(&format!(
        "  - {{ steps: [disableUser, syncDevice], targets: [ {{ userId: a@b.c, managedDeviceId: {A} }}, {{ upn: b@b.c, managedDeviceId: {B} }} ] }}\n"
    ));
    assert_eq!(kept(&steps)[0], "None at 0: userPrincipalName a@b.c -> user, user");
    assert_eq!(given(&steps), [format!("managedDeviceId {A}"), format!("managedDeviceId {B}")]);
    assert!(std::sync::Arc::ptr_eq(&steps.unresolved[0].steps, &steps.unresolved[1].steps));
}

#[test]
fn a_user_that_is_not_the_target_is_kept_too() {
    let own = "version: 1\nactions:\n  \
         ping: { method: POST, version: beta, path: '/users/{userId}/managedDevices/{managedDeviceId}/ping' }\n  \
         swap: { method: POST, version: beta, path: '/users/{userId}/onto/{other}' }\njobs:\n";
    let targets = format!("  - {{ action: ping, targets: [ {{ userId: a@b.c, managedDeviceId: {A} }} ] }}\n");
    let plan = loaded("plan.yaml", &format!("{own}{targets}"));
    assert_eq!(kept(&plan), ["None at 0: userPrincipalName a@b.c -> user"]);
    assert_eq!(given(&plan), [format!("managedDeviceId {A}")]);
    let script = format!(
        "  - action: deprovision\n    with: {{ deprovisionReason: x }}\n    targets: [ {{ deviceManagementScriptId: {A}, \
         deviceManagementScriptDeviceStateId: 's:1', upn: a@b.c, managedDeviceId: {B} }} ]\n"
    );
    let plan = yaml(&script);
    assert_eq!(plan.unresolved[0].steps[0].route.name, "deviceManagementScripts/users");
    assert_eq!(plan.unresolved[0].ids.as_ref().map(|ids| ids.len()), Some(3));
}

#[test]
fn a_filter_is_the_same_however_it_is_written() {
    let filter = |keys: &str| yaml(&format!("  - {{ action: retire, targets: [ {{ filter: {{ {keys} }} }} ] }}\n"));
    let one = filter("lastSyncDateTime: older than 26 weeks, operatingSystem: [iOS, Android], deviceName: LAB-*");
    let other = filter("deviceName: LAB-*, operatingSystem: [iOS, Android], lastSyncDateTime: older than 182 days");
    assert_eq!(kept(&one), kept(&other));
    assert_eq!(
        one.unresolved[0].pointer.to_string(),
        "filter deviceName LAB-*, operatingSystem iOS or Android, lastSyncDateTime older than 182 days"
    );
}

#[test]
fn what_cannot_stand_for_one_target_is_refused_unseen() {
    for serial in ["System Serial Number", "To be filled by O.E.M.", "'0'", "None", "'---'"] {
        refused_target("retire", &format!("serialNumber: {serial}"), &["selector", "is not a valid serialNumber"]);
    }
    refused_target("retire", "serialNumber: '1.23E+10'", &["selector", "a spreadsheet has rounded"]);
    refused_target("retire", "serialNumber: 12", &["wrong-type", "put it in quotes"]);
    refused_target("retire", "azureADDeviceId: LAB-01", &["selector", "is not a valid azureADDeviceId", "not a GUID"]);
    refused_target("retire", "azureADDeviceId: 00000000-0000-0000-0000-000000000000", &["selector", "nil GUID"]);
    refused_target("retire", "members_of_group: Leavers", &["selector", "is not a valid members_of_group"]);
    refused_target("retire", &format!("upn: {A}"), &["selector", "it must look like someone@contoso.com"]);
    refused_target("retire", "deviceName: \"a\\tb\"", &["selector", "control characters"]);
    refused_target("retire", &format!("deviceName: {}", "x".repeat(257)), &["selector", "longer than 256"]);
}

#[test]
fn what_does_not_lead_to_the_target_is_refused_unseen() {
    refused_target(
        "disableUser",
        "deviceName: LAB-01",
        &["selector", "which cannot be looked up by `deviceName`", "use members_of_group"],
    );
    refused_target("disableUser", "filter: { deviceName: LAB-* }", &["selector", "a filter over the devices"]);
    refused_target("removeAllDevicesFromManagement", "serialNumber: 5CG1", &["selector", "acts on a user"]);
    refused_target("unassignUserFromDevice", "serialNumber: 5CG1, route: deploymentProfile", &["more than one id"]);
    refused_target("retire", "devices_of_user: a@b.c, serialNumber: 5CG1", &["selector", "cannot be combined"]);
    refused_target("retire", "filter: { deviceName: LAB-* }, serialNumber: 5CG1", &["selector", "cannot be combined"]);
    one_fault(
        "plan.yaml",
        "version: 1\njobs:\n  - { steps: [retire, disableUser], targets: [ { filter: { deviceName: L* } } ] }\n",
        &["selector", "steps on different kinds"],
    );
}

#[test]
fn a_filter_says_which_devices() {
    let filter = |keys: &str, parts: &[&str]| refused_target("retire", &format!("filter: {{ {keys} }}"), parts);
    filter("", &["wrong-filter", "every device"]);
    filter("deviceName: '*'", &["wrong-filter", "every device"]);
    filter("operatingSystem: Win*", &["wrong-filter", "does not support wildcards"]);
    filter("lastSyncDateTime: 180 days", &["wrong-filter", "older than 180 days"]);
    filter("lastSyncDateTime: older than 0 days", &["wrong-filter"]);
    filter("lastSync: older than 180 days", &["unknown-key", "cannot use `lastSync`"]);
    filter("deviceNam: LAB-*", &["unknown-key", "did you mean `deviceName`?"]);
    filter("operatingSystem: []", &["wrong-type"]);
    refused_target("retire", "filter: LAB-*", &["wrong-type", "`filter` must be a map"]);
}

#[test]
fn a_row_that_is_wrong_elsewhere_is_not_kept() {
    one_fault("plan.csv", "action,serialNumber\ndeprovision,5CG1\n", &["missing-parameter"]);
    one_fault("plan.csv", "action,serialNumber,notBefore\nretire,5CG1,soon\n", &["bad-date"]);
    one_fault("plan.csv", "action,serialNumber\nretire,\n", &["missing-id", "`retire` needs managedDeviceId"]);
}
