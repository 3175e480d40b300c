//! What a read has shown of a target, of anything that a route names, or of an attempt.
//!
//! In: nothing. Out: [`Seen`], [`Presence`] and [`Evidence`]. Must not: take a read that failed for one that found nothing.

use super::reply::Reply;
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

/// What a read showed about an attempt whose answer cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It took effect; the text says what was seen.
    Effect(String),
    /// It did not; the text says what was seen.
    NoEffect(String),
    /// The target is not there; the text says so.
    Gone(String),
    /// The read worked but does not tell; the text says why, and where to look.
    CannotTell(String),
    /// The read itself failed.
    NotRead(Reply),
}
