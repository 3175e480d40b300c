//! Rows that have been looked up take their places among the jobs.
//!
//! In: the plan's jobs and their places, its unresolved rows, a [`Pool`]. Out: all jobs in plan order and where they
//! stand, or the faults of all rows. Pure.
//! Must not: make a job of a row that leads to none or to several targets, or let a plan through that has such a row.

use std::sync::Arc;

use jiff::Timestamp;

use super::fault;
use super::link;
use super::matching::{self, Match, Matches, Refusal};
use super::naming::{self, Users};
use super::pool::{Member, Pool};
use crate::catalog::TargetKind;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::job::{Job, JobParts};
use crate::plan::{GroupGiven, MAX_JOBS, Places, Pointer, Unresolved};

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

/// Puts every row's jobs where they belong. `places` are those of `jobs`.
pub fn resolve(
    jobs: Vec<Job>,
    places: &Places,
    rows: &[Unresolved],
    pool: &mut Pool,
    now: Timestamp,
) -> Result<Resolved, Diagnostics> {
    matching::prepare(rows, pool);
    let by_position = rows.iter().any(|row| row.row.is_none());
    let mut weave = Weave { resolved: Resolved::default(), faults: Diagnostics::default(), moved: 0, by_position };
    weave.resolved.jobs.reserve(jobs.len() + rows.len());
    weave.resolved.places.reserve(jobs.len() + rows.len());
    let mut rows = rows.iter().peekable();
    for (at, job) in (0u32..).zip(jobs) {
        while let Some(row) = rows.next_if(|row| row.at <= at) {
            weave.row(row, pool, now);
        }
        weave.resolved.places.push_as(places, at as usize);
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

/// What one step of a row acts on.
enum Slot {
    Found(Match),
    /// The step is left out for it.
    LeftOut,
    /// There is no such target, and the plan says what becomes of the row then.
    Absent,
}

/// What was found, by kind.
type Targets = [(TargetKind, Vec<Slot>)];

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
        let mut found: Vec<(TargetKind, Vec<Slot>)> = Vec::with_capacity(1);
        let faults_before = self.faults.errors();
        for kind in row.kinds() {
            match matching::find(pool, &row.pointer, kind, now) {
                Ok(Matches { targets, left_out }) => {
                    self.warn(row, &targets, &left_out);
                    found.push((kind, targets.into_iter().map(Slot::Found).collect()));
                }
                Err(refusal) => found.push((kind, vec![self.nothing_at_all(row, kind, &refusal, pool)])),
            }
        }
        if let ([(_, devices)], true) = (found.as_slice(), row.through_device) {
            let linked: Vec<_> = row.linked_kinds().map(|kind| (kind, self.linked(row, devices, kind, pool))).collect();
            found.extend(linked);
        }
        for (_, targets) in &found {
            self.check_ids(row, targets);
        }
        let group = self.group(row, pool);
        let group = group.as_deref();
        let users = self.users(row, pool);
        if self.faults.errors() > faults_before || self.resolved.jobs.len() > MAX_JOBS {
            return;
        }
        let by: Arc<str> = row.pointer.to_string().into();
        let before = self.next_position();
        self.resolved.places.begin(&row.place.file);
        let of_ids = usize::from(row.pointer == Pointer::Ids);
        for number in 0..found.iter().map(|(_, targets)| targets.len()).max().unwrap_or(of_ids) {
            self.target(row, (&found, group, &users), number, &by);
        }
        self.moved += self.next_position() - before;
    }

    /// What a row comes to of which nothing was found. The one place where that is decided: a step may be left out, where a
    /// device leads to nothing; otherwise the plan says whether the row is held, is done, or refuses the plan.
    fn nothing_found(&mut self, row: &Unresolved, kind: TargetKind, refusal: &Refusal<'_>, pool: &Pool) -> Slot {
        let is_link = matches!(refusal, Refusal::NoLink(_) | Refusal::NothingLinked(_));
        let may_lack = row.steps.iter().filter(|step| step.kind == kind).all(|step| step.if_found);
        if is_link && may_lack {
            self.resolved.warnings.push(fault::not_found(row, kind, refusal));
            return Slot::LeftOut;
        }
        if row.missing.is_some_and(|missing| refusal.is_absence_to(missing)) {
            return Slot::Absent;
        }
        self.faults.push_error_with(|| fault::fault(row, kind, refusal, pool));
        Slot::LeftOut
    }

    /// The same of what the row itself names. A number that lost its zeros is there all the same, and so is whoever has as mail
    /// what nobody has as name.
    fn nothing_at_all(&mut self, row: &Unresolved, kind: TargetKind, refusal: &Refusal<'_>, pool: &Pool) -> Slot {
        let is_there = fault::lost_its_zeros(row, kind, refusal, pool);
        if is_there || fault::is_a_mail_address(row, kind, refusal, pool) {
            self.faults.push_error_with(|| fault::fault(row, kind, refusal, pool));
            return Slot::LeftOut;
        }
        self.nothing_found(row, kind, refusal, pool)
    }

    /// What each of the devices leads to.
    fn linked(&mut self, row: &Unresolved, devices: &[Slot], kind: TargetKind, pool: &Pool) -> Vec<Slot> {
        let mut targets = Vec::with_capacity(devices.len());
        for device in devices {
            targets.push(match device {
                Slot::LeftOut => Slot::LeftOut,
                Slot::Absent => Slot::Absent,
                Slot::Found(device) => match pool.by_id(TargetKind::ManagedDevice, &device.id) {
                    None => Slot::LeftOut,
                    Some(device) => match link::follow(pool, device, kind) {
                        Ok(target) => Slot::Found(target),
                        Err(refusal) => self.nothing_found(row, kind, &refusal, pool),
                    },
                },
            });
        }
        targets
    }

    /// The group that something is done in: its id, or what the plan says of it where there is none.
    fn group(&mut self, row: &Unresolved, pool: &Pool) -> Option<Box<str>> {
        let id = match row.group.as_ref()? {
            GroupGiven::Id(id) => id,
            GroupGiven::Name(name, place) => match matching::group_named(pool, name) {
                Ok(id) => id,
                Err(refusal) if row.missing.is_some_and(|missing| refusal.is_absence_to(missing)) => {
                    return Some(format!("groupName {name}").into());
                }
                Err(refusal) => {
                    self.faults.push_error_with(|| fault::of_group(name, place, &refusal));
                    return None;
                }
            },
        };
        if uuid::Uuid::try_parse(id).is_err() {
            self.faults.push_error_with(|| fault::strange_id(row, id));
        }
        Some(id.into())
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
    fn target(
        &mut self,
        row: &Unresolved,
        (found, group, users): (&Targets, Option<&str>, &Users<'_>),
        number: usize,
        by: &Arc<str>,
    ) {
        let mut after = None;
        for step in row.steps.iter() {
            let targets = found.iter().find(|(kind, _)| *kind == step.kind).map(|(_, targets)| targets);
            let target = match targets.and_then(|targets| targets.get(number)) {
                Some(Slot::Found(target)) => Some(target),
                Some(Slot::Absent) => None,
                // It names nothing that is looked up but in its parameters.
                None if row.pointer == Pointer::Ids => None,
                Some(Slot::LeftOut) | None => continue,
            };
            let is_named = target.is_some() || row.pointer == Pointer::Ids;
            let position = self.next_position();
            // What the plan says stands in for an id; whatever holds a space is none.
            let of_device = format!("the {} of {by}", fault::one(step.kind));
            let is_linked = || found.iter().any(|(_, slots)| matches!(slots.get(number), Some(Slot::Found(_))));
            let unfound = || if is_linked() { &*of_device } else { &**by };
            let id = target.map_or_else(unfound, |target| &target.id);
            let mut job = Job::new(JobParts {
                row: row.row.unwrap_or(position + 1),
                action: step.action,
                route: step.route,
                ids: naming::ids(row, step, group, id),
                parameters: naming::parameters(step, users),
                not_before: row.not_before,
                note: row.note.clone(),
                after,
            });
            job.priority = row.priority;
            job.missing = row.missing;
            // Where the steps before it are left out, there is nothing to wait for.
            job.set_verified_within(step.verified_within.filter(|_| after.is_some()));
            job.found = target.and_then(|target| naming::found(row, step, target, by)).map(Box::new);
            job.names = naming::names(row, step, &job, users).filter(|_| is_named).map(Box::new);
            self.resolved.jobs.push(job);
            self.resolved.places.push(row.line);
            after = Some(position);
        }
    }

    /// What becomes a part of a path must look like an id, whoever says that it is one.
    fn check_ids(&mut self, row: &Unresolved, targets: &[Slot]) {
        for target in targets {
            if let Slot::Found(target) = target
                && uuid::Uuid::try_parse(&target.id).is_err()
            {
                self.faults.push_error_with(|| fault::strange_id(row, &target.id));
            }
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
