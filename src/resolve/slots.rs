//! What a row comes to: a target, several, or a reason why there is none.
//!
//! In: a due row, what was read, what earlier runs have made of it. Out: [`Slot`]s by kind of target, or faults and warnings.
//! Pure. Must not: make jobs, or take the target of an earlier night for one of tonight where something is found today.

use jiff::Timestamp;

use super::before::{Before, EarlierJob};
use super::fault;
use super::link;
use super::matching::{self, LookupRefusal, Match, Matches};
use super::pool::{Member, Pool};
use crate::catalog::{Missing, TargetKind};
use crate::diagnostics::{Diagnostics, Place};
use crate::job::Unfound;
use crate::plan::{GroupGiven, Unresolved};

/// What one step of a row acts on.
#[derive(Debug)]
pub(super) enum Slot {
    Found(Match),
    /// It was there when an earlier run dealt with the row, and is not found today.
    Was(Match),
    /// It was there on an earlier night; why nothing is done to it today.
    Left(Match, Unfound),
    /// The step is left out for it.
    LeftOut,
    /// It has no target.
    Absent(Unfound),
}

/// What was found, by kind.
pub(super) type Targets = Vec<(TargetKind, Vec<Slot>)>;

/// The group that a step does something in.
#[derive(Debug)]
pub(super) struct GroupOfStep {
    pub id: Box<str>,
    /// Why there is none of that id.
    pub unfound: Option<Unfound>,
}

/// Where targets are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub pool: &'a Pool,
    pub before: &'a Before,
    /// Rows that match several are held.
    pub hold_several: bool,
    pub now: Timestamp,
}

/// A search, and what there is to say of it.
pub(super) struct Searched<'a, 'd> {
    pub search: Search<'a>,
    pub faults: &'d mut Diagnostics,
    pub warnings: &'d mut Diagnostics,
}

impl Searched<'_, '_> {
    /// The targets of a row. A set that is empty has one slot for all its steps.
    pub(super) fn targets(&mut self, row: &Unresolved) -> Targets {
        let Search { pool, now, .. } = self.search;
        let mut found: Targets = Vec::with_capacity(1);
        for kind in row.kinds() {
            match matching::find(pool, &row.pointer, kind, now) {
                Ok(Matches { targets, left_out }) => {
                    self.warn(row, &targets, &left_out);
                    if targets.is_empty() {
                        return vec![(kind, vec![Slot::Absent(self.nobody(row))])];
                    }
                    found.push((kind, targets.into_iter().map(Slot::Found).collect()));
                }
                Err(refusal) => found.push((kind, vec![self.nothing_at_all(row, kind, &refusal)])),
            }
        }
        if let ([(_, devices)], true) = (found.as_slice(), row.through_device) {
            let linked: Vec<_> = row.linked_kinds().map(|kind| (kind, self.linked(row, devices, kind))).collect();
            found.extend(linked);
        }
        for (_, targets) in &found {
            self.check_ids(row, targets);
        }
        found
    }

    /// A set in which there is nothing today.
    fn nobody(&self, row: &Unresolved) -> Unfound {
        Unfound::NothingLeft(format!("{} matches nothing today; {}", row.pointer, self.search.before.told(row)).into())
    }

    /// What a row comes to of which nothing was found. The one place where that is decided: a step may be left out, where a
    /// device leads to nothing; otherwise the plan says whether the row is held, is done, or refuses the plan.
    fn nothing_found(&mut self, row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>) -> Slot {
        let is_link = matches!(refusal, LookupRefusal::NoLink(_) | LookupRefusal::NothingLinked(_));
        let may_lack = row.steps.iter().filter(|step| step.kind == kind).all(|step| step.if_found);
        if is_link && may_lack {
            self.warnings.push(fault::not_found(row, kind, refusal));
            return Slot::LeftOut;
        }
        if row.missing.is_some_and(|missing| refusal.is_absence_to(missing)) {
            return Slot::Absent(Unfound::Nothing);
        }
        if self.holds(row, refusal) {
            return Slot::Absent(Unfound::Several(fault::several(row, kind, refusal).into()));
        }
        self.faults.push_error_with(|| fault::fault(row, kind, refusal, self.search.pool));
        Slot::LeftOut
    }

    /// The same of what the row itself names. A number that lost its zeros is there all the same, and so is whoever has as mail
    /// what nobody has as name. What earlier runs have dealt with is gone, and known.
    fn nothing_at_all(&mut self, row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>) -> Slot {
        let Search { pool, before, .. } = self.search;
        if refusal.is_gone() {
            match (before.target(row, kind), before.nothing_left(row, kind)) {
                _ if row.pointer.is_many() => {
                    if before.is_done(row) {
                        return Slot::Absent(self.nobody(row));
                    }
                }
                (Some(made), _) => return Slot::Was(as_it_was(made)),
                (None, Some(made)) => return Slot::Left(as_it_was(made), nothing_left(row, made)),
                // What leads to the targets of its steps is gone, and they are known.
                (None, None) if row.through_device && before.is_dealt(row) => return Slot::LeftOut,
                (None, None) => {}
            }
        }
        let is_there = fault::lost_its_zeros(row, kind, refusal, pool);
        if is_there || fault::is_a_mail_address(row, kind, refusal, pool) {
            self.faults.push_error_with(|| fault::fault(row, kind, refusal, pool));
            return Slot::LeftOut;
        }
        self.nothing_found(row, kind, refusal)
    }

    /// What each of the devices leads to.
    fn linked(&mut self, row: &Unresolved, devices: &[Slot], kind: TargetKind) -> Vec<Slot> {
        let Search { pool, before, .. } = self.search;
        let mut targets = Vec::with_capacity(devices.len());
        for device in devices {
            targets.push(match device {
                Slot::LeftOut | Slot::Was(_) => self.of_before(row, kind),
                Slot::Absent(why) => Slot::Absent(why.clone()),
                Slot::Left(_, why) => match before.nothing_left(row, kind) {
                    Some(made) => Slot::Left(as_it_was(made), why.clone()),
                    None => Slot::LeftOut,
                },
                Slot::Found(device) => match pool.by_id(TargetKind::ManagedDevice, &device.id) {
                    None => self.of_before(row, kind),
                    Some(record) => match link::follow(pool, record, kind) {
                        Ok(target) => Slot::Found(target),
                        Err(refusal) => match before.target_of(row, kind, &device.id).filter(|_| refusal.is_gone()) {
                            Some(made) => Slot::Was(as_it_was(made)),
                            None => self.nothing_found(row, kind, &refusal),
                        },
                    },
                },
            });
        }
        targets
    }

    /// What a device has led to that is gone since an earlier run has dealt with the row. A step whose target nobody has looked
    /// up is as one that leads to nothing.
    fn of_before(&mut self, row: &Unresolved, kind: TargetKind) -> Slot {
        let before = self.search.before;
        if row.pointer.is_many() || !before.is_dealt(row) {
            return Slot::LeftOut;
        }
        let may_lack = row.steps.iter().filter(|step| step.kind == kind).all(|step| step.if_found);
        match before.target(row, kind) {
            Some(made) => Slot::Was(as_it_was(made)),
            None if may_lack => Slot::LeftOut,
            None => self.nothing_found(row, kind, &LookupRefusal::Nothing),
        }
    }

    /// The group that something is done in: its id, or what the plan says of it where there is none, and why.
    pub(super) fn group(&mut self, row: &Unresolved) -> Option<GroupOfStep> {
        let given = row.group.as_ref()?;
        let id: Box<str> = match given {
            GroupGiven::Id(id) => id.clone(),
            GroupGiven::Name(name, place) => match matching::group_named(self.search.pool, name) {
                Ok(id) => id.into(),
                Err(refusal) => match self.search.before.group(row).filter(|_| refusal.is_gone()) {
                    Some(id) => id.into(),
                    None => return self.no_group(row, (name, place), &refusal),
                },
            },
        };
        if uuid::Uuid::try_parse(&id).is_err() {
            self.faults.push_error_with(|| fault::strange_id(row, &id));
        }
        Some(GroupOfStep { id, unfound: None })
    }

    fn no_group(
        &mut self,
        row: &Unresolved,
        (name, place): (&str, &Place),
        refusal: &LookupRefusal<'_>,
    ) -> Option<GroupOfStep> {
        let id = as_said(row.group.as_ref()?);
        if row.missing.is_some_and(|missing| refusal.is_absence_to(missing)) {
            return Some(GroupOfStep { id, unfound: Some(Unfound::Nothing) });
        }
        if self.holds(row, refusal) {
            let told = fault::several(row, TargetKind::GroupMember, refusal);
            return Some(GroupOfStep { id, unfound: Some(Unfound::Several(told.into())) });
        }
        self.faults.push_error_with(|| fault::of_group(name, place, refusal));
        None
    }

    /// Whether a row that leads to several is held.
    fn holds(&self, row: &Unresolved, refusal: &LookupRefusal<'_>) -> bool {
        refusal.is_several() && self.search.hold_several && row.missing == Some(Missing::Hold)
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
        if !left_out.is_empty() {
            self.warnings.push(fault::left_out(row, left_out));
        } else if targets.is_empty() && self.search.before.is_new(row) {
            self.warnings.push(fault::nothing_today(row));
        }
    }
}

/// Why nothing is done for a row that leads to nothing today, and for which nothing was left to do before.
pub(super) fn nothing_left(row: &Unresolved, made: &EarlierJob) -> Unfound {
    Unfound::NothingLeft(format!("no target found for {}; {}", row.pointer, made.told).into())
}

/// The rows that lead to nothing today, or whose machine leads to nothing of another kind.
pub(crate) fn gone<'r>(rows: &'r [Unresolved], pool: &mut Pool, now: Timestamp) -> Vec<&'r Unresolved> {
    let due: Vec<&Unresolved> = rows.iter().filter(|row| row.is_due(now)).collect();
    matching::prepare(&due, pool);
    let pool = &*pool;
    let lacks_link = |row: &Unresolved, target: &Match| {
        let device = pool.by_id(TargetKind::ManagedDevice, &target.id);
        device.is_none_or(|device| row.linked_kinds().any(|kind| link::follow(pool, device, kind).is_err()))
    };
    let leads_nowhere = |row: &&Unresolved| {
        let finds = |kind| matching::find(pool, &row.pointer, kind, now);
        let lacks = |kind| match finds(kind) {
            Ok(Matches { targets, .. }) => {
                targets.is_empty() || (row.through_device && targets.iter().any(|target| lacks_link(row, target)))
            }
            Err(_) => true,
        };
        row.kinds().any(lacks)
            || matches!(&row.group, Some(GroupGiven::Name(name, _)) if matching::group_named(pool, name).is_err())
    };
    due.into_iter().filter(leads_nowhere).collect()
}

/// A target as an earlier run has found it; what it is like today nobody knows.
fn as_it_was(made: &EarlierJob) -> Match {
    let id = made.job.target().into();
    Match { id, name: made.name.clone(), identity: None, device: made.device.clone() }
}

/// A row whose day has not come: every step waits for it, and nobody looks.
pub(super) fn later(row: &Unresolved) -> (Targets, Option<GroupOfStep>) {
    let kinds = row.steps.iter().map(|step| step.kind);
    let group = row.group.as_ref().map(|given| GroupOfStep { id: as_said(given), unfound: Some(Unfound::NotDue) });
    (kinds.map(|kind| (kind, vec![Slot::Absent(Unfound::NotDue)])).collect(), group)
}

/// A group that nobody has found, as the plan says it: whatever holds a space is no id.
fn as_said(group: &GroupGiven) -> Box<str> {
    match group {
        GroupGiven::Id(id) => id.clone(),
        GroupGiven::Name(name, _) => format!("groupName {name}").into(),
    }
}
