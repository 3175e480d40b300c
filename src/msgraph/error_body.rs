//! Error bodies, read down to the sentence for people.
//!
//! In: the bytes of a reply. Out: the most specific code, the human sentence, and a time to wait if the body names one.
//! Must not: fail. A gateway's HTML page, an empty body or broken JSON must never hide the status they came with.
//!
//! Graph wraps `{"error": {"code", "message", "innerError"}}`; Intune packs a second JSON document into `message`;
//! the token endpoint writes `{"error", "error_description"}`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::transport::LONGEST_ERROR;
use crate::pacing::retry_after;
use crate::text::{Medium, harmless, shown};

/// So much of the text of a page is looked at, in bytes.
const ENOUGH: usize = 1_600;

/// What a body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The most specific one.
    pub code: Option<String>,
    /// Every code of an error document of Graph's, from the outermost in; empty where the body is none.
    pub codes: Vec<String>,
    pub message: Option<String>,
    pub retry_after: Option<Duration>,
}

/// Reads whatever came, as far as an error is read at all.
pub(super) fn read(body: &[u8], now: Timestamp) -> ErrorBody {
    let body = &body[..body.len().min(LONGEST_ERROR)];
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(document) => from_json(&document, now),
        Err(_) => ErrorBody { message: page_text(&text), ..ErrorBody::default() },
    }
}

fn from_json(document: &Value, now: Timestamp) -> ErrorBody {
    match ERRORS.iter().find_map(|key| document.get(key)) {
        Some(error @ Value::Object(_)) => {
            let message = message_of(error);
            let mut codes = Vec::new();
            codes_of(error, &mut codes);
            let nested = nested_documents(message.as_deref());
            codes.extend(
                nested.iter().flat_map(|document| NESTED_CODES.iter().filter_map(|key| text_of(document, key))),
            );
            ErrorBody {
                code: codes.last().map(|code| shown(code).into_owned()),
                codes,
                message: match nested.last() {
                    Some(document) => intune_sentence(document),
                    None => message.map(|text| sentence_of(&text)),
                },
                retry_after: nested.iter().find_map(|document| retry_after::from_intune(document, now)),
            }
        }
        Some(Value::String(code)) => ErrorBody {
            code: Some(shown(code).into_owned()),
            message: text_of(document, "error_description").map(|text| sentence_of(&text)),
            ..ErrorBody::default()
        },
        _ => ErrorBody {
            message: text_of(document, "message")
                .or_else(|| text_of(document, "Message"))
                .map(|text| sentence_of(&text)),
            ..ErrorBody::default()
        },
    }
}

/// Names of the error in a document: services of Microsoft's spell it in three ways.
pub(super) const ERRORS: [&str; 3] = ["error", "Error", "odata.error"];

/// The message of an error; OData of version 3 says in which language it is.
fn message_of(error: &Value) -> Option<String> {
    let plain = text_of(error, "message").or_else(|| text_of(error, "Message"));
    plain.or_else(|| text_of(error.get("message")?, "value"))
}

/// Names of the code in a document that stands inside a message.
const NESTED_CODES: &[&str] = &["ErrorCode", "Code", "code"];

/// Documents inside documents are followed so deep.
const DEEPEST: usize = 8;

/// Every `code` that is not empty, the outermost first. The key of the wrapping object is spelled in two ways.
fn codes_of(error: &Value, codes: &mut Vec<String>) {
    let mut next = Some(error);
    while let Some(error) = next.filter(|error| error.is_object() && codes.len() < DEEPEST) {
        codes.extend(text_of(error, "code").or_else(|| text_of(error, "Code")));
        next = error.get("innerError").or_else(|| error.get("innererror"));
    }
}

/// The document inside a message, and the one inside its own message, as deep as they go.
fn nested_documents(message: Option<&str>) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut text = message.map(str::to_owned);
    while let Some(document) = text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        if !document.is_object() || found.len() == DEEPEST {
            break;
        }
        text = text_of(&document, "Message");
        found.push(document);
    }
    found
}

/// `Message` up to the operation's ids, the phrase meant for people, and the activity id that support asks for.
fn intune_sentence(document: &Value) -> Option<String> {
    let message = text_of(document, "Message")?;
    let sentence = message.split(" - Operation ID").next().unwrap_or(&message).trim();
    let activity = message.split("Activity ID: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let mut text = match text_of(document, "CustomApiErrorPhrase") {
        Some(phrase) => format!("{phrase}: {sentence}"),
        None => sentence.to_owned(),
    };
    if let Some(activity) = activity {
        text.push_str(&format!(" (activity {activity})"));
    }
    Some(sentence_of(&text))
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The words of an HTML page or of plain text.
fn page_text(text: &str) -> Option<String> {
    let mut words = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        words.push_str(&rest[..start]);
        words.push(' ');
        let skipped = ["<style", "<script"].iter().find(|tag| starts_with_ignore_case(&rest[start..], tag));
        let end = match skipped {
            Some(tag) => rest[start..].find(&format!("</{}", &tag[1..])).map_or(rest.len(), |at| start + at),
            None => start,
        };
        rest = rest[end..].find('>').map_or("", |at| &rest[end + at + 1..]);
        if words.len() > ENOUGH {
            break;
        }
    }
    words.push_str(rest);
    let text = sentence_of(&words);
    (!text.is_empty()).then_some(text)
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn sentence_of(text: &str) -> String {
    harmless(text, Medium::Message).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: &str) -> ErrorBody {
        super::read(body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    fn intune(inner: Value) -> String {
        json!({"error": {"code": "BadRequest", "message": inner.to_string(), "innerError": {"date": "x", "request-id": "y"}}})
            .to_string()
    }

    #[test]
    fn graph_errors_give_the_innermost_code() {
        let body = read(
            r#"{"error":{"code":"Forbidden","message":"No.","innererror":{"code":"Deeper","innerError":{"code":"Deepest"}}}}"#,
        );
        assert_eq!((body.code.as_deref(), body.message.as_deref()), (Some("Deepest"), Some("No.")));
        assert_eq!(read(r#"{"error":{"code":"","message":"m"}}"#).code, None);
    }

    #[test]
    fn intune_errors_give_the_sentence_and_the_activity() {
        let body = read(&intune(json!({
            "_version": 3,
            "Message": "Device is not supported - Operation ID (for customer support): 00000000 - Activity ID: 11111111-2222-3333-4444-555555555555 - Url: https://fef.example/x",
            "CustomApiErrorPhrase": "", "RetryAfter": 7, "ErrorSourceService": "", "HttpHeaders": "{}",
        })));
        assert_eq!(
            body.message.as_deref(),
            Some("Device is not supported (activity 11111111-2222-3333-4444-555555555555)")
        );
        assert_eq!(body.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(body.code.as_deref(), Some("BadRequest"));
    }

    #[test]
    fn a_document_inside_the_document_inside_the_message_is_read_too() {
        let inner = json!({ "_version": 3, "Message": "Not here - Operation ID (for customer support): 0" });
        let outer = json!({ "ErrorCode": "NotFound", "Message": inner.to_string(), "InnerError": null });
        let body = read(&json!({ "error": { "code": "UnknownError", "message": outer.to_string() } }).to_string());
        assert_eq!(body.codes, ["UnknownError", "NotFound"]);
        assert_eq!((body.code.as_deref(), body.message.as_deref()), (Some("NotFound"), Some("Not here")));
        assert!(read("<html>404</html>").codes.is_empty() && read(r#"{"error":"invalid_client"}"#).codes.is_empty());
    }

    #[test]
    fn a_gateway_page_gives_its_words() {
        let body = read(
            "<html><head><style>b{}</style><title>502 Bad Gateway</title></head><body>\n<h1>Our services</h1></body></html>",
        );
        assert_eq!(body.message.as_deref(), Some("502 Bad Gateway Our services"));
        assert_eq!(read("").message, None);
    }

    #[test]
    fn the_token_endpoint_speaks_its_own_dialect() {
        let body = read(
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.\r\nTrace ID: x"}"#,
        );
        assert_eq!(body.code.as_deref(), Some("invalid_client"));
        assert_eq!(body.message.as_deref(), Some("AADSTS7000215: Invalid client secret. Trace ID: x"));
    }

    #[test]
    fn what_a_body_says_steers_nothing() {
        let long = "x".repeat(1_000);
        let body = read(
            &json!({"error": {"code": format!("No\u{1b}[2J\n{long}"), "message": "a\u{202e}b\r\nc\u{200b}"}})
                .to_string(),
        );
        assert_eq!(body.message.as_deref(), Some("a\u{fffd}b c\u{fffd}"));
        let code = body.code.unwrap();
        assert!(code.starts_with("No\u{fffd}[2J x") && code.chars().count() == 60, "{code}");
        let token = read(&json!({"error": "x\u{9b}2J", "error_description": "y\u{2066}"}).to_string());
        assert_eq!((token.code.as_deref(), token.message.as_deref()), (Some("x\u{fffd}2J"), Some("y\u{fffd}")));
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(body in proptest::collection::vec(any::<u8>(), 0..600)) {
            let read = super::read(&body, Timestamp::UNIX_EPOCH);
            prop_assert!(read.message.is_none_or(|message| message.chars().count() <= 400 && !message.contains(char::is_control)));
        }

        #[test]
        fn no_page_breaks_the_reader(page in "(<[a-z]{0,7}|>|</style|<script|é|[a-z ]){0,60}") {
            super::read(page.as_bytes(), Timestamp::UNIX_EPOCH);
        }
    }
}
