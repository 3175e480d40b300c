//! Values that have the right type and are wrong all the same.
//!
//! In: an action, what was sent, and what the tenant knows. Out: go ahead, or the refusal. Must not: judge types; `judge` does.
//!
//! Sources: Intune's pages on renaming a device (Windows: 15 characters at most, letters, digits and hyphens, not digits
//! alone), on lost mode (a message or a phone number), on pausing the refresh of settings (minutes above nought), and
//! Graph's pages on assigning a user or a licence.

use serde_json::Value;

use super::errors::Refusal;
use super::inventory::Inventory;
use super::kinds::{self, Kind};
use super::scenario::Guid;
use crate::catalog::{Action, TargetKind};

const LONGEST_NAME: usize = 15;

/// Whether the service takes what was sent.
pub(crate) fn check(inventory: &mut Inventory, action: &Action, at: usize, body: &Value) -> Result<(), Refusal> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let refused = |message: String| Err(Refusal::bad_request(message));
    match action.name {
        "setDeviceName" if runs_windows(inventory, at) && !is_computer_name(text("deviceName")) => {
            refused(format!("The device name '{}' is not valid for Windows.", text("deviceName")))
        }
        "updateDeviceProperties"
            if inventory.is_given(TargetKind::AutopilotIdentity, at, "serialNumber")
                && !text("displayName").is_empty()
                && !is_computer_name(text("displayName")) =>
        {
            refused(format!("The display name '{}' is not valid.", text("displayName")))
        }
        "enableLostMode" if text("message").trim().is_empty() && text("phoneNumber").trim().is_empty() => {
            refused("Lost mode needs a message or a phone number.".to_owned())
        }
        "playLostModeSound" | "pauseConfigurationRefresh" | "suspendManagedHomeScreen" => minutes(body),
        "assignUserToDevice" if !is_user(inventory, text("userPrincipalName")) => {
            refused(format!("User '{}' was not found.", text("userPrincipalName")))
        }
        _ => Ok(()),
    }
}

/// Of a device that nobody has listed, nobody knows what runs there.
fn runs_windows(inventory: &Inventory, at: usize) -> bool {
    if !inventory.is_given(TargetKind::ManagedDevice, at, "operatingSystem") {
        return false;
    }
    let system = inventory.value(TargetKind::ManagedDevice, at, "operatingSystem").unwrap_or_default();
    system.as_str().is_some_and(|system| system.to_ascii_lowercase().starts_with("windows"))
}

/// Letters, digits and hyphens, and what Intune fills in.
fn is_computer_name(name: &str) -> bool {
    let filled_in = name.contains("{{") || name.contains('%');
    let takes = |c: char| c.is_ascii_alphanumeric() || c == '-';
    filled_in
        || (!name.is_empty()
            && name.len() <= LONGEST_NAME
            && name.chars().all(takes)
            && !name.chars().all(|c| c.is_ascii_digit()))
}

/// No time goes backwards.
fn minutes(body: &Value) -> Result<(), Refusal> {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let wrong = body.as_object().into_iter().flatten().find(|(_, value)| number(value).is_some_and(|n| n <= 0));
    match wrong {
        Some((name, value)) => Err(Refusal::bad_request(format!("Invalid value {value} for the property '{name}'."))),
        None => Ok(()),
    }
}

fn is_user(inventory: &mut Inventory, name: &str) -> bool {
    inventory.find(TargetKind::User, name).is_some()
}

/// `@odata.type` of an entity in a body is the type of what it is sent to, or of nothing.
pub(super) fn check_type(kind: &'static Kind, body: &Value) -> Result<(), Refusal> {
    let Some(told) = body.get("@odata.type") else { return Ok(()) };
    let told = told.as_str().unwrap_or_default().trim_start_matches('#');
    match told.eq_ignore_ascii_case(kind.type_name) || kind.type_name == kinds::kind_of(TargetKind::Other).type_name {
        true => Ok(()),
        false => Err(kind.bad_request(format!("A type named '{told}' could not be resolved by the model."))),
    }
}

/// What was sent, without annotations, in the one form that the catalog writes. Microsoft's clients send `@odata.type` with
/// every object or with none, and the collection of logs names its template as an object or as a word.
pub(crate) fn plain(action: &Action, body: Value) -> Value {
    let mut body = body;
    if let Some(word) = body.get("templateType").and_then(Value::as_str).map(str::to_owned)
        && action.name == "createDeviceLogCollectionRequest"
    {
        body["templateType"] = serde_json::json!({ "templateType": word });
    }
    if let Some(template) = body.get_mut("templateType").and_then(Value::as_object_mut) {
        template.retain(|name, value| name != "id" || !value.as_str().is_some_and(|id| id.is_empty() || Guid::is(id)));
    }
    without_annotations(&mut body);
    let fixed = action.fixed_body.and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(fixed) = fixed {
        with_annotations(&mut body, &fixed);
    }
    body
}

fn without_annotations(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.contains("@odata."));
            members.values_mut().for_each(without_annotations);
        }
        Value::Array(items) => items.iter_mut().for_each(without_annotations),
        _ => {}
    }
}

/// Puts the annotations of `fixed` where the same objects stand.
fn with_annotations(value: &mut Value, fixed: &Value) {
    let (Value::Object(members), Value::Object(fixed)) = (value, fixed) else { return };
    for (name, known) in fixed {
        match (name.contains("@odata."), members.get_mut(name)) {
            (true, None) => {
                members.insert(name.clone(), known.clone());
            }
            (false, Some(inner)) => with_annotations(inner, known),
            _ => {}
        }
    }
}
