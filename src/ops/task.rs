//! What is done in a run: its jobs, and what holds, slows and stops them.
//!
//! In: jobs as they were agreed to, how runs before have left them. Out: a [`RunTask`] for the rounds. Must not: decide, or send.

use std::collections::HashMap;
use std::sync::Arc;

use crate::guard::Brakes;
use crate::guard::lookout::PreSendCheck;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::outcome::{Cause, Ending, Outcome, Settlement};
use crate::runner::{Approved, Earlier};

/// The jobs of a run, how they stand, and what slows, holds and stops them.
#[derive(Debug)]
pub struct RunTask {
    pub jobs: Arc<[Job]>,
    /// One for each job: why it is not sent, if so.
    pub holds: Vec<Option<Hold>>,
    pub earlier: HashMap<u32, Earlier>,
    pub lookout: PreSendCheck,
    pub brakes: Brakes,
    /// The process before this one ended between two waves.
    pub between_waves: bool,
}

impl RunTask {
    /// How the jobs stand if nothing can be done about them, because the journal has failed.
    pub fn untouched(&self) -> Vec<Settlement> {
        let standing = |(index, hold): (u32, &Option<Hold>)| match (self.earlier.get(&index), hold) {
            (Some(earlier), _) => as_before(earlier),
            (None, Some(hold)) => Settlement::ended(hold.ending()),
            (None, None) => Settlement::ended(Cause::JournalFailed.plain().into()),
        };
        (0u32..).zip(&self.holds).map(standing).collect()
    }

    /// Jobs to which nothing more is done: they stay as the journal has them.
    pub(super) fn of_the_past(jobs: Arc<[Job]>) -> Self {
        let (earlier, lookout, brakes) = (HashMap::new(), PreSendCheck::default(), Brakes::default());
        Self { holds: vec![None; jobs.len()], jobs, earlier, lookout, brakes, between_waves: false }
    }
}

/// A job that goes on, as an earlier process has left it.
fn as_before(earlier: &Earlier) -> Settlement {
    match earlier {
        Earlier::Kept(settled) | Earlier::Failed(settled, _) => (**settled).clone(),
        Earlier::Open { doubtful_since: Some(_), .. } | Earlier::Open { read_first: true, .. } => in_doubt(),
        Earlier::Approved(Approved { doubtful_since: Some(_), .. }) => in_doubt(),
        Earlier::Open { .. } => Settlement::ended(Cause::JournalFailed.plain().into()),
        Earlier::Approved(Approved { request, .. }) => {
            Settlement::ended(Ending::settled(Outcome::AwaitingApproval, Some(request.to_string())))
        }
    }
}

fn in_doubt() -> Settlement {
    let note = "sent by an earlier run and still in doubt; the journal has failed".to_owned();
    Settlement::ended(Ending::settled(Outcome::Unknown, Some(note)))
}
