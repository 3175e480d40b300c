//! What a reply means.
//!
//! In: a reply, or the way in which none came. Out: a [`Reply`] with its verdict. Must not: decide what to do about it;
//! `runner::retry` does.
//!
//! Sources: Graph's error responses page; Microsoft's pages on Multi Admin Approval, which disagree about the status
//! (403 or 412), so that the header and its name in the text decide.

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use super::error_body::{self, ErrorBody};
use super::recognise::{self, SuccessBody};
use super::transport::{TransportError, WireReply};
use crate::outcome::{Lack, Reply, RequestId, Verdict};
use crate::pacing::retry_after;
use crate::text::{Medium, harmless};

const APPROVAL_HEADER: &str = "x-msft-approval-code";
/// No id of a service is longer.
const LONGEST_ID: usize = 128;
const LOAD_HEADER: &str = "x-ms-throttle-limit-percentage";
const JUSTIFICATION_HEADER: &str = "x-msft-approval-justification";

/// Judges what came back for the request with that id.
pub(super) fn classify(result: Result<WireReply, TransportError>, client_request_id: &str, now: Timestamp) -> Reply {
    match result {
        Ok(reply) => judge(&reply, client_request_id, now),
        Err(error) => {
            let verdict = match error {
                TransportError::Unreachable(_) => Verdict::Unreachable,
                TransportError::Lost(_) | TransportError::Timeout(_) => Verdict::Lost,
            };
            Reply::none(verdict, error.to_string(), client_request_id.into())
        }
    }
}

fn judge(reply: &WireReply, client_request_id: &str, now: Timestamp) -> Reply {
    let success = reply.status.is_success().then(|| recognise::body(&reply.body));
    let (body, verdict) = match success {
        Some(SuccessBody::Empty | SuccessBody::Document) => (ErrorBody::default(), Verdict::Succeeded),
        // Something came back, and it does not tell whether anything was done.
        Some(SuccessBody::Error | SuccessBody::Foreign) => (error_body::read(&reply.body, now), Verdict::Lost),
        None => {
            let body = error_body::read(&reply.body, now);
            let verdict = verdict(reply, &body, now);
            (body, verdict)
        }
    };
    let is_foreign = success == Some(SuccessBody::Foreign) || verdict == Verdict::Foreign;
    let location = reply.status.is_redirection().then(|| text_header(&reply.headers, "location")).flatten();
    Reply {
        verdict,
        http_status: Some(reply.status.as_u16()),
        error_message: match location {
            Some(location) => {
                Some(format!("redirected to {}, which is never followed", harmless(&location, Medium::Message)).into())
            }
            None if is_foreign => Some(foreign(body.message.as_deref(), reply.body.trim_ascii().is_empty()).into()),
            None => body.message.map(Into::into).or_else(|| plain_reason(reply.status)),
        },
        error_code: body.code.map(Into::into),
        request_id: text_header(&reply.headers, "request-id").as_deref().map(|id| RequestId::from(first_of(id))),
        client_request_id: client_request_id.into(),
        load_percent: load_percent(&reply.headers),
    }
}

/// What a proxy or a gateway has answered in Graph's place.
fn foreign(words: Option<&str>, is_empty: bool) -> String {
    match words {
        Some(words) => format!("this is no answer of Graph's: {words}"),
        None if is_empty => "this is no answer of Graph's: it is empty".to_owned(),
        None => "this is no answer of Graph's: it has no words".to_owned(),
    }
}

const CHALLENGE_HEADER: &str = "www-authenticate";

/// Whether it is Graph that says no: in a document with a code, or by asking for a token.
fn is_of_graph(reply: &WireReply, body: &ErrorBody) -> bool {
    let asks_for_token = || {
        let asked = reply.headers.get_all(CHALLENGE_HEADER).iter().filter_map(|value| value.to_str().ok());
        asked.into_iter().any(|value| value.trim_start().to_ascii_lowercase().starts_with("bearer"))
    };
    let is_bare = || reply.body.trim_ascii().is_empty();
    !body.codes.is_empty() || (reply.status == StatusCode::UNAUTHORIZED && is_bare() && asks_for_token())
}

/// What the directory says of itself from eight tenths of its limit on: `0.83`, up to `1.8`.
fn load_percent(headers: &HeaderMap) -> Option<u16> {
    let load: f64 = headers.get(LOAD_HEADER)?.to_str().ok()?.trim().parse().ok()?;
    (load > 0.0 && load < 100.0).then(|| (load * 100.0).round() as u16)
}

fn verdict(reply: &WireReply, body: &ErrorBody, now: Timestamp) -> Verdict {
    let after = || retry_after::from_headers(&reply.headers, now).or(body.retry_after);
    // A page in Graph's place may repeat our own words.
    let said = reply.status.is_server_error() || (!reply.status.is_redirection() && is_of_graph(reply, body));
    if let Some(code) = approval_code(reply, body) {
        return Verdict::ApprovalRequired { code };
    }
    if let Some(lack) = lacks_justification(reply, body).filter(|_| said) {
        return Verdict::JustificationRequired(lack);
    }
    match reply.status.as_u16() {
        429 => Verdict::Throttled { after: after() },
        408 => Verdict::Transient { after: after() },
        503 | 509 => match after() {
            Some(after) => Verdict::Unavailable { after },
            None => Verdict::Transient { after: None },
        },
        501 | 505 | 507 => Verdict::Unsupported,
        500..=599 => Verdict::Transient { after: after() },
        _ if !said => Verdict::Foreign,
        401 => Verdict::Unauthorized,
        404 | 410 if recognise::says_not_found(body) => Verdict::Gone,
        409 if is_pending_already(body) => Verdict::ApprovalPending,
        409 if body.code.as_deref() == Some("Directory_ConcurrencyViolation") => Verdict::Transient { after: after() },
        423 => Verdict::Transient { after: after() },
        _ => Verdict::Refused,
    }
}

/// The code under which Multi Admin Approval filed the request: in the header, or behind the header's name in the text.
fn approval_code(reply: &WireReply, body: &ErrorBody) -> Option<Box<str>> {
    if !reply.status.is_client_error() {
        return None;
    }
    text_header(&reply.headers, APPROVAL_HEADER).filter(|code| is_code(code)).or_else(|| {
        let text = body.message.as_deref().filter(|_| !body.codes.is_empty())?;
        let at = text.to_ascii_lowercase().find(APPROVAL_HEADER)?;
        let behind = &text[at + APPROVAL_HEADER.len()..];
        behind
            .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
            .find(|word| uuid::Uuid::try_parse(word).is_ok())
            .map(Into::into)
    })
}

/// It goes into the address of a read and into a header, so that it has to look like an id.
fn is_code(code: &str) -> bool {
    code.len() <= LONGEST_ID && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Pages disagree about the status, 400 or 403; the name of the header is in the text of both.
fn lacks_justification(reply: &WireReply, body: &ErrorBody) -> Option<Lack> {
    let text = body.message.as_deref().filter(|_| matches!(reply.status.as_u16(), 400 | 403 | 412))?;
    let text = text.to_ascii_lowercase();
    let lack = if text.contains("required") { Lack::Missing } else { Lack::Unfit };
    text.contains(JUSTIFICATION_HEADER).then_some(lack)
}

/// "An active Approval Request already exists for this entity", as field reports have it.
fn is_pending_already(body: &ErrorBody) -> bool {
    let text = body.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    text.contains("approval request") && text.contains("already exists")
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<Box<str>> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty()).map(Into::into)
}

/// An id of the service, as far as it can be one.
fn first_of(id: &str) -> &str {
    id.get(..LONGEST_ID).unwrap_or(id)
}

fn plain_reason(status: StatusCode) -> Option<Box<str>> {
    (!status.is_success()).then(|| status.canonical_reason().unwrap_or("no reason given").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Reply {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| {
            map.insert(*name, value.parse().unwrap());
        });
        let wire = WireReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::from_static(body.as_bytes()),
        };
        classify(Ok(wire), "c", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn ids_are_no_longer_than_ids_are_and_a_code_looks_like_one() {
        let long = "a".repeat(1_000);
        let headers = |code: &str| {
            let body = r#"{"error":{"code":"ApprovalRequired","message":"m"}}"#;
            reply(403, &[("x-msft-approval-code", code), ("request-id", &long)], body)
        };
        let filed = headers("44444444-4444-4444-8444-444444444444");
        assert!(matches!(filed.verdict, Verdict::ApprovalRequired { .. }));
        assert_eq!(filed.request_id.unwrap().to_string().len(), LONGEST_ID);
        for code in [long.as_str(), "x' or status eq 'approved", "a/b"] {
            assert_eq!(headers(code).verdict, Verdict::Refused, "{code}");
        }
    }

    #[test]
    fn an_error_is_read_as_far_as_a_sentence_goes() {
        let page = "no ".repeat(1 << 20);
        let wire = WireReply::new(StatusCode::BAD_GATEWAY, HeaderMap::new(), page.into());
        assert_eq!(wire.body.len(), super::super::transport::LONGEST_ERROR);
        let reply = classify(Ok(wire), "c", Timestamp::UNIX_EPOCH);
        assert!(reply.error_message.is_some_and(|said| said.chars().count() <= 400));
        let page = Bytes::from("x".repeat(1 << 20));
        assert_eq!(WireReply::new(StatusCode::OK, HeaderMap::new(), page.clone()).body, page);
    }

    #[test]
    fn statuses_are_judged_by_what_may_have_happened() {
        let table = [
            (200, Verdict::Succeeded),
            (204, Verdict::Succeeded),
            (302, Verdict::Foreign),
            (400, Verdict::Foreign),
            (401, Verdict::Foreign),
            (403, Verdict::Foreign),
            (404, Verdict::Foreign),
            (405, Verdict::Foreign),
            (407, Verdict::Foreign),
            (408, Verdict::Transient { after: None }),
            (409, Verdict::Foreign),
            (410, Verdict::Foreign),
            (423, Verdict::Foreign),
            (429, Verdict::Throttled { after: None }),
            (500, Verdict::Transient { after: None }),
            (501, Verdict::Unsupported),
            (502, Verdict::Transient { after: None }),
            (503, Verdict::Transient { after: None }),
            (504, Verdict::Transient { after: None }),
            (507, Verdict::Unsupported),
            (509, Verdict::Transient { after: None }),
        ];
        for (status, verdict) in table {
            assert_eq!(reply(status, &[], "").verdict, verdict, "{status}");
        }
        let said = r#"{"error":{"code":"Said","message":"No."}}"#;
        // Graph redirects nobody who wants something done.
        assert_eq!(reply(302, &[("location", "https://elsewhere.example/")], said).verdict, Verdict::Foreign);
        for status in [400, 403, 404, 405, 409, 410, 412] {
            assert_eq!(reply(status, &[], said).verdict, Verdict::Refused, "{status}");
        }
        assert_eq!(reply(401, &[], said).verdict, Verdict::Unauthorized);
        assert_eq!(reply(401, &[("www-authenticate", "Bearer realm=\"\"")], "").verdict, Verdict::Unauthorized);
        assert_eq!(reply(401, &[("www-authenticate", "Basic realm=\"proxy\"")], "").verdict, Verdict::Foreign);
        assert_eq!(reply(423, &[], said).verdict, Verdict::Transient { after: None });
        let bearer = [("www-authenticate", "Bearer realm=\"proxy\"")];
        assert_eq!(reply(401, &bearer, "<html>Sign in</html>").verdict, Verdict::Foreign);
    }

    #[test]
    fn a_page_is_neither_a_success_nor_an_absence() {
        let page = "<html><title>Sign in</title></html>";
        for (status, body) in [(200, page), (204, page), (202, "OK"), (403, page), (404, page), (410, ""), (404, "{}")]
        {
            let judged = reply(status, &[], body);
            let verdict = if status < 300 { Verdict::Lost } else { Verdict::Foreign };
            assert_eq!(judged.verdict, verdict, "{status} {body}");
            assert!(judged.reason().contains("no answer of Graph's"), "{}", judged.reason());
        }
        let inside = reply(200, &[], r#"{"error":{"code":"InternalError","message":"It broke."}}"#);
        assert_eq!((inside.verdict, inside.error_code.as_deref()), (Verdict::Lost, Some("InternalError")));
        assert_eq!(reply(200, &[], r#"{"value":true}"#).verdict, Verdict::Succeeded);
    }

    #[test]
    fn only_graph_says_that_something_is_not_there() {
        let graph = |status, code: &str| {
            let body = format!(r#"{{"error":{{"code":"{code}","message":"Resource 'x' does not exist."}}}}"#);
            reply(status, &[], body.leak()).verdict
        };
        assert_eq!(graph(404, "Request_ResourceNotFound"), Verdict::Gone);
        assert_eq!(graph(410, "ResourceNotFound"), Verdict::Gone);
        assert_eq!(graph(404, "UnknownError"), Verdict::Refused);
        assert_eq!(graph(400, "ResourceNotFound"), Verdict::Refused);
        let route = r#"{"error":{"code":"ResourceNotFound","message":"Resource not found for the segment 'retire'."}}"#;
        assert_eq!(reply(404, &[], route).verdict, Verdict::Refused);
    }

    #[test]
    fn a_service_that_is_out_of_order_may_have_done_its_work_before_it_said_so() {
        let after = Duration::from_secs(3);
        assert_eq!(reply(503, &[("retry-after", "3")], "").verdict, Verdict::Unavailable { after });
        assert_eq!(reply(509, &[("retry-after", "3")], "").verdict, Verdict::Unavailable { after });
        assert_eq!(reply(504, &[("retry-after", "3")], "").verdict, Verdict::Transient { after: Some(after) });
        for status in 500..=599 {
            assert!(reply(status, &[], "").verdict.leaves_a_doubt(), "{status}");
            assert!(reply(status, &[("retry-after", "0")], "").verdict.leaves_a_doubt(), "{status}");
        }
    }

    #[test]
    fn the_directory_says_how_loaded_it_is() {
        let told = |text: &str| reply(204, &[("x-ms-throttle-limit-percentage", text)], "").load_percent;
        assert_eq!([told("0.8"), told("1.25"), told(" 1.8 ")], [Some(80), Some(125), Some(180)]);
        assert_eq!([told("-1"), told("NaN"), told("much"), told("1e9")], [None; 4]);
        assert_eq!(reply(204, &[], "").load_percent, None);
    }

    #[test]
    fn an_approval_is_known_by_its_code_whatever_the_status() {
        let code = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let approval = Verdict::ApprovalRequired { code: code.into() };
        assert_eq!(reply(412, &[("x-msft-approval-code", code)], "").verdict, approval);
        assert_eq!(reply(403, &[("x-msft-approval-code", code)], "").verdict, approval);
        let text = r#"{"error":{"code":"BadRequest","message":"Resend with x-msft-approval-code: 0f8fad5b-d9cb-469f-a165-70867728950e."}}"#;
        assert_eq!(reply(412, &[], text).verdict, approval);
        for page in [
            "<html>x-msft-approval-code: 0f8fad5b-d9cb-469f-a165-70867728950e</html>",
            "<html>Blocked: x-msft-approval-justification</html>",
        ] {
            for status in [400, 403, 412] {
                assert_eq!(reply(status, &[], page).verdict, Verdict::Foreign, "{status} {page}");
            }
        }
        assert_eq!(reply(412, &[], "").verdict, Verdict::Foreign);
    }

    #[test]
    fn a_missing_reason_and_a_pending_request_are_no_ordinary_refusals() {
        let required =
            r#"{"error":{"code":"BadRequest","message":"Header 'x-msft-approval-justification' is required."}}"#;
        assert_eq!(reply(400, &[], required).verdict, Verdict::JustificationRequired(Lack::Missing));
        assert_eq!(reply(403, &[], required).verdict, Verdict::JustificationRequired(Lack::Missing));
        let unfit =
            r#"{"error":{"code":"BadRequest","message":"Header 'x-msft-approval-justification' is too long."}}"#;
        assert_eq!(reply(400, &[], unfit).verdict, Verdict::JustificationRequired(Lack::Unfit));
        assert_eq!(reply(500, &[], required).verdict, Verdict::Transient { after: None });
        let pending =
            r#"{"error":{"code":"Conflict","message":"An active Approval Request already exists for this entity."}}"#;
        assert_eq!(reply(409, &[], pending).verdict, Verdict::ApprovalPending);
        assert_eq!(
            reply(409, &[], r#"{"error":{"code":"Conflict","message":"It already exists."}}"#).verdict,
            Verdict::Refused
        );
    }

    #[test]
    fn a_redirect_is_named_and_not_followed() {
        let reply = reply(302, &[("location", "https://elsewhere.example/")], "");
        assert!(reply.error_message.is_some_and(|message| message.contains("https://elsewhere.example/")));
    }

    #[test]
    fn a_lost_reply_is_not_a_failure_to_connect() {
        let judged = |error| classify(Err(error), "c", Timestamp::UNIX_EPOCH).verdict;
        assert_eq!(judged(TransportError::Unreachable("x".into())), Verdict::Unreachable);
        assert_eq!(judged(TransportError::Lost("x".into())), Verdict::Lost);
        assert_eq!(judged(TransportError::Timeout(60)), Verdict::Lost);
    }
}
