//! The runner: jobs in, one settlement per job out.
//!
//! In: jobs and their holds, an [`executor::Executor`], [`Limits`], a clock and a seed. Out: [`event::Event`]s while it
//! works, settlements in plan order at the end. Must not: know Graph, HTTP, files or terminals.
//!
//! Policies decide: each hears what happens and says what follows. One dispatcher applies what they say and holds the invariants.
//! Workers only perform requests. All talk by messages, so that every count is taken in one place.

mod dialogue;
mod dispatcher;
pub mod event;
pub mod executor;
pub mod guards;
mod job_state;
mod ledger;
mod limits;
mod mailbox;
mod policy;
mod progress;
mod queue;
pub mod question;
mod retry;
mod run;
pub mod shutdown;
mod view;
mod worker;

pub use self::dispatcher::run;
pub use self::limits::{DEFAULT_CONCURRENCY, Limits};
pub use self::retry::{DEFAULT_MAX_ATTEMPTS, DEFAULT_SETTLING};
pub use self::run::{Approved, Carried, Earlier, Ended, History, LeftBehind, Run};

#[cfg(test)]
mod pacing_tests;
#[cfg(test)]
mod tests;
