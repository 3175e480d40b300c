//! The journal: the durable record of all runs, behind one façade of operations.
//!
//! In: runs, attempts about to be made, answers, settlements. Out: the same, read back: for reports, for resuming, for
//! an auditor. The source of truth: a report is a view of it. Must not: hold a secret, send, or decide what to do with
//! a job ([`resume`] is a pure table).
//!
//! [`Journal`] and [`Recorder`] are the operations; none of them shows a connection or a statement. Beside them stand the
//! values that they take and give, and what is pure: what runs know of a job together, whose a name was, the resume table.
//! `sqlite` is the store, and no SQL stands outside it.

mod error;
mod facade;
mod filed;
mod holder;
mod id;
mod known;
mod lock;
pub(crate) mod memory;
mod naming;
mod open;
pub(crate) mod place;
mod private;
mod record;
mod recorder;
mod remote;
pub(crate) mod resume;
mod run;
mod sqlite;
mod state;
mod stored;

pub use error::JournalError;
pub use facade::Journal;
pub(crate) use filed::{Filed, RequestRead, Waiting};
pub use id::RunId;
pub(crate) use lock::{RunLock, StopFile, StopWatch};
pub(crate) use record::{Attempt, Rival, RivalQuestion, TurnedAway};
pub use recorder::Recorder;
pub use run::NewRun;
pub(crate) use run::{Inherited, PlanFile, Pruned, RunHead, RunRecord, RunSummary};
pub(crate) use state::RunState;
pub(crate) use stored::{PastAttempt, StoredJob, Tries};
