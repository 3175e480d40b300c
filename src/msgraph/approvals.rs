//! Approval requests at the service: looked up, many in one read, and withdrawn.
//!
//! In: the codes of requests, or a job whose request is not known. Out: how each stands. Must not: approve anything (a
//! person does), wait, or try again.
//!
//! Source: Graph's operationApprovalRequest resource (beta), whose `id` is the code, and Microsoft's page on Multi Admin
//! Approval with the Graph API, which filters by `requestId`. Field reports add `payloadId`, the object it is about.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::client::GraphClient;
use super::request::GraphRequest;
use super::request_of_approval::companion;
pub(crate) use super::request_of_approval::{NotRead, ShownRequest};
use super::shape::{Shape, document};
use super::transport::Transport;
use crate::approval::RequestStatus;
use crate::catalog::{Access, Bucket, INTUNE_OTHER, Method, Version};
use crate::job::Job;
use crate::outcome::{Evidence, Reply, Verdict};

const PATH: &str = "/beta/deviceManagement/operationApprovalRequests";

/// What reading requests needs, least privileged first.
pub(crate) const READ_PERMISSIONS: &[&str] =
    &["DeviceManagementRBAC.Read.All", "DeviceManagementConfiguration.Read.All"];

/// Up to so many requests are asked for by name; for more, the list is paged through.
pub(crate) const BY_NAME: usize = 15;

/// Properties in which a request may name the object that it is about.
const OBJECTS: &[&str] = &["payloadId", "entityId", "objectId"];

/// Properties that say which action a request is for, where they are there.
const KINDS: &[&str] = &["payloadOperation", "requiredOperationApprovalPolicyTypes", "operationApprovalPolicies"];

/// What a kind says, in lower case, of the actions that have a policy of their own.
///
/// Source: `operationApprovalPolicyType` of the beta schema.
const ACTIONS_BY_WORD: &[(&str, &str)] = &[
    ("wipe", "wipe"),
    ("retire", "retire"),
    ("delete", "delete"),
    ("deprovision", "deprovision"),
    ("devicelock", "remoteLock"),
    ("resetpasscode", "resetPasscode"),
    ("disableactivationlock", "bypassActivationLock"),
];

/// Codes are compared in lower case.
pub(crate) type Statuses = HashMap<String, ShownRequest>;

impl<T: Transport> GraphClient<T> {
    /// How these requests stand. One that is not in the answer is not known to the service.
    pub async fn statuses(&self, codes: &[&str], id: &str) -> Result<Statuses, NotRead> {
        if codes.len() <= BY_NAME {
            let filter = codes.iter().map(|code| format!("requestId%20eq%20'{code}'")).collect::<Vec<_>>();
            match self.listed(format!("{PATH}?$filter={}", filter.join("%20or%20")), id).await {
                // Not every filter is understood everywhere; the list itself is.
                Err(NotRead(reply)) if reply.http_status == Some(400) => {}
                answer => return answer.map(|requests| statuses(&requests)),
            }
        }
        self.listed(PATH.to_owned(), id).await.map(|requests| statuses(&requests))
    }

    /// All requests of the tenant that are approved and not completed, whoever filed them: one small page, however many wait.
    /// `None`: the service does not understand that question; no page of Microsoft's says that it does.
    pub async fn approved(&self, id: &str) -> Result<Option<Statuses>, NotRead> {
        match self.listed(format!("{PATH}?$filter=status%20eq%20'approved'"), id).await {
            Err(NotRead(reply)) if reply.http_status == Some(400) => Ok(None),
            answer => answer.map(|requests| Some(statuses(&requests))),
        }
    }

    /// How one request stands, right now.
    pub(super) async fn status(&self, code: &str, id: &str) -> Result<Option<ShownRequest>, NotRead> {
        self.statuses(&[code], id).await.map(|mut found| found.remove(&code.to_ascii_lowercase()))
    }

    /// The code of an open request for that job's action on its target.
    pub(super) async fn pending(&self, job: &Job, id: &str) -> Result<Option<Box<str>>, NotRead> {
        let requests = self.listed(PATH.to_owned(), id).await?;
        let of_job = requests.iter().filter(|request| status_of(request).is_open() && is_about(request, job));
        Ok(of_job.filter_map(code_of).next_back().map(Into::into))
    }

    /// Cancels a request of ours.
    pub async fn withdraw(&self, code: &str, id: &str) -> Reply {
        let body = json!({ "id": code }).to_string().into();
        let path = format!("{PATH}/cancelMyRequest");
        let request = GraphRequest { method: Method::Post, version: Version::Beta, path, body: Some(&body) };
        self.pass_and_exchange(Bucket { service: &INTUNE_OTHER, access: Access::Write }, request, id).await.0
    }

    /// A collection, whole.
    async fn listed(&self, path: String, id: &str) -> Result<Vec<Value>, NotRead> {
        let bucket = Bucket { service: &INTUNE_OTHER, access: Access::Read };
        let request = GraphRequest { method: Method::Get, version: Version::Beta, path: path.clone(), body: None };
        let answer = self.pass_and_exchange(bucket, request, id).await;
        let first = document(answer, &path, Shape::List).map_err(NotRead)?;
        let mut whole = self.to_the_end((first, &path), bucket, id).await.map_err(NotRead)?;
        match whole.get_mut("value").map(Value::take) {
            Some(Value::Array(values)) => Ok(values),
            _ => Ok(Vec::new()),
        }
    }
}

/// What a request tells of the job that it was filed for.
impl<T: Transport> GraphClient<T> {
    /// Between a read and the send that follows it, somebody else may carry out what was approved; then the code is refused
    /// because it was used, and the target tells.
    pub(super) async fn unless_completed(&self, code: &str, reply: Reply, client_request_id: &str) -> Reply {
        match self.status(code, &companion(client_request_id)).await {
            Ok(Some(ShownRequest { status: RequestStatus::Completed, .. })) => Reply {
                verdict: Verdict::Lost,
                error_message: Some(format!("approval request {code} was completed by somebody else").into()),
                ..reply
            },
            _ => reply,
        }
    }

    /// A target that nothing has happened to may be sent to with a code only while its request is approved: it may have
    /// been carried out a moment ago, or withdrawn.
    pub(super) async fn still_approved(&self, code: &str, seen: String, client_request_id: &str) -> Evidence {
        match self.status(code, &companion(client_request_id)).await {
            Ok(Some(ShownRequest { status: RequestStatus::Approved, .. })) => Evidence::NoEffect(seen),
            Ok(Some(ShownRequest { status: RequestStatus::Completed, .. })) => {
                Evidence::Effect(format!("approval request {code} is completed"))
            }
            Ok(Some(ShownRequest { status, .. })) => {
                Evidence::CannotTell(format!("approval request {code} is {}", status.name()))
            }
            Ok(None) => Evidence::CannotTell(format!("the service does not know approval request {code}")),
            Err(NotRead(reply)) => Evidence::NotRead(reply),
        }
    }
}

fn statuses(requests: &[Value]) -> Statuses {
    let mut found = Statuses::new();
    for request in requests {
        let expires_at = text(request, "expirationDateTime").and_then(|at| at.parse().ok());
        let about = ShownRequest { status: status_of(request), expires_at };
        for code in ["id", "requestId"].into_iter().filter_map(|name| text(request, name)) {
            found.insert(code.to_ascii_lowercase(), about.clone());
        }
    }
    found
}

fn status_of(request: &Value) -> RequestStatus {
    text(request, "status").map_or(RequestStatus::Unknown, RequestStatus::named)
}

fn code_of(request: &Value) -> Option<&str> {
    text(request, "requestId").or_else(|| text(request, "id"))
}

/// Whether a request is about that job's target, and, as far as it tells, for that job's action.
fn is_about(request: &Value, job: &Job) -> bool {
    let object = OBJECTS.iter().filter_map(|name| text(request, name));
    let kinds = KINDS.iter().filter_map(|name| request.get(name)).map(|kind| kind.to_string().to_ascii_lowercase());
    let kinds: String = kinds.collect();
    let named: Vec<_> =
        ACTIONS_BY_WORD.iter().filter(|(word, _)| kinds.contains(word)).map(|(_, name)| *name).collect();
    object.into_iter().any(|id| id.eq_ignore_ascii_case(job.target()))
        && (named.is_empty() || named.contains(&job.action.name))
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
