//! Which route each step of a target takes.
//!
//! In: the ids that a target gives. Out: one route for each step, or faults. Must not: prefer a route that leaves an id
//! unused; an id that nobody uses is a misunderstanding.

use super::expander::{Expander, TargetRow, WrittenTarget};
use crate::catalog::{IdName, Route};
use crate::diagnostics::did_you_mean;
use crate::plan::vocabulary;
use crate::plan::work::{PlannedStep, takes};
use crate::text::shown;

impl Expander {
    /// The route that a row names for itself.
    pub(super) fn named_route(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Option<&'static Route> {
        let WrittenTarget { work, layout, row } = *target;
        let field = layout.route?;
        let name = row.field(field);
        if name.is_empty() || !work.whole {
            return None;
        }
        let [step] = work.steps.as_slice() else {
            let message = || "with several steps, write `route` in each step, not in the target".into();
            self.fault(row.at(Some(field)), "no-route", message, || None);
            return None;
        };
        let route = step.action.route_named(name);
        if route.is_none() {
            let near = did_you_mean(name, step.action.routes.iter().map(|route| route.name));
            let message = || format!("`{}` has no route `{}`", step.action.name, shown(name));
            self.fault(row.at(Some(field)), "no-route", message, || {
                Some(near.map_or_else(|| vocabulary::routes(step.action), |near| format!("did you mean `{near}`?")))
            });
        }
        route
    }

    pub(super) fn choose_routes(&mut self, target: &WrittenTarget<'_, impl TargetRow>, named: Option<&'static Route>) {
        self.routes.clear();
        match target.work.steps.as_slice() {
            [step] => self.choose_only_route(target, step, named),
            steps => self.choose_each_route(target, steps),
        }
    }

    /// With one step, all ids are its own: the route is the one with exactly these.
    fn choose_only_route(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        step: &PlannedStep,
        named: Option<&'static Route>,
    ) {
        let row = target.row;
        if let Some(route) = step.exact_route(named, &self.given) {
            self.routes.push(route);
            return self.refuse_any_id_of_several(target, route);
        }
        if self.given.is_empty() {
            return self.missing_ids(target, step, named);
        }
        let wanted = named.or(step.route);
        let foreign = |id: &IdName| match wanted {
            Some(route) => !takes(route, id.name),
            None => !step.knows(id.name),
        };
        let mut told = false;
        for at in 0..self.given.len() {
            let id = self.given[at];
            if foreign(&id) {
                told = true;
                let owner = match wanted {
                    Some(route) => format!("the route `{}` of `{}` has no", route.name, step.action.name),
                    None => format!("no route of `{}` has an", step.action.name),
                };
                let field = Some(self.slots[at].field);
                self.fault(
                    row.at(field),
                    "no-route",
                    || format!("{owner} id `{}`", id.name),
                    || Some(vocabulary::routes(step.action)),
                );
            }
        }
        if told {
            return;
        }
        match wanted {
            Some(_) => self.missing_ids(target, step, named),
            None => {
                let given = vocabulary::list(self.given.iter().map(|id| id.name));
                let message = || format!("no route of `{}` takes only {given}", step.action.name);
                self.fault(row.at(None), "no-route", message, || Some(vocabulary::routes(step.action)));
            }
        }
    }

    fn refuse_any_id_of_several(&mut self, target: &WrittenTarget<'_, impl TargetRow>, route: &Route) {
        let WrittenTarget { layout, row, .. } = *target;
        let Some(field) = layout.any_id.filter(|field| !row.field(*field).is_empty()) else { return };
        if route.ids.len() > 1 {
            let names = || vocabulary::list(route.ids.iter().map(|id| id.name));
            let message = || format!("`id` is not enough for the route `{}`", route.name);
            self.fault(row.at(Some(field)), "no-route", message, || Some(format!("give its ids: {}", names())));
        }
    }

    fn missing_ids(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        step: &PlannedStep,
        named: Option<&'static Route>,
    ) {
        let WrittenTarget { layout, row, .. } = *target;
        // A file without any such column has been told at its header.
        if layout.told_without_ids {
            return;
        }
        let route = step.route_of_any_id(named);
        let missing = route.ids.iter().filter(|id| !self.given.iter().any(|given| given.name == id.name));
        let missing = vocabulary::list(missing.map(|id| id.name));
        let field = layout.ids.iter().find(|(_, id, _)| missing == id.name).map(|(field, ..)| *field);
        let message = || match named.or(step.route) {
            Some(route) => format!("the route `{}` of `{}` needs {missing}", route.name, step.action.name),
            None => format!("`{}` needs {missing}", step.action.name),
        };
        self.fault(row.at(field), "missing-id", message, || None);
    }

    /// With several steps, each takes its own ids from the target's, and none may be left over.
    fn choose_each_route(&mut self, target: &WrittenTarget<'_, impl TargetRow>, steps: &[PlannedStep]) {
        let row = target.row;
        let mut told = false;
        for step in steps {
            let possible = step.possible_routes(&self.given);
            match possible.as_slice() {
                [] => {
                    told = true;
                    self.missing_ids(target, step, None);
                }
                [first, others @ ..] => {
                    let same = |other: &&'static Route| other.ids.iter().all(|id| takes(first, id.name));
                    if !others.iter().all(same) {
                        told = true;
                        let message = || format!("several routes of `{}` take these ids", step.action.name);
                        self.fault(row.at(None), "no-route", message, || {
                            Some(format!("choose one with `route:` in the step; {}", vocabulary::routes(step.action)))
                        });
                    }
                    self.routes.push(first);
                }
            }
        }
        for at in 0..self.given.len() {
            let id = self.given[at];
            if !told && !self.routes.iter().any(|route| takes(route, id.name)) {
                let field = Some(self.slots[at].field);
                self.fault(
                    row.at(field),
                    "no-route",
                    || format!("no step uses `{}`", id.name),
                    || Some("remove it, or add the step that needs it".into()),
                );
            }
        }
    }
}
