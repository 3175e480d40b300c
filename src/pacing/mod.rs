//! When a request may leave: one budget for every request to a tenant, reads included.
//!
//! In: what the service grants (the catalog's allowances), answers, what earlier processes have sent. Out: "now", or the
//! instant at which to ask again. Must not: send, sleep, or know what a request is for.

pub(crate) mod backoff;
pub(crate) mod failed_read;
pub(crate) mod crowd;
mod even;
mod gate;
mod gates;
mod pace;
pub(crate) mod pause;
pub(crate) mod retry_after;
mod window;

pub use self::gate::Pacing;
pub(crate) use self::gate::{BucketUse, Throttled, Wait, is_crowded};
pub use self::gates::Gates;
pub(crate) use self::gates::RoundTrip;
