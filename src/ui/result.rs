//! What a run came to: the rows that need the reader, the report, the account.
//!
//! In: jobs and settlements. Out: text for people, or one JSON object a line. The account is the last line of both.
//! Must not: list a hundred thousand rows.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::pace;
use super::style::{View, of_outcome, paint};
use super::text::count_of;
use super::trouble;
use crate::catalog::TargetKind;
use crate::job::{Job, Unfound};
use crate::outcome::{Outcome, Settlement, Standing};
use crate::pacing::BucketUse;
use crate::report::{Account, rows, write_line};
use crate::text::visible;

/// A run that is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunResult<'a> {
    pub jobs: &'a [Job],
    pub settlements: &'a [Settlement],
    pub report: Option<&'a Path>,
    /// Its id in the journal.
    pub run: Option<&'a str>,
    /// What each bucket was used for; empty for a run of the past.
    pub used: &'a [BucketUse],
    /// Requests that have left for the tenant, reads included; unknown of a run of the past.
    pub requests: Option<u64>,
    /// Somebody wants to know what has become of what was accepted.
    pub verified: bool,
}

impl<'a> RunResult<'a> {
    fn account(&self) -> Account {
        Account::new(self.jobs.len(), self.settlements)
    }

    /// Whether a step before it was seen to take the target away, so that nobody wonders where it is.
    fn has_left(&self, job: &Job) -> bool {
        let before = job.after.and_then(|before| self.settlements.get(before as usize));
        before.is_some_and(|before| before.verified_at().is_some())
    }

    /// What did not settle well; and what nothing confirms, where somebody wants to know.
    fn wants_somebody(&self, settled: &Settlement) -> bool {
        settled.outcome.standing() != Standing::Good || (self.verified && settled.outcome == Outcome::Accepted)
    }

    /// Jobs that somebody has to look at, in plan order.
    fn unsettled(&self) -> impl Iterator<Item = (&'a Job, &'a Settlement)> {
        self.jobs.iter().zip(self.settlements).filter(|(_, settled)| self.wants_somebody(settled))
    }

    /// For people.
    pub(crate) fn render(&self, view: View) -> String {
        let account = self.account();
        let mut text = String::new();
        let unsettled: Vec<_> = self.unsettled().collect();
        if !unsettled.is_empty() {
            text.push_str(&trouble::render(unsettled, view));
            text.push('\n');
        }
        let pairs = self.jobs.iter().zip(self.settlements);
        let strangers = pairs.filter(|(job, settled)| is_a_stranger(job, settled) && !self.has_left(job)).count();
        if strangers > 0 {
            let (what, is) = (count_of(strangers, "target"), if strangers == 1 { "does" } else { "do" });
            let _ = writeln!(text, "{what} {is} not exist. This counts as done; the note in the report says why.");
        }
        if let not_found @ 1.. = account.tally.of(Outcome::NotFound) {
            let asked = if not_found == 1 { "Is it an id" } else { "Are these ids" };
            let what = count_of(not_found as usize, "target");
            let _ = writeln!(text, "{what} not found. {asked} of the right kind, and of this tenant?");
        }
        for line in pace::lines(self.used) {
            let _ = writeln!(text, "{line}");
        }
        if let Some(report) = self.report {
            let _ = writeln!(text, "report: {}", visible(&report.display().to_string()));
        }
        let styled = |outcome: Outcome, counted: String| paint(view.styled, of_outcome(outcome), &counted);
        let counts = account.counts().map(|(outcome, number)| styled(outcome, format!("{} {number}", outcome.name())));
        let _ = writeln!(text, "{}", account.line_of(counts));
        text
    }

    /// Rows that did not settle well as the report has them, then the report's name, then the account.
    pub(crate) fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        let rows = rows(self.jobs, self.settlements).map_err(io::Error::other)?;
        for (row, settlement) in rows.zip(self.settlements) {
            if self.wants_somebody(settlement) {
                write_line(&mut out, &row)?;
            }
        }
        if let Some(pace) = pace::json(self.used) {
            write_line(&mut out, &pace)?;
        }
        if let Some(report) = self.report {
            write_line(
                &mut out,
                &json!({ "run": self.run, "report": report.to_string_lossy(), "requests": self.requests }),
            )?;
        }
        write_line(&mut out, &self.account().json())
    }
}

/// Counted as done because it is not there, which is also what a wrong id looks like.
fn is_a_stranger(job: &Job, settled: &Settlement) -> bool {
    // Whoever is in no group is there all the same.
    let is_target = job.action.target != TargetKind::GroupMember;
    let is_missing =
        (matches!(settled.http_status, Some(404 | 410)) && is_target) || job.unfound() == Some(Unfound::Nothing);
    settled.outcome == Outcome::AlreadyDone && is_missing
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{accepted, plan, refused};
    use super::super::text::width;
    use super::*;
    use crate::outcome::Cause;

    fn settlements() -> Vec<Settlement> {
        let lost = Settlement::unsent(Outcome::Unknown, "the reply was lost; look at the device in Intune");
        vec![
            accepted(),
            refused(403, "Forbidden", "Application is not authorized to perform this operation on this device."),
            Settlement::ended(Cause::Duplicate.with("2").into()),
            lost,
            accepted(),
            Settlement::ended(Cause::NotDue.with("noon").into()),
        ]
    }

    #[test]
    fn a_result_looks_like_this_at_100_columns() {
        let (jobs, settlements) = (plan(), settlements());
        let report = Path::new("out.csv");
        let result = RunResult {
            jobs: &jobs,
            settlements: &settlements,
            report: Some(report),
            run: None,
            used: &[],
            requests: None,
            verified: false,
        };
        let text = result.render(View { width: Some(100), styled: false });
        assert!(text.lines().rev().skip(1).all(|line| width(line) <= 100), "{text}");
        assert_eq!(
            text,
            "ROW  ACTION       TARGET                                OUTCOME\n  \
             3  retire       0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  failed\n     \
             403 Forbidden: Application is not authorized to perform this operation on this device.\n  \
             5  deprovision  0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  unknown\n     \
             the reply was lost; look at the device in Intune\n  \
             4  retire       7F4E0C1E-0B2E-4A55-9D6B-0D1F4A7A2C11  held\n     \
             same job as row 2\n  \
             7  retire       a4a1b6a6-5a3c-4a0e-9ff4-3d5d5f0c8a90  not_attempted\n     \
             not before noon\n\n\
             report: out.csv\n\
             account: rows in 6, rows out 6: accepted 2, failed 1, held 1, unknown 1, not_attempted 1\n"
        );
    }

    #[test]
    fn a_run_without_trouble_is_one_line() {
        let (jobs, settlements) = (plan(), vec![accepted(); 6]);
        let text = RunResult {
            jobs: &jobs,
            settlements: &settlements,
            report: None,
            run: None,
            used: &[],
            requests: None,
            verified: false,
        }
        .render(View::default());
        assert_eq!(text, "account: rows in 6, rows out 6: accepted 6\n");
    }

    #[test]
    fn the_name_of_a_file_is_one_line_that_steers_nothing() {
        let (jobs, settlements) = (plan(), vec![accepted(); 6]);
        let report = Some(Path::new("a\u{1b}[2J\naccount: rows in 0\u{202e}.csv"));
        let text = RunResult {
            jobs: &jobs,
            settlements: &settlements,
            report,
            run: None,
            used: &[],
            requests: None,
            verified: false,
        }
        .render(View::default());
        assert!(text.contains("report: a\u{fffd}[2J account: rows in 0\u{fffd}.csv\n"), "{text:?}");
    }

    #[test]
    fn json_is_one_object_a_line_and_the_account_is_the_last() {
        let (jobs, settlements) = (plan(), settlements());
        let mut out = Vec::new();
        let result = RunResult {
            jobs: &jobs,
            settlements: &settlements,
            report: Some(Path::new("out.csv")),
            run: None,
            used: &[],
            requests: None,
            verified: false,
        };
        result.write_json(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 6);
        assert_eq!((&lines[0]["row"], &lines[0]["error_code"]), (&json!(3), &json!("Forbidden")));
        assert_eq!((&lines[4]["report"], &lines[5]["rows_out"]), (&json!("out.csv"), &json!(6)));
    }
}
