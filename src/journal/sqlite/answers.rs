//! What an outcome says of the attempt that led to it, as a statement for the database.
//!
//! In: a condition on outcomes. Out: the text of an update. Must not: execute it.

/// The clear answer that settled a job goes to the attempt that it was given to, so that the attempts speak for themselves.
pub(super) fn outcome_answers(which: &str) -> String {
    format!(
        "UPDATE attempts SET answered_at = o.finished_at, http_status = o.http_status, error_code = o.error_code,
            error_message = o.error_message, request_id = o.request_id, verdict = CASE
                WHEN o.outcome = 'awaiting_approval' THEN 'approval_required' WHEN o.http_status < 300 THEN 'failed_on_device'
                WHEN o.http_status >= 500 THEN 'transient' ELSE 'refused' END
         FROM outcomes AS o WHERE {which} AND o.outcome IN ('failed', 'awaiting_approval')
            AND attempts.run = o.run AND attempts.job = o.job AND attempts.verdict IS NULL
            AND attempts.attempt = (SELECT max(b.attempt) FROM attempts AS b WHERE b.run = o.run AND b.job = o.job)"
    )
}
