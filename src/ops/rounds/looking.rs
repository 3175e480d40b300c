//! Looking at approval requests: which question is asked, and what its answer says about each job.
//!
//! In: the jobs of a run that have asked, a client. Out: [`PolledRequests`], and statuses in the journal. Must not: decide what
//! follows for a job (`looked` does), or read a long list whole again and again to find out what a short answer tells.

use super::looked::{PolledRequests, found, is_open, read_of};
use super::prepared::Rounds;
use crate::journal::{Filed, JournalError, StoredJob};
use crate::msgraph::approvals::{BY_NAME, Statuses};
use crate::ops::error::Error;
use crate::session::{Client, poll_approved, poll_requests};

/// An answer about requests.
enum StatusAnswer {
    /// Those that are not in it are not known to the service.
    Whole(Statuses),
    /// Those that are approved; it says nothing about the others.
    Approved(Statuses),
}

impl Rounds<'_> {
    /// Looks the requests of the run up, and says what follows for each job that has one.
    pub(super) async fn look(&mut self, client: &Client, say: &impl Fn(&str)) -> Result<PolledRequests, Error> {
        if !self.recorded.journal.has_requests(self.recorded.number)? {
            return Ok(PolledRequests::default());
        }
        let mut asked: Vec<(u32, StoredJob)> = Vec::new();
        let spared = &self.requests.spared;
        self.recorded.journal.walk(&self.recorded.id, |first, jobs| -> Result<(), JournalError> {
            let jobs = (first..).zip(jobs);
            asked.extend(jobs.filter(|(index, stored)| stored.filed.is_some() && !spared.contains(index)));
            Ok(())
        })?;
        self.look_at(&asked, client, say).await
    }

    /// The jobs whose requests may still come to something.
    pub(super) fn open(&self, jobs: Vec<StoredJob>) -> Vec<(u32, StoredJob)> {
        let jobs = (0u32..).zip(jobs).filter(|(index, _)| !self.requests.spared.contains(index));
        jobs.filter(|(_, stored)| waits(stored).is_some()).collect()
    }

    /// Looks these requests up.
    pub(super) async fn look_at(
        &mut self,
        asked: &[(u32, StoredJob)],
        client: &Client,
        say: &impl Fn(&str),
    ) -> Result<PolledRequests, Error> {
        let told = match self.ask(asked, client).await {
            Ok(told) => Some(told),
            Err(why) => {
                say(&why);
                None
            }
        };
        let now = self.clock.now();
        let mut looked = PolledRequests::default();
        let mut read = Vec::new();
        for (index, stored) in asked {
            let Some(filed) = &stored.filed else { continue };
            let read_now = match told.as_ref().filter(|_| waits(stored).is_some()) {
                None => None,
                Some(StatusAnswer::Whole(statuses)) => read_of(*index, filed, statuses, now),
                Some(StatusAnswer::Approved(statuses)) => found(*index, filed, statuses),
            };
            let status = read_now.as_ref().map(|read| read.status);
            looked.take(*index, stored, filed, status, &self.requests, now);
            read.extend(read_now);
        }
        self.recorded.journal.note_statuses(self.recorded.number, &read, now)?;
        Ok(looked)
    }

    /// A few requests are asked for by their codes. Of many, only those that are approved are asked for, as long as nothing
    /// else can have become of them that has waited long enough.
    async fn ask(&mut self, asked: &[(u32, StoredJob)], client: &Client) -> Result<StatusAnswer, String> {
        let waiting: Vec<&Filed> = asked.iter().filter_map(|(_, stored)| waits(stored)).collect();
        let now = self.clock.now();
        if waiting.len() > BY_NAME && !self.looks.no_short_list && self.looks.are_fresh(&waiting, now) {
            match poll_approved(client, &mut self.rng).await? {
                Some(statuses) => return Ok(StatusAnswer::Approved(statuses)),
                None => self.looks.no_short_list = true,
            }
        }
        let codes: Vec<&str> = waiting.iter().map(|filed| &*filed.request.code).collect();
        let statuses = poll_requests(client, &codes, &mut self.rng).await?;
        self.looks.whole_at = Some(now);
        Ok(StatusAnswer::Whole(statuses))
    }
}

/// The request of a job, while something may still come of it.
fn waits(stored: &StoredJob) -> Option<&Filed> {
    stored.filed.as_ref().filter(|filed| filed.is_open() && is_open(stored))
}
