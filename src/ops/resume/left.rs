//! The guards, held once more against what is left of a run.
//!
//! In: the jobs of a run and how they stand, the rules as they are today. Out: jobs held for keys that are not on file, and a
//! verdict. Must not: look at what is done, or at what waits for nobody.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::keys::{self, About as AboutKeys};
use super::super::look_up::{LookUp, Used};
use super::super::protected::{self, Checked};
use super::super::record::Begun;
use super::super::tenant::Source;
use super::super::{Error, guards, names};
use super::{ResumeRequest, waits};
use crate::diagnostics::{Diagnostics, Place};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::judge::{self, About, Verdict};
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::journal::RunRecord;
use crate::plan;
use crate::runner::Earlier;
use crate::settings::Settings;

/// What the guards look at once more: the jobs that are left of a run.
pub struct Left<'a> {
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
    pub async fn look(
        &self,
        settings: &Settings,
        agreed_tenant: &Option<String>,
        (preflight, rules): (&mut Preflight, &mut Rules),
        sightings: &[Option<Sighting>],
        used: &mut Used,
    ) -> Result<(Vec<Option<Keys>>, Diagnostics), Error> {
        let (look_up, about) = self.looking(settings, agreed_tenant);
        names::hold_moved(&look_up, &about, preflight, |at| self.is_skipped(at), used).await?;
        let is_sent = |at: usize, hold: Option<&Hold>| hold.is_none() && !self.is_skipped(at);
        let found = (&mut *preflight, &mut *rules, sightings);
        let Checked { told, .. } = protected::check(&look_up, &about, found, is_sent, used).await?;
        let on_file = keys::check(&look_up, &about, (preflight, rules), |at| self.is_skipped(at), used).await?;
        Ok((on_file, told))
    }

    /// What waits for an approval is looked at too: it may be completed now.
    fn is_skipped(&self, at: usize) -> bool {
        let index = at as u32;
        self.is_kept(index) && !waits(self.record, index, self.request, &HashSet::new())
    }

    fn looking<'s>(&'s self, settings: &'s Settings, agreed_tenant: &Option<String>) -> (LookUp<'s>, AboutKeys<'s>) {
        let Self { request, begun, .. } = self;
        let look_up = look_up(settings, request, begun);
        let about = about(self.jobs, begun, agreed_tenant.as_deref());
        (look_up, about)
    }

    /// What the rules say of them, unless they refuse it.
    pub fn judge(&self, rules: Rules, holds: &[Option<Hold>], keys: &[Option<Keys>]) -> Result<Verdict, Error> {
        let Self { request, record, begun, jobs, .. } = self;
        let left = (0u32..).zip(holds).map(|(index, hold)| match self.is_kept(index) {
            true => Some(Hold::Done),
            false => hold.clone(),
        });
        let left: Vec<_> = left.collect();
        let plan = begun.plan_name.as_deref();
        let about = About { plan, justified: begun.justification.is_some(), now: request.now, begins: true, keys };
        let row =
            |at: usize| Place { line: jobs.get(at).map(|job| job.row as usize), ..Place::file(&record.plan_file) };
        let verdict = judge::judge(jobs, &left, rules, about, row);
        guards::refused(&verdict, Path::new(&record.plan_file))?;
        Ok(verdict)
    }
}

/// A look at the tenant of a run.
pub fn look_up<'a>(settings: &'a Settings, request: &ResumeRequest, begun: &'a Begun) -> LookUp<'a> {
    let (choices, now, seed) = (begun.choices, request.now, request.seed);
    LookUp { settings, tenant: &begun.tenant, inventory: None, missing: None, choices, now, seed }
}

/// What it is made for, and in which tenant.
pub fn about<'a>(jobs: &'a [Job], begun: &'a Begun, agreed_tenant: Option<&str>) -> AboutKeys<'a> {
    let agreed_tenant = agreed_tenant.map(str::to_owned);
    let tenants = vec![(Source::Plan, begun.plan_tenant.clone()), (Source::SavedPreview, agreed_tenant)];
    AboutKeys { jobs, plan: begun.plan_name.as_deref(), limits: plan::Limits::default(), tenants }
}

/// Whether nothing is done to it today, whatever was done before.
pub fn is_barred(hold: Option<&Hold>) -> bool {
    matches!(hold, Some(Hold::Protected(_) | Hold::MaybeProtected(_) | Hold::NotEscrowed(_) | Hold::Moved(_)))
}
