//! Whether a document shows what was asked for.
//!
//! In: a document, and the path it was read at. Out: whether it is that thing, or a list. Pure. Must not: say what the
//! document means; `evidence` and `follow_up` do.

use serde_json::Value;

use super::transport::WireReply;
use crate::catalog::ReadBack;
use crate::outcome::{Reply, Verdict};

/// What a read must show before it tells anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One thing, with its id.
    Thing,
    List,
}

/// Why a document tells nothing that is not what was asked for.
pub(super) const NOT_SHOWN: &str = "the answer does not show what was asked for";

pub(super) fn shape_of(read_back: ReadBack) -> Shape {
    match read_back {
        ReadBack::Unlisted | ReadBack::Emptied | ReadBack::UserDevices { .. } => Shape::List,
        ReadBack::ManagementState { .. }
        | ReadBack::Absent
        | ReadBack::ActionResult { .. }
        | ReadBack::Cleared { .. }
        | ReadBack::AsSent
        | ReadBack::AbsentLater
        | ReadBack::BackAt { .. }
        | ReadBack::Unlicensed
        | ReadBack::Nobody => Shape::Thing,
    }
}

impl Shape {
    /// `path`: where it was read. Another thing than the one that was asked for tells nothing of it.
    pub(super) fn is_shown_by(self, document: &Value, path: &str) -> bool {
        let asked = path.split('?').next().and_then(|path| path.rsplit('/').next());
        let asked = asked.and_then(|id| uuid::Uuid::try_parse(id).ok());
        let is_it = |id: &str| match (asked, uuid::Uuid::try_parse(id)) {
            (Some(asked), Ok(shown)) => asked == shown,
            (Some(_), Err(_)) => false,
            (None, _) => !id.is_empty(),
        };
        match self {
            Self::Thing => document.get("id").and_then(Value::as_str).is_some_and(is_it),
            Self::List => document.get("value").is_some_and(Value::is_array),
        }
    }
}

/// What a read shows, if it shows what was asked for.
pub(super) fn document((reply, wire): (Reply, Option<WireReply>), path: &str, shape: Shape) -> Result<Value, Reply> {
    let Some(wire) = wire else { return Err(reply) };
    match serde_json::from_slice::<Value>(&wire.body) {
        Ok(document) if shape.is_shown_by(&document, path) => Ok(document),
        Ok(_) => Err(Reply { verdict: Verdict::Refused, error_message: Some(NOT_SHOWN.into()), ..reply }),
        Err(_) => Err(Reply { verdict: Verdict::Lost, error_message: Some("the answer is empty".into()), ..reply }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn another_thing_than_the_one_that_was_asked_for_tells_nothing() {
        let path = "/v1.0/deviceManagement/managedDevices/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11?$select=id";
        let shown = |id: &str| Shape::Thing.is_shown_by(&json!({ "id": id }), path);
        assert!(shown("7F4E0C1E-0b2e-4a55-9d6b-0d1f4a7a2c11"));
        assert!(!shown("7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c12") && !shown("x") && !shown(""));
        assert!(Shape::Thing.is_shown_by(&json!({ "id": "a:b" }), "/beta/things/a%3Ab"));
        assert!(
            !Shape::List.is_shown_by(&json!({ "id": "x" }), path)
                && Shape::List.is_shown_by(&json!({ "value": [] }), path)
        );
    }
}
