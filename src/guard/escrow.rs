//! Nothing irreversible is done to a device whose secrets have to be on file and are not.
//!
//! In: the rules, jobs, what was found out about the keys of each one's device. Out: which jobs are held, and why. Must not:
//! read, or let a device pass of which it is not known.

use jiff::Timestamp;

use super::overrides::Override;
use super::preflight::{Hold, Preflight, after_held};
use super::rule::{Guard, Rule};
use super::rules::Rules;
use crate::catalog::{Action, Bearing, Secret, bearing};
use crate::escrow::{Finding, KeyStatus, Keys};
use crate::job::Job;

/// Who asks, and when: overrides are for a plan, and end.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    pub rules: &'a Rules,
    /// The plan's name.
    pub plan: Option<&'a str>,
    pub now: Timestamp,
}

/// What is lacking of those secrets, in words; empty where nothing is. What is told of several for one reason is told once.
pub(crate) fn lacking(keys: &Keys, secrets: &[Secret]) -> Vec<String> {
    let mut told: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for secret in secrets {
        let finding = keys.of(*secret);
        let what = secret.row().what;
        match told.iter_mut().find(|(known, _)| *known == finding) {
            _ if matches!(finding.status, KeyStatus::OnFile | KeyStatus::NotApplicable) => {}
            Some((_, all)) => all.push(what),
            None => told.push((finding, vec![what])),
        }
    }
    told.into_iter().map(|(finding, what)| sentence(finding, &what)).collect()
}

fn sentence(finding: &Finding, what: &[&str]) -> String {
    let are = if what.len() == 1 { "is" } else { "are" };
    let why = finding.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let (all, none) = (what.join(" or a "), what.join(" and no "));
    match finding.status {
        KeyStatus::Missing => format!("no {none} {are} on file{why}"),
        KeyStatus::Forbidden => format!("no permission to check whether a {all} is on file{why}"),
        _ => format!("unknown whether a {all} is on file{why}"),
    }
}

/// The override of that rule for an action, if one is in force.
pub(super) fn lifted_by(rule: &Rule, action: &Action, asking: Asking<'_>) -> Option<usize> {
    let lifts = |entry: &Override| {
        entry.is_about(rule) && entry.is_in_force(asking.plan, asking.now) && entry.covers(action.name)
    };
    asking.rules.overrides.iter().position(lifts)
}

/// Why the job is held, by all the rules that nobody has lifted.
fn why_held(job: &Job, keys: &Keys, asking: Asking<'_>) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    for rule in &asking.rules.stated {
        let Guard::RequireEscrow(secrets) = &rule.guard else { continue };
        let lacking = lacking(keys, secrets);
        if !lacking.is_empty() && lifted_by(rule, job.action, asking).is_none() {
            told.push(format!("{} ({} of {})", lacking.join(", "), rule.guard.name(), rule.origin));
        }
    }
    (!told.is_empty()).then(|| told.join("; "))
}

impl Preflight {
    /// Holds what the rules want keys for that are not on file, and the steps behind it. `keys` has one entry for each job.
    pub fn hold_unescrowed(&mut self, jobs: &[Job], keys: &[Option<Keys>], asking: Asking<'_>) {
        if !asking.rules.wants_keys() {
            return;
        }
        for (at, job) in jobs.iter().enumerate() {
            let keys = keys.get(at).and_then(Option::as_ref).filter(|_| bearing(job.action) != Bearing::None);
            let why = keys.and_then(|keys| why_held(job, keys, asking));
            if let Some(why) =
                why.map(|why| Hold::NotEscrowed(why.into())).or_else(|| after_held(job, jobs, &self.holds))
            {
                self.hold(at, why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Place;
    use crate::guard::overrides::Extent;
    use crate::guard::preflight;
    use crate::guard::rule::Origin;
    use crate::job::{Ids, JobParts};
    use proptest::prelude::*;

    const STATUSES: [KeyStatus; 5] =
        [KeyStatus::OnFile, KeyStatus::Missing, KeyStatus::NotApplicable, KeyStatus::Unknown, KeyStatus::Forbidden];
    const ACTIONS: [&str; 4] = ["wipe", "delete", "syncDevice", "deleteEntraDevice"];

    fn job(row: u32, action: &str, after: Option<u32>) -> Job {
        let action = Action::named(action).unwrap();
        let ids = Ids::new([format!("d{row}").as_str()]);
        let parts = JobParts {
            row,
            action,
            route: action.default_route(),
            ids,
            parameters: None,
            not_before: None,
            note: None,
            after,
        };
        Job::new(parts)
    }

    fn place(file: &str) -> Place {
        Place { line: Some(9), ..Place::file(file) }
    }

    fn rules(secrets: &[Secret], overridden: &[&str]) -> Rules {
        let origin = Origin::Plan(place("plan.yaml"));
        let entry = |action: &&str| Override {
            guard: "require_escrow".into(),
            actions: vec![(*action).into()],
            plan: None,
            allow: Extent::Whole,
            reason: "CHG1".into(),
            until: Timestamp::from_second(100).unwrap(),
            origin: origin.clone(),
        };
        Rules {
            stated: vec![Rule { guard: Guard::RequireEscrow(secrets.to_vec()), origin: origin.clone() }],
            overrides: overridden.iter().map(entry).collect(),
            ..Rules::default()
        }
    }

    fn held(jobs: &[Job], keys: &[Option<Keys>], rules: &Rules, second: i64) -> Vec<Option<String>> {
        let mut preflight = preflight::inspect(jobs, Timestamp::UNIX_EPOCH);
        let now = Timestamp::from_second(second).unwrap();
        preflight.hold_unescrowed(jobs, keys, Asking { rules, plan: None, now });
        let due = preflight.holds.iter().filter(|hold| hold.is_none()).count();
        assert_eq!(preflight.due as usize, due);
        preflight.holds.iter().map(|hold| hold.as_ref().map(ToString::to_string)).collect()
    }

    #[test]
    fn the_row_says_what_is_lacking_and_who_wants_it_and_what_comes_after_it_waits_in_vain() {
        let mut keys = Keys::all(&Finding::new(KeyStatus::OnFile));
        keys.set(Secret::Laps, Finding::because(KeyStatus::Unknown, "no answer"));
        let jobs = [job(1, "wipe", None), job(2, "deleteEntraDevice", Some(0)), job(3, "syncDevice", None)];
        let keys = [Some(keys), None, None];
        let told = held(&jobs, &keys, &rules(&[Secret::BitLocker, Secret::Laps], &[]), 0);
        let why = "unknown whether a LAPS password is on file: no answer (require_escrow of plan.yaml:9)";
        let after = "the step before it (row 1) is held";
        assert_eq!(told, [Some(why.to_owned()), Some(after.to_owned()), None]);
        assert_eq!(held(&jobs, &keys, &rules(&[Secret::BitLocker], &[]), 0), [None, None, None]);
    }

    proptest! {
        /// A job goes out only if nothing bears on keys, everything wanted is on file or cannot be, or an override in force
        /// names its action.
        #[test]
        fn nothing_goes_without_a_yes(
            rows in prop::collection::vec((0..ACTIONS.len(), 0..5usize, 0..5usize), 1..8),
            laps in any::<bool>(),
            lifted in prop::sample::subsequence(&ACTIONS[..2], 0..=2),
            second in 0..200i64,
        ) {
            let jobs: Vec<_> = rows.iter().zip(1..).map(|((action, ..), row)| job(row, ACTIONS[*action], None)).collect();
            let keys: Vec<_> = rows.iter().map(|(_, bitlocker, laps)| {
                let mut keys = Keys::all(&Finding::new(KeyStatus::Missing));
                keys.set(Secret::BitLocker, Finding::new(STATUSES[*bitlocker]));
                keys.set(Secret::Laps, Finding::new(STATUSES[*laps]));
                Some(keys)
            }).collect();
            let secrets = if laps { vec![Secret::BitLocker, Secret::Laps] } else { vec![Secret::BitLocker] };
            let told = held(&jobs, &keys, &rules(&secrets, &lifted), second);
            for ((action, bitlocker, of_laps), told) in rows.iter().zip(told) {
                let good = |at: usize| at == 0 || at == 2;
                let all_good = good(*bitlocker) && (!laps || good(*of_laps));
                let free = *action >= 2 || (second < 100 && lifted.contains(&ACTIONS[*action]));
                prop_assert_eq!(told.is_none(), all_good || free, "{:?}", told);
            }
        }
    }
}
