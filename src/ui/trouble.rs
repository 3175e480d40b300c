//! The rows of a run that need the reader, and why.
//!
//! In: jobs with their settlements. Out: a table: what went wrong first, then what is open, then what was not attempted, one
//! line for each cause. Must not: list a hundred thousand rows; beyond the first few, equal reasons are counted.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::style::{PLAIN, View, of_outcome};
use super::tables::Table;
use super::text::count;
use crate::job::Job;
use crate::outcome::{Outcome, Settlement};
use crate::text::visible;

/// Rows listed one by one, and lines for what was not attempted.
const LISTED: usize = 20;
/// Reasons counted beyond those.
const REASONS: usize = 8;
/// Different reasons told apart; messages with an id in each must not fill the memory.
const TOLD_APART: usize = 1_000;

type TroubleRow<'a> = (&'a Job, &'a Settlement);

/// What the reader has to look at comes first.
fn urgency(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Failed => 0,
        Outcome::NotFound => 1,
        Outcome::Unknown => 2,
        Outcome::Held => 3,
        Outcome::AwaitingApproval => 4,
        Outcome::Accepted | Outcome::Completed | Outcome::AlreadyDone => 5,
        Outcome::NotAttempted => 6,
    }
}

/// The table, and what is beyond it. `rows` in plan order.
pub(super) fn render(mut rows: Vec<TroubleRow<'_>>, view: View) -> String {
    rows.sort_by_key(|(_, settled)| urgency(settled.outcome));
    let named = rows.iter().take(LISTED).any(|(job, _)| job.called().is_some());
    let all = ["ROW", "ACTION", "TARGET", "NAME", "OUTCOME", "WHY"];
    let cells = move |cells: [&str; 6]| -> Vec<String> {
        let shown = cells.into_iter().enumerate().filter(|(at, _)| named || *at != NAME);
        shown.map(|(_, cell)| cell.to_owned()).collect()
    };
    let header = cells(all);
    let mut table = Table::new(&[0]).header(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let from = rows.partition_point(|(_, settled)| settled.outcome != Outcome::NotAttempted);
    let (needed, left) = rows.split_at(from);
    for (job, settled) in needed.iter().take(LISTED) {
        let name = visible(job.called().unwrap_or_default()).into_owned();
        let (row, why) = (job.row.to_string(), reason(job, settled));
        let line = cells([&row, job.action.name, job.target(), &name, settled.outcome.name(), &why]);
        table.row(of_outcome(settled.outcome), line.iter().map(String::as_str));
    }
    let (groups, rest) = not_attempted(left);
    for group in &groups {
        let line =
            cells([&group.rows(), group.action(), &group.targets(), "", Outcome::NotAttempted.name(), &group.why]);
        table.row(of_outcome(Outcome::NotAttempted), line.iter().map(String::as_str));
    }
    let mut text = table.render(view, 0);
    let beyond: Vec<_> = needed.iter().skip(LISTED).chain(rest.iter()).copied().collect();
    text.push_str(&grouped(&beyond, view));
    text
}

/// Where the name of a target stands, if any of them has one.
const NAME: usize = 3;

/// Rows that were not attempted for one cause.
struct TroubleGroup<'a> {
    why: String,
    jobs: Vec<&'a Job>,
}

impl TroubleGroup<'_> {
    /// `13`, `13-25`, `2 … 40`.
    fn rows(&self) -> String {
        let (first, last) = (self.jobs.first().map_or(0, |job| job.row), self.jobs.last().map_or(0, |job| job.row));
        let mut rows: Vec<u32> = self.jobs.iter().map(|job| job.row).collect();
        rows.dedup();
        match rows.len() {
            1 => first.to_string(),
            number if last.abs_diff(first) as usize + 1 == number => format!("{first}-{last}"),
            _ => format!("{first} … {last}"),
        }
    }

    fn action(&self) -> &'static str {
        let first = self.jobs.first().map_or("", |job| job.action.name);
        if self.jobs.iter().all(|job| job.action.name == first) { first } else { "" }
    }

    fn targets(&self) -> String {
        match self.jobs.as_slice() {
            [one] => one.target().to_owned(),
            more => format!("{} jobs", count(more.len())),
        }
    }
}

/// One line for each cause; and the rows of causes that are too many.
fn not_attempted<'a>(rows: &[TroubleRow<'a>]) -> (Vec<TroubleGroup<'a>>, Vec<TroubleRow<'a>>) {
    let mut groups: Vec<TroubleGroup<'a>> = Vec::new();
    let mut rest = Vec::new();
    for (job, settled) in rows {
        let why = without_ids(&reason(job, settled));
        match groups.iter().position(|group| group.why == why) {
            Some(at) => groups[at].jobs.push(job),
            None if groups.len() < LISTED => groups.push(TroubleGroup { why, jobs: vec![job] }),
            None => rest.push((*job, *settled)),
        }
    }
    (groups, rest)
}

fn grouped(rows: &[TroubleRow<'_>], view: View) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut groups: HashMap<(Outcome, String), u32> = HashMap::new();
    let mut others = 0_u32;
    for (job, settlement) in rows {
        let key = (settlement.outcome, without_ids(&reason(job, settlement).replace(job.target(), "…")));
        match groups.len() < TOLD_APART || groups.contains_key(&key) {
            true => *groups.entry(key).or_default() += 1,
            false => others += 1,
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(a, of_a), (b, of_b)| {
        urgency(a.0).cmp(&urgency(b.0)).then_with(|| of_b.cmp(of_a)).then_with(|| a.cmp(b))
    });
    others += groups.iter().skip(REASONS).map(|(_, number)| number).sum::<u32>();
    let mut table = Table::new(&[0]);
    for ((outcome, reason), number) in groups.iter().take(REASONS) {
        table.row(of_outcome(*outcome), [&*count(*number), outcome.name(), reason]);
    }
    if others > 0 {
        table.row(PLAIN, [&*count(others), "", "for other reasons"]);
    }
    let mut text = String::new();
    let _ = write!(text, "and {} more:\n{}", count(rows.len()), table.render(view, 2));
    text
}

/// Why a job settled as it did: what the service said, and what we have to say about it. Of what was accepted, what was
/// seen of it since.
fn reason(job: &Job, settlement: &Settlement) -> String {
    match (&settlement.follow_up, settlement.outcome) {
        (Some(seen), Outcome::Accepted) => return seen.to_string(),
        (Some(seen), Outcome::Failed) if seen.stage.came_to_nothing() => return seen.to_string(),
        (None, Outcome::Accepted) if job.action.read_back.tells() => {
            return settlement.note.as_deref().unwrap_or("not checked yet").to_owned();
        }
        (None, Outcome::Accepted) => {
            return "cannot be verified: Graph does not report this action's result".to_owned();
        }
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

/// Characters of a GUID with its hyphens.
const GUID: usize = 36;

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
    use super::super::fixtures::{ID, job, refused};
    use super::*;
    use crate::outcome::Cause;

    fn render_all(jobs: &[Job], settlements: &[Settlement]) -> String {
        render(jobs.iter().zip(settlements).collect(), View::default())
    }

    #[test]
    fn beyond_twenty_rows_equal_reasons_are_counted() {
        let jobs: Vec<_> = (1..=500).map(|row| job(row, "retire", ID, vec![])).collect();
        let mut settlements = vec![refused(403, "Forbidden", "no"); 400];
        settlements.extend(vec![Settlement::unsent(Outcome::Unknown, "lost"); 100]);
        let text = render_all(&jobs, &settlements);
        assert!(text.ends_with("\nand 480 more:\n  380  failed   403 Forbidden: no\n  100  unknown  lost\n"), "{text}");
        assert_eq!(text.matches(ID).count(), 20);
    }

    #[test]
    fn reasons_that_differ_in_their_ids_alone_are_equal() {
        let jobs: Vec<_> = (1..=60).map(|row| job(row, "retire", ID, vec![])).collect();
        let settlements: Vec<_> = (1..=60)
            .map(|row| match row % 2 {
                0 => refused(403, "Forbidden", &format!("No. (activity {row:08x}-0000-4000-8000-000000000000)")),
                _ => {
                    Settlement::unsent(Outcome::Unknown, format!("look at managedDevice {ID} before repeating retire"))
                }
            })
            .collect();
        let text = render_all(&jobs, &settlements);
        let expected = "and 40 more:\n  10  failed   403 Forbidden: No. (activity …)\n  \
                        30  unknown  look at managedDevice … before repeating retire\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn what_was_not_attempted_takes_one_line_and_comes_last() {
        let jobs: Vec<_> = (2..=25).map(|row| job(row, "retire", &format!("{ID}{row}"), vec![])).collect();
        let mut settlements = vec![Settlement::ended(Cause::Interrupted.plain().into()); 24];
        settlements[23] = refused(403, "Forbidden", "no");
        settlements[0] = Settlement::ended(Cause::NotDue.with("noon").into());
        let text = render_all(&jobs, &settlements);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[1].starts_with("  25  retire") && lines[2].starts_with("   2  retire"), "{text}");
        assert!(
            lines[3].starts_with("3-24  retire  22 jobs ") && lines[3].ends_with(" the run was interrupted"),
            "{text}"
        );
    }

    #[test]
    fn targets_have_their_names() {
        let mut named = job(2, "retire", ID, vec![]);
        named.set_target_name(Some("LAB-01".into()));
        let text = render_all(&[named], &[refused(403, "Forbidden", "no")]);
        assert!(text.contains(&format!("  {ID}  LAB-01  failed   403 Forbidden: no\n")), "{text}");
    }
}
