//! The guards, held once more against what is left of a run.
//!
//! In: the jobs of a run and how they stand, the rules as they are today. Out: jobs held for keys that are not on file, and a
//! verdict. Must not: look at what is done, or at what waits for nobody.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::begun::Begun;
use super::super::error::Error;
use super::super::keys::{self, KeyCheck as AboutKeys};
use super::super::protected::{self, Checked, ProtectedFound};
use super::super::{guards, names};
use super::request::ResumeRequest;
use crate::diagnostics::{Diagnostics, Place};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::judge::{self, Judgement, RunFacts, denials};
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::journal::RunRecord;
use crate::journal::resume::{Asked, Next, PastOfJob, decide};
use crate::outcome::Cause;
use crate::runner::Earlier;
use crate::session::Session;

/// What the guards look at once more: the jobs that are left of a run.
pub(super) struct Left<'a> {
    pub request: &'a ResumeRequest,
    pub record: &'a RunRecord,
    pub begun: &'a Begun,
    pub jobs: &'a [Job],
    pub earlier: &'a HashMap<u32, Earlier>,
}

impl Left<'_> {
    fn is_kept(&self, index: u32) -> bool {
        matches!(self.earlier.get(&index), Some(Earlier::Kept(_)))
    }

    /// Since the run was begun, names may have moved, the list and what it stands for may be another one, and keys may have
    /// gone.
    pub(super) async fn look(
        &self,
        session: &mut Session<'_>,
        preflight: &mut Preflight,
        rules: &mut Rules,
        sightings: &[Option<Sighting>],
    ) -> Result<(Vec<Option<Keys>>, Diagnostics), Error> {
        let Self { jobs, begun, .. } = self;
        preflight.hold_denied(jobs, &denials(rules, *jobs, begun.plan.name.as_deref(), self.request.start.now));
        names::hold_moved(session, jobs, preflight, |at| self.is_skipped(at)).await?;
        let is_sent = |at: usize, hold: Option<&Hold>| hold.is_none() && !self.is_skipped(at);
        let found = ProtectedFound { preflight: &mut *preflight, rules: &mut *rules, sightings };
        let Checked { told, .. } = protected::check(session, jobs, found, is_sent).await?;
        let about = AboutKeys { jobs, plan: begun.plan.name.as_deref(), from_inventory: false };
        let on_file = keys::check(session, &about, preflight, rules, |at| self.is_skipped(at)).await?;
        Ok((on_file, told))
    }

    /// What waits for an approval is looked at too: it may be completed now.
    fn is_skipped(&self, at: usize) -> bool {
        let index = at as u32;
        self.is_kept(index) && !waits(self.record, index, self.request, &HashSet::new())
    }

    /// What holds the jobs, those that are done included. What waits for an approval may be completed now, and has to keep to
    /// the rules of now.
    pub(super) fn open(&self, holds: &[Option<Hold>]) -> Vec<Option<Hold>> {
        let holds = holds.iter().enumerate().map(|(at, hold)| match self.is_skipped(at) {
            true => Some(Hold::Done),
            false => hold.clone(),
        });
        holds.collect()
    }

    /// What the rules say of them, unless they refuse it.
    pub(super) fn judge(
        &self,
        rules: Rules,
        holds: &[Option<Hold>],
        keys: &[Option<Keys>],
    ) -> Result<Judgement, Error> {
        let Self { request, record, begun, jobs, .. } = self;
        let left = self.open(holds);
        let plan = begun.plan.name.as_deref();
        let about =
            RunFacts { plan, justified: begun.justification.is_some(), now: request.start.now, begins: true, keys };
        let row =
            |at: usize| Place { line: jobs.get(at).map(|job| job.row as usize), ..Place::file(&record.head.plan_file) };
        let verdict = judge::judge(jobs, &left, rules, about, row);
        guards::refused(&verdict, Path::new(&record.head.plan_file))?;
        Ok(verdict)
    }
}

/// Whether nothing is done to it today, whatever was done before.
pub(super) fn is_barred(hold: Option<&Hold>) -> bool {
    let today = [
        Cause::Protected,
        Cause::MaybeProtected,
        Cause::KeyNotOnFile,
        Cause::NameMoved,
        Cause::Denied,
        Cause::OpenElsewhere,
    ];
    hold.and_then(Hold::cause).is_some_and(|cause| today.contains(&cause))
}

/// Whether a job is kept only until its approval request has been looked up.
pub(super) fn waits(record: &RunRecord, index: u32, request: &ResumeRequest, spared: &HashSet<u32>) -> bool {
    let stored =
        record.jobs.get(index as usize).filter(|stored| stored.filed.as_ref().is_some_and(|filed| !filed.moved));
    stored.is_some_and(|stored| {
        let past = PastOfJob { asked: Asked::Approved, ..stored.past() };
        let next = decide(past, stored.job.action.repeat, request.only, request.refile);
        !spared.contains(&index) && next == Next::Complete
    })
}
