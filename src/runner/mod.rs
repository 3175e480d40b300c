//! The runner: jobs in, one settlement per job out.
//!
//! In: jobs and their holds, an [`executor::Executor`], [`Limits`], a clock and a seed. Out: [`event::Event`]s while it
//! works, settlements in plan order at the end. Must not: know Graph, HTTP, files or terminals.
//!
//! Policies decide: each hears what happens and says what follows. One dispatcher applies what they say and holds the invariants.
//! Workers only perform requests. All talk by messages, so that every count is taken in one place.

mod dialogue;
mod dispatcher;
pub(crate) mod event;
pub(crate) mod executor;
pub(crate) mod guards;
mod job_state;
mod ledger;
mod limits;
mod mailbox;
mod policy;
mod progress;
mod queue;
pub(crate) mod question;
mod retry;
mod run;
pub(crate) mod shutdown;
mod view;
mod worker;

pub use self::dispatcher::run;
pub use self::limits::{DEFAULT_CONCURRENCY, Limits};
pub use self::retry::DEFAULT_MAX_ATTEMPTS;
pub(crate) use self::retry::DEFAULT_SETTLING;
pub(crate) use self::run::{Approved, Carried, LeftBehind};
pub use self::run::{Earlier, Ended, History, Run};

#[cfg(test)]
mod pacing_tests;
#[cfg(test)]
mod tests;
