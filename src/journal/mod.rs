//! The journal: the durable record of all runs, one SQLite database in the state directory.
//!
//! In: runs, attempts about to be made, answers, settlements. Out: the same, read back: for reports, for resuming, for
//! an auditor. The source of truth: a report is a view of it. Must not: hold a secret, send, or decide what to do with
//! a job ([`resume`] is a pure table); no SQL stands outside this folder.

mod approvals;
pub mod daily;
mod elsewhere;
mod error;
mod follow_ups;
mod in_step;
mod known;
mod list;
mod lock;
pub mod memory;
mod naming;
mod order;
mod parts;
pub mod place;
mod reader;
mod recent;
mod record;
pub mod resume;
mod schema;
mod shown;
mod state;
mod statements;
mod steps;
mod store;
mod stored;
mod writer;

pub use approvals::{Filed, Read, Waiting};
pub use error::JournalError;
pub use list::{Pruned, RunSummary};
pub use lock::{Holder, RunLock, StopFile, StopWatch};
pub use reader::RunRecord;
pub use record::{Attempt, TurnedAway};
pub use state::RunState;
pub use store::{Inherited, Journal, NewRun, PlanFile, RunId};
pub use stored::{PastAttempt, StoredJob, Tries};
pub use writer::{Recorder, Written};
