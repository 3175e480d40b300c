//! Faults of a plan or of settings, as text and as JSON.
//!
//! In: diagnostics and what was read. Out: text or an array. Must not: fill the screen with a thousand of them.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::stderr::Stderr;
use super::style::{BAD, OPEN, paint};
use super::text::{count, count_of};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::text::visible;

/// Faults shown in full.
const SHOWN: usize = 50;

/// Says warnings that stop nothing; `file` is what was looked at.
pub(crate) fn tell(faults: &Diagnostics, file: &Path, stderr: &Stderr) {
    if !faults.is_empty() {
        stderr.say(render(faults, &file.display().to_string(), stderr.styled()).trim_end());
    }
}

/// Each fault, how many more there are, and a last line that counts. `file` is what was read.
pub(crate) fn render(faults: &Diagnostics, file: &str, styled: bool) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(SHOWN) {
        text.push_str(&fault.render(styled));
        text.push('\n');
    }
    let more = (faults.errors() + faults.warnings()).saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "and {} more\n", count(more));
    }
    if let Some(last) = verdict(faults, file, styled) {
        text.push_str(&last);
        text.push('\n');
    }
    text
}

/// `3 errors, 1 warning in plan.yaml; nothing was sent`.
fn verdict(faults: &Diagnostics, file: &str, styled: bool) -> Option<String> {
    let errors = (faults.errors() > 0).then(|| paint(styled, BAD, &count_of(faults.errors(), "error")));
    let warnings = (faults.warnings() > 0).then(|| paint(styled, OPEN, &count_of(faults.warnings(), "warning")));
    let counted: Vec<_> = errors.into_iter().chain(warnings).collect();
    let sent = if faults.has_errors() { "; nothing was sent" } else { "" };
    (!counted.is_empty()).then(|| format!("{} in {}{sent}", counted.join(", "), visible(file)))
}

/// All kept faults, each one flat object with the same keys.
pub(crate) fn json(faults: &Diagnostics) -> Value {
    faults.iter().map(Diagnostic::object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Place;

    fn faults(errors: usize) -> Diagnostics {
        let mut all = Diagnostics::default();
        for _ in 0..errors {
            let place = Place::in_text("plan.yaml", "version: 1\nnmae: lab\n", 11..15);
            all.push(Diagnostic::error("unknown-key", "unknown key `nmae`").at(place).help("did you mean `name`?"));
        }
        all.push(Diagnostic::warning("unused-column", "column `Owner` is not used"));
        all
    }

    #[test]
    fn the_last_line_counts_and_says_that_nothing_was_sent() {
        let text = render(&faults(3), "plan.yaml", false);
        assert!(text.starts_with("error[unknown-key]: unknown key `nmae`\n"), "{text}");
        assert!(text.ends_with("\n\n3 errors, 1 warning in plan.yaml; nothing was sent\n"), "{text}");
        assert!(render(&faults(0), "plan.yaml", false).ends_with("\n\n1 warning in plan.yaml\n"));
        assert_eq!(render(&Diagnostics::default(), "plan.yaml", false), "");
    }

    #[test]
    fn beyond_fifty_they_are_counted() {
        let text = render(&faults(1_249), "plan.yaml", false);
        assert!(text.contains("\n\nand 1,200 more\n\n1,249 errors, 1 warning in plan.yaml"), "{text}");
        assert_eq!(text.matches("error[unknown-key]").count(), 50);
    }

    #[test]
    fn objects_are_flat() {
        assert_eq!(
            json(&faults(1)).to_string(),
            r#"[{"file":"plan.yaml","line":2,"column":1,"column_name":null,"code":"unknown-key","severity":"error","message":"unknown key `nmae`","help":"did you mean `name`?"},{"file":null,"line":null,"column":null,"column_name":null,"code":"unused-column","severity":"warning","message":"column `Owner` is not used","help":null}]"#
        );
    }
}
