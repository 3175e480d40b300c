//! From a job to the request that performs it, and to the read that checks it. Pure.
//!
//! In: a [`Job`]. Out: method, version, path and body. Preview, run and simulator share this, so that what is shown is
//! what is sent. Must not: know hosts, tokens or time.

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::catalog::{IdName, Method, ReadBack, TargetKind, Version};
use crate::identity::properties;
use crate::job::Job;

/// A request without host and token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphRequest<'a> {
    pub method: Method,
    pub version: Version,
    /// Version, path and query: `/v1.0/deviceManagement/…`.
    pub path: String,
    /// JSON; `None` where the action is sent without a body.
    pub body: Option<&'a Bytes>,
}

impl<'a> GraphRequest<'a> {
    /// The body as people read it.
    pub fn text(&self) -> Option<&'a str> {
        self.body.and_then(|body| std::str::from_utf8(body).ok())
    }
}

/// Everything that is not plain in a path segment. `@` and `:` may stand; `#` in the UPN of a guest may not.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The request that performs `job`.
pub(crate) fn build(job: &Job) -> GraphRequest<'_> {
    let version = version(job);
    GraphRequest { method: job.route.method, version, path: path(job, version, job.route.path, ""), body: body(job) }
}

fn body(job: &Job) -> Option<&Bytes> {
    job.parameters.as_deref().map(|parameters| parameters.bytes())
}

/// Writes the path of the request that performs `job` behind `out`, for whoever writes one after the other.
pub(crate) fn push_path(job: &Job, out: &mut String) {
    push(out, job, version(job), job.route.path);
}

/// The body of that request, as people read it.
pub(crate) fn text(job: &Job) -> Option<&str> {
    job.parameters.as_deref().map(|parameters| parameters.body())
}

/// Method, path and body of the request that performs `job`, as the journal keeps them.
pub fn recorded(job: &Job) -> (&'static str, String, Option<&str>) {
    let request = build(job);
    let body = request.text();
    (request.method.name(), request.path, body)
}

/// The read that shows whether `job` took effect, or `None` where no read tells.
pub(crate) fn build_read_back(job: &Job) -> Option<GraphRequest<'_>> {
    // Whoever has the name today may be another one than it was sent to.
    if job.name_in_path().is_some() {
        return None;
    }
    let select = |properties: &str| format!("?$select=id,{properties}");
    let (below, query) = match job.action.read_back {
        ReadBack::ManagementState { .. } => {
            ("", select("managementState,lastSyncDateTime,enrolledDateTime,deviceActionResults"))
        }
        ReadBack::Cleared { property } => ("", select(property)),
        ReadBack::AsSent => ("", select(&sent_properties(job))),
        ReadBack::Unlicensed => ("", select("assignedLicenses")),
        ReadBack::Absent | ReadBack::AbsentLater | ReadBack::BackAt { .. } => ("", "?$select=id".into()),
        ReadBack::Unlisted => ("", "?$select=id&$top=999".into()),
        ReadBack::Emptied => ("", "?$select=id".into()),
        ReadBack::ActionResult { .. } => ("", select("lastSyncDateTime,deviceActionResults")),
        ReadBack::UserDevices { .. } => {
            ("/managedDevices", "?$select=id,managementState,lastSyncDateTime,enrolledDateTime&$top=1000".into())
        }
        ReadBack::Nobody => return None,
    };
    let version = version(job);
    let path = path(job, version, resource(job), below) + &query;
    Some(GraphRequest { method: Method::Get, version, path, body: None })
}

/// The read that shows who the target of `job` is.
pub(crate) fn build_inspection(job: &Job) -> GraphRequest<'_> {
    let query = match properties(job.action.target) {
        [] => String::new(),
        names => format!("?$select={}", names.join(",")),
    };
    let version = version(job);
    let path = match job.action.target {
        // Whoever is in a group cannot be read below it.
        TargetKind::GroupMember => {
            let mut path = format!("/{}/directoryObjects", version.name());
            push_id(&mut path, job.target());
            path + &query
        }
        // It stands in the body alone.
        _ if names_target_in_body(job) => {
            let home = job.route.ids.last().and_then(IdName::home).unwrap_or("/directoryObjects");
            let mut path = format!("/{}{home}", version.name());
            push_id(&mut path, job.target());
            path + &query
        }
        _ => path(job, version, target(job), &query),
    };
    GraphRequest { method: Method::Get, version, path, body: None }
}

/// The read that shows whether what the id at that place of the route names is there; `None` where the route has no such id.
///
/// An id that has a place of its own is read there: below another one, a device that is not that user's looks as if there
/// were none. The others are read where the route names them.
pub(crate) fn build_find(job: &Job, at: usize) -> Option<GraphRequest<'_>> {
    let (name, id) = job.route.ids.get(at).zip(job.ids.iter().nth(at))?;
    let version = version(job);
    let mut path = match name.home() {
        Some(home) => {
            let mut path = format!("/{}{home}", version.name());
            push_id(&mut path, id);
            path
        }
        None => {
            let end = job.route.path.match_indices('}').nth(at).map(|(end, _)| end + 1)?;
            path(job, version, &job.route.path[..end], "")
        }
    };
    path.push_str("?$select=id");
    Some(GraphRequest { method: Method::Get, version, path, body: None })
}

/// The read that shows what a user is called now.
pub(super) fn build_user_inspection(id: &str) -> GraphRequest<'static> {
    let mut path = format!("/{}/users", Version::V1.name());
    push_id(&mut path, id);
    path.push_str("?$select=id,userPrincipalName");
    GraphRequest { method: Method::Get, version: Version::V1, path, body: None }
}

/// The read that shows the devices of the user whom `job` is about, where the action reaches all of them.
pub(super) fn build_devices_inspection(job: &Job) -> Option<GraphRequest<'_>> {
    if !job.action.on_all_devices {
        return None;
    }
    let mut path = format!("/{}/users", Version::V1.name());
    push_id(&mut path, job.target());
    let names = properties(TargetKind::ManagedDevice).join(",");
    let path = format!("{path}/managedDevices?$select={names}&$top=1000");
    Some(GraphRequest { method: Method::Get, version: Version::V1, path, body: None })
}

/// An action of a plan's own may name its target in the body: then the path has fewer ids than the route.
fn names_target_in_body(job: &Job) -> bool {
    job.route.path.matches("/{").count() < job.route.ids.len()
}

/// The target itself: what the action hangs on.
fn target(job: &Job) -> &'static str {
    let path = job.route.path;
    match job.route.method {
        Method::Post => without_last(path, 1),
        _ if path.ends_with("/$ref") => without_last(path, 2),
        _ => path,
    }
}

/// The resource to read: what the action hangs on, the collection that it takes something out of, or where the target
/// comes back.
fn resource(job: &Job) -> &'static str {
    let path = job.route.path;
    match (job.action.read_back, job.route.method) {
        (ReadBack::BackAt { path }, _) => path,
        (ReadBack::Emptied, _) => without_last(path, 1),
        (ReadBack::Unlisted, _) => without_last(path, 2),
        (_, Method::Post) => without_last(path, 1),
        (_, Method::Get | Method::Put | Method::Patch | Method::Delete) => path,
    }
}

fn without_last(path: &'static str, segments: usize) -> &'static str {
    (0..segments).fold(path, |path, _| path.rsplit_once('/').map_or(path, |(before, _)| before))
}

/// The names in the body of the request.
fn sent_properties(job: &Job) -> String {
    let body = job.parameters.as_deref().and_then(|parameters| serde_json::from_str::<Value>(parameters.body()).ok());
    let names =
        body.as_ref().and_then(Value::as_object).map(|body| body.keys().map(String::as_str).collect::<Vec<_>>());
    names.unwrap_or_default().join(",")
}

/// The first version that serves the route, or beta where a parameter exists only there.
fn version(job: &Job) -> Version {
    if job.parameters.as_ref().is_some_and(|parameters| parameters.need_beta()) {
        return Version::Beta;
    }
    job.route.versions.first().copied().unwrap_or(Version::Beta)
}

fn path(job: &Job, version: Version, template: &str, suffix: &str) -> String {
    let mut path = String::with_capacity(template.len() + suffix.len() + 48);
    push(&mut path, job, version, template);
    path.push_str(suffix);
    path
}

fn push(path: &mut String, job: &Job, version: Version, template: &str) {
    let mut ids = job.ids.iter();
    path.push('/');
    path.push_str(version.name());
    let mut rest = template;
    // A segment in braces stands for an id.
    while let Some(at) = rest.as_bytes().windows(2).position(|two| two == b"/{") {
        path.push_str(&rest[..at]);
        push_id(path, ids.next().unwrap_or_default());
        let behind = &rest[at + 1..];
        rest = &behind[behind.find('/').unwrap_or(behind.len())..];
    }
    path.push_str(rest);
}

/// A user principal name that starts with `$` would be read as an OData operator; Graph wants it in parentheses.
fn push_id(path: &mut String, id: &str) {
    // What a GUID consists of stands as it is.
    if id.bytes().fold(true, |all, byte| all & (byte.is_ascii_alphanumeric() | (byte == b'-'))) {
        path.push('/');
        return path.push_str(id);
    }
    let encoded = utf8_percent_encode(id, SEGMENT);
    match id.starts_with('$') {
        true => path.push_str(&format!("('{}')", encoded.to_string().replace('\'', "''"))),
        false => {
            path.push('/');
            path.extend(encoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts, Parameters};
    use proptest::prelude::*;
    use serde_json::json;

    const ID: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";

    fn job(action: &str, route: usize, ids: &[&str], values: Vec<(&str, Value)>) -> Job {
        let action = Action::named(action).unwrap();
        let values = values.into_iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value)).collect();
        Job::new(JobParts {
            row: 1,
            action,
            route: &action.routes[route],
            ids: Ids::new(ids.iter().copied()),
            parameters: Parameters::new(action, values),
            not_before: None,
            note: None,
            after: None,
        })
    }

    proptest! {
        #[test]
        fn a_plain_id_is_written_as_any_other_is(id in "[0-9a-zA-Z-]{1,40}|[ -#%-~é]{1,9}") {
            let mut path = "before".to_owned();
            push_id(&mut path, &id);
            prop_assert_eq!(path, format!("before/{}", utf8_percent_encode(&id, SEGMENT)));
        }
    }

    #[test]
    fn v1_is_preferred_and_left_only_for_a_beta_parameter() {
        let plain = job("wipe", 0, &[ID], vec![("keepUserData", json!(false))]);
        assert_eq!(build(&plain).path, format!("/v1.0/deviceManagement/managedDevices/{ID}/wipe"));
        assert_eq!(build(&plain).text(), Some(r#"{"keepUserData":false}"#));
        let beta = job("wipe", 0, &[ID], vec![("useProtectedWipe", json!(true))]);
        assert_eq!(build(&beta).path, format!("/beta/deviceManagement/managedDevices/{ID}/wipe"));
    }

    #[test]
    fn an_action_without_parameters_has_no_body() {
        assert_eq!(build(&job("retire", 0, &[ID], vec![])).body, None);
        assert_eq!(build(&job("wipe", 0, &[ID], vec![])).body, None);
    }

    #[test]
    fn user_principal_names_are_encoded_so_that_graph_reads_them_whole() {
        let path = |upn: &str| build(&job("removeAllDevicesFromManagement", 0, &[upn], vec![])).path;
        assert_eq!(path("ada@contoso.com"), "/v1.0/users/ada@contoso.com/removeAllDevicesFromManagement");
        assert_eq!(path("a#EXT#@c.com"), "/v1.0/users/a%23EXT%23@c.com/removeAllDevicesFromManagement");
        assert_eq!(path("$ada@c.com"), "/v1.0/users('$ada@c.com')/removeAllDevicesFromManagement");
    }

    #[test]
    fn the_read_back_reads_the_resource_that_the_action_hangs_on() {
        let read = |job: &Job| build_read_back(job).map(|request| request.path);
        assert_eq!(
            read(&job("retire", 0, &[ID], vec![])),
            Some(format!(
                "/v1.0/deviceManagement/managedDevices/{ID}?$select=id,managementState,lastSyncDateTime,enrolledDateTime,deviceActionResults"
            ))
        );
        assert_eq!(
            read(&job("delete", 0, &[ID], vec![])),
            Some(format!("/v1.0/deviceManagement/managedDevices/{ID}?$select=id"))
        );
        assert_eq!(
            read(&job("removeAllDevicesFromManagement", 0, &[ID], vec![])),
            Some(format!(
                "/v1.0/users/{ID}/managedDevices?$select=id,managementState,lastSyncDateTime,enrolledDateTime&$top=1000"
            ))
        );
        assert_eq!(
            read(&job("disableUser", 0, &[ID], vec![])),
            Some(format!("/v1.0/users/{ID}?$select=id,accountEnabled"))
        );
        assert_eq!(read(&job("disableUser", 0, &["u@c.com"], vec![])), None, "whoever that is today");
        assert_eq!(
            read(&job("removeFromGroup", 0, &[ID, "m"], vec![])),
            Some(format!("/v1.0/groups/{ID}/members?$select=id&$top=999"))
        );
        assert_eq!(
            read(&job("removePrimaryUser", 0, &[ID], vec![])),
            Some(format!("/beta/deviceManagement/managedDevices/{ID}/users?$select=id"))
        );
        assert_eq!(read(&job("restoreUser", 0, &[ID], vec![])), Some(format!("/v1.0/users/{ID}?$select=id")));
        assert_eq!(read(&job("syncDevice", 0, &[ID], vec![])), None);
    }

    #[test]
    fn a_look_reads_the_target_itself() {
        let look = |job: &Job| build_inspection(job).path;
        let device = "id,deviceName,serialNumber,userId,userPrincipalName,emailAddress,azureADDeviceId,imei,operatingSystem,\
                      managedDeviceOwnerType,deviceEnrollmentType,managementState,enrolledDateTime,lastSyncDateTime";
        let path = format!("deviceManagement/managedDevices/{ID}?$select={device}");
        assert_eq!(look(&job("retire", 0, &[ID], vec![])), format!("/v1.0/{path}"));
        assert_eq!(look(&job("removePrimaryUser", 0, &[ID], vec![])), format!("/beta/{path}"));
        let user = "?$select=id,displayName,userPrincipalName,mail";
        assert_eq!(look(&job("disableUser", 0, &["u@c.com"], vec![])), format!("/v1.0/users/u@c.com{user}"));
        assert_eq!(look(&job("restoreUser", 0, &[ID], vec![])), format!("/v1.0/directory/deletedItems/{ID}{user}"));
        assert_eq!(look(&job("removeFromGroup", 0, &[ID, "m"], vec![])), "/v1.0/directoryObjects/m");
    }

    #[test]
    fn the_devices_of_a_user_are_read_where_an_action_reaches_them_all() {
        let look = |action: &str| build_devices_inspection(&job(action, 0, &["u@c.com"], vec![])).map(|look| look.path);
        let path = look("removeAllDevicesFromManagement").unwrap();
        assert!(
            path.starts_with("/v1.0/users/u@c.com/managedDevices?$select=id,") && path.ends_with("&$top=1000"),
            "{path}"
        );
        assert_eq!(look("disableUser"), None);
    }

    #[test]
    fn a_member_is_taken_out_of_its_group_and_not_deleted_itself() {
        let job = job("removeFromGroup", 0, &[ID, "8f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c12"], vec![]);
        let path = build(&job).path;
        assert_eq!(path, format!("/v1.0/groups/{ID}/members/8f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c12/$ref"));
    }
}
