//! The border between Graph's protocol and whatever carries it.
//!
//! In: a [`WireRequest`]. Out: a [`WireReply`], or how it failed to come. Must not: know actions, retry, follow
//! redirects, or log headers.

use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// A request, whole. It has no `Debug`: its body may hold a secret.
pub struct WireRequest {
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    pub headers: HeaderMap,
    /// Empty means that there is no body.
    pub body: Bytes,
}

/// Longest body that is read; the largest page of an inventory stays far below.
pub(super) const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// Longest body of an answer that is no success. It says why in a sentence, and whoever sends more wants something else.
pub(super) const LONGEST_ERROR: usize = 64 * 1024;

/// A reply, whole, but for an error's body, which is cut. It has no `Debug`: its body may hold a token.
pub struct WireReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl WireReply {
    /// `body` is cut where it is that of an error.
    pub fn new(status: StatusCode, headers: HeaderMap, mut body: Bytes) -> Self {
        if !status.is_success() {
            body.truncate(LONGEST_ERROR);
        }
        Self { status, headers, body }
    }
}

/// Why no reply came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made: nothing left this machine.
    #[error("could not connect to {0}")]
    Unreachable(String),
    /// Something may have left, and no whole reply came back.
    #[error("the reply was lost: {0}")]
    Lost(String),
    /// As `Lost`, because time ran out.
    #[error("no reply within {0} s")]
    Timeout(u64),
}

/// Carries one request. Cloning is cheap and shares connections.
pub trait Transport: Clone + Send + Sync + 'static {
    fn send(&self, request: WireRequest) -> impl Future<Output = Result<WireReply, TransportError>> + Send;
}
