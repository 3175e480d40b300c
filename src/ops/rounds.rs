//! The rounds of a run: approval requests looked up, jobs performed, and, with `--wait`, the same again until nothing is
//! left to wait for.
//!
//! In: jobs, how they stand, a client that is signed in, a journal. Out: one settlement for each job; everything that
//! matters is in the journal, so that a process that ends in the middle loses nothing. Must not: send (the runner does), or
//! look requests up more often than once a minute.
//!
//! A round is a whole run of the dispatcher. Waiting, for an approval or for another day, happens between rounds: what a
//! round leaves open, the next one takes up as `resume` would.

mod ended;
mod looked;
mod looking;
mod looks;
mod playing;
mod requests;
mod prepared;
mod verifying;
mod waiting;

pub use self::ended::RoundsEnded;
pub use self::looks::FIRST_WAIT;
pub use self::prepared::{RoundGround, Rounds};
pub use self::requests::Requests;
