//! `require_escrow:` of `guards`: which secrets of a device have to be on file before nothing can bring it back.
//!
//! In: a name or a list of names. Out: [`Secret`]s, each once, or faults. Must not: accept a secret of which nobody can
//! tell whether it is on file: every row would be held for ever.

use crate::catalog::{Proof, SECRETS, Secret};
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Node, Reader, Value};

/// Reads `[bitlocker, laps]`, or one of them alone.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Vec<Secret>> {
    let items: Vec<&Node> = match &node.value {
        Value::Text(_) => vec![node],
        _ => reader.list(node, "`require_escrow`")?.iter().collect(),
    };
    if items.is_empty() {
        let help = Some(format!("name one or more of {}", checkable()));
        reader.fault(&node.span, "wrong-type", "`require_escrow` names no key or password", help);
        return None;
    }
    let mut secrets = Vec::with_capacity(items.len());
    let mut whole = true;
    for item in items {
        match read_one(item, reader) {
            Some(secret) if !secrets.contains(&secret) => secrets.push(secret),
            Some(_) => {}
            None => whole = false,
        }
    }
    whole.then_some(secrets)
}

fn read_one<'s>(item: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Secret> {
    let name = reader.text(item, "the name of a key or password")?;
    match Secret::named(&name.to_ascii_lowercase()) {
        Some(secret) => match secret.row().proof {
            Proof::Read { .. } => Some(secret),
            Proof::OnlyItself { call } => {
                let what = secret.row().what;
                let message = format!(
                    "musterout cannot check whether a {what} is on file: only {call} shows it, and it returns the key itself"
                );
                reader.fault(&item.span, "not-available", message, Some(format!("known are {}", checkable())));
                None
            }
        },
        None => {
            let names = SECRETS.iter().map(|row| row.name);
            let help = match did_you_mean(name, names) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("known are {}", checkable()),
            };
            reader.fault(
                &item.span,
                "unknown-secret",
                format!("there is no key or password `{}`", shown(name)),
                Some(help),
            );
            None
        }
    }
}

/// The names of those of which a read can tell.
fn checkable() -> String {
    let names = SECRETS.iter().filter(|row| matches!(row.proof, Proof::Read { .. })).map(|row| row.name);
    names.collect::<Vec<_>>().join(" and ")
}
