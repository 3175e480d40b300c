//! `missing`: what becomes of rows whose target is not there.
//!
//! In: the value of the key. Out: a [`Missing`], or a fault; and what holds of each job once everybody has spoken. Must not:
//! let anybody loosen what a policy demands.

use crate::catalog::Missing;
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Node, Reader};

/// Reads it.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Missing> {
    let word = reader.text(node, "`missing`")?;
    let missing = Missing::named(word);
    if missing.is_none() {
        let near = did_you_mean(word, Missing::ALL.map(Missing::name));
        let help = near.map_or_else(|| "use refuse, hold or done".to_owned(), |near| format!("did you mean `{near}`?"));
        reader.fault(&node.span, "bad-missing", format!("`missing` cannot be `{}`", shown(word)), Some(help));
    }
    missing
}

/// Reads it in a policy, which can only demand that nothing is missing.
pub(super) fn read_of_policy<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> bool {
    match read(node, reader) {
        Some(Missing::Refuse) => true,
        Some(other) => {
            let message = format!("a policy can only say `missing: refuse`, not `{}`", other.name());
            let help = Some("remove it; plans and the command line then decide".into());
            reader.fault(&node.span, "bad-missing", message, help);
            false
        }
        None => false,
    }
}
