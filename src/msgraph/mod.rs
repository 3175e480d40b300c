//! Microsoft Graph's protocol: requests, sign-in, answers.
//!
//! In: jobs, and a transport that carries bytes. Out: replies, classified. Must not: decide about retries, keep jobs'
//! state, or print.

pub(crate) mod approvals;
mod claims;
mod classify;
pub(crate) mod client;
mod envelope;
mod error_body;
pub(crate) mod evidence;
mod fleet;
mod follow_up;
mod get;
pub(crate) mod http;
pub(crate) mod read_only;
mod paced;
mod pages;
mod recognise;
pub(crate) mod request;
mod request_of_approval;
mod service_clock;
mod shape;
mod sights;
pub(crate) mod token;
mod trail;
pub(crate) mod transport;
