//! Rounds are played one after the other, until nothing is left to wait for.
//!
//! In: a run, a client that is signed in, requests to stop. Out: one settlement for each job; everything that matters is in the journal.
//! Must not: send (the runner does), or wait for anything that nobody asked to be waited for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::ended::RoundsEnded;
use super::looked::PolledRequests;
use super::prepared::Rounds;
use crate::journal::resume::Only;
use crate::journal::{Recorder, StoredJob};
use crate::ops::error::Error;
use crate::ops::record::take_up;
use crate::runner::event::{Event, StopReason};
use crate::runner::shutdown::StopRequest;
use crate::runner::{self, Earlier, Ended, History, LeftBehind, Run};
use crate::session::Client;

/// What was chosen for the first round.
#[derive(Clone, Copy)]
struct Chosen {
    only: Only,
    refile: bool,
}

impl Rounds<'_> {
    /// Sends what is to be sent. `show` is handed the events of each round; `say` gets lines about waiting. A journal that
    /// fails ends it, and takes nothing with it that this process knows.
    pub async fn play(
        &mut self,
        client: &Arc<Client>,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
        say: impl Fn(&str),
    ) -> RoundsEnded {
        let chosen = Chosen { only: self.requests.only, refile: self.requests.refile };
        let mut looked = match self.look(client, &say).await {
            Ok(looked) => looked,
            Err(error) => return RoundsEnded::untouched(&self.task, &error),
        };
        let mut last: Option<RoundsEnded> = None;
        loop {
            let ended = match self.next_round(client, looked, stop, requests, &show).await {
                Ok(ended) => ended,
                Err(error) => {
                    return match last {
                        Some(last) => last.lost(&error),
                        None => RoundsEnded::untouched(&self.task, &error),
                    };
                }
            };
            if ended.stopped.is_some() || !self.requests.wait || !ended.waits() {
                return ended;
            }
            // What was chosen for the first round has had its turn, but for what it had no time for.
            (self.requests.only, self.requests.refile) = (Only::Open, false);
            match self.wait_after(&ended, chosen, client, requests, &say).await {
                Ok(Ok(found)) => looked = found,
                Ok(Err(stopped)) => return RoundsEnded { stopped: Some(stopped), ..ended },
                Err(error) => return ended.lost(&error),
            }
            last = Some(ended);
        }
    }

    /// What a look has found is in the journal, and a round is played with it.
    async fn next_round(
        &mut self,
        client: &Arc<Client>,
        looked: PolledRequests,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: &impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    ) -> Result<RoundsEnded, Error> {
        let kept = looked.settled.iter().map(|(job, settled)| (*job, Earlier::Kept(Box::new(settled.clone()))));
        self.task.earlier.extend(kept.chain(looked.earlier));
        let settled: Vec<_> = looked.settled.iter().map(|(job, settlement)| (*job, settlement)).collect();
        self.recorded.journal.settle(self.recorded.number, &settled)?;
        client.complete(looked.codes);
        self.round(client, None, stop, requests, show).await
    }

    /// How jobs stand after a round, and what comes next for those that wait.
    async fn wait_after(
        &mut self,
        ended: &RoundsEnded,
        chosen: Chosen,
        client: &Arc<Client>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        say: &impl Fn(&str),
    ) -> Result<Result<PolledRequests, StopReason>, Error> {
        // Nobody else changes the run while it waits: it is read once, however often its requests are looked at.
        let record = self.recorded.journal.read(&self.recorded.id)?;
        self.task.earlier = self.standing(&record.jobs, &ended.unsent, chosen.only, chosen.refile)?;
        let open = self.open(record.jobs);
        self.wait(ended, open, client, requests, say).await
    }

    /// One run of the dispatcher, from a recorder of its own to the last record on the disk.
    pub(super) async fn round(
        &mut self,
        client: &Arc<Client>,
        verify: Option<Duration>,
        stop: &mpsc::UnboundedSender<StopRequest>,
        requests: &mut mpsc::UnboundedReceiver<StopRequest>,
        show: &impl Fn(mpsc::UnboundedReceiver<Event>) -> oneshot::Receiver<()>,
    ) -> Result<RoundsEnded, Error> {
        let stop = stop.clone();
        let failed = move |why: String| {
            let _ = stop.send(StopRequest::JournalFailed(why.into()));
        };
        let journal = Some(Recorder::start(&self.recorded.journal, self.recorded.number, failed)?);
        let between_waves = std::mem::take(&mut self.task.between_waves);
        let (recent, filing) = (self.recent()?, self.filing()?);
        self.began = true;
        // From here on nothing fails, and how the jobs stand is the round's.
        let (earlier, carried) = (std::mem::take(&mut self.task.earlier), std::mem::take(&mut self.carried));
        let seen = std::mem::take(&mut self.shown);
        let done_before = self.done_before.clone();
        let history = History { journal, earlier, recent, filing, shown: seen, done_before, between_waves, carried };
        let (events, told) = mpsc::unbounded_channel();
        let shown = show(told);
        let run = Run {
            jobs: Arc::clone(&self.task.jobs),
            holds: self.task.holds.clone(),
            lookout: self.task.lookout.clone(),
            guards: std::mem::take(&mut self.guards),
            limits: self.limits,
            gates: client.gates().clone(),
            daily: self.daily.clone(),
            brakes: self.task.brakes.clone(),
            people: self.people.clone(),
            clock: self.clock.clone(),
            rng: self.rng.fork(),
            history,
            verify,
        };
        let (now, heard) = mpsc::unbounded_channel();
        let forward = async {
            while let Some(request) = requests.recv().await {
                let _ = now.send(request);
            }
            std::future::pending::<Ended>().await
        };
        let Ended { settlements, stopped, unsent, journal, used, left } = tokio::select! {
            ended = runner::run(run, Arc::clone(client), events, heard) => ended,
            ended = forward => ended,
        };
        let LeftBehind { later, carried, guards, shown: seen } = left;
        (self.carried, self.guards, self.shown) = (carried, guards, seen);
        // The last line is drawn before anything else is printed; that it failed would be no news about the run.
        let _ = shown.await;
        let written = match journal {
            Some(journal) => journal.finished().await,
            None => Ok(()),
        };
        let stopped = match written {
            Ok(()) => stopped,
            Err(error) => Some(StopReason::Journal(error.to_string().into())),
        };
        Ok(RoundsEnded { settlements, stopped, later, unsent, used, verified: verify.is_some() })
    }

    /// How jobs stand after a round, as `resume` would find them. For those that were chosen and not sent, what was chosen
    /// still holds.
    fn standing(
        &self,
        jobs: &[StoredJob],
        unsent: &[u32],
        only: Only,
        refile: bool,
    ) -> Result<HashMap<u32, Earlier>, Error> {
        let mut earlier = take_up(jobs, self.requests.only, self.requests.refile)?;
        for (index, stored) in unsent.iter().filter_map(|index| Some((*index, jobs.get(*index as usize)?))) {
            earlier.remove(&index);
            let one = take_up(std::slice::from_ref(stored), only, refile)?;
            earlier.extend(one.into_values().map(|one| (index, one)));
        }
        for (index, stored) in (0u32..).zip(jobs).filter(|(index, _)| self.requests.spared.contains(index)) {
            earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
        }
        Ok(earlier)
    }
}
