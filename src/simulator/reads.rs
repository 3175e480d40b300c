//! Reads: one thing, or a page of them.
//!
//! In: the inventory, and a parsed query. Out: the JSON of the answer. Must not: change anything but bring things into
//! being that are asked for.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::context::ContextSource;
use super::inventory::{Inventory, ShownLook};
use super::kinds::{Expansion, GROUP};
use super::query::{Direction, Query};
use super::resources::guid_from;
use super::scenario::Scenario;
use crate::catalog::{TargetKind, Version};

/// Related things that `$expand` shows of an object of the directory, at most. Source: Graph's page on query parameters.
const EXPANDED: usize = 20;

/// A document with its context in front.
pub(crate) fn framed(context: String, properties: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut document = Map::new();
    document.insert("@odata.context".into(), json!(context));
    document.extend(properties);
    Value::Object(document)
}

/// One thing, with what is expanded.
pub(super) fn one(
    inventory: &mut Inventory,
    (kind, at): (TargetKind, usize),
    query: &Query,
    (source, version): (&ContextSource, Version),
) -> Value {
    let look = ShownLook { select: query.select.as_deref(), version, by_id: true };
    let mut shown = inventory.show(kind, at, &look);
    expand(inventory, at, query, &mut shown, version);
    framed(source.of_one(query), shown)
}

/// Adds what `$expand` names of the thing at that place: which kind it is follows from what can be expanded.
fn expand(inventory: &mut Inventory, at: usize, query: &Query, shown: &mut Map<String, Value>, version: Version) {
    let look = ShownLook { select: None, version, by_id: false };
    for expansion in &query.expand {
        let (of, places) = match expansion {
            Expansion::OwnedDevices => (TargetKind::EntraDevice, inventory.owned_by(at)),
            Expansion::RegisteredOwners => (TargetKind::User, inventory.owners_of(at)),
            Expansion::Users => {
                shown.insert(expansion.name().to_owned(), json!(primary_users(inventory, at, &look)));
                continue;
            }
            // Groups stand on no shelf; they are expanded where they are shown.
            Expansion::Members => continue,
        };
        let related = places.into_iter().take(EXPANDED).map(|place| inventory.show_object_at(of, place, &look));
        shown.insert(expansion.name().to_owned(), related.map(Value::Object).collect());
    }
}

/// How many devices are enrolled.
pub(super) fn overview(enrolled: usize, query: &Query, source: &ContextSource) -> Value {
    let whole = json!({
        "id": guid_from("overview", 0),
        "enrolledDeviceCount": enrolled,
        "mdmEnrolledCount": enrolled,
        "dualEnrolledDeviceCount": 0,
        "deviceOperatingSystemSummary": null,
        "deviceExchangeAccessStateSummary": null,
    });
    framed(source.of_one(query), selected(whole, query))
}

/// What `$select` leaves of a document.
pub(crate) fn selected(document: Value, query: &Query) -> Map<String, Value> {
    let Value::Object(properties) = document else { return Map::new() };
    let wanted = |name: &str| query.select.as_ref().is_none_or(|names| names.contains(&name));
    properties.into_iter().filter(|(name, _)| wanted(name)).collect()
}

/// What is asked for, and where the next page would be.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub query: &'a Query,
    pub version: Version,
    /// The most a page holds, where the scenario says so.
    pub most: Option<usize>,
    /// Absolute URL of the collection.
    pub url: String,
    pub source: &'a ContextSource,
}

impl Listing<'_> {
    fn look(&self) -> ShownLook<'_> {
        ShownLook { select: self.query.select.as_deref(), version: self.version, by_id: false }
    }

    fn link(&self, token: &str) -> Value {
        let between = if self.query.given.is_empty() { "" } else { "&" };
        json!(format!("{}?{}{between}$skiptoken={token}", self.url, self.query.given))
    }

    /// A page with the items in it.
    fn page(&self, context: String, items: Vec<Value>, all: usize, next: Option<String>) -> Value {
        let mut document = Map::new();
        if self.query.count {
            document.insert("@odata.count".into(), json!(all));
        }
        if let Some(token) = next {
            document.insert("@odata.nextLink".into(), self.link(&token));
        }
        document.insert("value".into(), Value::Array(items));
        framed(context, document)
    }
}

/// The places of all things that pass the filter, in order; where everything exists, so does what is asked for by its value.
pub(crate) fn found(
    inventory: &mut Inventory,
    kind: TargetKind,
    among: Option<Vec<usize>>,
    query: &Query,
) -> Vec<usize> {
    let is_whole = among.is_none();
    let candidates = among.or_else(|| indexed(inventory, kind, query));
    let places: Vec<usize> = candidates.unwrap_or_else(|| (0..inventory.places(kind)).collect());
    let passes = |at: &usize| !inventory.is_gone(kind, *at) && passes(inventory, kind, *at, query);
    let mut all: Vec<usize> = places.into_iter().filter(passes).collect();
    if is_whole && let Some(filter) = &query.filter {
        for (property, value) in filter.wanted() {
            let is_there = all.iter().any(|at| has(inventory, kind, *at, property, value));
            if !is_there && names_one(property) {
                all.extend(inventory.bring_into_being(kind, property, value));
            }
        }
    }
    if !query.order.is_empty() {
        all.sort_by(|one, other| in_order(inventory, kind, (*one, *other), query));
    }
    all
}

/// The places at which an index has the one value that is asked for.
fn indexed(inventory: &mut Inventory, kind: TargetKind, query: &Query) -> Option<Vec<usize>> {
    let clause = query.filter.as_ref()?.alone()?;
    let value = clause.literals.first()?.text()?;
    (clause.test == super::kinds::Test::Eq).then(|| inventory.look_up(kind, clause.property.name, value))?
}

/// Whether a thing is known by that property.
fn names_one(property: &str) -> bool {
    matches!(
        property,
        "serialNumber"
            | "deviceName"
            | "userPrincipalName"
            | "azureADDeviceId"
            | "azureActiveDirectoryDeviceId"
            | "deviceId"
    )
}

fn has(inventory: &Inventory, kind: TargetKind, at: usize, property: &str, value: &str) -> bool {
    let held = inventory.value(kind, at, property).unwrap_or_default();
    held.as_str().is_some_and(|held| held.to_lowercase().contains(&value.to_lowercase()))
}

fn passes(inventory: &Inventory, kind: TargetKind, at: usize, query: &Query) -> bool {
    let value = |name: &str| inventory.value(kind, at, name).unwrap_or_default();
    query.filter.as_ref().is_none_or(|filter| filter.passes(&value))
}

fn in_order(inventory: &Inventory, kind: TargetKind, (one, other): (usize, usize), query: &Query) -> Ordering {
    let text = |at, name| {
        let value = inventory.value(kind, at, name).unwrap_or_default();
        value.as_str().map(str::to_lowercase).unwrap_or_default()
    };
    let compared = query.order.iter().map(|(property, direction)| {
        let order = text(one, property.name).cmp(&text(other, property.name));
        if *direction == Direction::Descending { order.reverse() } else { order }
    });
    compared.fold(Ordering::Equal, Ordering::then)
}

/// A page of a collection; `among` narrows it to some places.
pub(super) fn page(
    inventory: &mut Inventory,
    kind: TargetKind,
    among: Option<Vec<usize>>,
    listing: &Listing<'_>,
) -> Value {
    let query = listing.query;
    let all = found(inventory, kind, among, query);
    let size = query.page(kind, listing.most);
    // In the order in which things came into being, a page begins at a place, whatever has gone meanwhile; in any other, at
    // a number.
    let (page, next): (Vec<usize>, _) = match query.order.is_empty() {
        true => {
            let mut rest = all.iter().copied().filter(|at| *at >= query.from).skip(query.skip);
            let page = rest.by_ref().take(size).collect();
            (page, rest.next().map(|at| at.to_string()))
        }
        false => {
            let from = query.from + query.skip;
            let more = all.len() > from + size;
            (all.iter().copied().skip(from).take(size).collect(), more.then(|| (from + size).to_string()))
        }
    };
    let look = listing.look();
    let mut items = Vec::with_capacity(page.len());
    for at in page {
        let mut shown = inventory.show(kind, at, &look);
        expand(inventory, at, query, &mut shown, listing.version);
        items.push(Value::Object(shown));
    }
    listing.page(listing.source.of_many(query), items, all.len(), next)
}

/// The groups that pass the filter; where every group exists, so does one of any name.
pub(super) fn groups(inventory: &Inventory, scenario: &Scenario, listing: &Listing<'_>) -> Value {
    let query = listing.query;
    let all = inventory.groups();
    let passes = |(id, name): &(String, Option<String>)| {
        let value = |property: &str| match property {
            "id" => json!(id),
            "displayName" => json!(name),
            _ => Value::Null,
        };
        query.filter.as_ref().is_none_or(|filter| filter.passes(&value))
    };
    let mut found: Vec<(String, Option<String>)> = all.into_iter().filter(passes).collect();
    let wanted = query.filter.as_ref().map(|filter| filter.wanted()).unwrap_or_default();
    if let ([("displayName", name)], true, false) = (wanted.as_slice(), found.is_empty(), scenario.only_listed)
        && !name.is_empty()
    {
        found.push((guid_from(&name.to_lowercase(), 6), Some((*name).to_owned())));
    }
    found.sort_by_key(|(id, _)| id.clone());
    let count = found.len();
    let items =
        found.iter().map(|(id, name)| Value::Object(group(inventory, id, name.as_deref(), query, listing.version)));
    listing.page(listing.source.of_many(query), items.collect(), count, None)
}

/// One group, with its members where they are expanded.
pub(crate) fn group(
    inventory: &Inventory,
    id: &str,
    name: Option<&str>,
    query: &Query,
    version: Version,
) -> Map<String, Value> {
    let mut whole = json!({ "id": id, "displayName": name, "securityEnabled": true });
    for name in GROUP.silent {
        whole[*name] = Value::Null;
    }
    let mut shown = selected(whole, query);
    if query.expand.contains(&Expansion::Members) {
        let look = ShownLook { select: None, version, by_id: false };
        let members = inventory.members_of(id).map(|(ids, _)| ids).unwrap_or_default();
        let members = members.into_iter().take(EXPANDED).map(|id| Value::Object(inventory.show_object(id, &look)));
        shown.insert("members".into(), members.collect());
    }
    shown
}

/// A page of the members of a group; of one that nobody has listed, there are always more, unless there is no such
/// group at all.
pub(super) fn members(inventory: &Inventory, group: &str, listing: &Listing<'_>) -> Option<Value> {
    let (ids, whole) = inventory.members_of(group)?;
    let items = ids.iter().map(|id| Value::Object(inventory.show_object(id, &listing.look())));
    let mut document = objects(items.collect(), listing);
    if !whole && document.get("@odata.nextLink").is_none() {
        document["@odata.nextLink"] = listing.link("more");
    }
    Some(document)
}

/// A page of objects of the directory, of whatever kind.
pub(crate) fn objects(all: Vec<Value>, listing: &Listing<'_>) -> Value {
    let query = listing.query;
    let size = query.page(TargetKind::User, listing.most);
    let count = all.len();
    let page: Vec<Value> = all.into_iter().skip(query.from).take(size).collect();
    let next = (query.from + size < count).then(|| (query.from + size).to_string());
    listing.page(listing.source.of_objects(query, ""), page, count, next)
}

/// The primary user of a device, if it has one.
fn primary_users(inventory: &Inventory, device: usize, look: &ShownLook<'_>) -> Vec<Value> {
    let value = |name| inventory.value(TargetKind::ManagedDevice, device, name).unwrap_or_default();
    match value("userPrincipalName").as_str() {
        Some("") | None => Vec::new(),
        Some(name) => {
            let whole = json!({
                "id": value("userId"), "userPrincipalName": name, "displayName": value("userDisplayName"),
            });
            let query = Query { select: look.select.map(<[_]>::to_vec), ..Query::default() };
            vec![Value::Object(selected(whole, &query))]
        }
    }
}

/// The list of a device's primary user.
pub(super) fn primary_user(inventory: &Inventory, device: usize, listing: &Listing<'_>) -> Value {
    let users = primary_users(inventory, device, &listing.look());
    let count = users.len();
    listing.page(listing.source.of_many(listing.query), users, count, None)
}
