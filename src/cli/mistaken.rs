//! What people type in place of a verb: an action, or a plan.
//!
//! In: an error of the parser. Out: a fault that names the command to type. Must not: guess anything else; the parser suggests
//! verbs that are spelled alike.

use std::ffi::OsStr;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::catalog::Action;
use crate::diagnostics::Diagnostic;

/// The fault, where an action or a plan stands in the verb's place.
pub(in crate::cli) fn for_a_verb(error: &clap::Error) -> Option<Diagnostic> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let plan = std::env::args_os().skip(1).find(|argument| is_plan(argument));
    let plan = plan.as_deref().map(|plan| Path::new(plan).display().to_string());
    let known = Action::named(word);
    match (known, plan) {
        (Some(action), Some(plan)) => Some(action_is_no_verb(action).help(format!(
            "a plan names the action of each row; to run this plan: musterout run {plan}"
        ))),
        (Some(action), None) => Some(action_is_no_verb(action).help(format!(
            "a plan names the action of each row, and `musterout run PLAN` runs it; `musterout actions {}` explains the action",
            action.name
        ))),
        (None, Some(plan)) if plan == *word => {
            let fault = Diagnostic::error("not-a-command", format!("`{word}` is a plan, not a command"));
            Some(fault.help(format!("to run it: musterout run {plan}")))
        }
        (None, _) => None,
    }
}

fn action_is_no_verb(action: &Action) -> Diagnostic {
    Diagnostic::error("not-a-command", format!("`{}` is an action, not a command", action.name))
}

fn is_plan(argument: &OsStr) -> bool {
    let extension = Path::new(argument).extension().and_then(OsStr::to_str).unwrap_or_default();
    ["csv", "tsv", "yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
