//! The dispatcher: tells policies what happens, applies what they say, and sends.
//!
//! In: answers from workers, records from the journal, requests to stop, time. Out: tasks to idle workers, events, settlements.
//! Must not: decide, perform attempts, or do anything that blocks; its loop is the pulse of the run.
//!
//! Three invariants are held where commands are applied (`apply.rs`, `sending.rs`): nothing leaves without a durable record, nothing
//! that may not be repeated is sent while it is in doubt, and each job settles once.

mod answering;
mod apply;
mod beginning;
mod pool;
mod pulse;
mod records;
mod road;
mod sending;
mod state;
mod stopping;

pub use self::pulse::run;
