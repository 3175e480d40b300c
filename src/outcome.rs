//! How attempts and jobs end: the whole error space as enums.
//!
//! In: nothing. Out: [`Verdict`] (what one answer means), [`doubt`] (what several of them leave open), [`Reply`] (one
//! attempt's answer), [`Evidence`], [`Seen`] and [`Presence`] (what a read showed), [`FollowUp`] (what became of what was accepted), [`Outcome`] and [`Settlement`] (how a job settled),
//! [`Cause`] (why it was not sent).
//! Must not: decide; classification belongs to `msgraph`, policy to `runner::retry`.

mod cause;
mod doubt;
mod follow_up;
mod outcomes;
mod reply;
mod request_id;
mod settlement;
mod sight;
mod since;
mod stamp;
mod verdict;

pub use self::cause::Cause;
pub(crate) use self::cause::{Ending, Unsent};
pub(crate) use self::doubt::{Doubt, MadeAttempt, doubt};
pub use self::follow_up::{FollowUp, FollowUpRead, Stage};
pub(crate) use self::outcomes::DealtWith;
pub use self::outcomes::{Outcome, Standing, Tally};
pub use self::reply::Reply;
pub(crate) use self::request_id::RequestId;
pub(crate) use self::settlement::ServiceError;
pub use self::settlement::Settlement;
pub use self::sight::{Evidence, Presence, Seen};
pub use self::since::Since;
pub(crate) use self::stamp::Stamp;
pub use self::verdict::Verdict;
pub(crate) use self::verdict::{Effect, Lack};
