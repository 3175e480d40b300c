//! What is to be done with each target of a job, before any target is known.
//!
//! In: actions, routes and parameters that have been found in the catalog. Out: [`PlannedWork`], and which route a set of
//! ids fits. Must not: know where any of it was written, except to point there.

use std::sync::Arc;
use std::time::Duration;

use super::vocabulary;
pub(super) use crate::catalog::body::ParameterValue;
use crate::catalog::{Action, IdName, Missing, Parameter, Route};
use crate::diagnostics::Place;
use crate::job::Parameters;
use jiff::Timestamp;

/// The steps for each target, and what the job says for all of them.
#[derive(Debug, Clone)]
pub(super) struct PlannedWork {
    /// Tells one `Work` of a plan from another.
    pub number: usize,
    pub steps: Vec<PlannedStep>,
    /// Whether all of it was understood; if not, a fault has been reported and targets are only checked for form.
    pub whole: bool,
    pub not_before: Option<Timestamp>,
    pub note: Option<Box<str>>,
    /// The higher goes first.
    pub priority: i16,
    /// What becomes of its targets that are not there, where it says so.
    pub missing: Option<Missing>,
    /// Where a fault of all its targets is shown; `None` where every row has its own work.
    pub place: Option<Place>,
}

impl PlannedWork {
    /// Those of its actions that the plan defines.
    pub(super) fn own_actions(&self) -> Vec<&'static Action> {
        self.steps.iter().map(|step| step.action).filter(|action| action.is_unverified()).collect()
    }
}

/// One action on the target.
#[derive(Debug, Clone)]
pub(super) struct PlannedStep {
    pub action: &'static Action,
    /// Where the plan names one.
    pub route: Option<&'static Route>,
    pub with: Vec<ParameterValue>,
    /// Parameters whose value is wrong: they have been told, and are not called missing as well.
    pub spoilt: Vec<&'static str>,
    /// `with` as it is sent, for the targets that add nothing.
    pub shared: Option<Arc<Parameters>>,
    /// Left out where the target's managed device leads to nothing that it could act on.
    pub if_found: bool,
    /// How long it waits until the step before it was seen to have happened; `None`: that it was accepted is enough.
    pub verified_within: Option<Duration>,
}

impl PlannedStep {
    pub(super) fn new(action: &'static Action, route: Option<&'static Route>, with: Vec<ParameterValue>) -> Self {
        let shared = Parameters::new(action, with.clone());
        Self { action, route, with, spoilt: Vec::new(), shared, if_found: false, verified_within: None }
    }

    /// The step with `more` on top of its own parameters.
    pub(super) fn and(&self, more: impl IntoIterator<Item = ParameterValue>) -> Vec<ParameterValue> {
        let mut with = self.with.clone();
        for (parameter, value) in more {
            with.retain(|(earlier, _)| earlier.name != parameter.name);
            with.push((parameter, value));
        }
        with
    }

    /// Required parameters that `with` does not give.
    pub(super) fn lacking(&self, with: &[ParameterValue]) -> impl Iterator<Item = &'static Parameter> {
        let given = with.iter().map(|(parameter, _)| parameter.name);
        let given: Vec<_> = given.chain(self.spoilt.iter().copied()).collect();
        self.action.parameters.iter().filter(move |parameter| parameter.required && !given.contains(&parameter.name))
    }

    /// Whether `with` gives none of those parameters of which one is needed.
    pub(super) fn lacks_any(&self, with: &[ParameterValue]) -> bool {
        let needed = self.action.needs_one_of;
        let is_given =
            |name: &&str| with.iter().any(|(parameter, _)| parameter.name == *name) || self.spoilt.contains(name);
        !needed.is_empty() && !needed.iter().any(is_given)
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.action.routes.iter().any(|route| takes(route, id))
    }

    /// The route that `id` alone stands for.
    pub(super) fn route_of_any_id(&self, named: Option<&'static Route>) -> &'static Route {
        named.or(self.route).unwrap_or_else(|| self.action.default_route())
    }

    /// The route of a target with exactly the ids `given`.
    pub(super) fn exact_route(&self, named: Option<&'static Route>, given: &[IdName]) -> Option<&'static Route> {
        let fits = |route: &&Route| route.ids.len() == given.len() && given.iter().all(|id| takes(route, id.name));
        match named.or(self.route) {
            Some(route) => Some(route).filter(fits),
            None => self.action.routes.iter().find(fits),
        }
    }

    /// Whether no route could be used for a target with the ids `given`.
    pub(super) fn has_no_route(&self, given: &[IdName]) -> bool {
        self.fitting(given).next().is_none()
    }

    /// The routes that could be used for a target with the ids `given`, some of which may be for other steps. All
    /// that are returned take the same number of ids, the largest possible.
    pub(super) fn possible_routes(&self, given: &[IdName]) -> Vec<&'static Route> {
        let fitting = self.fitting(given);
        let most = fitting.clone().map(|route| route.ids.len()).max();
        fitting.filter(|route| Some(route.ids.len()) == most).collect()
    }

    fn fitting(&self, given: &[IdName]) -> impl Iterator<Item = &'static Route> + Clone {
        let all = match self.route {
            Some(route) => std::slice::from_ref(route),
            None => self.action.routes,
        };
        all.iter().filter(|route| route.ids.iter().all(|id| given.iter().any(|g| g.name == id.name)))
    }
}

/// Whether `route` has a place for that id.
pub(super) fn takes(route: &Route, id: &str) -> bool {
    route.ids.iter().any(|own| own.name == id)
}

/// For help: what the actions of `steps` understand.
pub(super) fn known_parameters(steps: &[PlannedStep]) -> String {
    let names: Vec<_> = steps.iter().flat_map(|step| step.action.parameters).map(|parameter| parameter.name).collect();
    match names.as_slice() {
        [] => "it has none".into(),
        names => format!("known are {}", vocabulary::list(names.iter().copied())),
    }
}
