//! Parameters that are needed and not given.
//!
//! In: the steps of a target, and what is given. Out: faults, told once: for the whole job where no target can give
//! them, at the row or column otherwise. Must not: judge values.

use super::expander::{Expander, TargetRow, WrittenTarget};
use crate::catalog::Parameter;
use crate::diagnostics::Diagnostic;
use crate::plan::work::{ParameterValue, PlannedStep, PlannedWork, known_parameters};

impl Expander {
    pub(super) fn report_lacking(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        step: &PlannedStep,
        with: &[ParameterValue],
    ) {
        let WrittenTarget { work, layout, row } = *target;
        let has_column = |parameter: &&Parameter| layout.parameters.iter().any(|(_, name)| *name == parameter.name);
        if step.lacks_any(with) && (work.place.is_none() || step.action.parameters.iter().any(|p| has_column(&p))) {
            let message = || needs_one_of(step);
            let help = || Some(known_parameters(std::slice::from_ref(step)));
            self.fault(row.at(layout.action), "missing-parameter", message, help);
        }
        for parameter in step.lacking(with) {
            let column = layout.parameters.iter().find(|(_, name)| *name == parameter.name).map(|(field, _)| *field);
            // Where no target can give it, the job as a whole has been told; and a value that is wrong is not missing.
            let told = match column {
                Some(field) => !row.field(field).is_empty(),
                None => work.place.is_some(),
            };
            if !told {
                let message =
                    || format!("`{}` needs `{}`: {}", step.action.name, parameter.name, parameter.kind.expectation());
                self.fault(row.at(column.or(layout.action)), "missing-parameter", message, || None);
            }
        }
    }

    /// Reports, once for the whole job, required parameters that neither it nor any of its targets gives.
    pub(in crate::plan) fn report_lacking_everywhere(
        &mut self,
        work: &PlannedWork,
        given_by_targets: impl Fn(&str) -> bool,
    ) {
        let Some(place) = work.place.as_ref().filter(|_| work.whole) else { return };
        for step in &work.steps {
            if step.lacks_any(&step.with) && !step.action.parameters.iter().any(|p| given_by_targets(p.name)) {
                let message = needs_one_of(step);
                let help = known_parameters(std::slice::from_ref(step));
                self.faults.push(Diagnostic::error("missing-parameter", message).at(place.clone()).help(help));
            }
            for parameter in step.lacking(&step.with).filter(|parameter| !given_by_targets(parameter.name)) {
                let message = format!("`{}` needs the parameter `{}`", step.action.name, parameter.name);
                let help = format!("with: {{ {}: … }}, {}", parameter.name, parameter.kind.expectation());
                self.faults.push(Diagnostic::error("missing-parameter", message).at(place.clone()).help(help));
            }
        }
    }
}

fn needs_one_of(step: &PlannedStep) -> String {
    let action = step.action;
    match action.needs_one_of.len() == action.parameters.len() {
        true => format!("`{}` needs at least one of its parameters", action.name),
        false => format!("`{}` needs one of these at least: {}", action.name, action.needs_one_of.join(", ")),
    }
}
