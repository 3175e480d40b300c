//! Whether an answer is one of Graph's: success and absence are recognised, never assumed.
//!
//! In: a body. Out: what it is. Must not: take whatever a proxy, a portal or a gateway puts in its place for an answer.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error_body::ErrorBody;

/// What came with a status of success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuccessBody {
    Empty,
    /// A JSON document that is no error.
    Document,
    /// A JSON document that is an error.
    Error,
    /// Anything else: a page to sign in on, text, half of a document.
    Foreign,
}

/// Looks at a body without keeping anything of it. Whatever Graph answers with is an object.
pub(super) fn body(bytes: &[u8]) -> SuccessBody {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return SuccessBody::Empty;
    }
    match serde_json::from_slice::<Recognised>(bytes) {
        Ok(Recognised { is_error: true }) => SuccessBody::Error,
        Ok(Recognised { is_error: false }) => SuccessBody::Document,
        Err(_) => SuccessBody::Foreign,
    }
}

/// Keys under which services of Microsoft's put an error, without regard to case.
const ERRORS: &[&str] = &["error", "errors", "odata.error", "@odata.error", "errorcode", "error_description"];
/// Keys of which an error consists that has nothing around it.
const BARE: &[&str] = &["code", "message", "details", "innererror", "target", "statuscode", "_version"];

/// A document, and whether it is an error.
struct Recognised {
    is_error: bool,
}

impl<'de> Deserialize<'de> for Recognised {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RootKeys)
    }
}

struct RootKeys;

impl<'de> Visitor<'de> for RootKeys {
    type Value = Recognised;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Recognised, A::Error> {
        let is_one_of = |keys: &[&str], key: &str| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
        let (mut says_error, mut is_bare, mut keys) = (false, true, 0);
        while let Some((key, value)) = map.next_entry::<Cow<'_, str>, Option<IgnoredAny>>()? {
            keys += 1;
            says_error |= value.is_some() && is_one_of(ERRORS, &key);
            is_bare &= is_one_of(BARE, &key);
        }
        Ok(Recognised { is_error: says_error || (is_bare && keys > 0) })
    }
}

/// Codes of the services behind Graph for an object that is not there.
///
/// Sources: Graph's page on error responses; field reports of Intune, whose code may stand in a document inside the message.
const NOT_FOUND: &[&str] = &[
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "NotFound",
    "itemNotFound",
    "ObjectNotFound",
    "Directory_ObjectNotFound",
    "DeviceNotFound",
    "UserNotFound",
    "Request_UserNotFound",
    "ErrorItemNotFound",
];

/// What the message says where no such path is served. Graph has no code of its own for that, and uses those of above.
const WRONG_ROUTE: &[&str] = &[
    "resource not found for the segment",
    "invalid version",
    "no odata route exists",
    "no method match route template",
];

/// Whether a 404 or 410 with that error says that Graph does not know something that the path names. If not, what is wrong
/// is something else: the path itself.
pub(super) fn says_not_found(body: &ErrorBody) -> bool {
    let text = body.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_known = |code: &String| NOT_FOUND.iter().any(|known| known.eq_ignore_ascii_case(code));
    !WRONG_ROUTE.iter().any(|words| text.contains(words)) && body.codes.iter().any(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msgraph::error_body;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_nothing_or_a_document() {
        for (text, expected) in [
            ("", SuccessBody::Empty),
            (" \r\n", SuccessBody::Empty),
            (r#"{"value":true}"#, SuccessBody::Document),
            ("true", SuccessBody::Foreign),
            ("[]", SuccessBody::Foreign),
            (r#"[{"error":{"code":"Forbidden"}}]"#, SuccessBody::Foreign),
            (r#""Access denied""#, SuccessBody::Foreign),
            (r#"{"errors":[{"message":"No."}]}"#, SuccessBody::Error),
            (r#"{"ERROR":{"code":"Forbidden"}}"#, SuccessBody::Error),
            (r#"{"@odata.error":{"code":"Forbidden"}}"#, SuccessBody::Error),
            (r#"{"ErrorCode":"Forbidden","Message":"No."}"#, SuccessBody::Error),
            (r#"{"Message":"Authorization has been denied for this request."}"#, SuccessBody::Error),
            (r#"{"_version":3,"Message":"An error has occurred"}"#, SuccessBody::Error),
            ("{}", SuccessBody::Document),
            (r#" {"id":"x","error":null} "#, SuccessBody::Document),
            (r#"{"error":{"code":"Forbidden","message":"No."}}"#, SuccessBody::Error),
            (r#"{"error":"invalid_client"}"#, SuccessBody::Error),
            (r#"{"Error":{"Code":"Forbidden"}}"#, SuccessBody::Error),
            (r#"{"odata.error":{"code":"Request_BadRequest"}}"#, SuccessBody::Error),
            ("<html><body>Sign in</body></html>", SuccessBody::Foreign),
            ("OK", SuccessBody::Foreign),
            (r#"{"value":["#, SuccessBody::Foreign),
            (r#"{"value":[]} <!-- cached -->"#, SuccessBody::Foreign),
        ] {
            assert_eq!(body(text.as_bytes()), expected, "{text}");
        }
    }

    fn judged(text: &str) -> bool {
        says_not_found(&error_body::read(text.as_bytes(), Timestamp::UNIX_EPOCH))
    }

    fn graph(code: &str, message: &str) -> bool {
        judged(&json!({ "error": { "code": code, "message": message } }).to_string())
    }

    #[test]
    fn only_an_error_document_with_a_code_for_it_says_that_something_is_not_there() {
        assert!(graph("Request_ResourceNotFound", "Resource 'x' does not exist"));
        assert!(graph("resourcenotfound", ""));
        assert!(graph("UnknownError", r#"{"ErrorCode":"NotFound","Message":"No."}"#));
        let intune = json!({ "_version": 3, "Message": "An error has occurred" }).to_string();
        assert!(graph("ResourceNotFound", &intune));
        assert!(!graph("UnknownError", &intune));
        assert!(!graph("ResourceNotFound", "Resource not found for the segment 'retire'."));
        assert!(!graph("ResourceNotFound", "Invalid version: devicemanagement"));
        assert!(!graph("No method match route template", "No OData route exists"));
        for foreign in
            ["", "<html>404 Not Found</html>", "Not Found", "{}", r#"{"message":"Not Found"}"#, r#"{"error":{}}"#]
        {
            assert!(!judged(foreign), "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn no_page_is_taken_for_an_answer(page in "<[a-zA-Z!]{1,9}>[ -~]{0,80}") {
            prop_assert_eq!(body(page.as_bytes()), SuccessBody::Foreign);
            prop_assert!(!judged(&page));
        }
    }
}
