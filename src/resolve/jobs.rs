//! Rows that have been looked up take their places among the jobs.
//!
//! In: the plan's jobs, its unresolved rows, a [`Pool`]. Out: all jobs in plan order, or the faults of all rows. Pure.
//! Must not: make a job of a row that leads to none or to several targets, or let a plan through that has such a row.

use std::sync::Arc;

use jiff::Timestamp;

use super::fault;
use super::matching::{self, Match, Matches};
use super::pool::{Member, Pool};
use crate::catalog::{SelectorForm, TargetKind};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::job::{Found, Ids, Job, JobParts};
use crate::plan::{MAX_JOBS, Pointer, Unresolved};

/// What came of it.
#[derive(Debug, Default)]
pub struct Resolved {
    /// In plan order.
    pub jobs: Vec<Job>,
    /// What somebody should know, although nothing is wrong.
    pub warnings: Diagnostics,
}

/// Puts every row's jobs where they belong.
pub fn resolve(jobs: Vec<Job>, rows: &[Unresolved], pool: &mut Pool, now: Timestamp) -> Result<Resolved, Diagnostics> {
    prepare(rows, pool);
    let by_position = rows.iter().any(|row| row.row.is_none());
    let mut weave = Weave { resolved: Resolved::default(), faults: Diagnostics::default(), moved: 0, by_position };
    weave.resolved.jobs.reserve(jobs.len() + rows.len());
    let mut rows = rows.iter().peekable();
    for (at, job) in (0u32..).zip(jobs) {
        while let Some(row) = rows.next_if(|row| row.at <= at) {
            weave.row(row, pool, now);
        }
        weave.job(job);
    }
    rows.for_each(|row| weave.row(row, pool, now));
    if weave.resolved.jobs.len() > MAX_JOBS {
        let message = format!("the plan has more than {MAX_JOBS} jobs");
        weave.faults.push(Diagnostic::error("too-large", message).help("split it, and run one part after the other"));
    }
    match weave.faults.has_errors() {
        true => {
            weave.faults.extend(weave.resolved.warnings);
            Err(weave.faults)
        }
        false => Ok(weave.resolved),
    }
}

/// Builds the indexes that the rows need.
fn prepare(rows: &[Unresolved], pool: &mut Pool) {
    for row in rows {
        let Pointer::Given(criteria) = &row.pointer else { continue };
        for step in row.steps.iter() {
            let Ok(criteria) = matching::translated(pool, criteria) else { continue };
            match matching::best(&criteria, step.kind) {
                Some(first) if first.selector.form == SelectorForm::MembersOfGroup => {
                    matching::by_device_id().into_iter().for_each(|by| pool.index(step.kind, by, ""));
                }
                Some(first) => pool.index(step.kind, first.selector, &first.value),
                None => {}
            }
        }
    }
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

    fn row(&mut self, row: &Unresolved, pool: &Pool, now: Timestamp) {
        let mut found: Vec<(TargetKind, Vec<Match>)> = Vec::with_capacity(1);
        let faults_before = self.faults.errors();
        for step in row.steps.iter() {
            if found.iter().any(|(kind, _)| *kind == step.kind) {
                continue;
            }
            match matching::find(pool, &row.pointer, step.kind, now) {
                Ok(Matches { targets, left_out }) => {
                    self.check_ids(row, &targets);
                    self.warn(row, &targets, &left_out);
                    found.push((step.kind, targets));
                }
                Err(refusal) => {
                    self.faults.push_error_with(|| fault::fault(row, step.kind, &refusal));
                    found.push((step.kind, Vec::new()));
                }
            }
        }
        if self.faults.errors() > faults_before || self.resolved.jobs.len() > MAX_JOBS {
            return;
        }
        let by: Arc<str> = row.pointer.to_string().into();
        let before = self.next_position();
        for number in 0..found.iter().map(|(_, targets)| targets.len()).max().unwrap_or(0) {
            self.target(row, &found, number, &by);
        }
        self.moved += self.next_position() - before;
    }

    /// The steps on one target.
    fn target(&mut self, row: &Unresolved, found: &[(TargetKind, Vec<Match>)], number: usize, by: &Arc<str>) {
        let mut after = None;
        for step in row.steps.iter() {
            let targets = found.iter().find(|(kind, _)| *kind == step.kind).map(|(_, targets)| targets);
            let Some(target) = targets.and_then(|targets| targets.get(number)) else { continue };
            let position = self.next_position();
            let mut job = Job::new(JobParts {
                row: row.row.unwrap_or(position + 1),
                action: step.action,
                route: step.route,
                ids: Ids::new([&*target.id]),
                parameters: step.parameters.clone(),
                not_before: row.not_before,
                note: row.note.clone(),
                after,
            });
            job.found = Some(Box::new(Found { name: target.name.clone(), by: Arc::clone(by) }));
            self.resolved.jobs.push(job);
            after = Some(position);
        }
    }

    /// What becomes a part of a path must look like an id, whoever says that it is one.
    fn check_ids(&mut self, row: &Unresolved, targets: &[Match]) {
        for target in targets.iter().filter(|target| uuid::Uuid::try_parse(&target.id).is_err()) {
            self.faults.push_error_with(|| fault::strange_id(row, &target.id));
        }
    }

    fn warn(&mut self, row: &Unresolved, targets: &[Match], left_out: &[&Member]) {
        if targets.is_empty() && left_out.is_empty() {
            self.resolved.warnings.push(fault::nothing_passes(row));
        } else if !left_out.is_empty() {
            self.resolved.warnings.push(fault::left_out(row, left_out));
        }
    }
}
