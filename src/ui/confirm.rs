//! The question before a run that cannot be taken back.
//!
//! In: the preview and the tenant. Out: what is about to happen, and whether the answer was the right number.
//! Must not: take anything but the exact number for a yes.

use std::io::{self, BufRead, Write};

use super::consequences;
use super::days::schedule;
use super::guards;
use super::preview::sent_counts;
use super::style::{PLAIN, View, stderr_width};
use super::subject::Subject;
use super::tables::Table;
use super::text::{count, count_of};
use super::typed_ahead;
use super::waves;
use super::wrap::wrapped;
use crate::preview::{Preview, PreviewState};
use crate::text::{Medium, harmless};

/// What is about to happen, without the prompt.
pub(crate) fn question(preview: &Preview<'_>, subject: &Subject, view: View) -> String {
    let consequences = consequences::render(preview, view.styled);
    let between = if consequences.is_empty() { "" } else { "\n" };
    let held = match preview.held() {
        0 => String::new(),
        1 => "1 row is held and will not be sent. `musterout preview` shows why.\n\n".to_owned(),
        held => format!("{} are held and will not be sent. `musterout preview` shows why.\n\n", count_of(held, "row")),
    };
    let warning = match preview.dangerous() {
        0 => "",
        _ => "Destructive and irreversible actions cannot be undone.\n",
    };
    let guards = preview.verdict().map(|verdict| guards::render(verdict, view) + "\n");
    format!(
        "This sends {} of {}:\n\n{}{}{between}{consequences}\n{}{held}{}{}{warning}",
        count_of(preview.send(), "job"),
        subject.render(view.styled),
        sent_counts(preview, view),
        waves::preview(&preview.waves, preview.jobs()),
        schedule(preview.spread.as_ref(), view),
        guards.unwrap_or_default(),
        found(preview, view),
    )
}

/// So many of the targets that were looked up are shown, and so many of others.
const SHOWN: usize = 20;
const FIRST: usize = 5;

/// What was looked up, by its name: nobody would know it by its id. Where nothing was, the first targets of the plan.
fn found(preview: &Preview<'_>, view: View) -> String {
    let sent = || preview.rows().filter(|row| row.state == PreviewState::Send && row.job.found.is_some());
    let number = sent().count();
    if number == 0 {
        return first(preview, view);
    }
    let mut table = Table::new(&[0]);
    for row in sent().take(SHOWN) {
        let by = row.job.found.as_ref().map_or("", |found| &*found.by);
        let name = row.name().unwrap_or_default();
        table.row(PLAIN, [&*row.job.row.to_string(), row.job.action.name, name, row.job.target(), by]);
    }
    let more = match number.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  … and {} more\n", count(more)),
    };
    format!("Targets, as looked up:\n\n{}{more}\n", table.render(View { styled: false, ..view }, 2))
}

fn first(preview: &Preview<'_>, view: View) -> String {
    let sent = || preview.rows().filter(|row| row.state == PreviewState::Send);
    let mut table = Table::new(&[0]);
    for row in sent().take(FIRST) {
        let with = row.job.parameters.as_deref().map(|parameters| parameters.body());
        let what: Vec<&str> = row.name().into_iter().chain(with).filter(|text| !text.is_empty()).collect();
        table.row(PLAIN, [&*row.job.row.to_string(), row.job.action.name, row.job.target(), &what.join("  ")]);
    }
    let more = match sent().count().saturating_sub(FIRST) {
        0 => String::new(),
        more => format!("  … and {} more\n", count(more)),
    };
    format!("First targets:\n\n{}{more}\n", table.render(View { styled: false, ..view }, 2))
}

/// The line to answer on.
const PROMPT: &str = "Type the number of jobs to send them, or `no` to stop: ";

/// Whether the answer is the number, and nothing but the number.
pub(crate) fn judge(answer: &str, number: u32) -> bool {
    answer.trim() == number.to_string()
}

/// Asks on `out` and reads one line of `answers`. The end of the input is a no.
pub(crate) fn ask(question: &str, number: u32, out: &mut impl Write, answers: &mut impl BufRead) -> io::Result<bool> {
    write!(out, "{}\n{PROMPT}", harmless(question, Medium::Screen))?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    // Whatever is said next begins on its own line, also after Ctrl-D.
    if !answer.ends_with('\n') {
        writeln!(out)?;
    }
    Ok(judge(&answer, number))
}

/// [`ask`] on the terminal.
pub(crate) fn ask_on_terminal(question: &str, number: u32) -> io::Result<bool> {
    typed_ahead::forget();
    ask(
        &wrapped(&harmless(question, Medium::Screen), stderr_width()),
        number,
        &mut io::stderr(),
        &mut io::stdin().lock(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{job, plan, preview_of};
    use super::*;
    use crate::job::Found;

    fn subject() -> Subject {
        Subject { name: Some("lab".into()), file: "plan.yaml".into(), tenant: "contoso.onmicrosoft.com".into() }
    }

    #[test]
    fn what_was_looked_up_is_named_in_the_question() {
        let mut jobs: Vec<_> = (1..=25).map(|row| job(row, "retire", &format!("id-{row}"), vec![])).collect();
        for job in &mut jobs[1..] {
            job.found = Some(Box::new(Found {
                name: Some("LAB".into()),
                identity: None,
                by: format!("serialNumber {}", job.row).into(),
                row: None,
            }));
        }
        let text = preview_of(&jobs, |preview| question(preview, &subject(), View::default()));
        assert!(text.contains("\n\nTargets, as looked up:\n\n   2  retire  LAB  id-2   serialNumber 2\n"), "{text}");
        assert!(text.contains("  21  retire  LAB  id-21  serialNumber 21\n  … and 4 more\n\nDestructive"), "{text}");
        assert!(!text.contains("id-1 ") && !text.contains("id-22"), "{text}");
    }

    #[test]
    fn the_question_names_tenant_actions_and_risks() {
        let text = preview_of(&plan(), |preview| question(preview, &subject(), View::default()));
        assert_eq!(
            text,
            "This sends 4 jobs of lab (plan.yaml) in contoso.onmicrosoft.com:\n\n  \
             2  retire       irreversible\n  \
             1  deprovision  destructive\n  \
             1  syncDevice   harmless\n\n\
             Side effects:\n  \
             up to 2 devices have BitLocker suspended, if they are Entra-joined and run Windows\n  \
             2 devices drop their other pending actions: this one takes precedence\n  \
             1 device cannot enrol again before a factory reset: a deprovisioned ChromeOS device stays so\n\n\
             1 row is held and will not be sent. `musterout preview` shows why.\n\n\
             First targets:\n\n  \
             2  retire       7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11\n  \
             3  retire       0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02\n  \
             5  deprovision  0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  {\"deprovisionReason\":\"upgrade\"}\n  \
             6  syncDevice   7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11\n\n\
             Destructive and irreversible actions cannot be undone.\n"
        );
    }

    #[test]
    fn only_the_exact_number_is_a_yes() {
        assert!(judge("24\n", 24) && judge(" 24 \r\n", 24));
        for answer in ["", "\n", "y", "yes", "+24", "024", "24.0", "2 4", "25", "24 yes", "٢٤"] {
            assert!(!judge(answer, 24), "{answer:?}");
        }
        assert!(!judge("1,240", 1_240));
    }

    #[test]
    fn the_end_of_the_input_is_a_no() {
        let mut out = Vec::new();
        assert!(!ask("Q\n", 4, &mut out, &mut io::empty()).unwrap());
        assert!(ask("Q\n", 4, &mut out, &mut &b"4\n5\n"[..]).unwrap());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, format!("Q\n\n{PROMPT}\nQ\n\n{PROMPT}"));
    }
}
