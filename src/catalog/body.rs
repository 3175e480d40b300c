//! Request bodies: from the parameters of an action to JSON, and back.
//!
//! In: an action and values, or a document. Out: the document, or the values in it. The request builder, the journal and
//! the simulator share this, so that they cannot disagree about what a body means. Must not: judge values.

use serde_json::{Map, Value};

use super::action::Action;
use super::own_body;
use super::parameter::Parameter;

/// One parameter and its value.
pub(crate) type ParameterValue = (&'static Parameter, Value);

/// Why a document is not a body of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotABody {
    /// Something that must always be there, is not.
    Lacks(String),
    /// Something that the action does not know.
    Unknown(String),
}

/// The body that says `settings`, in the order of the catalog; `None` where there is nothing to send.
pub(crate) fn write(action: &Action, settings: Vec<ParameterValue>) -> Option<Value> {
    write_on(fixed(action), action, settings)
}

/// The same for one target, whose ids may stand in it. `id`: what each name stands for.
pub(crate) fn write_for(
    action: &Action,
    settings: Vec<ParameterValue>,
    id: impl Fn(&str) -> Option<String>,
) -> Option<Value> {
    write_on(fixed(action).map(|fixed| own_body::filled(&fixed, &id)), action, settings)
}

fn write_on(fixed: Option<Value>, action: &Action, mut settings: Vec<ParameterValue>) -> Option<Value> {
    settings.sort_by_key(|(parameter, _)| action.parameters.iter().position(|known| known.name == parameter.name));
    let mut body = fixed;
    for (parameter, value) in settings {
        let value = parameter.kind.spell(value);
        put(body.get_or_insert_with(|| Value::Object(Map::new())), place(parameter), value);
    }
    body
}

/// The settings that `body` holds, in the order of the catalog.
pub(crate) fn read(action: &'static Action, body: &Value) -> Result<Vec<ParameterValue>, NotABody> {
    let mut rest = body.clone();
    if let Some(fixed) = fixed(action) {
        subtract(&mut rest, &fixed).map_err(NotABody::Lacks)?;
    }
    let settings = action.parameters.iter();
    let settings = settings.filter_map(|parameter| Some((parameter, take(&mut rest, place(parameter))?))).collect();
    match left_over(&rest) {
        None => Ok(settings),
        Some(name) => Err(NotABody::Unknown(name)),
    }
}

fn fixed(action: &Action) -> Option<Value> {
    action.fixed_body.and_then(|text| serde_json::from_str(text).ok())
}

fn place(parameter: &'static Parameter) -> &'static str {
    parameter.place.unwrap_or(parameter.name)
}

fn put(body: &mut Value, place: &str, value: Value) {
    let (first, rest) = match place.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (place, None),
    };
    let slot = match first {
        "0" => {
            if !body.is_array() {
                *body = Value::Array(vec![Value::Null]);
            }
            &mut body[0]
        }
        name => {
            if !body.is_object() {
                *body = Value::Object(Map::new());
            }
            &mut body[name]
        }
    };
    match rest {
        Some(rest) => put(slot, rest, value),
        None => *slot = value,
    }
}

/// Takes a value out, and what it stood in as well if nothing else does.
fn take(body: &mut Value, place: &str) -> Option<Value> {
    let Some((first, rest)) = place.split_once('/') else { return body.as_object_mut()?.remove(place) };
    let slot = match body {
        Value::Array(items) if first == "0" && items.len() == 1 => &mut items[0],
        Value::Object(members) => members.get_mut(first)?,
        _ => return None,
    };
    let value = take(slot, rest)?;
    let emptied = slot.as_object().is_some_and(Map::is_empty) || slot.as_array().is_some_and(Vec::is_empty);
    match body {
        Value::Object(members) if emptied => {
            members.remove(first);
        }
        Value::Array(items) if emptied => items.clear(),
        _ => {}
    }
    Some(value)
}

/// Takes `fixed` out of `body`, or says what of it is not there.
fn subtract(body: &mut Value, fixed: &Value) -> Result<(), String> {
    let Value::Object(wanted) = fixed else { return Ok(()) };
    for (name, value) in wanted {
        let members = body.as_object_mut().ok_or_else(|| name.clone())?;
        let found = members.get_mut(name).ok_or_else(|| name.clone())?;
        if value.is_object() {
            subtract(found, value)?;
        } else if !own_body::is_made_of(value, found) {
            return Err(name.clone());
        }
        if !value.is_object() || found.as_object().is_some_and(Map::is_empty) {
            members.remove(name);
        }
    }
    Ok(())
}

fn left_over(rest: &Value) -> Option<String> {
    match rest {
        Value::Object(members) => members.keys().next().cloned(),
        _ => Some("(not an object)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ACTIONS;
    use super::*;
    use serde_json::json;

    fn settings(action: &str, values: &[(&str, Value)]) -> (&'static Action, Vec<ParameterValue>) {
        let action = Action::named(action).unwrap();
        (action, values.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value.clone())).collect())
    }

    #[test]
    fn parameters_stand_where_graph_wants_them() {
        let sku = "05e9a617-0261-4cee-bb44-138d3ef5d965";
        let table = [
            ("retire", vec![], None),
            ("disableUser", vec![], Some(json!({"accountEnabled": false}))),
            (
                "removeLicenses",
                vec![("skuIds", json!([sku]))],
                Some(json!({"addLicenses": [], "removeLicenses": [sku]})),
            ),
            (
                "triggerConfigurationManagerAction",
                vec![("configurationManagerAction", json!("quickScan"))],
                Some(json!({"configurationManagerAction": {"action": "quickScan"}})),
            ),
            (
                "changeAssignments",
                vec![("itemId", json!(sku)), ("itemType", json!("application"))],
                Some(json!({"deviceAssignmentItems": [{"itemId": sku, "itemType": "application"}]})),
            ),
            (
                "updateWindowsDeviceAccount",
                vec![("calendarSyncEnabled", json!(true))],
                Some(json!({"updateWindowsDeviceAccountActionParameter": {"calendarSyncEnabled": true}})),
            ),
        ];
        for (name, values, expected) in table {
            let (action, settings) = settings(name, &values);
            assert_eq!(write(action, settings), expected, "{name}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for action in ACTIONS {
            let settings: Vec<_> = action.parameters.iter().map(|parameter| (parameter, json!("x"))).collect();
            let Some(body) = write(action, settings.clone()) else { continue };
            let expected = settings.into_iter().map(|(parameter, value)| (parameter, parameter.kind.spell(value)));
            assert_eq!(read(action, &body), Ok(expected.collect()), "{} {body}", action.name);
        }
    }

    #[test]
    fn what_does_not_belong_there_is_named() {
        let read = |action: &str, body: Value| read(Action::named(action).unwrap(), &body).unwrap_err();
        let unknown = |name: &str| NotABody::Unknown(name.to_owned());
        assert_eq!(read("disableUser", json!({"accountEnabled": false, "mail": null})), unknown("mail"));
        assert_eq!(read("disableUser", json!({"accountEnabled": true})), NotABody::Lacks("accountEnabled".into()));
        assert_eq!(read("removeLicenses", json!({"removeLicenses": []})), NotABody::Lacks("addLicenses".into()));
        assert_eq!(read("wipe", json!([1])), unknown("(not an object)"));
        let two = json!({"deviceAssignmentItems": [{"itemId": "a"}, {"itemId": "b"}]});
        assert_eq!(read("changeAssignments", two), unknown("deviceAssignmentItems"));
    }
}
