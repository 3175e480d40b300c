//! How many targets each consequence concerns.
//!
//! In: jobs that would be sent, and what was seen of their targets. Out: counts, by the catalog's table. Must not: take
//! what nobody has seen for a no: it counts as possible.

use super::row::hold_at;
use crate::catalog::{Action, CONSEQUENCES, Consequence, ConsequenceProperty, ConsequenceTest, TargetKind};
use crate::guard::drift::Sighting;
use crate::guard::preflight::Hold;
use crate::identity::Identity;
use crate::job::{Job, Parameters};

/// One consequence of the jobs that would be sent.
#[derive(Debug, Clone, Copy)]
pub struct ConsequenceCount {
    pub consequence: &'static Consequence,
    /// What the targets are.
    pub target: TargetKind,
    /// Targets that it will happen to.
    pub certain: u32,
    /// Targets of which too little is known.
    pub possible: u32,
}

/// Counts, in the order of the table; only those that concern somebody.
pub(super) fn count(jobs: &[Job], holds: &[Option<Hold>], sightings: &[Option<Sighting>]) -> Vec<ConsequenceCount> {
    let mut counts: Vec<ConsequenceCount> = Vec::new();
    let mut rows_of: Option<(&Action, Vec<&'static Consequence>)> = None;
    for (at, job) in jobs.iter().enumerate() {
        if hold_at(holds, at).is_some() {
            continue;
        }
        let known = rows_of.take().filter(|(of, _)| std::ptr::eq(*of, job.action));
        let (_, rows) = rows_of.insert(known.unwrap_or_else(|| (job.action, table_of(job.action))));
        let sighting = sightings.get(at).and_then(Option::as_ref);
        for consequence in rows.iter().filter(|consequence| is_asked_for(consequence, job)) {
            add(&mut counts, consequence, job.action, sighting);
        }
    }
    counts.sort_by_key(|count| CONSEQUENCES.iter().position(|row| std::ptr::eq(row, count.consequence)));
    counts
}

/// Plans mix a handful of actions, and most rows have the one of the row before.
fn table_of(action: &Action) -> Vec<&'static Consequence> {
    CONSEQUENCES.iter().filter(|row| row.actions.contains(&action.name)).collect()
}

fn is_asked_for(consequence: &Consequence, job: &Job) -> bool {
    let Some((name, given)) = consequence.parameter else { return true };
    let body = job.parameters.as_deref().map(Parameters::body);
    let body: Option<serde_json::Value> = body.and_then(|body| serde_json::from_str(body).ok());
    given.holds(body.as_ref().and_then(|body| body.get(name)))
}

fn add(
    counts: &mut Vec<ConsequenceCount>,
    consequence: &'static Consequence,
    action: &Action,
    sighting: Option<&Sighting>,
) {
    let identity = match sighting {
        Some(Sighting::Identity(identity)) => Some(identity.as_ref()),
        // Nothing happens to what is not there.
        Some(Sighting::Gone) => return,
        Some(Sighting::NotRead(_)) | None => None,
    };
    let verdict = all(consequence.tests, identity);
    if verdict == Some(false) {
        return;
    }
    let at = counts.iter().position(|count| std::ptr::eq(count.consequence, consequence)).unwrap_or_else(|| {
        counts.push(ConsequenceCount { consequence, target: action.target, certain: 0, possible: 0 });
        counts.len() - 1
    });
    match verdict {
        Some(_) => counts[at].certain += 1,
        None => counts[at].possible += 1,
    }
}

/// `None`: what was seen does not tell.
fn all(tests: &[ConsequenceTest], identity: Option<&Identity>) -> Option<bool> {
    let verdicts: Vec<_> = tests.iter().map(|test| judge(test, identity)).collect();
    match verdicts.contains(&Some(false)) {
        true => Some(false),
        false => (!verdicts.contains(&None)).then_some(true),
    }
}

fn judge(test: &ConsequenceTest, identity: Option<&Identity>) -> Option<bool> {
    match test {
        ConsequenceTest::Is(property, words) => {
            let value = of(identity?, *property)?.to_ascii_lowercase();
            Some(words.iter().any(|word| value.starts_with(&word.to_ascii_lowercase())))
        }
        ConsequenceTest::NotAll(tests) => all(tests, identity).map(|verdict| !verdict),
        // A join that is not of the known kinds may still be one.
        ConsequenceTest::Any(tests) => tests.iter().any(|test| judge(test, identity) == Some(true)).then_some(true),
        ConsequenceTest::NobodyKnows => None,
    }
}

fn of(identity: &Identity, property: ConsequenceProperty) -> Option<&str> {
    match property {
        ConsequenceProperty::OperatingSystem => identity.operating_system.as_deref(),
        ConsequenceProperty::Ownership => identity.ownership.as_deref(),
        ConsequenceProperty::EnrollmentType => identity.enrollment_type.as_deref(),
        ConsequenceProperty::JoinType => identity.join_type.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::preflight;
    use crate::job::{Ids, JobParts};
    use serde_json::json;

    fn job(action: &str, values: &[(&str, serde_json::Value)]) -> Job {
        let action = Action::named(action).unwrap();
        let values =
            values.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value.clone())).collect();
        Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new(["a"]),
            parameters: Parameters::new(action, values),
            not_before: None,
            note: None,
            after: None,
        })
    }

    fn device(system: &str, ownership: &str, enrollment: &str) -> Option<Sighting> {
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        Some(Sighting::Identity(Box::new(Identity {
            operating_system: text(system),
            ownership: text(ownership),
            enrollment_type: text(enrollment),
            ..Identity::default()
        })))
    }

    fn counted(job: Job, sighting: Option<Sighting>) -> Vec<(&'static str, u32, u32)> {
        let (jobs, sightings) = ([job], [sighting]);
        let found = preflight::inspect(&jobs, jiff::Timestamp::UNIX_EPOCH);
        count(&jobs, &found.holds, &sightings)
            .iter()
            .map(|count| (count.consequence.code, count.certain, count.possible))
            .collect()
    }

    const PENDING: (&str, u32, u32) = ("pending-actions-dropped", 1, 0);

    #[test]
    fn a_delete_resets_corporate_androids_and_retires_the_rest() {
        let of = |sighting| counted(job("delete", &[]), sighting);
        assert_eq!(of(device("Android", "company", "")), [("factory-reset", 1, 0), PENDING]);
        assert_eq!(of(device("AndroidEnterprise", "Company", "")), [("factory-reset", 1, 0), PENDING]);
        assert_eq!(of(device("Android", "personal", "")), [("retired-by-delete", 1, 0), PENDING]);
        assert_eq!(of(device("iOS", "", "")), [("retired-by-delete", 1, 0), PENDING]);
        let joined = [("retired-by-delete", 1, 0), ("bitlocker-suspended", 1, 0), PENDING];
        assert_eq!(of(device("Windows", "company", "windowsAzureADJoin")), joined);
        assert_eq!(of(Some(Sighting::Gone)), []);
    }

    #[test]
    fn what_nobody_has_seen_is_possible_and_not_a_no() {
        let unseen = [("factory-reset", 0, 1), ("retired-by-delete", 0, 1), ("bitlocker-suspended", 0, 1), PENDING];
        assert_eq!(counted(job("delete", &[]), None), unseen);
        assert_eq!(counted(job("delete", &[]), device("", "", "")), unseen);
        let maybe_joined = [("bitlocker-suspended", 0, 1), PENDING];
        assert_eq!(counted(job("retire", &[]), device("Windows", "", "windowsCoManagement")), maybe_joined);
        assert_eq!(counted(job("retire", &[]), device("macOS", "", "")), [PENDING]);
    }

    #[test]
    fn a_parameter_brings_its_consequence() {
        let keep = [("keepUserData", json!(true)), ("useProtectedWipe", json!(true))];
        assert_eq!(counted(job("wipe", &keep), None), [("may-not-start", 1, 0), PENDING]);
        assert_eq!(counted(job("wipe", &[]), None), [("erased", 1, 0), PENDING]);
        let user = counted(job("removeAllDevicesFromManagement", &[]), None);
        assert_eq!(user, [("every-device", 1, 0), ("retires-not-counted", 0, 1), ("bitlocker-suspended", 0, 1)]);
        assert_eq!(counted(job("syncDevice", &[]), None), []);
    }
}
