//! Jobs of a run that a version before has begun, which sent the names of users as they stood.
//!
//! In: the run. Out: the same, with its jobs on the ids of those who have the names today, under the row and the `JobId` that it
//! knows them by; and why others are held. Must not: take who has a name today for who had it when an attempt left, or send what
//! was recorded with a name in its path.

use std::collections::HashMap;
use std::sync::Arc;

use super::request::ResumeRequest;
use crate::catalog::Repeat;
use crate::guard::drift::Sighting;
use crate::identity::Identity;
use crate::job::{Ids, Job, Names};
use crate::journal::{Filed, Journal, RunRecord, StoredJob};
use crate::msgraph::request;
use crate::ops::error::Error;
use crate::ops::names;
use crate::ops::record::take_up;
use crate::preview::saved::SavedPreview;
use crate::resolve::Owners;
use crate::runner::Earlier;
use crate::session::Session;

/// The run that goes on, and how.
pub(super) struct Nameless<'a> {
    pub request: &'a ResumeRequest,
    pub saved: Option<&'a SavedPreview>,
}

/// Why jobs are held, by index.
pub(super) type OfNames = HashMap<usize, Arc<str>>;

impl Nameless<'_> {
    /// Looks up whom the names lead to that are still to be sent, and records it.
    pub(super) async fn look_up(
        &self,
        journal: &mut Journal,
        record: &mut RunRecord,
        session: &mut Session<'_>,
    ) -> Result<OfNames, Error> {
        // What other runs have done since is known by whom it was done to.
        let earlier = &take_up(&record.jobs, self.request.only, self.request.refile)?;
        let mut held = OfNames::new();
        let mut open: Vec<usize> = Vec::new();
        for (at, stored) in record.jobs.iter().enumerate().filter(|(_, stored)| names_nobody(&stored.job)) {
            match self.is_barred(at, stored, earlier) {
                Some(why) => drop(held.insert(at, why.into())),
                None if !matches!(earlier.get(&(at as u32)), Some(Earlier::Kept(_))) => open.push(at),
                None => {}
            }
        }
        if open.is_empty() {
            return Ok(held);
        }
        let wanted: Vec<&str> = open.iter().flat_map(|at| names_of(&record.jobs[*at].job)).collect();
        let owners = names::owners(&wanted, session).await?;
        let mut found = Vec::with_capacity(open.len());
        for at in open {
            match on_ids(&record.jobs[at].job, self.seen(at), &owners) {
                Ok(job) => {
                    let stored = &mut record.jobs[at];
                    let (method, path, body) = request::recorded(&job);
                    stored.request = (method.to_owned(), path, body.map(str::to_owned));
                    stored.job = job;
                    found.push(at);
                }
                Err(why) => drop(held.insert(at, why.into())),
            }
        }
        let found: Vec<_> = found.into_iter().map(|at| (at as u32, &record.jobs[at].job)).collect();
        journal.set_ids(record.head.number, &found, request::recorded)?;
        Ok(held)
    }

    /// Whom the preview saw that the run was begun from.
    fn seen(&self, at: usize) -> Option<&Identity> {
        match self.saved?.sightings.get(at)? {
            Some(Sighting::Identity(seen)) => Some(seen),
            _ => None,
        }
    }

    /// Why a job is not even looked up.
    fn is_barred(&self, at: usize, stored: &StoredJob, earlier: &HashMap<u32, Earlier>) -> Option<String> {
        let name = stored.job.name_in_path()?;
        if stored.filed.as_ref().is_some_and(Filed::is_open) {
            return Some(format!("its approval request was filed for the user {name}, by name, and is not completed"));
        }
        let is_open = matches!(earlier.get(&(at as u32)), Some(Earlier::Open { .. } | Earlier::Failed(..)));
        let is_read_first = stored.job.action.repeat == Repeat::AfterReadBack && stored.doubtful_since().is_some();
        let is_doubtful = is_open && is_read_first;
        (is_doubtful && self.seen(at).is_none()).then(|| {
            format!("it was sent to the user {name}, by name; which account had that name then is not recorded")
        })
    }
}

/// Whether a job names users, and nobody has recorded who they were. What was never looked up is never sent.
fn names_nobody(job: &Job) -> bool {
    job.names.is_none() && job.unfound().is_none() && names_of(job).next().is_some()
}

fn names_of(job: &Job) -> impl Iterator<Item = &str> {
    let in_body = job.parameters.as_deref().map(|parameters| parameters.users()).unwrap_or_default();
    job.name_in_path().into_iter().chain(in_body.iter().map(|name| &**name))
}

/// The job on the ids of those who have its names today; or why there is none.
fn on_ids(job: &Job, seen: Option<&Identity>, owners: &Owners) -> Result<Job, String> {
    let owner_of = |name: &str| owners.of(name).ok_or_else(|| format!("no user has the name {name} any more"));
    let users = names_of(job).skip(usize::from(job.name_in_path().is_some()));
    let in_body = users.map(|name| Ok((Box::from(name), owner_of(name)?.id.to_ascii_lowercase().into())));
    let in_body = in_body.collect::<Result<Box<[_]>, String>>()?;
    let names = Names { written_id: job.id, written: job.ids.clone(), in_body };
    let Some(name) = job.name_in_path() else { return Ok(Job { names: Some(Box::new(names)), ..job.clone() }) };
    let owner = owner_of(name)?;
    if uuid::Uuid::try_parse(&owner.id).is_err() {
        return Err(format!("the service returned no valid id for {name}"));
    }
    if let Some(seen) = seen.filter(|seen| !seen.id.eq_ignore_ascii_case(&owner.id)) {
        return Err(format!("{name} now belongs to another account: it was {}, and is {}", seen.id, owner.id));
    }
    let id = owner.id.to_ascii_lowercase();
    let ids = job.route.ids.iter().zip(job.ids.iter());
    let ids = Ids::new(ids.map(|(known, value)| if known.is_alias(value) { id.as_str() } else { value }));
    let is_target = ids.target() == id;
    let mut renamed = Job { ids, names: Some(Box::new(names)), ..job.clone() };
    if let Some(name) = owner.user_principal_name.clone().filter(|_| is_target) {
        renamed.set_target_name(Some(name));
    }
    Ok(renamed)
}
