//! Rows that have been looked up take their places among the jobs.
//!
//! In: the plan's jobs and their places, its unresolved rows, a [`Pool`]. Out: all jobs in plan order and where they
//! stand, or the faults of all rows. Pure.
//! Must not: make a job of a row that leads to none or to several targets, or let a plan through that has such a row.

use jiff::Timestamp;

use super::before::Before;
use super::fault;
use super::matching::{self, Match};
use super::naming::{self, Called, Users};
use super::pool::Pool;
use super::slots::{self, GroupOfStep, Search, Searched, Slot, Targets};
use super::words::one;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::job::{Job, JobParts, Unfound};
use crate::plan::{MAX_JOBS, Places, Pointer, Unresolved};

/// What came of it.
#[derive(Debug, Default)]
pub struct Resolved {
    /// In plan order.
    pub jobs: Vec<Job>,
    /// Of the jobs.
    pub places: Places,
    /// What somebody should know, although nothing is wrong.
    pub warnings: Diagnostics,
}

/// What is known of the tenant, and of earlier nights.
#[derive(Debug)]
pub struct Knowledge<'a> {
    pub pool: &'a mut Pool,
    pub before: &'a Before,
    /// Rows that match several are held, where they are held if they match none.
    pub hold_several: bool,
    pub now: Timestamp,
}

/// Puts every row's jobs where they belong. `places` are those of `jobs`.
pub fn resolve(
    jobs: Vec<Job>,
    places: &Places,
    rows: &[Unresolved],
    Knowledge { pool, before, hold_several, now }: Knowledge<'_>,
) -> Result<Resolved, Diagnostics> {
    let due: Vec<&Unresolved> = rows.iter().filter(|row| row.is_due(now)).collect();
    matching::prepare(&due, pool);
    let search = Search { pool, before, hold_several, now };
    let by_position = rows.iter().any(|row| row.row.is_none());
    let mut weave = Weave { resolved: Resolved::default(), faults: Diagnostics::default(), moved: 0, by_position };
    weave.resolved.jobs.reserve(jobs.len() + rows.len());
    weave.resolved.places.reserve(jobs.len() + rows.len());
    let mut rows = rows.iter().peekable();
    for (at, job) in (0u32..).zip(jobs) {
        while let Some(row) = rows.next_if(|row| row.at <= at) {
            weave.row(row, search);
        }
        weave.resolved.places.push_as(places, at as usize);
        weave.job(job);
    }
    rows.for_each(|row| weave.row(row, search));
    if weave.resolved.jobs.len() > MAX_JOBS {
        let message = format!("the plan has more than {MAX_JOBS} jobs");
        weave
            .faults
            .push(Diagnostic::error("too-large", message).help("split it, and run the parts one after the other"));
    }
    match weave.faults.has_errors() {
        true => {
            weave.faults.extend(weave.resolved.warnings);
            Err(weave.faults)
        }
        false => Ok(weave.resolved),
    }
}

/// What a row comes to.
struct RowFinds<'a> {
    row: &'a Unresolved,
    targets: &'a Targets,
    group: Option<&'a GroupOfStep>,
    /// In its parameters.
    users: &'a Users<'a>,
    before: &'a Before,
}

struct Weave {
    resolved: Resolved,
    faults: Diagnostics,
    /// How many jobs have come in between so far.
    moved: u32,
    /// Jobs of a YAML plan are numbered by their position, which looking up changes.
    by_position: bool,
}

impl Weave {
    fn next_position(&self) -> u32 {
        u32::try_from(self.resolved.jobs.len()).unwrap_or(u32::MAX)
    }

    /// A job that the plan named by its id: it only moves.
    fn job(&mut self, mut job: Job) {
        if self.by_position {
            job.row = self.next_position() + 1;
        }
        job.after = job.after.map(|after| after + self.moved);
        self.resolved.jobs.push(job);
    }

    fn row(&mut self, row: &Unresolved, search: Search<'_>) {
        if !row.is_due(search.now) {
            let (found, group) = slots::later(row);
            let users = &Users::new();
            let group = group.as_ref();
            return self.push(&RowFinds { row, targets: &found, group, users, before: search.before });
        }
        let faults_before = self.faults.errors();
        let mut searched = Searched { search, faults: &mut self.faults, warnings: &mut self.resolved.warnings };
        let found = searched.targets(row);
        let group = searched.group(row);
        let users = self.users(row, search.pool);
        if self.faults.errors() == faults_before && self.resolved.jobs.len() <= MAX_JOBS {
            let (group, users) = (group.as_ref(), &users);
            self.push(&RowFinds { row, targets: &found, group, users, before: search.before });
        }
    }

    /// The jobs of a row.
    fn push(&mut self, finds: &RowFinds<'_>) {
        let row = finds.row;
        let called = Called { by: row.pointer.to_string().into(), key: row.key().into() };
        let before = self.next_position();
        self.resolved.places.begin(&row.place.file);
        let of_ids = usize::from(row.pointer == Pointer::Ids);
        for number in 0..finds.targets.iter().map(|(_, targets)| targets.len()).max().unwrap_or(of_ids) {
            self.target(finds, number, &called);
        }
        self.moved += self.next_position() - before;
    }

    /// Who is meant by the names in the parameters of a row.
    fn users<'p>(&mut self, row: &Unresolved, pool: &'p Pool) -> Users<'p> {
        let mut users: Users<'p> = Vec::new();
        for name in row.users() {
            match matching::user_named(pool, name) {
                Ok(record) => users.push((name.into(), record)),
                Err(refusal) => self.faults.push_error_with(|| fault::of_user(row, name, &refusal, pool)),
            }
        }
        users
    }

    /// The steps on one target.
    fn target(&mut self, finds: &RowFinds<'_>, number: usize, called: &Called) {
        let RowFinds { row, targets: found, group, users, before } = *finds;
        let by = &called.by;
        let mut after = None;
        for step in row.steps.iter() {
            let targets = found.iter().find(|(kind, _)| *kind == step.kind).map(|(_, targets)| targets);
            let left = |target: &Match| Some(slots::nothing_left(row, before.step_left(row, step, &target.id)?));
            let (target, unfound) = match targets.and_then(|targets| targets.get(number)) {
                Some(Slot::Found(target)) => (Some(target), None),
                Some(Slot::Was(target)) => (Some(target), left(target)),
                Some(Slot::Left(target, why)) => (Some(target), Some(why.clone())),
                Some(Slot::Absent(why)) => (None, Some(why.clone())),
                // It names nothing that is looked up but in its parameters.
                None if row.pointer == Pointer::Ids => (None, None),
                Some(Slot::LeftOut) | None => continue,
            };
            let group = group.filter(|_| step.route.ids.len() > 1);
            let unfound = unfound.or_else(|| group?.unfound.clone());
            // A set that is empty keeps one row.
            if after.is_some() && is_empty_set(row, target.is_some(), unfound.as_ref()) {
                continue;
            }
            let is_named = target.is_some() || row.pointer == Pointer::Ids;
            let position = self.next_position();
            // What the plan says stands in for an id; whatever holds a space is none.
            let of_device = format!("the {} of {by}", one(step.kind));
            let is_linked =
                || found.iter().any(|(_, slots)| matches!(slots.get(number), Some(Slot::Found(_) | Slot::Was(_))));
            let stand_in = || if is_linked() { &*of_device } else { &**by };
            let id = target.map_or_else(stand_in, |target| &target.id);
            let mut job = Job::new(JobParts {
                row: row.row.unwrap_or(position + 1),
                action: step.action,
                route: step.route,
                ids: naming::ids(row, step, group.map(|group| &*group.id), id),
                parameters: naming::parameters(step, users),
                not_before: row.not_before,
                note: row.note.clone(),
                after,
            });
            job.priority = row.priority;
            job.missing = row.missing;
            job.set_unfound(unfound.filter(|why| *why != Unfound::Nothing));
            // Where the steps before it are left out, there is nothing to wait for.
            job.set_verified_within(step.verified_within.filter(|_| after.is_some()));
            job.found = target.and_then(|target| naming::found(row, step, target, called)).map(Box::new);
            let names = naming::names(row, step, &job, users).filter(|_| is_named && job.unfound().is_none());
            job.names = names.map(Box::new);
            self.resolved.jobs.push(job);
            self.resolved.places.push(row.line);
            after = Some(position);
        }
    }
}

fn is_empty_set(row: &Unresolved, is_found: bool, unfound: Option<&Unfound>) -> bool {
    row.pointer.is_many() && !is_found && matches!(unfound, Some(Unfound::NothingLeft(_)))
}
