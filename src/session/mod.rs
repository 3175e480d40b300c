//! A tenant that we are signed in to.
//!
//! In: settings, which tenant, who says that it is the right one. Out: a [`Session`]: one client over one transport, whose
//! gates everything passes that is sent to the tenant; and what the runner performs with. Must not: decide what is sent, or
//! what an answer leads to.
//!
//! [`SessionTransport`] is the only place where a transport is chosen, [`sign_in`] the only one where a token is asked for, and
//! [`expected`] the only one where the tenant is compared.

mod approvals;
mod error;
mod executor;
mod expected;
mod opening;
mod sign_in;
mod survey;
mod target;
mod wire;

pub(crate) use self::approvals::{fresh_id, pause, poll_approved, poll_requests};
pub(crate) use self::error::SessionError;
pub(crate) use self::expected::ExpectedBy;
pub(crate) use self::opening::{Client, Session};
pub(crate) use self::survey::Survey;
pub use self::target::TargetTenant;
pub(crate) use self::target::{OF_THE_TOKEN, label, named, place};
pub use self::wire::SessionTransport;
