//! What a read has shown of a target, or of anything that a route names.
//!
//! In: nothing. Out: [`Seen`] and [`Presence`]. Must not: take a read that failed for one that found nothing.

use super::Reply;
use crate::identity::Identity;

/// Who a read showed the target to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Identity(Box<Identity>),
    /// There is no such target.
    Gone,
    /// The read itself failed.
    NotRead(Reply),
}

/// Whether a read showed what an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    There,
    /// The service itself says that there is no such thing.
    Missing,
    /// The read itself failed.
    NotRead(Reply),
}
