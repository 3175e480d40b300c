//! The catalog, for `actions` and `actions NAME`.
//!
//! In: catalog rows. Out: tables and JSON. Must not: know an action by name; a new row shows up by itself.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{FAINT, PLAIN, STRONG, View, of_risk, paint};
use super::tables::Table;
use super::text::{count, rate, shorten, width};
use crate::catalog::{
    Access, Action, Bucket, Gone, IdKind, ParameterKind, ReadBack, Repeat, Risk, Route, Success, TargetKind, Version,
};

const BELOW: &str = "    ";
const LIST: [&str; 6] = ["NAME", "TARGET", "RISK", "VERSIONS", "BUCKET", "SUMMARY"];
/// With fewer columns than these, the risk stands before the summary.
const WITH_RISK: usize = 3;

/// One line for each action; where the terminal is narrow, the summary stands below it and the last columns are left
/// out: `actions NAME` has them.
pub(crate) fn list(actions: &[Action], view: View) -> String {
    let columns = view.width.map_or(usize::MAX, usize::from);
    let fits = |text: &String| text.lines().all(|line| width(line) <= columns);
    let wide = list_table(actions, LIST.len(), view.styled);
    if fits(&wide) {
        return wide;
    }
    let mut narrower = (1..LIST.len()).rev().map(|number| (number, list_table(actions, number, view.styled)));
    let (number, narrow) = narrower.find(|(_, text)| fits(text)).unwrap_or((1, list_table(actions, 1, view.styled)));
    let mut lines = narrow.lines();
    let mut text = lines.next().map(|header| format!("{header}\n")).unwrap_or_default();
    for (line, action) in lines.zip(actions) {
        let summary = match number < WITH_RISK {
            true => format!("{}: {}", action.risk.name(), action.summary),
            false => action.summary.to_owned(),
        };
        let summary = shorten(&summary, columns.saturating_sub(BELOW.len()));
        let _ = writeln!(text, "{line}\n{BELOW}{}", paint(view.styled, FAINT, &summary));
    }
    text
}

fn list_table(actions: &[Action], columns: usize, styled: bool) -> String {
    let mut table = Table::new(&[]).header(&LIST[..columns]);
    for action in actions {
        let (versions, bucket) = (versions_of(action), bucket(action).to_string());
        let risk = action.risk.name();
        let cells = [action.name, target_word(action.target), risk, &versions, &bucket, action.summary];
        let style = if action.risk >= Risk::Irreversible { of_risk(action.risk) } else { PLAIN };
        table.row(style, cells.into_iter().take(columns));
    }
    table.render(View { width: None, styled }, 0)
}

fn target_word(target: TargetKind) -> &'static str {
    match target {
        TargetKind::ManagedDevice => "device",
        TargetKind::AutopilotIdentity => "autopilot",
        TargetKind::User => "user",
        TargetKind::EntraDevice => "entra device",
        TargetKind::GroupMember => "member",
        TargetKind::DeletedUser => "deleted user",
        TargetKind::ImportedAutopilotIdentity => "import",
        TargetKind::ImportedDeviceIdentity => "identifier",
        TargetKind::Other => "other",
    }
}

/// Everything about one action.
pub fn one(action: &Action, view: View) -> String {
    let title = paint(view.styled, STRONG, action.name);
    let mut text = format!("{title}: {}\n\n{}", action.summary, facts(action, view));
    section(&mut text, view.styled, "routes, with the id columns that fill them in braces", &routes(action));
    if !action.parameters.is_empty() {
        let title = match action.needs_one_of.len() {
            0 => "parameters".to_owned(),
            all if all == action.parameters.len() => "parameters, at least one of which is needed".to_owned(),
            _ => format!("parameters, of which one of these is needed: {}", action.needs_one_of.join(", ")),
        };
        section(&mut text, view.styled, &title, &parameters(action, view));
    }
    if let Some(body) = action.fixed_body {
        let and = if action.parameters.is_empty() { "" } else { ", and its parameters" };
        section(&mut text, view.styled, "body", &format!("  {body}{and}\n"));
    }
    if !action.notes.is_empty() {
        let notes: String = action.notes.iter().map(|note| format!("  {note}\n")).collect();
        section(&mut text, view.styled, "notes", &notes);
    }
    text
}

fn section(text: &mut String, styled: bool, title: &str, body: &str) {
    let _ = write!(text, "\n{}\n{body}", paint(styled, STRONG, title));
}

fn facts(action: &Action, view: View) -> String {
    let allowance = bucket(action).allowance();
    let allowance = format!(
        "{}: {} requests in {} s, that is {} a second",
        bucket(action),
        count(allowance.requests),
        allowance.window.as_secs(),
        rate(allowance.per_second())
    );
    let read_back = read_back(action.read_back);
    let mut table = Table::new(&[]);
    table.row(PLAIN, ["target", action.target.name()]);
    table.row(of_risk(action.risk), ["risk", action.risk.name()]);
    if !action.platforms.is_empty() {
        let names: Vec<_> = action.platforms.iter().map(|platform| platform.name()).collect();
        table.row(PLAIN, ["platforms", &names.join(", ")]);
    }
    for (at, permission) in action.permissions.iter().enumerate() {
        table.row(PLAIN, [if at == 0 { "permissions" } else { "" }, permission]);
    }
    if let Some(permission) = action.read_permission {
        table.row(PLAIN, ["", &format!("{permission}, to read back after a lost reply")]);
    }
    if takes_users(action) {
        table.row(PLAIN, ["", "User.ReadBasic.All, to look up users by name"]);
    }
    table.row(PLAIN, ["2xx means", success(action.success)]);
    table.row(PLAIN, ["gone means", gone(action.gone)]);
    table.row(PLAIN, ["lost reply", repeat(action.repeat)]);
    table.row(PLAIN, ["read-back", &read_back]);
    table.row(PLAIN, ["allowance", &allowance]);
    table.row(FAINT, ["", action.service.source]);
    table.render(view, 2)
}

/// Whether a row of it may name a user, in the path or in a parameter.
fn takes_users(action: &Action) -> bool {
    let in_path = action.routes.iter().flat_map(|route| route.ids).any(|id| id.kind == IdKind::User);
    in_path || action.parameters.iter().any(|parameter| parameter.kind == ParameterKind::PrincipalName)
}

/// A path is too long for a table; it stands below its route's name. The names in braces are the route's ids.
fn routes(action: &Action) -> String {
    let mut text = String::new();
    for (at, route) in action.routes.iter().enumerate() {
        let default = if at == 0 && action.routes.len() > 1 { ", the default" } else { "" };
        let _ = writeln!(text, "  {} ({}){default}", route.name, versions(route));
        let _ = writeln!(text, "{BELOW}{} {}", route.method.name(), route.path);
    }
    text
}

fn parameters(action: &Action, view: View) -> String {
    let mut table = Table::new(&[]);
    for parameter in action.parameters {
        let need = match (parameter.required, parameter.beta_only) {
            (true, true) => "required, beta",
            (true, false) => "required",
            (false, true) => "optional, beta",
            (false, false) => "optional",
        };
        let summary = match parameter.kind {
            ParameterKind::Text
            | ParameterKind::Name
            | ParameterKind::DeviceName
            | ParameterKind::Boolean
            | ParameterKind::Integer
            | ParameterKind::Guid
                if !parameter.clearable =>
            {
                parameter.summary.to_owned()
            }
            _ => format!("{} ({})", parameter.summary, parameter.expectation()),
        };
        table.row(PLAIN, [parameter.name, parameter.kind.name(), need, &summary]);
    }
    table.render(View { styled: false, ..view }, 2)
}

fn success(success: Success) -> &'static str {
    match success {
        Success::Accepted => "accepted: the service queued it; the device acts when it next checks in",
        Success::Completed => "completed: the effect is there",
    }
}

fn gone(gone: Gone) -> &'static str {
    match gone {
        Gone::AlreadyDone => "already_done where it was seen before, else not_found",
        Gone::Failed => "failed: the row asked for something that cannot happen any more",
    }
}

fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Harmless => "sent again, which is harmless",
        Repeat::AfterReadBack => "sent again only after a read has shown that it had no effect",
    }
}

fn read_back(read_back: ReadBack) -> String {
    match read_back {
        ReadBack::Cleared { property } => format!("{property} is empty"),
        ReadBack::ManagementState { landed, .. } => {
            let landed = landed.join(" or ");
            format!("managementState is {landed}, or deviceActionResults has a newer entry; being gone proves nothing")
        }
        ReadBack::Absent => "the target is gone".into(),
        ReadBack::ActionResult { action_name } => {
            format!("deviceActionResults holds a newer `{action_name}`; its absence proves nothing")
        }
        ReadBack::UserDevices { landed } => {
            format!("managementState of every device of the user is {}", landed.join(" or "))
        }
        ReadBack::AsSent => "what was sent is there".into(),
        ReadBack::AbsentLater => "the target is gone; that it is still there proves nothing".into(),
        ReadBack::BackAt { path } => format!("the target is there again, under {path}"),
        ReadBack::Unlisted => "the list of members does not hold it any more".into(),
        ReadBack::Emptied => "the device has no primary user".into(),
        ReadBack::Unlicensed => "assignedLicenses holds none of the licences".into(),
        ReadBack::Nobody => "no read tells".into(),
    }
}

fn bucket(action: &Action) -> Bucket {
    Bucket { service: action.service, access: Access::Write }
}

fn versions(route: &Route) -> String {
    route.versions.iter().map(|version| version.name()).collect::<Vec<_>>().join(", ")
}

/// The versions that serve any of its routes.
fn versions_of(action: &Action) -> String {
    let mut all: Vec<Version> = action.routes.iter().flat_map(|route| route.versions).copied().collect();
    all.sort();
    all.dedup();
    all.into_iter().map(Version::name).collect::<Vec<_>>().join(", ")
}

/// Every action as one object.
pub(crate) fn list_json(actions: &[Action]) -> Value {
    actions.iter().map(one_json).collect()
}

/// One action as an object.
pub(crate) fn one_json(action: &Action) -> Value {
    let allowance = bucket(action).allowance();
    json!({
        "name": action.name,
        "summary": action.summary,
        "target": action.target.name(),
        "routes": action.routes.iter().map(route_json).collect::<Vec<_>>(),
        "parameters": action.parameters.iter().map(parameter_json).collect::<Vec<_>>(),
        "needs_one_of": action.needs_one_of,
        "platforms": action.platforms.iter().map(|platform| platform.name()).collect::<Vec<_>>(),
        "fixed_body": action.fixed_body.and_then(|body| serde_json::from_str::<Value>(body).ok()),
        "permissions": action.permissions,
        "read_permission": action.read_permission,
        "risk": action.risk.name(),
        "repeat": action.repeat.name(),
        "bucket": bucket(action).to_string(),
        "allowance": { "requests": allowance.requests, "seconds": allowance.window.as_secs() },
        "notes": action.notes,
    })
}

fn route_json(route: &Route) -> Value {
    json!({
        "name": route.name,
        "method": route.method.name(),
        "path": route.path,
        "versions": route.versions.iter().map(|version| version.name()).collect::<Vec<_>>(),
        "ids": route.ids.iter().map(|id| id.name).collect::<Vec<_>>(),
    })
}

fn parameter_json(parameter: &crate::catalog::Parameter) -> Value {
    json!({
        "name": parameter.name,
        "type": parameter.kind.name(),
        "required": parameter.required,
        "beta_only": parameter.beta_only,
        "expects": parameter.expectation(),
        "summary": parameter.summary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;

    const AT_100: View = View { width: Some(100), styled: false };

    #[test]
    fn the_list_fits_the_terminal_and_names_every_action() {
        for columns in [60, 80, 100, 200] {
            let text = list(ACTIONS, View { width: Some(columns), styled: false });
            assert!(text.lines().all(|line| width(line) <= usize::from(columns)), "{columns}: {text}");
            assert!(ACTIONS.iter().all(|action| text.contains(action.name)), "{columns}: {text}");
        }
        let text = list(ACTIONS, AT_100);
        for action in ACTIONS {
            assert!(text.contains(action.name) && text.contains(action.risk.name()), "{text}");
        }
        assert!(text.starts_with("NAME "), "{text}");
        assert_eq!(text.lines().count(), 1 + 2 * ACTIONS.len());
        assert_eq!(list(ACTIONS, View::default()).lines().count(), 1 + ACTIONS.len());
    }

    #[test]
    fn one_action_looks_like_this() {
        let text = one(Action::named("retire").unwrap(), AT_100);
        assert_eq!(
            text,
            "retire: Remove company data and settings and end management; personal data stays.\n\n  \
             target       managedDevice\n  \
             risk         irreversible\n  \
             permissions  DeviceManagementManagedDevices.PrivilegedOperations.All\n               \
             DeviceManagementManagedDevices.Read.All, to read back after a lost reply\n  \
             2xx means    accepted: the service queued it; the device acts when it next checks in\n  \
             gone means   already_done where it was seen before, else not_found\n  \
             lost reply   sent again only after a read has shown that it had no effect\n  \
             read-back    managementState is retirePending or retireIssued, or deviceActionResults has a newer\n               \
             entry; being gone proves nothing\n  \
             allowance    intune-devices/write: 200 requests in 20 s, that is 10 a second\n               \
             Intune devices: 200 writes and 2,000 requests of any method per 20 s, per app and\n               \
             tenant\n\n\
             routes, with the id columns that fill them in braces\n  \
             managedDevices (v1.0, beta), the default\n    \
             POST /deviceManagement/managedDevices/{managedDeviceId}/retire\n  \
             comanagedDevices (beta)\n    \
             POST /deviceManagement/comanagedDevices/{managedDeviceId}/retire\n\n\
             notes\n  \
             A tenant accepts 1,000 retires a day, whoever sends them.\n  \
             Suspends BitLocker on Entra-joined Windows devices: the key protectors are removed.\n  \
             Takes precedence over every other pending action on the device; queued ones may be dropped.\n"
        );
    }

    #[test]
    fn parameters_say_what_they_expect() {
        let text = one(Action::named("wipe").unwrap(), AT_100);
        assert!(
            text.contains(
                "\n  macOsUnlockCode       String   optional        PIN that unlocks a wiped Mac. (six digits"
            ),
            "{text}"
        );
        assert!(text.contains("optional, beta  Wipe that a user cannot stop"), "{text}");
    }

    #[test]
    fn objects_have_the_documented_keys() {
        let all = list_json(ACTIONS);
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), ACTIONS.len());
        for object in all {
            for key in ["name", "target", "routes", "parameters", "permissions", "risk", "repeat", "bucket"] {
                assert!(!object[key].is_null(), "{key}");
            }
        }
        let deprovision = one_json(Action::named("deprovision").unwrap());
        assert_eq!(deprovision["routes"][0]["ids"], json!(["managedDeviceId"]));
        assert_eq!(deprovision["parameters"][0]["type"], "String");
        assert_eq!(deprovision["bucket"], "intune-devices/write");
    }
}
