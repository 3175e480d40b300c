//! The round after the last: nothing is sent, and what was accepted is followed up.
//!
//! In: a run in the journal. Out: its rows as they stand then. Must not: send anything that changes anything, or change the
//! state of the run: it has ended, and what devices do later is no part of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::ended::RoundsEnded;
use super::prepared::Rounds;
use crate::journal::JournalError;
use crate::ops::error::Error;
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
        self.recorded.journal.walk(&self.recorded.id, |first, jobs| -> Result<(), JournalError> {
            let kept = jobs.iter().map(|stored| Earlier::Kept(Box::new(stored.standing())));
            earlier.extend((first..).zip(kept));
            Ok(())
        })?;
        self.task.between_waves = false;
        self.task.earlier = earlier;
        self.round(client, Some(within), stop, requests, &show).await
    }
}
