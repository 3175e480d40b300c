//! What the jobs do beyond their names, for people who are about to agree to it.
//!
//! In: a preview. Out: one line for each consequence, with its number. Must not: hide what is only possible.

use super::style::{OPEN, STRONG, paint};
use super::text::count_of;
use crate::catalog::TargetKind;
use crate::preview::{ConsequenceCount, Preview};

/// A heading and the lines; empty where there is nothing to say.
pub(crate) fn render(preview: &Preview<'_>, styled: bool) -> String {
    let counts = preview.consequences();
    if counts.is_empty() {
        return String::new();
    }
    let mut text = paint(styled, STRONG, "Side effects:");
    text.push('\n');
    for count in &counts {
        for line in lines(count) {
            text.push_str(&format!("  {}\n", paint(styled, OPEN, &line)));
        }
    }
    text
}

fn lines(count: &ConsequenceCount) -> impl Iterator<Item = String> {
    let row = count.consequence;
    let noun = match count.target {
        TargetKind::ManagedDevice => "device",
        TargetKind::AutopilotIdentity => "Autopilot identity",
        TargetKind::User => "user",
        TargetKind::EntraDevice => "Entra device",
        TargetKind::GroupMember => "group member",
        TargetKind::DeletedUser => "deleted user",
        TargetKind::ImportedAutopilotIdentity => "imported Autopilot identity",
        TargetKind::ImportedDeviceIdentity => "imported device identity",
        TargetKind::Other => "target",
    };
    let what = |number: u32| if number == 1 { row.one } else { row.many };
    let condition = |number: u32| if number == 1 { row.if_one } else { row.if_many };
    let certain = (count.certain > 0)
        .then(|| format!("{} {}: {}", count_of(count.certain, noun), what(count.certain), row.because));
    let possible = (count.possible > 0).then(|| {
        format!("up to {} {}, if {}", count_of(count.possible, noun), what(count.possible), condition(count.possible))
    });
    certain.into_iter().chain(possible)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{job, plan, preview_of};
    use super::*;

    #[test]
    fn each_consequence_has_its_number_and_its_condition() {
        let text = preview_of(&plan(), |preview| render(preview, false));
        assert_eq!(
            text,
            "Side effects:\n  \
             up to 2 devices have BitLocker suspended, if they are Entra-joined and run Windows\n  \
             2 devices drop their other pending actions: this one takes precedence\n  \
             1 device cannot enrol again before a factory reset: a deprovisioned ChromeOS device stays so\n"
        );
        let harmless = [job(1, "syncDevice", "a", vec![])];
        assert_eq!(preview_of(&harmless, |preview| render(preview, false)), "");
    }
}
