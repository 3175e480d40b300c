//! `approvals`: what waits for somebody's approval, as the journal has it or as the service has it now; and withdrawing it.
//!
//! In: settings, a run. Out: the open requests, with what an approver needs to know; how many were withdrawn. Must not:
//! approve, complete or file anything, or touch a request that the run did not file.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use super::begun::Begun;
use super::daily::known_id;
use super::error::Error;
use super::rehearsal::reopened;
use super::same_place::{as_begun, same_tenant};
use crate::approval::RequestStatus;
use crate::clock::Clock;
use crate::diagnostics::Diagnostic;
use crate::journal::{Journal, JournalError, RequestRead, RunHead, Waiting};
use crate::outcome::{Cause, Settlement, Verdict};
use crate::runner::Limits;
use crate::session::{Client, ExpectedBy, Session, fresh_id, pause, poll_requests};
use crate::settings::{Environment, Flags, Settings};

/// Time between two requests that withdraw: four in a second, of the five that Intune's small classes allow.
const BETWEEN: Duration = Duration::from_millis(250);

/// Which requests.
#[derive(Debug)]
pub(crate) struct ApprovalsRequest {
    /// The run's id, the beginning of it, or `latest`; all runs without it.
    pub run: Option<String>,
    pub now: Timestamp,
    pub seed: u64,
}

/// What became of the requests of a run.
#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    pub withdrawn: usize,
    /// Not filed by this run.
    pub left_alone: usize,
    /// The service's words, by code.
    pub refused: Vec<(Box<str>, String)>,
}

/// What waits, as the journal knows it. Touches no network.
pub(crate) fn approvals(request: &ApprovalsRequest, settings: &Settings) -> Result<Vec<Waiting>, Error> {
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let run = request.run.as_deref().map(|run| journal.find(run)).transpose()?;
    Ok(journal.waiting(run.as_ref())?)
}

/// What waits, as the service has it now. The journal keeps that.
pub(crate) async fn live_approvals(
    request: ApprovalsRequest,
    flags: &Flags,
    environment: &Environment,
) -> Result<Vec<Waiting>, Error> {
    let mut visit = Visit::begin(request, flags, environment)?;
    let client = visit.client().await?;
    visit.note_statuses(&client).await?;
    Ok(visit.journal.waiting(Some(&visit.head.id))?)
}

/// Cancels what the run has filed and nobody has completed. Its rows are `not_attempted` then: `resume` files them anew.
pub(crate) async fn withdraw(
    request: ApprovalsRequest,
    flags: &Flags,
    environment: &Environment,
) -> Result<Withdrawn, Error> {
    let mut visit = Visit::begin(request, flags, environment)?;
    // A run that is under way would go on with what is withdrawn.
    let _lock = visit.journal.lock(&visit.head.plan_key, &visit.head.id, visit.now)?;
    let client = visit.client().await?;
    visit.withdraw(&client).await
}

/// One run, and where it was begun.
struct Visit {
    journal: Journal,
    head: RunHead,
    begun: Begun,
    settings: Settings,
    now: Timestamp,
    seed: u64,
    rng: Rng,
}

impl Visit {
    fn begin(request: ApprovalsRequest, flags: &Flags, environment: &Environment) -> Result<Self, Error> {
        let settings = Settings::new(flags, environment).map_err(Error::Usage)?;
        let mut journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
        let id = journal.find(request.run.as_deref().unwrap_or("latest"))?;
        // What is damaged is left alone, wherever the damage is.
        let head = journal.walk(&id, |_, _| Ok::<_, JournalError>(()))?;
        let begun = Begun::from_json(&head.settings)
            .ok_or_else(|| JournalError::Damaged("the settings of the run cannot be read".into()))?;
        let begun = reopened(begun, &settings, request.now)?;
        let settings = as_begun(flags, environment, &begun)?;
        same_tenant(&journal, &head, &begun, &settings)?;
        Ok(Self {
            journal,
            head,
            begun,
            settings,
            now: request.now,
            seed: request.seed,
            rng: Rng::with_seed(request.seed),
        })
    }

    async fn client(&self) -> Result<Client, Error> {
        let limits = Limits { concurrency: 1, ..Limits::default() };
        let clock = Clock::starting_at(self.now);
        let mut session = Session::new(&self.settings, &self.begun.service.tenant, limits, clock, self.seed);
        session.must_be(ExpectedBy::Plan, self.begun.plan.tenant.as_deref());
        let known = known_id(&self.journal, &self.settings.graph_url, &self.head.tenant)?;
        session.must_be(ExpectedBy::Run, known.as_deref());
        Ok(session.into_client().await?)
    }

    /// Looks up what waits, and returns it as it stands then.
    async fn note_statuses(&mut self, client: &Client) -> Result<Vec<(u32, Waiting)>, Error> {
        let waiting = self.journal.waiting(Some(&self.head.id))?;
        let codes: Vec<&str> = waiting.iter().map(|waiting| &*waiting.filed.request.code).collect();
        let statuses = poll_requests(client, &codes, &mut self.rng)
            .await
            .map_err(|why| Error::refused(Diagnostic::error("not-read", why)))?;
        let mut found = Vec::new();
        for mut waiting in waiting {
            let code = waiting.filed.request.code.clone();
            let job = waiting.job;
            if let Some(live) = statuses.get(&code.to_ascii_lowercase()) {
                let read = RequestRead { job, code, status: live.status, expires_at: live.expires_at };
                self.journal.note_statuses(self.head.number, &[read], self.now)?;
                waiting.filed.status = live.status;
            }
            found.push((job, waiting));
        }
        Ok(found)
    }

    async fn withdraw(&mut self, client: &Client) -> Result<Withdrawn, Error> {
        let mut result = Withdrawn::default();
        for (job, waiting) in self.note_statuses(client).await? {
            let code = waiting.filed.request.code;
            if waiting.filed.request.found {
                result.left_alone += 1;
                continue;
            }
            // What has ended otherwise meanwhile is for `resume` to settle.
            if !waiting.filed.status.is_open() {
                continue;
            }
            match self.cancel(client, &code).await {
                Ok(()) => {
                    self.note_withdrawn(job, &code)?;
                    result.withdrawn += 1;
                }
                Err(why) => result.refused.push((code, why)),
            }
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(result)
    }

    async fn cancel(&mut self, client: &Client, code: &str) -> Result<(), String> {
        let mut tries = 0;
        loop {
            tries += 1;
            let reply = client.withdraw(code, &fresh_id(&mut self.rng)).await;
            if reply.verdict == Verdict::Succeeded {
                return Ok(());
            }
            match pause(&reply, tries, &mut self.rng) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    let status = reply.http_status.map(|status| format!("{status}: ")).unwrap_or_default();
                    return Err(format!("{status}{}", reply.error_message.as_deref().unwrap_or("no reason given")));
                }
            }
        }
    }

    fn note_withdrawn(&mut self, job: u32, code: &str) -> Result<(), Error> {
        let read = RequestRead { job, code: code.into(), status: RequestStatus::Cancelled, expires_at: None };
        self.journal.note_statuses(self.head.number, &[read], self.now)?;
        let Some(stored) = self.journal.jobs(&self.head, job.checked_sub(1), 1)?.pop() else { return Ok(()) };
        // Whether an attempt with the code had an effect is still to be read.
        let ending = Cause::ApprovalWithdrawn.with(code).unless_in_doubt(stored.doubtful_since().is_some());
        let settlement = Settlement {
            outcome: ending.outcome(),
            cause: ending.cause(),
            http_status: None,
            error: None,
            finished_at: Some(self.now.into()),
            note: ending.into_note(),
            ..stored.standing()
        };
        Ok(self.journal.settle(self.head.number, &[(job, &settlement)])?)
    }
}
