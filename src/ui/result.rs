//! What a run came to: the rows that need somebody, the counts, the report, the account.
//!
//! In: jobs and settlements. Out: text for people, or one JSON object a line. The account is the last line of both.
//! Must not: list a hundred thousand rows; beyond the first few, equal reasons are counted.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::pace;
use super::style::{PLAIN, View, of_outcome, paint};
use super::tables::Table;
use super::text::{count, count_of, shorten, width};
use crate::catalog::TargetKind;
use crate::job::{Job, Unfound};
use crate::outcome::{Outcome, Settlement, Standing};
use crate::pacing::BucketUse;
use crate::report::{Account, rows, write_line};
use crate::text::visible;

/// Rows listed one by one.
const LISTED: usize = 20;
/// Reasons counted beyond those.
const REASONS: usize = 8;
/// Different reasons told apart; messages with an id in each must not fill the memory.
const TOLD_APART: usize = 1_000;

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
        if self.unsettled().next().is_some() {
            text.push_str(&self.listed(view));
            text.push_str(&self.grouped(view));
            text.push('\n');
        }
        let counts: Vec<_> = Outcome::ALL
            .into_iter()
            .filter(|outcome| account.tally.of(*outcome) > 0)
            .map(|outcome| {
                let counted = format!("{} {}", count(account.tally.of(outcome)), outcome.name());
                paint(view.styled, of_outcome(outcome), &counted)
            })
            .collect();
        let separator = if counts.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "{}{separator}{}", count_of(self.jobs.len(), "row"), counts.join(", "));
        let pairs = self.jobs.iter().zip(self.settlements);
        let strangers = pairs.filter(|(job, settled)| is_a_stranger(job, settled) && !self.has_left(job)).count();
        if strangers > 0 {
            let who = count_of(strangers, "target");
            let _ = writeln!(
                text,
                "{who} not there, which counts as done here: the note of each row in the report says why"
            );
        }
        if let not_found @ 1.. = account.tally.of(Outcome::NotFound) {
            let who = count_of(not_found as usize, "target");
            let asked = if not_found == 1 { "is it an id" } else { "are these ids" };
            let _ = writeln!(text, "{who} not found: {asked} of this kind, and of this tenant?");
        }
        for line in pace::lines(self.used) {
            let _ = writeln!(text, "{line}");
        }
        if let Some(report) = self.report {
            let _ = writeln!(text, "report: {}", visible(&report.display().to_string()));
        }
        let _ = writeln!(text, "{}", account.line());
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

    /// The reason is what people look for: where it does not fit beside its row, it stands below it.
    fn listed(&self, view: View) -> String {
        let first: Vec<_> =
            self.unsettled().take(LISTED).map(|(job, settled)| (job, settled, why(job, settled))).collect();
        let beside = table_of(&first, true, view.styled);
        let columns = view.width.map_or(usize::MAX, usize::from);
        if beside.lines().all(|line| width(line) <= columns) {
            return beside;
        }
        let mut reasons = first.iter().map(|(_, _, why)| shorten(why, columns.saturating_sub(BELOW.len())));
        let below = table_of(&first, false, view.styled);
        let mut lines = below.lines();
        let mut text = lines.next().map(|header| format!("{header}\n")).unwrap_or_default();
        for line in lines {
            let _ = writeln!(text, "{line}\n{BELOW}{}", reasons.next().unwrap_or_default());
        }
        text
    }

    fn grouped(&self, view: View) -> String {
        let mut groups: HashMap<(Outcome, String), u32> = HashMap::new();
        let (mut total, mut others) = (0_u32, 0_u32);
        for (job, settlement) in self.unsettled().skip(LISTED) {
            total += 1;
            let key = (settlement.outcome, without_ids(&reason(job, settlement).replace(job.target(), "…")));
            match groups.len() < TOLD_APART || groups.contains_key(&key) {
                true => *groups.entry(key).or_default() += 1,
                false => others += 1,
            }
        }
        if total == 0 {
            return String::new();
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
        others += groups.iter().skip(REASONS).map(|(_, number)| number).sum::<u32>();
        let mut table = Table::new(&[0]);
        for ((outcome, reason), number) in groups.iter().take(REASONS) {
            let room = view.width.map_or(usize::MAX, |columns| usize::from(columns).saturating_sub(32).max(12));
            table.row(of_outcome(*outcome), [&count(*number), outcome.name(), &shorten(&visible(reason), room)]);
        }
        if others > 0 {
            table.row(PLAIN, [&count(others), "", "for other reasons"]);
        }
        format!("and {} more:\n{}", count(total), table.render(view.styled, 2))
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

const BELOW: &str = "     ";
/// Characters of a GUID with its hyphens.
const GUID: usize = 36;

fn table_of(listed: &[(&Job, &Settlement, String)], with_why: bool, styled: bool) -> String {
    let columns = if with_why { 5 } else { 4 };
    let mut table = Table::new(&[0]).header(&["ROW", "ACTION", "TARGET", "OUTCOME", "WHY"][..columns]);
    for (job, settlement, why) in listed {
        let cells = [&job.row.to_string(), job.action.name, job.target(), settlement.outcome.name(), why];
        table.row(of_outcome(settlement.outcome), cells.into_iter().take(columns));
    }
    table.render(styled, 0)
}

fn why(job: &Job, settlement: &Settlement) -> String {
    visible(&reason(job, settlement)).into_owned()
}

/// Why a job settled as it did: what the service said, and what we have to say about it. Of what was accepted, what was
/// seen of it since.
fn reason(job: &Job, settlement: &Settlement) -> String {
    match (&settlement.follow_up, settlement.outcome) {
        (Some(seen), Outcome::Accepted) => return seen.to_string(),
        (Some(seen), Outcome::Failed) if seen.stage.came_to_nothing() => return seen.to_string(),
        (None, Outcome::Accepted) if job.action.read_back.tells() => {
            return settlement.note.as_deref().unwrap_or("not looked at").to_owned();
        }
        (None, Outcome::Accepted) => return "no read tells whether it has happened".to_owned(),
        _ => {}
    }
    let status = settlement.http_status.map(|status| status.to_string());
    let refusal: Vec<_> = status.as_deref().into_iter().chain(settlement.error_code()).collect();
    let parts = [Some(refusal.join(" ")), settlement.error_message().map(str::to_owned)];
    let said: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let note = settlement.note.as_deref().filter(|note| !note.is_empty()).map(str::to_owned);
    let parts = [Some(said.join(": ")).filter(|said| !said.is_empty()), note];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Ids make equal reasons different: the activity in Intune's sentence, the target in ours.
fn without_ids(reason: &str) -> String {
    let words = reason.split_inclusive(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit() && c != '-');
            match bare.len() == GUID && uuid::Uuid::try_parse(bare).is_ok() {
                true => format!("…{}", &word[bare.len()..]),
                false => word.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{ID, accepted, job, plan, refused};
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
            Settlement::ended(Cause::NotDue.with("2026-12-01T08:00:00Z").into()),
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
             4  retire       7F4E0C1E-0B2E-4A55-9D6B-0D1F4A7A2C11  held\n     \
             same job as row 2\n  \
             5  deprovision  0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  unknown\n     \
             the reply was lost; look at the device in Intune\n  \
             7  retire       a4a1b6a6-5a3c-4a0e-9ff4-3d5d5f0c8a90  not_attempted\n     \
             not before 2026-12-01T08:00:00Z\n\n\
             6 rows: 2 accepted, 1 failed, 1 held, 1 unknown, 1 not_attempted\n\
             report: out.csv\n\
             account: rows in 6, rows out 6: completed 0, accepted 2, already_done 0, failed 1, not_found 0, held 1, unknown 1, \
             awaiting_approval 0, not_attempted 1\n"
        );
    }

    #[test]
    fn beyond_twenty_rows_equal_reasons_are_counted() {
        let jobs: Vec<_> = (1..=500).map(|row| job(row, "retire", ID, vec![])).collect();
        let mut settlements = vec![refused(403, "Forbidden", "no"); 400];
        settlements.extend(vec![Settlement::unsent(Outcome::Unknown, "lost"); 100]);
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
        assert!(
            text.contains("\nand 480 more:\n  380  failed   403 Forbidden: no\n  100  unknown  lost\n\n"),
            "{text}"
        );
        assert_eq!(text.matches(ID).count(), 20);
    }

    #[test]
    fn reasons_that_differ_in_their_ids_alone_are_equal() {
        let jobs: Vec<_> = (1..=30).map(|row| job(row, "retire", ID, vec![])).collect();
        let settlements: Vec<_> = (1..=30)
            .map(|row| match row % 2 {
                0 => refused(403, "Forbidden", &format!("No. (activity {row:08x}-0000-4000-8000-000000000000)")),
                _ => {
                    Settlement::unsent(Outcome::Unknown, format!("look at managedDevice {ID} before repeating retire"))
                }
            })
            .collect();
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
        let expected = "and 10 more:\n  5  failed   403 Forbidden: No. (activity …)\n  \
                        5  unknown  look at managedDevice … before repeating retire\n\n";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_run_without_trouble_is_two_lines() {
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
        assert!(text.starts_with("6 rows: 6 accepted\naccount: rows in 6, rows out 6: "), "{text}");
        assert_eq!(text.lines().count(), 2);
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
        assert!(text.contains("\nreport: a\u{fffd}[2J account: rows in 0\u{fffd}.csv\n"), "{text:?}");
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
