//! Whether Graph would accept a request at all: method, version, ids, headers and body, held against the catalog.
//!
//! In: a request. Out: a [`Call`] with a verdict, or a refusal where nothing is served. Must not: know what exists, who
//! is signed in, or what is allowed how often. Pure, so that it is done before the tenant is locked.

use http::HeaderName;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use serde_json::{Map, Value};

use super::errors::Refusal;
use super::kinds::kind_of;
use super::query::{Query, QueryOptions};
use super::routes::{self, Endpoint, PathId, Served};
use super::scenario::{Body, Guid};
use super::tenant::{Carrier, Incoming};
use super::values;
use crate::catalog::body::{self, NotABody};
use crate::catalog::{ACTIONS, Action, Bucket, IdKind, Parameter, TargetKind, Version};

const CONSISTENCY: HeaderName = HeaderName::from_static("consistencylevel");

/// A request that reached something.
#[derive(Debug)]
pub(super) struct Call<'p> {
    pub endpoint: Endpoint,
    pub bucket: Option<Bucket>,
    pub ids: Vec<PathId<'p>>,
    /// The id acted on or read, in lower case; empty for a collection.
    pub target: String,
    pub version: Version,
    /// Where it stands, as Graph writes it.
    pub place: String,
    pub query: Query,
    pub verdict: Result<(), Refusal>,
}

impl Call<'_> {
    /// Index in the catalog; `None` for a read.
    pub(super) fn action(&self) -> Option<usize> {
        match self.endpoint {
            Endpoint::Perform { action } => Some(action),
            _ => None,
        }
    }
}

/// Reads a request to `path` (below the version).
pub(super) fn read<'p>(incoming: &Incoming<'_>, version: Version, path: &'p str) -> Result<Call<'p>, Refusal> {
    let found = routes::find(path).map_err(nothing_there)?;
    let method = incoming.method.as_str();
    let served = meant(found.served.iter().filter(|served| served.method == method), incoming).ok_or_else(|| {
        Refusal::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    })?;
    let target = found.ids.last().map(|id| id.value.to_ascii_lowercase()).unwrap_or_default();
    let mut query = Query::default();
    let verdict = judge(incoming, version, path, served, &found.ids).and_then(|()| {
        query = options(incoming, version, served.endpoint)?;
        Ok(())
    });
    let routes::FoundRoute { ids, place, .. } = found;
    Ok(Call { endpoint: served.endpoint, bucket: served.bucket, ids, target, version, place, query, verdict })
}

/// The options of a read.
fn options(incoming: &Incoming<'_>, version: Version, endpoint: Endpoint) -> Result<Query, Refusal> {
    let Some((kind, many)) = endpoint.shows() else { return Ok(Query::default()) };
    let consistency = incoming.headers.get(CONSISTENCY).and_then(|level| level.to_str().ok());
    let asked = QueryOptions { kind, version, many, consistency };
    let counts_at_all = consistency.is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    match endpoint {
        Endpoint::Count(_) if !counts_at_all => Err(kind.bad_request("$count is not currently supported.".to_owned())),
        _ => Query::parse(incoming.query, &asked),
    }
}

/// Of actions that differ in nothing but their body, the one whose body it is.
fn meant(
    mut served: impl Iterator<Item = &'static Served> + Clone,
    incoming: &Incoming<'_>,
) -> Option<&'static Served> {
    if served.clone().count() < 2 {
        return served.next();
    }
    let sent: Value = serde_json::from_slice(incoming.body).unwrap_or_default();
    let is_its_own = |served: &&Served| match served.endpoint {
        Endpoint::Perform { action } => {
            let sent = values::plain(&ACTIONS[action], sent.clone());
            !matches!(body::read(&ACTIONS[action], &sent), Err(NotABody::Lacks(_)))
        }
        _ => false,
    };
    served.clone().find(is_its_own).or_else(|| served.next())
}

fn judge(
    incoming: &Incoming<'_>,
    version: Version,
    path: &str,
    served: &Served,
    ids: &[PathId<'_>],
) -> Result<(), Refusal> {
    check_framing(incoming)?;
    if !served.versions.contains(&version) {
        return Err(nothing_there(path.trim_matches('/').rsplit('/').next().unwrap_or(path)));
    }
    ids.iter().try_for_each(check_id)?;
    match served.endpoint {
        Endpoint::Perform { action } => check_body(incoming, version, &ACTIONS[action]),
        _ => Ok(()),
    }
}

fn nothing_there(segment: &str) -> Refusal {
    Refusal::bad_request(format!("Resource not found for the segment '{segment}'."))
}

/// A POST over the wire says how long it is, even if it is empty; the gateway insists.
fn check_framing(incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let framed = incoming.headers.contains_key(CONTENT_LENGTH) || incoming.headers.contains_key(TRANSFER_ENCODING);
    let wants_framing = incoming.carrier == Carrier::Socket && matches!(incoming.method.as_str(), "POST" | "PATCH");
    match wants_framing && !framed {
        true => Err(Refusal { body: Body::Html, ..Refusal::new(411, "LengthRequired", "Length Required") }),
        false => Ok(()),
    }
}

/// Ids of what Entra keeps, which complains in words of its own.
const IN_DIRECTORY: &[&str] = &["groupId", "memberId", "deletedUserId", "entraDeviceObjectId", "deviceId"];

fn check_id(id: &PathId<'_>) -> Result<(), Refusal> {
    let value = &*id.value;
    let odd = value.trim().is_empty() || value.contains(|c: char| c.is_whitespace() || c.is_control());
    match id.name.kind {
        IdKind::Guid if !Guid::is(value) && IN_DIRECTORY.contains(&id.name.name) => {
            let message = format!("Invalid object identifier '{value}'.");
            Err(Refusal::new(400, "Request_BadRequest", message))
        }
        IdKind::Guid if !Guid::is(value) => Err(Refusal::bad_request("An error has occurred")),
        IdKind::User if !Guid::is(value) && !value.contains('@') => Err(no_such_user(value)),
        IdKind::Opaque if odd => Err(Refusal::bad_request("An error has occurred")),
        _ => Ok(()),
    }
}

/// What there is to say of a thing that is not there.
pub(super) fn not_found(endpoint: Endpoint, id: &str) -> Refusal {
    let kind = match endpoint {
        Endpoint::Perform { action } => ACTIONS[action].target,
        Endpoint::DeleteMember => TargetKind::GroupMember,
        Endpoint::ReadOne(kind) | Endpoint::ReadAll(kind) | Endpoint::Count(kind) | Endpoint::ReadDeleted(kind) => kind,
        Endpoint::ReadDevicesOfUser | Endpoint::ReadOwnedDevices => TargetKind::User,
        Endpoint::ReadRegisteredOwners => TargetKind::EntraDevice,
        Endpoint::ReadMembers => TargetKind::GroupMember,
        Endpoint::ReadPrimaryUser | Endpoint::ReadOverview => TargetKind::ManagedDevice,
        Endpoint::ReadGroups | Endpoint::ReadGroup | Endpoint::ReadObject => TargetKind::GroupMember,
        Endpoint::ReadAny => TargetKind::Other,
        Endpoint::ReadRecoveryKeys | Endpoint::ReadLocalCredential => TargetKind::EntraDevice,
    };
    let in_directory = [TargetKind::User, TargetKind::DeletedUser, TargetKind::GroupMember, TargetKind::EntraDevice];
    match in_directory.contains(&kind) {
        true => no_such_user(id),
        false => Refusal::new(404, "ResourceNotFound", "An error has occurred"),
    }
}

/// Graph's 404 for directory objects.
pub(super) fn no_such_user(id: &str) -> Refusal {
    let message =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    Refusal::new(404, "Request_ResourceNotFound", message)
}

fn check_body(incoming: &Incoming<'_>, version: Version, action: &'static Action) -> Result<(), Refusal> {
    let required = action.parameters.iter().find(|parameter| parameter.required);
    if incoming.body.is_empty() {
        return match (required, action.fixed_body) {
            (None, None) => Ok(()),
            (Some(parameter), _) => Err(missing(wire_name(parameter), action)),
            (None, Some(_)) => Err(missing("body", action)),
        };
    }
    if incoming.method.as_str() == "DELETE" {
        return Err(Refusal::bad_request(format!("The operation '{}' takes no request body.", action.name)));
    }
    let content_type = incoming.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(Refusal::bad_request("Entity only allows writes with a JSON Content-Type header."));
    }
    let properties: Map<String, Value> = serde_json::from_slice(incoming.body).map_err(|_| {
        Refusal::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid \
             JSON format.",
        )
    })?;
    let sent = Value::Object(properties);
    if incoming.method.as_str() == "PATCH" {
        values::check_type(kind_of(action.target), &sent)?;
    }
    let settings = body::read(action, &values::plain(action, sent)).map_err(|reason| match reason {
        NotABody::Lacks(name) => missing(&name, action),
        NotABody::Unknown(name) => unknown(&name, action),
    })?;
    settings.iter().try_for_each(|(parameter, value)| check_property(parameter, value, version, action))?;
    let given = |parameter: &&Parameter| settings.iter().any(|(given, _)| given.name == parameter.name);
    match action.parameters.iter().filter(|parameter| parameter.required).find(|parameter| !given(parameter)) {
        None => Ok(()),
        Some(parameter) => Err(missing(wire_name(parameter), action)),
    }
}

fn check_property(parameter: &Parameter, value: &Value, version: Version, action: &Action) -> Result<(), Refusal> {
    let name = wire_name(parameter);
    if parameter.beta_only && version != Version::Beta {
        return Err(unknown(name, action));
    }
    // Graph's properties are nullable, and null is as good as nothing.
    match parameter.accepts(value) || (value.is_null() && !parameter.required) {
        true => Ok(()),
        false => Err(Refusal::bad_request(format!(
            "Invalid value for the property '{name}': an Edm.{} was expected, {}.",
            parameter.kind.name(),
            parameter.expectation(),
        ))),
    }
}

/// What the property is called in the body.
fn wire_name(parameter: &Parameter) -> &'static str {
    let place = parameter.place.unwrap_or(parameter.name);
    place.rsplit('/').next().unwrap_or(place)
}

fn unknown(name: &str, action: &Action) -> Refusal {
    let kind = kind_of(action.target).type_name;
    Refusal::bad_request(format!(
        "The property '{name}' does not exist on type '{kind}'. Make sure to only use property names that are defined \
         by the type."
    ))
}

fn missing(name: &str, action: &Action) -> Refusal {
    Refusal::bad_request(format!("The required property '{name}' of '{}' is missing.", action.name))
}
