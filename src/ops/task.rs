//! What is done in a run: its jobs, and what holds, slows and stops them.
//!
//! In: jobs as they were agreed to, how runs before have left them. Out: a [`Task`] for the rounds. Must not: decide, or send.

use std::collections::HashMap;
use std::sync::Arc;

use crate::guard::Brakes;
use crate::guard::lookout::Lookout;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::runner::Earlier;

/// The jobs of a run, how they stand, and what slows, holds and stops them.
#[derive(Debug)]
pub struct Task {
    pub jobs: Arc<[Job]>,
    /// One for each job: why it is not sent, if so.
    pub holds: Vec<Option<Hold>>,
    pub earlier: HashMap<u32, Earlier>,
    pub lookout: Lookout,
    pub brakes: Brakes,
    /// The process before this one ended between two waves.
    pub between_waves: bool,
}

impl Task {
    /// Jobs to which nothing more is done: they stay as the journal has them.
    pub fn of_the_past(jobs: Arc<[Job]>) -> Self {
        let (earlier, lookout, brakes) = (HashMap::new(), Lookout::default(), Brakes::default());
        Self { holds: vec![None; jobs.len()], jobs, earlier, lookout, brakes, between_waves: false }
    }
}
