//! `blank:` of a list of targets: what a blank cell means in a column of a parameter.
//!
//! In: the map in the plan, and the steps. Out: the parameters that a blank cell clears. Must not: clear what nobody named; a
//! blank cell says nothing otherwise.

use super::vocabulary;
use super::work::PlannedWork;
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

const CLEAR: &str = "clear";

/// Reads the map: `{ groupTag: clear }`.
pub(super) fn read<'s>(node: &'s Node, work: &PlannedWork, reader: &mut Reader<'s, '_>) -> Vec<&'static str> {
    let entries = reader.map(node, "`blank`").unwrap_or_default();
    entries.iter().filter_map(|entry| cleared(entry, work, reader)).collect()
}

fn cleared(entry: &Entry<'_>, work: &PlannedWork, reader: &mut Reader<'_, '_>) -> Option<&'static str> {
    if !work.whole {
        return None;
    }
    let parameters = || work.steps.iter().flat_map(|step| step.action.parameters);
    let Some(parameter) = parameters().find(|parameter| parameter.name == entry.name) else {
        let names = || parameters().filter(|parameter| parameter.clearable).map(|parameter| parameter.name);
        let help = match (did_you_mean(entry.name, names()), names().count()) {
            (Some(near), _) => Some(format!("did you mean `{near}`?")),
            (None, 0) => None,
            (None, _) => Some(format!("what can be cleared: {}", vocabulary::list(names()))),
        };
        let message = format!("no step has a parameter `{}`", shown(entry.name));
        reader.fault(&entry.key.span, "unknown-parameter", message, help);
        return None;
    };
    if !parameter.clearable {
        let message = format!("`{}` cannot be cleared: it is {}", parameter.name, parameter.kind.expectation());
        reader.fault(&entry.key.span, "bad-parameter", message, None);
        return None;
    }
    if !matches!(&entry.value.value, Value::Text(word) if word == CLEAR) {
        let help = Some("leave it out, and a blank cell says nothing");
        reader.wrong_type(entry.value, &format!("`{}`", parameter.name), "the word `clear`", help);
        return None;
    }
    Some(parameter.name)
}
