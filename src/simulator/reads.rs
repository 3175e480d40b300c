//! Reads: one thing, or a page of them.
//!
//! In: the inventory, and a parsed query. Out: the JSON of the answer. Must not: change anything but bring things into
//! being that are asked for.

use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::inventory::Inventory;
use super::judge::Call;
use super::odata::{ALIASES, Query, Test};
use super::resources::{Kind, RESULTS, guid_from};
use super::routes::Endpoint;
use super::scenario::Scenario;
use crate::catalog::TargetKind;

/// What lets the basic properties of users be read, and what all of them.
const BASIC: &[&str] = &["User.ReadBasic.All"];
const ALL: &[&str] = &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];

/// Whether the token may read users, and what is asked of them. Where the scenario does not say what it may, it may.
pub(super) fn admit(scenario: &Scenario, call: &Call<'_>) -> Result<(), Refusal> {
    let is_of_users = matches!(
        call.endpoint,
        Endpoint::ReadAll(TargetKind::User | TargetKind::DeletedUser)
            | Endpoint::ReadOne(TargetKind::User | TargetKind::DeletedUser)
    );
    let query = &call.query;
    let selected = query.select.iter().flatten().any(|name| *name == ALIASES);
    let filtered = query.filter.as_ref().is_some_and(|filter| filter.property == ALIASES);
    let basic = if selected || filtered { &[] } else { BASIC };
    let held = |roles: &Vec<String>| roles.iter().any(|role| basic.contains(&&**role) || ALL.contains(&&**role));
    match !is_of_users || scenario.sign_in.roles.as_ref().is_none_or(held) {
        true => Ok(()),
        false => {
            let message = "Insufficient privileges to complete the operation.";
            Err(Refusal::new(403, "Authorization_RequestDenied", message))
        }
    }
}

/// One thing. `deviceActionResults` is filled only here, and only when it is selected.
pub(super) fn one(inventory: &Inventory, kind: TargetKind, at: usize, query: &Query) -> Value {
    let results = query.select.as_ref().is_some_and(|names| names.contains(&RESULTS));
    let shown = inventory.show(kind, at, query.select.as_deref(), results);
    let mut document = Map::new();
    document.insert("@odata.type".into(), json!(format!("#{}", Kind::of(kind).type_name)));
    if let Value::Object(properties) = shown {
        document.extend(properties);
    }
    Value::Object(document)
}

/// How many devices are enrolled.
pub(super) fn overview(enrolled: usize) -> Value {
    json!({ "@odata.type": "#microsoft.graph.managedDeviceOverview", "enrolledDeviceCount": enrolled })
}

/// What is asked for, and where the next page would be.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub kind: TargetKind,
    pub query: &'a Query,
    /// The most a page holds, where the scenario says so.
    pub most: Option<usize>,
    /// Absolute URL of the collection.
    pub url: String,
}

/// A page of a collection; `among` narrows it to some places.
pub(super) fn page(inventory: &mut Inventory, among: Option<Vec<usize>>, listing: &Listing<'_>) -> Value {
    let Listing { kind, query, most, url } = listing;
    let candidates = among.or_else(|| match query.filter.as_ref() {
        Some(filter) if filter.test == Test::Equals => inventory.look_up(*kind, filter.property, &filter.literal),
        _ => None,
    });
    let places: Box<dyn Iterator<Item = usize>> = match candidates {
        Some(places) => Box::new(places.into_iter()),
        None => Box::new(0..inventory.places(*kind)),
    };
    let matching = |at: &usize| !inventory.is_gone(*kind, *at) && passes(inventory, *kind, *at, query);
    let all: Vec<_> = places.filter(matching).collect();
    let all = match (&query.filter, all.is_empty()) {
        (Some(filter), true) if filter.is_by_value() => {
            inventory.bring_into_being(*kind, filter.property, &filter.literal).into_iter().collect()
        }
        _ => all,
    };
    let size = query.page(*kind, *most);
    let mut page: Vec<_> = all.iter().copied().filter(|at| *at >= query.skip).take(size + 1).collect();
    let next = (page.len() > size).then(|| page.pop()).flatten();

    let mut document = Map::new();
    document.insert("@odata.context".into(), json!(format!("{url}/$metadata")));
    if query.count {
        document.insert("@odata.count".into(), json!(all.len()));
    }
    if let Some(next) = next {
        let between = if query.given.is_empty() { "" } else { "&" };
        document.insert("@odata.nextLink".into(), json!(format!("{url}?{}{between}$skiptoken={next}", query.given)));
    }
    let shown = page.into_iter().map(|at| inventory.show(*kind, at, query.select.as_deref(), false)).collect();
    document.insert("value".into(), Value::Array(shown));
    Value::Object(document)
}

/// The groups of that name; where every group exists, so does one of any name.
pub(super) fn groups(scenario: &Scenario, query: &Query) -> Value {
    let wanted = query.filter.as_ref().filter(|filter| filter.property == "displayName").map(|filter| &*filter.literal);
    let called = |name: &str| wanted.is_none_or(|wanted| name.to_lowercase() == wanted.to_lowercase());
    let shown = |id: &str, name: &str| json!({ "id": id, "displayName": name });
    let listed = scenario.groups.iter().filter_map(|group| Some((&*group.id.0, group.display_name.as_deref()?)));
    let mut found: Vec<Value> = listed.filter(|(_, name)| called(name)).map(|(id, name)| shown(id, name)).collect();
    if let Some(name) = wanted.filter(|name| found.is_empty() && !scenario.only_listed && !name.is_empty()) {
        found.push(shown(&guid_from(&name.to_lowercase(), 6), name));
    }
    json!({ "value": found })
}

/// A page of the members of a group; of one that nobody has listed, there are always more, unless there is no such
/// group at all.
pub(super) fn members(
    inventory: &Inventory,
    group: &str,
    query: &Query,
    most: Option<usize>,
    url: &str,
) -> Option<Value> {
    let (ids, whole) = inventory.members_of(group)?;
    let size = query.page(TargetKind::User, most);
    let page = ids.iter().skip(query.skip).take(size).map(|id| inventory.show_member(id));
    let mut document = json!({ "value": page.collect::<Vec<_>>() });
    let next = match query.skip + size < ids.len() {
        true => Some((query.skip + size).to_string()),
        false => (!whole).then(|| "more".to_owned()),
    };
    if let Some(next) = next {
        let between = if query.given.is_empty() { "" } else { "&" };
        document["@odata.nextLink"] = json!(format!("{url}?{}{between}$skiptoken={next}", query.given));
    }
    Some(document)
}

/// The list of a device's primary user.
pub(super) fn primary_user(inventory: &Inventory, device: usize) -> Value {
    let value = |name| inventory.value(TargetKind::ManagedDevice, device, name).unwrap_or_default();
    match value("userPrincipalName").as_str() {
        Some("") | None => json!({ "value": [] }),
        Some(name) => json!({ "value": [{ "id": value("userId"), "userPrincipalName": name }] }),
    }
}

fn passes(inventory: &Inventory, kind: TargetKind, at: usize, query: &Query) -> bool {
    query.filter.as_ref().is_none_or(|filter| {
        let value = inventory.value(kind, at, filter.property);
        let many = value.as_ref().and_then(Value::as_array).into_iter().flatten();
        let mut texts = value.iter().chain(many).filter_map(Value::as_str);
        texts.any(|value| filter.accepts(value))
    })
}
