//! Rows that several readers have in common, as values.
//!
//! In: a row with the columns of an attempt or of an outcome. Out: the attempt, the settlement. Must not: read: whoever has
//! the row has asked for it.

use jiff::Timestamp;
use rusqlite::Row;

use crate::journal::stored::PastAttempt;
use crate::outcome::{Cause, Outcome, RequestId, ServiceError, Settlement, Stamp};

/// From a row with the columns of an attempt.
pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<PastAttempt> {
    Ok(PastAttempt {
        seq: row.get("seq")?,
        sent_at: micros(row.get("sent_at")?),
        client_request_id: row.get("client_request_id")?,
        verdict: row.get("verdict")?,
        cleared: row.get("cleared")?,
    })
}

/// From a row with the columns of an outcome. `None`: this version does not know that outcome.
pub(super) fn settlement(row: &Row<'_>) -> rusqlite::Result<Option<Settlement>> {
    let outcome: String = row.get("outcome")?;
    let millis = |column: &str| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(column)?.unsigned_abs()) };
    let time = |column: &str| -> rusqlite::Result<Option<Stamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(|at| micros(at).into()))
    };
    let boxed = |column: &str| -> rusqlite::Result<Option<Box<str>>> {
        Ok(row.get::<_, Option<String>>(column)?.map(String::into_boxed_str))
    };
    let id = |column: &str| -> rusqlite::Result<Option<RequestId>> {
        Ok(row.get_ref(column)?.as_str_or_null()?.map(RequestId::from))
    };
    let settlement = Outcome::named(&outcome).map(|outcome| -> rusqlite::Result<Settlement> {
        Ok(Settlement {
            outcome,
            cause: cause(outcome, row)?,
            http_status: row.get("http_status")?,
            error: ServiceError::new(boxed("error_code")?, boxed("error_message")?),
            attempts: row.get("attempts")?,
            waited_ms: millis("waited_ms")?,
            duration_ms: millis("duration_ms")?,
            started_at: time("started_at")?,
            finished_at: time("finished_at")?,
            request_id: id("request_id")?,
            client_request_id: id("client_request_id")?,
            note: boxed("note")?,
            follow_up: None,
        })
    });
    settlement.transpose()
}

/// Nothing else has a cause; what was recorded before there were any has none.
fn cause(outcome: Outcome, row: &Row<'_>) -> rusqlite::Result<Option<Cause>> {
    if !outcome.has_a_cause() {
        return Ok(None);
    }
    Ok(row.get_ref("cause")?.as_str_or_null()?.and_then(Cause::named))
}

pub(super) fn micros(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}
