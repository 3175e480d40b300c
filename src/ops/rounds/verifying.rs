//! The round after the last: nothing is sent, and what was accepted is followed up.
//!
//! In: a run in the journal. Out: its rows as they stand then. Must not: send anything that changes anything, or change the
//! state of the run: it has ended, and what devices do later is no part of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Rounds, RoundsEnded};
use crate::journal::JournalError;
use crate::ops::Error;
use crate::outcome::{FollowUp, Outcome, Settlement, Stage};
use crate::runner::Earlier;
use crate::runner::event::Event;
use crate::runner::shutdown::StopRequest;
use crate::session::Client;

impl Rounds<'_> {
    /// Follows accepted jobs up for so long; zero is one look at each.
    pub async fn verify(
        &mut self,
        within: Duration,
        client: &Arc<Client>,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    ) -> Result<RoundsEnded, Error> {
        let mut earlier = HashMap::new();
        let sent_after = self.recorded.journal.sent_after(self.recorded.number)?;
        let now = self.clock.now();
        self.recorded.journal.walk(&self.recorded.id, |first, jobs| -> Result<(), JournalError> {
            for (job, stored) in (first..).zip(&jobs) {
                let standing = match sent_after.get(&job) {
                    Some(run) => left_to(run, stored.standing(), now),
                    None => stored.standing(),
                };
                earlier.insert(job, Earlier::Kept(Box::new(standing)));
            }
            Ok(())
        })?;
        self.task.between_waves = false;
        self.round(client, earlier, Some(within), stop, requests, &show).await
    }
}

/// What a read shows from now on may be what a later run has done.
fn left_to(run: &str, standing: Settlement, now: Timestamp) -> Settlement {
    let is_open = standing.follow_up.as_ref().is_none_or(|seen| seen.stage.is_open());
    if standing.outcome != Outcome::Accepted || !is_open {
        return standing;
    }
    let words = format!("run {run} has sent the same since: a read does not tell the two apart").into();
    let untold = FollowUp { stage: Stage::Untold, words, last_check_in: None, read_at: now };
    Settlement { follow_up: Some(Box::new(untold)), ..standing }
}
