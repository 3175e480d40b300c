//! Rows that give every id that their steps take, and name a user all the same: for an id, or in a parameter.
//!
//! In: the ids of the row in hand, the routes that they fit, the parameters. Out: an [`Unresolved`] where somebody is named;
//! the name becomes the id of the one user who has it before anything is sent. Must not: look anything up, or let a name
//! through that stands for an id.

use super::expander::{Expander, IdSlot, Remarks, Shared, TargetRow, WrittenTarget};
use crate::catalog::{TargetKind, USER_BY_NAME};
use crate::plan::unresolved::{Criterion, Pointer, Unresolved, UnresolvedStep};

impl Expander {
    /// Whether the row names a user.
    pub(super) fn names_a_user(&self, with: &Shared) -> bool {
        let in_bodies = with.iter().flatten().any(|parameters| !parameters.users().is_empty());
        in_bodies || (0..self.given.len()).any(|at| self.is_a_name(at))
    }

    fn is_a_name(&self, at: usize) -> bool {
        self.given[at].is_alias(&self.slots[at].value)
    }

    /// Keeps the row for `resolve`. Its routes have been chosen.
    pub(super) fn push_named(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        remarks: Remarks<'_>,
        with: &Shared,
    ) {
        let WrittenTarget { work, row, .. } = *target;
        let Remarks { turn, note, position, .. } = remarks;
        let (names, ids): (Vec<usize>, Vec<usize>) = (0..self.given.len()).partition(|at| self.is_a_name(*at));
        let (pointer, field) = match names.as_slice() {
            [] => (Pointer::Ids, None),
            [name] => {
                let IdSlot { field, value } = &self.slots[*name];
                (
                    Pointer::Given([Criterion { selector: &USER_BY_NAME, value: value.as_str().into() }].into()),
                    Some(*field),
                )
            }
            [_, second, ..] => {
                let field = self.slots[*second].field;
                let message =
                    || "only one user of a target can be named by a principal name, and this is the second".into();
                return self.fault(row.at(Some(field)), "selector", message, || Some("use the id of this one".into()));
            }
        };
        let ids = ids.into_iter().map(|at| (self.given[at], self.slots[at].value.as_str().into())).collect();
        let steps = work.steps.iter().zip(&self.routes).zip(with.iter());
        let steps = steps.map(|((step, route), parameters)| UnresolvedStep {
            action: step.action,
            route,
            kind: TargetKind::User,
            parameters: parameters.clone(),
            if_found: false,
            verified_within: step.verified_within,
        });
        self.unresolved.push(Unresolved {
            at: u32::try_from(self.jobs.len()).unwrap_or(u32::MAX),
            row: position.number,
            pointer,
            ids: Some(ids),
            group: None,
            through_device: false,
            steps: self.shared_steps(steps.collect()),
            not_before: turn.not_before,
            priority: turn.priority,
            note: note.map(Box::from).or_else(|| work.note.clone()),
            missing: work.missing,
            place: Box::new(row.place(field)),
            line: position.line,
        });
    }

    /// The steps of the row before, where they are the same: a list of leavers has them once.
    fn shared_steps(&self, steps: Vec<UnresolvedStep>) -> std::sync::Arc<[UnresolvedStep]> {
        let same = |one: &UnresolvedStep, other: &UnresolvedStep| {
            let parameters = match (&one.parameters, &other.parameters) {
                (None, None) => true,
                (Some(one), Some(other)) => std::sync::Arc::ptr_eq(one, other),
                _ => false,
            };
            parameters
                && one.action == other.action
                && std::ptr::eq(one.route, other.route)
                && one.kind == other.kind
                && (one.if_found, one.verified_within) == (other.if_found, other.verified_within)
        };
        let before = self.unresolved.last().map(|row| &row.steps);
        let before =
            before.filter(|it| it.len() == steps.len() && it.iter().zip(&steps).all(|(one, other)| same(one, other)));
        before.cloned().unwrap_or_else(|| steps.into())
    }
}
