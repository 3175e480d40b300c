//! What a fault says in place of the real answer.
//!
//! In: a fault of the scenario. Out: the refusal to send, or `None` where the request goes on. Must not: choose faults,
//! or touch what the tenant holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::HeaderName;
use http::header::LOCATION;

use super::errors::Refusal;
use super::resources::{guid, mix};
use super::scenario::{Approval, ApprovalStatus, Fault, Status};

const CODE: HeaderName = HeaderName::from_static("x-msft-approval-code");
const JUSTIFICATION: HeaderName = HeaderName::from_static("x-msft-approval-justification");
const LONGEST_JUSTIFICATION: usize = 1_024;

/// The answer of a fault that needs nothing but itself.
pub(super) fn answer(fault: &Fault) -> Option<Refusal> {
    match fault {
        Fault::Throttle(slow) => Some(Refusal::throttled(slow.retry_after, slow.seconds.0)),
        Fault::Status(status) => (!status.after_effect).then(|| words(status)),
        Fault::Redirect(url) => Some(Refusal::new(302, "Found", "Moved").with(LOCATION, url)),
        Fault::Conflict => Some(Refusal::new(
            409,
            "Directory_ConcurrencyViolation",
            "The object was changed at the same time. You can repeat the request after some delay.",
        )),
        _ => None,
    }
}

/// The answer of a fault that is given when the request has had its effect.
pub(super) fn after_effect(fault: &Fault) -> Option<Refusal> {
    match fault {
        Fault::Status(status) => status.after_effect.then(|| words(status)),
        _ => None,
    }
}

fn words(status: &Status) -> Refusal {
    let code = status.error_code.clone().unwrap_or_else(|| usual_code(status.code.0).to_owned());
    let message = status.message.clone().unwrap_or_else(|| "An error has occurred".to_owned());
    let refusal = Refusal { body: status.body, ..Refusal::new(status.code.0, code, message) };
    match status.seconds {
        Some(seconds) => refusal.waiting(status.retry_after, seconds.0),
        None => refusal,
    }
}

/// Multi Admin Approval: `None` once the request carries the right code. `number` makes the code where the scenario
/// names none, so that it is the same whenever the same request is filed.
pub(super) fn approval(approval: &Approval, headers: &HeaderMap, number: u64) -> Option<Refusal> {
    let code = approval.code.as_ref().map_or_else(|| guid(mix(number), mix(!number)), |code| code.0.clone());
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(CODE).is_some_and(|given| given.eq_ignore_ascii_case(&code)) {
        return None;
    }
    let justification = text(JUSTIFICATION).and_then(|text| STANDARD.decode(text).ok());
    let required = "Header 'x-msft-approval-justification' is required for this request, because a Multi Admin \
                    Approval policy protects the resource.";
    let Some(justification) = justification.filter(|_| approval.status != ApprovalStatus::JustificationRequired) else {
        return Some(Refusal::bad_request(required));
    };
    if justification.len() > LONGEST_JUSTIFICATION {
        return Some(Refusal::bad_request("Header 'x-msft-approval-justification' is too long."));
    }
    let (status, error) = match approval.status {
        ApprovalStatus::AlreadyPending => {
            let message = "An active Approval Request already exists for this object.";
            return Some(Refusal::new(409, "Conflict", message));
        }
        ApprovalStatus::Forbidden => (403, "ApprovalRequired"),
        _ => (412, "BadRequest"),
    };
    let message = format!(
        "The request requires approval by another administrator. Send it again with the header \
         x-msft-approval-code: {code}"
    );
    Some(Refusal::new(status, error, message).with(CODE, code))
}

fn usual_code(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "InvalidAuthenticationToken",
        403 => "Forbidden",
        404 => "ResourceNotFound",
        409 => "Conflict",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "UnknownError",
    }
}
