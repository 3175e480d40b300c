//! Steps that wait until the one before them was seen to have happened: `after: verified`.
//!
//! In: the nodes of a step. Out: how long it waits, and faults. Must not: let a step through that would wait for something
//! that nobody can see.

use std::time::Duration;

use super::waves::read_time;
use super::work::PlannedStep;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

/// How long a step waits, unless the plan says otherwise.
const WITHIN: Duration = Duration::from_secs(3_600);
/// Nothing is looked at more often than that.
const SHORTEST: Duration = Duration::from_secs(60);

/// Reads both keys. The outer `None` is a fault.
pub(super) fn read<'s>(
    after: Option<&'s Node>,
    within: Option<Entry<'s>>,
    reader: &mut Reader<'s, '_>,
) -> Option<Option<Duration>> {
    match (after, within) {
        (None, None) => Some(None),
        (None, Some(Entry { key, .. })) => {
            let message = "`within` limits a wait, but this step does not wait";
            reader.fault(&key.span, "wrong-keys", message, Some("add `after: verified`, or remove it".into()));
            None
        }
        (Some(after), within) => {
            match &after.value {
                Value::Text(word) if word.trim() == "verified" => {}
                Value::Text(word) => {
                    let message = format!("`after` must be `verified`, not `{}`", shown(word));
                    let help = "a step either waits until the step before it is confirmed, or does not wait";
                    reader.fault(&after.span, "bad-value", message, Some(help.into()));
                    return None;
                }
                _ => {
                    reader.wrong_type(after, "`after`", "the word `verified`", None);
                    return None;
                }
            }
            match within {
                None => Some(Some(WITHIN)),
                Some(Entry { name, value, .. }) => read_time(value, name, SHORTEST, reader).map(Some),
            }
        }
    }
}

/// The step, if what it waits for can be seen. One that may be left out is no step to rely on: then the one before that has
/// to be seen as well.
pub(super) fn checked(
    step: PlannedStep,
    before: &[PlannedStep],
    node: &Node,
    reader: &mut Reader<'_, '_>,
) -> Option<PlannedStep> {
    if step.verified_within.is_none() {
        return Some(step);
    }
    if before.is_empty() {
        let message = format!("`{}` is the first step, so there is no step before it to verify", step.action.name);
        reader.fault(&node.span, "nothing-to-verify", message, Some("remove `after`".into()));
        return None;
    }
    let last_for_sure = before.iter().rposition(|step| !step.if_found).unwrap_or(0);
    let mut waited_for = before[last_for_sure..].iter().map(|step| step.action);
    let unseen = waited_for.find(|action| !action.can_be_confirmed());
    let Some(unseen) = unseen else { return Some(step) };
    let message = format!(
        "`{}` cannot wait for `{}`: Graph does not report whether that action has completed",
        step.action.name, unseen.name
    );
    let help = format!("remove `after`; the step then follows when `{}` is accepted", unseen.name);
    reader.fault(&node.span, "nothing-to-verify", message, Some(help));
    None
}
