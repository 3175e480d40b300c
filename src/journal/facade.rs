//! The journal as everybody else sees it: one operation after the other.
//!
//! In: what is to be kept, and questions. Out: what is known. Must not: show a connection or a statement, or know how an
//! operation is done: the store knows, and another one would do the same.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::error::JournalError;
use super::filed::{RequestRead, Waiting};
use super::id::RunId;
use super::known::Pending;
use super::lock::{self, RunLock};
use super::memory::{JobMemory, MemoryQuery, WasLookedUp};
use super::place::JournalPlace;
use super::resume::Only;
use super::run::{Inherited, NewRun, PlanFile, Pruned, RunHead, RunRecord, RunSummary};
use super::sqlite::store::{self, Store};
use super::sqlite::{approvals, begin, daily, done_before, list, looked_up, memory, reader, recent, shown};
use super::state::RunState;
use super::stored::StoredJob;
use crate::catalog::{Bucket, TargetKind};
use crate::daily::{Book, DailyRules};
use crate::job::{Job, JobId};
use crate::outcome::{Outcome, Settlement};

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    place: JournalPlace,
    pub(super) store: Store,
}

/// The journal as a whole.
impl Journal {
    /// The file that a journal in a folder is.
    pub const FILE: &'static str = store::FILE;

    /// The folder with the locks of its plans, beside it.
    pub const LOCKS: &'static str = lock::FOLDER;

    /// Opens the journal of a state directory, and makes both if they are not there.
    pub fn open(place: impl Into<JournalPlace>) -> Result<Self, JournalError> {
        let place = place.into();
        let store = Store::open(&place)?;
        Ok(Self { place, store })
    }

    /// Whether somebody has made a journal there.
    pub fn is_at(place: &JournalPlace) -> bool {
        Store::is_at(place)
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, JournalError> {
        list::runs(&self.store, |plan_key, id| self.is_under_way(plan_key, id.as_str()))
    }

    /// Removes runs that finished, with nothing open, before that time. What a standing plan remembers of them stays.
    pub fn prune(&mut self, before: Timestamp) -> Result<Pruned, JournalError> {
        let place = self.place.clone();
        list::prune(&mut self.store, before, |plan_key, run_id| lock::is_held(&place, plan_key, run_id))
    }
}

/// One run at a time, of each plan.
impl Journal {
    /// Takes the lock of the plan with that key.
    pub fn lock(&self, plan_key: &str, run: &RunId, now: Timestamp) -> Result<RunLock, JournalError> {
        let is_run = self.place.folder().is_some() && list::should_run(&self.store, plan_key)?;
        lock::take(&self.place, (plan_key, is_run), run, now)
    }

    /// Asks the process that has that run under way to stop it. `false`: no process has.
    pub fn request_stop(&self, id: &RunId) -> Result<bool, JournalError> {
        lock::request_stop(&self.place, &self.plan_key(id)?, id)
    }

    /// Whether that run is under way: it holds the lock of its plan.
    pub fn is_under_way(&self, plan_key: &str, run_id: &str) -> bool {
        lock::is_held(&self.place, plan_key, run_id)
    }

    /// The newest run that is under way.
    pub fn find_under_way(&self) -> Result<Option<RunId>, JournalError> {
        Ok(self.runs()?.into_iter().find(|run| run.state == RunState::Running).map(|run| run.id))
    }
}

/// A run as it begins, and goes on.
impl Journal {
    /// Records a run with all its jobs, in one transaction: a run is there whole or not at all. Returns its number.
    pub fn begin<'j, F>(&mut self, run: &NewRun<'j, F>) -> Result<i64, JournalError>
    where
        F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
    {
        begin::begin(&mut self.store, run)
    }

    /// Takes over into a run what other runs have done since, as far as it was known at that place in the order.
    pub fn take_over(&mut self, run: i64, inherited: &[(u32, Inherited)], known: i64) -> Result<(), JournalError> {
        begin::take_over(&mut self.store, run, inherited, known)
    }

    /// Records to whom jobs of a run are sent from now on that were sent to names before.
    pub fn set_ids<'j, F>(&mut self, run: i64, jobs: &[(u32, &'j Job)], request: F) -> Result<(), JournalError>
    where
        F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
    {
        begin::set_ids(&mut self.store, run, jobs, request)
    }

    /// Says how a run stands.
    pub fn set_state(&self, run: i64, state: RunState, ended: Option<Timestamp>) -> Result<(), JournalError> {
        begin::set_state(&self.store, run, state, ended)
    }

    /// Keeps the reason that a run goes on with.
    pub fn set_justification(&self, run: i64, justification: &str) -> Result<(), JournalError> {
        approvals::set_justification(&self.store, run, justification)
    }

    /// Keeps that the targets of these jobs were seen before a run began: what a saved preview has read.
    pub fn keep_shown(
        &mut self,
        run: i64,
        jobs: impl IntoIterator<Item = (u32, TargetKind)>,
    ) -> Result<(), JournalError> {
        shown::keep_shown(&mut self.store, run, jobs)
    }

    /// Settles jobs by what became of their requests, outside of any run of attempts.
    pub fn settle(&mut self, run: i64, settled: &[(u32, &Settlement)]) -> Result<(), JournalError> {
        approvals::settle(&mut self.store, run, settled)
    }
}

/// A run read back.
impl Journal {
    /// The run whose id begins like that, or the newest for `latest`.
    pub fn find(&self, prefix: &str) -> Result<RunId, JournalError> {
        reader::find(&self.store, prefix)
    }

    /// As much of a run's id as people have to type. The first 13 characters name the millisecond in which it began, so that no
    /// later run has the same.
    pub(crate) fn short(&self, id: &RunId) -> String {
        let long_enough = [13, 18, 23].into_iter().filter_map(|length| id.as_str().get(..length));
        let mut telling = long_enough.filter(|prefix| self.find(prefix).is_ok_and(|found| found == *id));
        telling.next().unwrap_or(id.as_str()).to_owned()
    }

    /// The newest run that has such rows left, or waits for anything.
    pub fn find_open(&self, only: Only, refile: bool) -> Result<Option<RunId>, JournalError> {
        reader::find_open(&self.store, only, refile)
    }

    /// What makes the run a run of its plan, for the lock.
    pub fn plan_key(&self, id: &RunId) -> Result<String, JournalError> {
        reader::plan_key(&self.store, id)
    }

    /// A run without its jobs.
    pub fn head(&self, id: &RunId) -> Result<RunHead, JournalError> {
        reader::head(&self.store, id)
    }

    /// The jobs of a run that come after that one, in plan order: as many as are asked for, or as there are.
    pub fn jobs(&self, run: &RunHead, after: Option<u32>, at_most: u32) -> Result<Vec<StoredJob>, JournalError> {
        reader::jobs(&self.store, run, after, at_most)
    }

    /// Hands over the jobs of a run a page at a time, with the index of the first one of each, and holds no more of them.
    /// All pages are of one instant, so nothing else can be asked of the journal meanwhile.
    pub fn walk<E: From<JournalError>>(
        &mut self,
        id: &RunId,
        each: impl FnMut(u32, Vec<StoredJob>) -> Result<(), E>,
    ) -> Result<RunHead, E> {
        reader::walk(&mut self.store, id, each)
    }

    /// Reads a whole run.
    pub fn read(&self, id: &RunId) -> Result<RunRecord, JournalError> {
        reader::read(&self.store, id)
    }

    /// The files that the run's plan was read from, as they were.
    pub fn plan_files(&self, run: i64) -> Result<Vec<PlanFile>, JournalError> {
        reader::plan_files(&self.store, run)
    }

    /// Writes one run alone into a journal of its own, which must not exist yet.
    pub fn export(&mut self, id: &RunId, file: &Path) -> Result<(), JournalError> {
        list::export(&mut self.store, id, file)
    }
}

/// What runs know of jobs together.
impl Journal {
    /// What is known of the jobs of a plan that is about to be run, or might be.
    pub fn memory(&mut self, about: MemoryQuery<'_>, jobs: &[Job]) -> Result<JobMemory, JournalError> {
        memory::memory(&mut self.store, about, jobs)
    }

    /// The jobs that runs have made of rows that say this of their targets, with the number of the row.
    pub fn looked_up(&self, about: MemoryQuery<'_>, rows: &[&str]) -> Result<Vec<(usize, WasLookedUp)>, JournalError> {
        looked_up::looked_up(&self.store, about, rows)
    }

    /// How those jobs of a plan stood the last time that they had an outcome, and in which run.
    pub fn last_outcomes(
        &self,
        plan_key: &str,
        jobs: &HashSet<JobId>,
    ) -> Result<HashMap<JobId, (Outcome, String)>, JournalError> {
        looked_up::last_outcomes(&self.store, plan_key, jobs)
    }

    /// What other runs have done, left in doubt or asked for since that run has last taken account of them.
    pub fn since(&mut self, record: &RunRecord, now: Timestamp) -> Result<JobMemory, JournalError> {
        memory::since(&mut self.store, record, now)
    }

    /// The run in which the saved preview of that digest was run, if it was.
    pub fn spent(&self, digest: &str) -> Result<Option<String>, JournalError> {
        begin::spent(&self.store, digest)
    }

    /// Whether a version that sent names as they stood may have done one of these actions there to somebody by a name.
    pub fn has_sent_names(&self, place: &str, actions: &[&str]) -> Result<bool, JournalError> {
        memory::has_sent_names(&self.store, place, actions)
    }

    /// The indexes of the jobs of a run that may not be repeated, and whose deed another run has done.
    pub fn done_before(&self, run: i64) -> Result<HashSet<u32>, JournalError> {
        done_before::done_before(&self.store, run)
    }

    /// The indexes of the jobs whose target was seen.
    pub fn shown(&self, place: &str, tenant: &str, jobs: &[Job]) -> Result<HashSet<u32>, JournalError> {
        shown::shown(&self.store, place, tenant, jobs)
    }

    /// Attempts since then of every run against the same tenant at the same Graph. `of_others`: but for this one.
    pub fn sent_since(
        &self,
        run: i64,
        since: Timestamp,
        of_others: bool,
    ) -> Result<Vec<(Bucket, Timestamp)>, JournalError> {
        recent::sent_since(&self.store, run, since, of_others)
    }
}

/// Approval requests.
impl Journal {
    /// The open approval requests of a plan's jobs, with the run that has them.
    pub fn asked(&self, plan_key: &str) -> Result<Vec<(JobId, Pending)>, JournalError> {
        approvals::asked(&self.store, plan_key)
    }

    /// Whether a run has ever filed anything.
    pub fn has_requests(&self, run: i64) -> Result<bool, JournalError> {
        approvals::has_requests(&self.store, run)
    }

    /// Keeps what a look-up found out.
    pub fn note_statuses(&mut self, run: i64, read: &[RequestRead], now: Timestamp) -> Result<(), JournalError> {
        approvals::note_statuses(&mut self.store, run, read, now)
    }

    /// Everything that waits, of one run or of all, in the order in which it was filed.
    pub fn waiting(&self, run: Option<&RunId>) -> Result<Vec<Waiting>, JournalError> {
        approvals::waiting(&self.store, run)
    }

    /// How many requests are open in a tenant, by action.
    pub fn open_requests(&self, tenant: &str) -> Result<HashMap<String, u32>, JournalError> {
        approvals::open_requests(&self.store, tenant)
    }
}

/// The limits of a day, and whose they are.
impl Journal {
    /// What counts against the limits of a tenant, for a forecast.
    pub fn daily_book(&self, tenant: &str, rules: &DailyRules) -> Result<Book, JournalError> {
        daily::book(&self.store, tenant, rules)
    }

    /// What a tenant is called in the ledger that somebody calls `name`.
    pub fn tenant_known_as(&self, name: &str) -> Result<String, JournalError> {
        daily::tenant_known_as(&self.store, name)
    }

    /// Whether runs at that place were in a tenant that was called otherwise.
    pub fn has_other_tenants(&self, place: &str, tenant: &str) -> Result<bool, JournalError> {
        daily::has_other_tenants(&self.store, place, tenant)
    }

    /// Learns that `name` is the tenant with that id: what was counted under the name counts under the id. Forgets what
    /// no longer counts.
    pub fn know_tenant(&mut self, name: &str, id: &str, now: Timestamp) -> Result<(), JournalError> {
        daily::know_tenant(&mut self.store, name, id, now)
    }
}
