//! Tests of the verdict: merging never loosens, and what is counted is what a slow count says.
//!
//! In: made-up jobs and rules. Out: verdicts on verdicts. Must not: need a file or a tenant.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::preflight;
use super::super::protected::ProtectedEntry;
use super::super::rule::Origin;
use jiff::Timestamp;

use super::super::overrides::Override;
use super::*;
use crate::catalog::ACTIONS;
use crate::guard::window::RunWindow;
use crate::job::{Ids, JobParts};

const NOW: Timestamp = Timestamp::constant(1_795_500_000, 0);

fn job(row: u32, action: &str, target: &str) -> Job {
    let action = Action::named(action).unwrap();
    Job::new(JobParts::plain(row, action, Ids::new([target])))
}

fn at(origin: fn(Place) -> Origin, file: &str, line: usize) -> Origin {
    origin(Place { line: Some(line), ..Place::file(file) })
}

fn rule(guard: Guard, origin: Origin) -> Rule {
    Rule { guard, origin }
}

fn judged(jobs: &[Job], rules: Rules) -> Judgement {
    let mut found = preflight::inspect(jobs, NOW);
    found.hold_protected(jobs, &rules.protected, &[]);
    let about = RunFacts { plan: None, justified: false, now: NOW, begins: true, keys: &[] };
    let mut verdict = judge(jobs, &found.holds, rules, about, |job| Place::file(format!("job {job}")));
    verdict.check_fleet(20);
    verdict
}

/// The places of the rules that refuse, each once.
fn refusing(verdict: &Judgement) -> BTreeSet<String> {
    let errors = verdict.faults.iter().filter(|fault| fault.code != "contradiction");
    let errors = errors.filter(|fault| fault.severity == crate::diagnostics::Severity::Error);
    errors.filter_map(|fault| fault.place.as_ref()).map(|place| format!("{}:{:?}", place.file, place.line)).collect()
}

fn an_action() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ACTIONS.iter().map(|action| action.name).collect::<Vec<_>>())
}

fn some_jobs() -> impl Strategy<Value = Vec<Job>> {
    let jobs = prop::collection::vec((an_action(), 0..12_u8), 0..25);
    jobs.prop_map(|jobs| {
        let job = |(row, (action, target)): (u32, (&str, u8))| {
            // Written in two ways, and meant as one.
            let name = if row % 2 == 0 { format!("t{target}@x.com") } else { format!("T{target}@X.com") };
            job(row, action, &name)
        };
        (1..).zip(jobs).map(job).collect()
    })
}

fn a_guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        (0..15_u32).prop_map(Guard::MaxTargets),
        (an_action(), 0..6_u32).prop_map(|(action, limit)| Guard::MaxPerAction { action: action.into(), limit }),
        (0..=10_000_u16).prop_map(|share| Guard::MaxPercentOfFleet(Percent(share))),
        prop::collection::vec(an_action().prop_map(Box::from), 1..4).prop_map(Guard::AllowActions),
        prop::collection::vec(an_action().prop_map(Box::from), 1..4).prop_map(Guard::DenyActions),
        Just(Guard::RequireJustification),
        (0..23_u16)
            .prop_map(|hour| RunWindow::new([true; 7], hour * 60, hour * 60 + 60, "UTC").unwrap())
            .prop_map(Guard::Window),
    ]
}

fn an_override(origin: fn(Place) -> Origin, file: &'static str) -> impl Strategy<Value = Override> {
    const GUARDS: [&str; 6] =
        ["max_targets", "max_per_action", "max_percent_of_fleet", "allow_actions", "deny_actions", "window"];
    let actions = prop::collection::vec(an_action().prop_map(Box::from), 0..3);
    (prop::sample::select(&GUARDS[..]), actions, 0..30_u32, -1..2_i64).prop_map(move |(guard, actions, allow, days)| {
        Override {
            guard: guard.into(),
            actions,
            plan: None,
            allow: match guard {
                "max_targets" | "max_per_action" => Extent::Count(allow),
                "max_percent_of_fleet" => Extent::Percent(Percent(u16::try_from(allow * 300).unwrap())),
                _ => Extent::Whole,
            },
            reason: "a reason".into(),
            until: Timestamp::from_second(NOW.as_second() + days * 86_400 + 1).unwrap(),
            origin: at(origin, file, 100),
        }
    })
}

fn rules(origin: fn(Place) -> Origin, file: &'static str) -> impl Strategy<Value = Rules> {
    let entry = (0..12_u8, any::<bool>()).prop_map(|(target, pattern)| {
        let text = if pattern { format!("t{target}*") } else { format!("t{target}@x.com") };
        ProtectedEntry::new(&text, &"list".into(), 1)
    });
    let guards = prop::collection::vec(a_guard(), 0..5);
    let lists = prop::collection::vec(entry, 0..3);
    (guards, lists, prop::collection::vec(an_override(origin, file), 0..4)).prop_map(
        move |(guards, list, overrides)| {
            let stated = (1..).zip(guards).map(|(line, guard)| rule(guard, at(origin, file, line))).collect();
            Rules { stated, protected: list.into(), overrides, ..Rules::default() }
        },
    )
}

#[test]
fn what_stood_when_it_was_asked_may_have_ended_when_it_is_answered() {
    let hour = NOW.to_zoned(jiff::tz::TimeZone::UTC).hour() as u16;
    let window = Guard::Window(RunWindow::new([true; 7], hour * 60, hour * 60 + 60, "UTC").unwrap());
    let origin = || at(Origin::Policy, "policy", 1);
    let later = |hours: i64| NOW.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap();
    let jobs = [job(1, "retire", "t1"), job(2, "retire", "t2")];
    let stated = vec![rule(window, origin())];
    let verdict = judged(&jobs, Rules { stated, ..Rules::default() });
    assert!(!verdict.faults.has_errors() && !verdict.ended_by(NOW).has_errors());
    assert!(verdict.ended_by(later(1)).iter().any(|fault| fault.code == "window"));
    let lifted = Override {
        guard: "max_targets".into(),
        actions: Vec::new(),
        plan: None,
        allow: Extent::Count(9),
        reason: "a reason".into(),
        until: later(2),
        origin: at(Origin::Policy, "policy", 9),
    };
    let stated = vec![rule(Guard::MaxTargets(1), origin())];
    let verdict = judged(&jobs, Rules { stated, overrides: vec![lifted], ..Rules::default() });
    assert!(!verdict.faults.has_errors() && !verdict.ended_by(later(1)).has_errors());
    assert!(verdict.ended_by(later(2)).iter().any(|fault| fault.code == "override-ended"));
}

#[test]
fn a_policy_about_actions_speaks_of_those_that_a_plan_defines() {
    let poke = crate::catalog::Definition {
        name: "pokeDevice".into(),
        method: "POST".into(),
        version: "beta".into(),
        path: "/deviceManagement/managedDevices/{managedDeviceId}/poke".into(),
        body: None,
        parameters: Vec::new(),
        success: Vec::new(),
    };
    let jobs = [Job::new(JobParts::plain(1, poke.action().unwrap(), Ids::new(["t1"])))];
    let policy = |file, line, guard| rule(guard, at(Origin::Policy, file, line));
    let allow = |file| policy(file, 9, Guard::AllowOwnActions(vec!["pokeDevice".into()]));
    let refuses = |stated: Vec<Rule>| refusing(&judged(&jobs, Rules { stated, ..Rules::default() })).len();
    let about = [
        Guard::AllowActions(vec!["retire".into()]),
        Guard::DenyActions(vec!["wipe".into()]),
        Guard::MaxPerAction { action: "wipe".into(), limit: 1 },
    ];
    for guard in about {
        let of = |file: &'static str| policy(file, 1, guard.clone());
        assert_eq!(refuses(vec![of("policy")]), 1, "{guard:?}");
        assert_eq!(refuses(vec![of("policy"), allow("policy")]), 0, "{guard:?}");
        assert_eq!(refuses(vec![of("policy"), allow("another")]), 1, "no policy loosens another: {guard:?}");
        assert_eq!(refuses(vec![of("one"), allow("one"), of("two")]), 1, "{guard:?}");
    }
    assert_eq!(refuses(vec![policy("policy", 1, Guard::MaxTargets(9))]), 0, "it says nothing of actions");
    let other = Guard::AllowOwnActions(vec!["other".into()]);
    assert_eq!(refuses(vec![policy("policy", 1, other)]), 0, "it says nothing of the catalog's");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever a policy refuses or holds by itself, it refuses or holds beside any plan.
    #[test]
    fn a_plan_never_loosens_a_policy(jobs in some_jobs(), policy in rules(Origin::Policy, "policy"), plan in rules(Origin::Plan, "plan")) {
        // Whom the plan protects is out of the count, so that there is less to refuse; that is no loosening.
        let plan = Rules { protected: policy.protected.clone(), ..plan };
        let alone = refusing(&judged(&jobs, policy.clone()));
        let together = refusing(&judged(&jobs, policy.and(plan)));
        prop_assert!(alone.is_subset(&together), "alone {alone:?}, together {together:?}");
    }

    /// What either of them protects is protected.
    #[test]
    fn a_target_that_either_protects_is_held(jobs in some_jobs(), policy in rules(Origin::Policy, "policy"), plan in rules(Origin::Plan, "plan")) {
        let covers = |list: &super::super::protected::Protected, job: &Job| list.covers(job, None).is_some();
        let both = policy.clone().and(plan.clone());
        for job in &jobs {
            let either = covers(&policy.protected, job) || covers(&plan.protected, job);
            prop_assert_eq!(covers(&both.protected, job), either);
        }
    }

    /// The one hashed pass counts what sets of folded names count.
    #[test]
    fn the_census_is_what_a_slow_count_says(jobs in some_jobs(), names in prop::collection::btree_set(an_action(), 0..5)) {
        let found = preflight::inspect(&jobs, NOW);
        let census = census::take(&jobs, &found.holds, |_, _| {});
        let due = jobs.iter().zip(&found.holds).filter(|(job, hold)| hold.is_none() && names.contains(job.action.name));
        let slow: BTreeSet<_> = due.map(|(job, _)| job.target().to_lowercase()).collect();
        let set = ActionSet::of(|action| names.contains(action.name));
        prop_assert_eq!(census.targets(set) as usize, slow.len());
        for limit in 0..slow.len() {
            let beyond = census::first_beyond(&jobs, &found.holds, set, limit as u32).unwrap();
            let before = jobs[..beyond].iter().zip(&found.holds);
            let before = before.filter(|(job, hold)| hold.is_none() && names.contains(job.action.name));
            let before: BTreeSet<_> = before.map(|(job, _)| job.target().to_lowercase()).collect();
            prop_assert_eq!(before.len(), limit);
        }
    }

    /// The journal keeps rules whole.
    #[test]
    fn rules_read_back_as_they_were_written(rules in rules(Origin::Plan, "plan")) {
        let text = serde_json::to_string(&rules).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
    }
}

#[test]
fn every_action_of_the_catalog_has_a_place_in_a_set() {
    assert!(ACTIONS.len() <= 96);
    assert!(ACTIONS.iter().all(|action| ActionSet::all().holds(action)));
}

#[test]
fn the_default_holds_only_where_nothing_is_stated() {
    let jobs: Vec<_> = (0..51).map(|row| job(row, "retire", &format!("t{row}"))).collect();
    let refused = |rules: Rules| judged(&jobs, rules.or_default()).faults.has_errors();
    assert!(refused(Rules::default()));
    let stated = rule(Guard::MaxTargets(51), at(Origin::Plan, "plan", 1));
    assert!(!refused(Rules { stated: vec![stated], ..Rules::default() }));
    let harmless: Vec<_> = (0..51).map(|row| job(row, "syncDevice", &format!("t{row}"))).collect();
    assert!(!judged(&harmless, Rules::default().or_default()).faults.has_errors());
}

#[test]
fn a_closed_window_refuses_a_run_and_warns_a_preview() {
    let window =
        RunWindow::new([false, false, false, false, false, true, true], 22 * 60, 4 * 60, "Europe/Berlin").unwrap();
    let rules = Rules { stated: vec![rule(Guard::Window(window), at(Origin::Plan, "plan", 4))], ..Rules::default() };
    let told = |now: &str, begins| {
        let about = RunFacts { plan: None, justified: false, now: now.parse().unwrap(), begins, keys: &[] };
        let verdict = judge(&[], &[], rules.clone(), about, |_| Place::file("plan"));
        verdict.faults.iter().map(|fault| (fault.severity, fault.message.clone())).collect::<Vec<_>>()
    };
    use crate::diagnostics::Severity::{Error, Warning};
    let closed = "window: runs begin sat, sun 22:00-04:00 Europe/Berlin (plan:4), and it is 2026-11-21T20:59:59Z now; \
                  it opens at 2026-11-21 21:00:00 UTC";
    assert_eq!(told("2026-11-21T20:59:59Z", true), [(Error, closed.to_owned())]);
    assert_eq!(told("2026-11-21T20:59:59Z", false), [(Warning, closed.to_owned())]);
    assert_eq!(told("2026-11-21T21:00:00Z", true), []);
}
