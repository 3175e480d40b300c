//! The answer to one attempt.
//!
//! In: what the service has said, with its verdict. Out: [`Reply`]. Must not: decide what to do about it.

use super::request_id::RequestId;
use super::verdict::Verdict;

/// The answer to one attempt, as far as there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub verdict: Verdict,
    pub http_status: Option<u16>,
    /// Graph's most specific `error.code`.
    pub error_code: Option<Box<str>>,
    /// The sentence for people, dug out of whatever it was wrapped in.
    pub error_message: Option<Box<str>>,
    /// The service's `request-id`, which a support case needs.
    pub request_id: Option<RequestId>,
    /// The id that we sent along.
    pub client_request_id: RequestId,
    /// How near to its limit the service says it is, in percent, where it says so.
    pub load_percent: Option<u16>,
}

impl Reply {
    /// Nothing came back, for a reason that people are told.
    pub fn none(verdict: Verdict, why: impl Into<Box<str>>, client_request_id: RequestId) -> Self {
        Self {
            verdict,
            http_status: None,
            error_code: None,
            error_message: Some(why.into()),
            request_id: None,
            client_request_id,
            load_percent: None,
        }
    }

    /// What to tell people about an answer that was no success.
    pub fn reason(&self) -> Box<str> {
        match (self.http_status, &self.error_code, &self.error_message) {
            (Some(status), Some(code), Some(message)) => format!("{status} {code}: {message}").into(),
            (Some(status), _, Some(message)) => format!("{status}: {message}").into(),
            (Some(status), Some(code), None) => format!("{status} {code}").into(),
            (Some(status), None, None) => status.to_string().into(),
            (None, _, message) => message.clone().unwrap_or_else(|| "no answer".into()),
        }
    }
}
