//! What differs between two previews, or a preview and a plan.
//!
//! In: two sides with their jobs, findings, sightings and terms. Out: [`Differences`]. Must not: compare rows by their
//! place; a job is the same job wherever it stands.

use std::collections::HashMap;

use serde::Serialize;

use super::row::PreviewState;
use crate::catalog::Missing;
use crate::guard::drift::{self, Sighting};
use crate::guard::preflight::Hold;
use crate::job::{Job, JobId};

/// One side of the comparison.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    pub jobs: &'a [Job],
    pub holds: &'a [Option<Hold>],
    /// Whether the journal and the tenant were asked for it, as they are for a preview that is saved.
    pub looked: bool,
    /// Empty where nobody looked.
    pub sightings: &'a [Option<Sighting>],
    /// Tenant, limits, guards: by name. Those that both sides have are compared.
    pub terms: Vec<(&'static str, String)>,
}

/// A job, as far as a reader needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct JobLine {
    pub row: u32,
    pub job_id: String,
    pub action: &'static str,
    pub target: String,
    pub target_name: Option<String>,
    pub body: Option<String>,
    pub state: &'static str,
    /// Why it would not be sent.
    pub finding: Option<String>,
    /// What becomes of it where its target is not there.
    pub missing: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RowChange {
    pub before: JobLine,
    pub after: JobLine,
}

/// The same target, and somebody else behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Drift {
    pub job: JobLine,
    pub differences: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Term {
    pub term: &'static str,
    pub before: String,
    pub after: String,
}

/// Everything that differs, in the order of the rows.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Differences {
    pub added: Vec<JobLine>,
    pub removed: Vec<JobLine>,
    /// The same target, and another action or other parameters.
    pub changed: Vec<RowChange>,
    /// The same job, sent on one side and not on the other, held for another reason, or with another word on what becomes of
    /// it where its target is not there.
    pub findings: Vec<RowChange>,
    pub drifted: Vec<Drift>,
    pub terms: Vec<Term>,
    /// Jobs that both sides have.
    pub same: usize,
}

impl Differences {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self { same: self.same, ..Self::default() }
    }
}

/// Compares. Of equal rows on one side, only the first counts: the others are held.
pub(crate) fn compare(before: &Side<'_>, after: &Side<'_>) -> Differences {
    let (was, is) = (first_of_each(before.jobs), first_of_each(after.jobs));
    let mut found = Differences { terms: terms(before, after), ..Differences::default() };
    for (at, job) in before.jobs.iter().enumerate().filter(|(at, job)| was.get(&job.id) == Some(at)) {
        let Some(other) = is.get(&job.id).copied() else {
            found.removed.push(line(before, at));
            continue;
        };
        found.same += 1;
        let (one, two) = (line(before, at), line(after, other));
        let untold = untold(before, at, after, other) || untold(after, other, before, at);
        let same_end = untold || (one.state, &one.finding) == (two.state, &two.finding);
        if !same_end || one.missing != two.missing {
            found.findings.push(RowChange { before: one, after: two.clone() });
        }
        let differences = drifted(sighting(before, at), sighting(after, other));
        if !differences.is_empty() {
            found.drifted.push(Drift { job: two, differences });
        }
    }
    let added = after.jobs.iter().enumerate().filter(|(at, job)| is.get(&job.id) == Some(at));
    found.added = added.filter(|(_, job)| !was.contains_key(&job.id)).map(|(at, _)| line(after, at)).collect();
    pair(&mut found);
    found
}

/// One side has a finding that only who has looked can have, and the other side has not looked.
fn untold(one: &Side<'_>, at: usize, other: &Side<'_>, there: usize) -> bool {
    let hold = |side: &Side<'_>, at: usize| side.holds.get(at).cloned().flatten();
    let nothing_there = hold(other, there).is_none();
    one.looked && !other.looked && nothing_there && hold(one, at).is_some_and(|hold| hold.needs_lookup())
}

fn first_of_each(jobs: &[Job]) -> HashMap<JobId, usize> {
    let mut first = HashMap::with_capacity(jobs.len());
    for (at, job) in jobs.iter().enumerate() {
        first.entry(job.id).or_insert(at);
    }
    first
}

/// A job that has gone and one that has come for the same target are one change.
fn pair(found: &mut Differences) {
    let mut come: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, line) in found.added.iter().enumerate().rev() {
        come.entry(line.target.to_ascii_lowercase()).or_default().push(at);
    }
    let mut paired = Vec::new();
    found.removed.retain(|before| {
        let Some(at) = come.get_mut(&before.target.to_ascii_lowercase()).and_then(Vec::pop) else { return true };
        paired.push(at);
        found.changed.push(RowChange { before: before.clone(), after: found.added[at].clone() });
        false
    });
    let mut at = 0;
    found.added.retain(|_| {
        at += 1;
        !paired.contains(&(at - 1))
    });
}

fn sighting<'a>(side: &Side<'a>, at: usize) -> Option<&'a Sighting> {
    side.sightings.get(at).and_then(Option::as_ref)
}

fn drifted(was: Option<&Sighting>, is: Option<&Sighting>) -> Vec<String> {
    match (was, is) {
        (Some(Sighting::Identity(was)), Some(Sighting::Identity(is))) => drift::differences(was, is, &[]),
        (Some(Sighting::Identity(_)), Some(Sighting::Gone)) => vec!["was there, and is gone".into()],
        (Some(Sighting::Gone), Some(Sighting::Identity(_))) => vec!["was not there, and is there now".into()],
        _ => Vec::new(),
    }
}

fn line(side: &Side<'_>, at: usize) -> JobLine {
    let job = &side.jobs[at];
    let hold = side.holds.get(at).and_then(Option::as_ref);
    JobLine {
        row: job.row,
        job_id: job.id.to_string(),
        action: job.action.name,
        target: job.target().to_owned(),
        target_name: job.called().map(str::to_owned),
        body: job.parameters.as_deref().map(|parameters| parameters.body().to_owned()),
        state: PreviewState::of(hold).name(),
        finding: hold.map(|hold| hold.to_string()),
        missing: job.missing.map(Missing::name),
    }
}

fn terms(before: &Side<'_>, after: &Side<'_>) -> Vec<Term> {
    let both = before.terms.iter().filter_map(|(term, was)| {
        let (_, is) = after.terms.iter().find(|(other, _)| other == term)?;
        (was != is).then(|| Term { term, before: was.clone(), after: is.clone() })
    });
    both.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::guard::preflight;
    use crate::identity::Identity;
    use crate::job::{Ids, JobParts};

    fn job(row: u32, action: &str, target: &str) -> Job {
        let action = Action::named(action).unwrap();
        Job::new(JobParts::plain(row, action, Ids::new([target])))
    }

    fn named(name: &str) -> Option<Sighting> {
        Some(Sighting::Identity(Box::new(Identity { id: "x".into(), name: Some(name.into()), ..Identity::default() })))
    }

    type Given<'a> = (&'a [Job], &'a [Option<Sighting>], &'a [(&'static str, &'a str)]);

    fn compared(before: Given<'_>, after: Given<'_>) -> Differences {
        let holds = |jobs: &[Job]| preflight::inspect(jobs, jiff::Timestamp::UNIX_EPOCH).holds;
        let (first, second) = (holds(before.0), holds(after.0));
        let terms =
            |terms: &[(&'static str, &str)]| terms.iter().map(|(term, value)| (*term, (*value).into())).collect();
        compare(
            &Side { jobs: before.0, holds: &first, looked: true, sightings: before.1, terms: terms(before.2) },
            &Side { jobs: after.0, holds: &second, looked: true, sightings: after.1, terms: terms(after.2) },
        )
    }

    #[test]
    fn the_order_of_rows_is_no_difference() {
        let one = [job(2, "retire", "a"), job(3, "retire", "b")];
        let two = [job(2, "retire", "b"), job(3, "retire", "a"), job(4, "retire", "A")];
        let found = compared((&one, &[], &[]), (&two, &[], &[]));
        assert!(found.is_empty() && found.same == 2, "{found:?}");
    }

    #[test]
    fn each_kind_of_difference_is_told_once() {
        let before = [job(2, "retire", "a"), job(3, "retire", "b"), job(4, "retire", "c"), job(5, "retire", "d")];
        let mut after = [job(2, "wipe", "A"), job(3, "retire", "b"), job(4, "retire", "e"), job(5, "retire", "d")];
        after[3].not_before = Some("2026-12-01T00:00:00Z".parse().unwrap());
        let found = compared(
            (&before, &[None, named("LAB-01"), None, None], &[("tenant", "x"), ("graph_url", "g")]),
            (&after, &[None, named("LAB-02"), None, None], &[("tenant", "y")]),
        );
        let rows = |lines: &[JobLine]| lines.iter().map(|line| line.target.clone()).collect::<Vec<_>>();
        assert_eq!((rows(&found.added), rows(&found.removed)), (vec!["e".into()], vec!["c".into()]));
        assert_eq!((found.changed[0].before.action, found.changed[0].after.action), ("retire", "wipe"));
        assert_eq!(found.drifted[0].differences, ["renamed from LAB-01 to LAB-02"]);
        assert_eq!((found.findings.len(), found.findings[0].after.state), (1, "not_due"));
        assert_eq!(found.terms, [Term { term: "tenant", before: "x".into(), after: "y".into() }]);
        assert_eq!((found.changed.len(), found.drifted.len(), found.same), (1, 1, 2));
    }

    #[test]
    fn a_plan_does_not_know_what_the_journal_or_the_tenant_tells() {
        let jobs = [job(2, "retire", "a"), job(3, "retire", "b")];
        let (held, sent) = ([Some(Hold::Done), Some(Hold::Unseen)], [None, None]);
        let side = |holds, looked| Side { jobs: &jobs, holds, looked, sightings: &[], terms: Vec::new() };
        let found = |before, after, looked| compare(&side(before, true), &side(after, looked)).findings.len();
        assert_eq!(found(&held, &sent, false), 0);
        assert_eq!(found(&held, &sent, true), 2, "two previews that are saved");
        // What the plan holds by itself is one.
        assert_eq!(found(&sent, &[None, Some(Hold::Protected("x".into()))], false), 1);
    }

    #[test]
    fn what_becomes_of_a_target_that_is_not_there_is_a_difference() {
        let before = [job(2, "retire", "a")];
        let after = [Job { missing: Some(Missing::Done), ..job(2, "retire", "a") }];
        let found = compared((&before, &[], &[]), (&after, &[], &[]));
        assert_eq!((found.findings.len(), found.findings[0].after.missing), (1, Some("done")));
    }
}
