//! Microsoft Graph's protocol: requests, sign-in, answers.
//!
//! In: jobs, and a transport that carries bytes. Out: replies, classified. Must not: decide about retries, keep jobs'
//! state, or print.

pub mod request;
pub mod transport;
