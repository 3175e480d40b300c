//! Query options as Graph's collections and entities understand them.
//!
//! In: a query string, and what is asked. Out: a [`Query`], or the complaint of the service. Must not: read things.

mod filter;
mod literal;
mod options;
mod parse;
mod words;

pub(super) use options::{Direction, Query, QueryOptions};
