//! One approval request as the service shows it, and the id under which it is asked about beside a job.
//!
//! In: nothing. Out: [`ShownRequest`], or [`NotRead`] with the answer. Must not: ask.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::approval::RequestStatus;
use crate::outcome::Reply;

/// A request as the service shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRequest {
    pub status: RequestStatus,
    pub expires_at: Option<Timestamp>,
}

/// Why requests could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRead(pub Reply);

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reply) = self;
        let parts = [
            reply.http_status.map(|status| status.to_string()),
            reply.error_code.as_deref().map(str::to_owned),
            reply.error_message.as_deref().map(str::to_owned),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// A second id out of one that is fresh: no two requests share theirs.
pub(super) fn companion(id: &str) -> String {
    let digest = Sha256::digest(id);
    let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
