//! Targets become jobs.
//!
//! In: [`PlannedWork`], and rows of named text fields, from a CSV file or from YAML. Out: jobs in plan order, or faults, each
//! at the field that is wrong. Must not: stop at the first fault, or make a job of a row that has one.
//!
//! A plan may have a million rows, so nothing here allocates for a row but the job itself.

mod expander;
mod jobs;
mod lacking;
mod naming;
mod routing;
mod selecting;
mod turn;

use std::borrow::Cow;
use std::fmt::Write;
use std::rc::Rc;

pub(crate) use self::expander::MAX_JOBS;
pub(super) use self::expander::{Expander, TargetRow};
use self::expander::{IdSlot, Remarks, Shared, WrittenTarget};
use self::jobs::Said;
use self::selecting::Selected;
use super::identifier::{self, NotAnId, wrong_name};
use super::layout::Layout;
use super::places::Position;
use super::vocabulary;
use super::work::{ParameterValue, PlannedWork, known_parameters};
use crate::catalog::{IdName, Route};
use crate::job::{Ids, JobParts, Parameters};
use crate::text::shown;

/// Different parameter values that are remembered for sharing.
const MAX_REMEMBERED: usize = 65_536;

impl Expander {
    /// Makes the jobs of one target. They are numbered `number`, or by their position in the plan.
    pub(super) fn add(&mut self, work: &PlannedWork, layout: &Layout, row: &impl TargetRow, number: Option<u32>) {
        let target = &WrittenTarget { work, layout, row };
        let faults_before = self.faults.errors();
        let route = self.named_route(target);
        let selected = self.select(target);
        let refused = self.collect_ids(target, route);
        for field in layout.nameless.iter().copied().filter(|field| !row.field(*field).is_empty()) {
            self.fault(
                row.at(Some(field)),
                "unknown-column",
                || "this column has no header".into(),
                || Some("name the column, or empty the cell".into()),
            );
        }
        let turn = self.turn(target);
        if !work.whole {
            return;
        }
        let parameters = self.parameters(target);
        let selected = match selected {
            Selected::Nothing if !refused && route.is_none() => self.lead_on(work),
            other => other,
        };
        if self.refuse_group_of_nobody(work, row, &selected) {
            return;
        }
        let is_selected = !matches!(selected, Selected::Nothing);
        if self.given.is_empty() && (refused || matches!(selected, Selected::Refused)) {
            return;
        }
        if is_selected {
            self.refuse_both(work, row);
        } else {
            self.choose_routes(target, route);
        }
        let Some(parameters) = parameters else { return };
        if self.faults.errors() == faults_before {
            let note = layout.note.map(|field| row.field(field)).filter(|note| !note.is_empty());
            let remarks = Remarks { route, turn, note, position: Position { number, line: row.line() } };
            match selected {
                Selected::By(pointed) => self.push_unresolved(target, pointed, remarks, &parameters),
                Selected::Refused => {}
                Selected::Nothing if self.names_a_user(&parameters) => self.push_named(target, remarks, &parameters),
                Selected::Nothing => self.push(work, remarks, &parameters),
            }
        }
    }

    fn push(&mut self, work: &PlannedWork, remarks: Remarks<'_>, with: &Shared) {
        let Remarks { turn, note, position: at, .. } = remarks;
        let note: Option<Box<str>> = note.map(Box::from).or_else(|| work.note.clone());
        let mut after = None;
        for ((step, route), parameters) in work.steps.iter().zip(&self.routes).zip(with.iter()) {
            let position = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
            let slots = &self.slots;
            let value = |id: &IdName| {
                let at = self.given.iter().position(|given| given.name == id.name);
                at.map_or("", |at| slots[at].value.as_str())
            };
            let parts = JobParts {
                row: at.number.unwrap_or(position + 1),
                action: step.action,
                route,
                ids: Ids::new(route.ids.iter().map(value)),
                parameters: parameters.clone(),
                not_before: turn.not_before,
                note: note.clone(),
                after,
            };
            let verified_within = step.verified_within.filter(|_| after.is_some());
            self.jobs.push(Said { parts, priority: turn.priority, missing: work.missing, verified_within });
            self.places.push(at.line);
            after = Some(position);
        }
    }

    /// Whether one of them was refused.
    fn collect_ids(&mut self, target: &WrittenTarget<'_, impl TargetRow>, named: Option<&'static Route>) -> bool {
        let WrittenTarget { work, layout, row } = *target;
        self.given.clear();
        let mut refused = false;
        for (field, id, spelling) in &layout.ids {
            let selects = selecting::as_selector(*id, *spelling, work).is_some();
            if !selects && !row.field(*field).is_empty() {
                refused |= !self.take_id(row, *field, *id);
            }
        }
        let Some(field) = layout.any_id.filter(|field| !row.field(*field).is_empty()) else { return refused };
        if !work.whole {
            return refused;
        }
        let mut meant: Option<&IdName> = None;
        for step in &work.steps {
            let route = step.route_of_any_id(named);
            let [id] = route.ids else {
                let message =
                    || format!("`id` cannot be used: the route `{}` takes {} ids", route.name, route.ids.len());
                self.fault(row.at(Some(field)), "no-route", message, || Some(vocabulary::routes(step.action)));
                return true;
            };
            match meant {
                Some(other) if other.name != id.name => {
                    let message = || format!("`id` could mean {} or {}, and the steps need both", other.name, id.name);
                    self.fault(row.at(Some(field)), "contradicting-ids", message, || {
                        Some("use a separate key for each".into())
                    });
                    return true;
                }
                _ => meant = Some(id),
            }
        }
        match meant {
            Some(id) => !self.take_id(row, field, *id) | refused,
            None => refused,
        }
    }

    /// Whether it is an id, and the same one as any other field that means it.
    fn take_id(&mut self, row: &impl TargetRow, field: usize, id: IdName) -> bool {
        let next = self.given.len();
        if self.slots.len() == next {
            self.slots.push(IdSlot::default());
        }
        let slot = &mut self.slots[next];
        slot.field = field;
        if let Err(NotAnId { reason, help }) = identifier::spell(id.kind, row.field(field), &mut slot.value) {
            let message = || format!("`{}`: {reason}", shown(row.field(field)));
            self.fault(row.at(Some(field)), "bad-id", message, || help.map(Cow::into_owned));
            // It still says which ids the target is meant to have.
            if !self.given.iter().any(|given| given.name == id.name) {
                self.given.push(id);
            }
            return false;
        }
        let Some(earlier) = self.given.iter().position(|given| given.name == id.name) else {
            self.given.push(id);
            return true;
        };
        let same = self.slots[earlier].value.eq_ignore_ascii_case(&self.slots[next].value);
        if !same {
            let other = self.slots[earlier].value.clone();
            let message = || format!("this {} differs from `{}` in the same target", id.name, shown(&other));
            self.fault(row.at(Some(field)), "contradicting-ids", message, || Some("keep the right one".into()));
        }
        same
    }

    /// The parameters of each step, `None` after a fault.
    fn parameters(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Option<Shared> {
        let WrittenTarget { work, layout, row } = *target;
        let is_plain = given(layout, row).next().is_none();
        if let Some((_, shared)) = self.plain.as_ref().filter(|(number, _)| is_plain && *number == work.number) {
            return Some(Rc::clone(shared));
        }
        let shared = self.remembered_parameters(target)?;
        if is_plain {
            self.plain = Some((work.number, Rc::clone(&shared)));
        }
        Some(shared)
    }

    fn remembered_parameters(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Option<Shared> {
        let WrittenTarget { work, layout, row } = *target;
        self.key.clear();
        let _ = write!(self.key, "{}", work.number);
        for (_, name, cell) in given(layout, row) {
            self.key.extend(["\u{1e}", name, "\u{1f}", cell]);
        }
        if let Some(shared) = self.remembered.get(&self.key) {
            return Some(Rc::clone(shared));
        }
        let shared = self.read_parameters(target)?;
        if self.remembered.len() == MAX_REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(self.key.clone(), Rc::clone(&shared));
        Some(shared)
    }

    fn read_parameters(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Option<Shared> {
        let WrittenTarget { work, layout, row } = *target;
        let faults_before = self.faults.errors();
        let mut more: Vec<Vec<ParameterValue>> = vec![Vec::new(); work.steps.len()];
        for (field, name, cell) in given(layout, row) {
            let mut owners = 0;
            for (step, more) in work.steps.iter().zip(&mut more) {
                let Some(parameter) = step.action.parameter_named(name) else { continue };
                owners += 1;
                let text = Some(cell).filter(|cell| !cell.is_empty());
                if let Some(NotAnId { reason, help }) = wrong_name(parameter.kind, text) {
                    let message = || format!("`{}`: {reason}", shown(cell));
                    self.fault(row.at(Some(field)), "bad-parameter", message, || help.map(String::from));
                    continue;
                }
                match parameter.read(cell) {
                    Some(value) => more.push((parameter, value)),
                    None => {
                        // Quotes are for YAML; in a cell they mean nothing.
                        let expectation = parameter.kind.expectation().replace(", in quotes", "");
                        let message = || format!("`{}` is not {expectation}", shown(cell));
                        self.fault(row.at(Some(field)), "bad-parameter", message, || None);
                    }
                }
            }
            if owners == 0 {
                let actions = vocabulary::list(work.steps.iter().map(|step| step.action.name));
                let message = || format!("`{actions}` has no parameter `{name}`");
                self.fault(row.at(Some(field)), "unknown-parameter", message, || Some(known_parameters(&work.steps)));
            }
        }
        let mut all = Vec::with_capacity(more.len());
        let mut complete = true;
        for (step, more) in work.steps.iter().zip(more) {
            let untouched = more.is_empty();
            let with = step.and(more);
            self.report_lacking(target, step, &with);
            complete &= step.lacking(&with).next().is_none() && !step.lacks_any(&with);
            all.push(if untouched { step.shared.clone() } else { Parameters::new(step.action, with) });
        }
        // A fault about what is lacking may stand elsewhere.
        (self.faults.errors() == faults_before && complete).then(|| all.into())
    }
}

/// The parameters that `row` gives: where they stand, their names, and what is written there.
fn given<'r>(layout: &'r Layout, row: &'r impl TargetRow) -> impl Iterator<Item = (usize, &'static str, &'r str)> {
    let cells = layout.parameters.iter().map(|(field, name)| (*field, *name, row.field(*field)));
    cells.filter(|(_, name, cell)| !cell.is_empty() || layout.cleared.contains(name))
}
