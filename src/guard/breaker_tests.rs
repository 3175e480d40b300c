//! The breaker against an oracle that looks at everything that has happened so far, each time anew.

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::catalog::Action;
use crate::outcome::ServiceError;

const ACTIONS: [&str; 2] = ["retire", "wipe"];

fn action(index: usize) -> &'static Action {
    Action::named(ACTIONS[index]).unwrap()
}

/// How one job settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    action: usize,
    outcome: Outcome,
    status: u16,
}

fn settlement(end: End) -> Settlement {
    Settlement {
        outcome: end.outcome,
        http_status: Some(end.status),
        error: ServiceError::new((end.status == 400).then(|| "Bad".into()), None),
        duration_ms: 0,
        ..Settlement::unsent(Outcome::Failed, "")
    }
}

/// Whether a limit is passed, by the words of the documentation, counted from the whole past.
fn passed(limits: StopWhen, repeated: u32, past: &[End]) -> Option<&'static str> {
    let count = |outcome| past.iter().filter(|end| end.outcome == outcome).count() as u32;
    let is_failure = |end: &&End| matches!(end.outcome, Outcome::Failed | Outcome::NotFound);
    let failed = past.iter().filter(is_failure).count() as u32;
    let is_good = |end: &End| end.outcome.standing() == Standing::Good;
    let since_good = past.iter().rposition(is_good).map_or(0, |at| at + 1);
    let row = past[since_good..].iter().filter(is_failure).count() as u32;
    if limits.failures.is_some_and(|limit| failed > limit) {
        return Some("failures");
    }
    if limits.unknown.is_some_and(|limit| count(Outcome::Unknown) > limit) {
        return Some("unknown");
    }
    if limits.consecutive_failures.is_some_and(|limit| row > limit) {
        return Some("consecutive_failures");
    }
    if let Some(Share { percent, min_sample }) = limits.failure_percent {
        let sample = past.len().max(min_sample as usize);
        if f64::from(failed) / sample as f64 > f64::from(percent) / 100.0 + 1e-12 {
            return Some("failure_percent");
        }
    }
    for action in 0..ACTIONS.len() {
        let own: Vec<&End> = past.iter().filter(|end| end.action == action).collect();
        let from = own.iter().rposition(|end| is_good(end)).map_or(0, |at| at + 1);
        let not_found = own.iter().filter(|end| end.outcome == Outcome::NotFound).count() as u32;
        if from == 0 && not_found > repeated {
            return Some("repeated_refusal");
        }
        for bad in [(400, Outcome::Failed), (403, Outcome::Failed), (500, Outcome::Unknown)] {
            let same = |end: &&&End| (end.status, end.outcome) == bad;
            if own[from..].iter().filter(same).count() as u32 > repeated {
                return Some("repeated_refusal");
            }
        }
    }
    None
}

fn limits() -> impl Strategy<Value = StopWhen> {
    let some = |most: u32| proptest::option::of(1..most);
    let share = proptest::option::of(
        (1u32..100, 0u32..60)
            .prop_map(|(percent, more)| Share { percent, min_sample: Share::smallest_sample(percent) + more }),
    );
    (some(12), share, some(8), some(4), some(30)).prop_map(
        |(failures, failure_percent, consecutive_failures, unknown, repeated_refusal)| StopWhen {
            failures,
            failure_percent,
            consecutive_failures,
            unknown,
            repeated_refusal,
        },
    )
}

/// How a job ends, in a tenant that is as bad as `badness`.
fn end(rng: &mut Rng, action: usize, badness: f64) -> End {
    let (outcome, status) = match rng.f64() < badness {
        false => (Outcome::Accepted, 204),
        true => match rng.u8(0..10) {
            0 => (Outcome::Unknown, 500),
            1 => (Outcome::AwaitingApproval, 412),
            2 => (Outcome::NotAttempted, 429),
            3 => (Outcome::Failed, 500),
            4 | 5 => (Outcome::Failed, 400),
            6 | 7 => (Outcome::NotFound, 404),
            _ => (Outcome::Failed, 403),
        },
    };
    End { action, outcome, status }
}

/// All that is out ends as badly as it can, and one more job too: is a limit passed?
fn worst_case(limits: StopWhen, repeated: u32, past: &[End], out: &[usize], next: usize) -> bool {
    let worst = [(Outcome::Failed, 403), (Outcome::Failed, 400), (Outcome::NotFound, 404), (Outcome::Unknown, 500)];
    worst.into_iter().any(|(outcome, status)| {
        let mut future = past.to_vec();
        let bad = |action| End { action, outcome, status };
        // A refusal is only one's own: the other action's jobs settle in another bad way.
        future.extend(out.iter().map(|action| bad(*action)).chain([bad(next)]));
        passed(limits, repeated, &future).is_some()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_of_outcomes_passes_a_limit_and_nobody_waits_in_vain(
        limits in limits(), concurrency in 1u16..64, badness in 0.0..1.0f64, seed: u64,
    ) {
        let mut rng = Rng::with_seed(seed);
        let repeated = limits.repeated_refusal.unwrap_or(REPEATED_REFUSAL);
        let limits = StopWhen { repeated_refusal: Some(repeated), ..limits };
        let mut breaker = Breaker::new(limits);
        let (mut past, mut out): (Vec<End>, Vec<usize>) = (Vec::new(), Vec::new());
        for _ in 0..400 {
            let next = rng.usize(0..ACTIONS.len());
            if out.len() < usize::from(concurrency) && rng.bool() {
                let admitted = breaker.admits(action(next));
                let risky = worst_case(limits, repeated, &past, &out, next);
                prop_assert_eq!(admitted, !risky, "seed {}: {:?} out {:?}", seed, past, out);
                if admitted {
                    breaker.sent(action(next));
                    out.push(next);
                }
                // Refused with nothing out: there is nothing to wait for, so it must have tripped, and say by what.
                let tripped = breaker.tripped();
                prop_assert!(admitted || !out.is_empty() || tripped.is_some(), "seed {}: stuck", seed);
            } else if !out.is_empty() {
                let one = out.swap_remove(rng.usize(0..out.len()));
                let end = end(&mut rng, one, badness);
                breaker.settled(action(one), &settlement(end));
                past.push(end);
                prop_assert_eq!(passed(limits, repeated, &past), None, "seed {}: {:?}", seed, past);
            }
            prop_assert_eq!(breaker.at_risk() as usize, out.len());
        }
    }

    #[test]
    fn what_has_tripped_lets_nothing_of_that_kind_leave(
        limits in limits(), seed: u64,
    ) {
        let mut rng = Rng::with_seed(seed);
        let mut breaker = Breaker::new(limits);
        for _ in 0..200 {
            let next = rng.usize(0..ACTIONS.len());
            match (breaker.tripped(), breaker.admits(action(next))) {
                (Some(Trip::RepeatedRefusal { action: refused, .. } | Trip::NothingFound { action: refused, .. }), admitted) => {
                    prop_assert!(!admitted || refused != ACTIONS[next], "seed {}", seed);
                    break;
                }
                (Some(_), admitted) => {
                    prop_assert!(!admitted, "seed {}", seed);
                    break;
                }
                (None, admitted) => prop_assert!(admitted, "seed {}: one at a time, and it waits", seed),
            }
            breaker.sent(action(next));
            breaker.settled(action(next), &settlement(end(&mut rng, next, 0.4)));
        }
    }
}

fn one_by_one(limits: StopWhen, ends: impl IntoIterator<Item = (Outcome, u16)>) -> (usize, Option<String>) {
    let mut breaker = Breaker::new(limits);
    let mut sent = 0;
    for (outcome, status) in ends {
        if breaker.tripped().is_some() || !breaker.admits(action(0)) {
            break;
        }
        breaker.sent(action(0));
        breaker.settled(action(0), &settlement(End { action: 0, outcome, status }));
        sent += 1;
    }
    (sent, breaker.tripped().map(|trip| trip.to_string()))
}

#[test]
fn twenty_equal_refusals_stop_a_run_whose_plan_says_nothing() {
    let refused = std::iter::repeat_n((Outcome::Failed, 403), 100);
    let (sent, trip) = one_by_one(StopWhen::default(), refused);
    assert_eq!(sent, 20);
    let words = "20 jobs of retire in a row got the same 403 (stop_when: repeated_refusal: 20)";
    assert_eq!(trip.as_deref(), Some(words));
    let now_and_then = (0..100).map(|number| match number % 20 {
        19 => (Outcome::Accepted, 204),
        _ => (Outcome::Failed, 403),
    });
    assert_eq!(one_by_one(StopWhen::default(), now_and_then), (100, None));
    let gateway = std::iter::repeat_n((Outcome::Failed, 502), 100);
    assert_eq!(one_by_one(StopWhen::default(), gateway), (100, None), "a gateway's trouble is no refusal");
}

#[test]
fn targets_that_are_not_found_stop_a_run_only_while_none_was() {
    let strangers = std::iter::repeat_n((Outcome::NotFound, 404), 100);
    let (sent, trip) = one_by_one(StopWhen::default(), strangers.clone());
    assert_eq!(sent, 20);
    assert!(trip.is_some_and(|trip| trip.contains("none of the targets of 20 jobs of retire was found")));
    let one_was = std::iter::once((Outcome::Accepted, 204)).chain(strangers.clone());
    assert_eq!(one_by_one(StopWhen::default(), one_was), (101, None));
    let one_was_later = strangers.clone().take(19).chain([(Outcome::Accepted, 204)]).chain(strangers.clone());
    assert_eq!(one_by_one(StopWhen::default(), one_was_later), (120, None));
    // Whoever counts failures counts them all the same.
    let limits = StopWhen { failures: Some(3), ..StopWhen::default() };
    assert_eq!(one_by_one(limits, strangers).0, 3);
}

#[test]
fn the_built_in_limit_slows_nothing_until_something_is_refused() {
    let mut breaker = Breaker::new(StopWhen::default());
    for _ in 0..64 {
        assert!(breaker.admits(action(0)));
        breaker.sent(action(0));
    }
    let refused = End { action: 0, outcome: Outcome::Failed, status: 403 };
    for settled in 1..=REPEATED_REFUSAL {
        assert!(breaker.tripped().is_none(), "after {}", settled - 1);
        breaker.settled(action(0), &settlement(refused));
        assert!(!breaker.admits(action(0)), "what is out may all be refused");
    }
    assert!(breaker.tripped().is_some());
}

#[test]
fn a_percentage_begins_with_its_sample_and_grows_with_what_went_well() {
    let limits = StopWhen { failure_percent: Some(Share { percent: 10, min_sample: 20 }), ..StopWhen::default() };
    let mut breaker = Breaker::new(limits);
    let out_at_once = |breaker: &mut Breaker| {
        let before = breaker.at_risk();
        while breaker.admits(action(0)) {
            breaker.sent(action(0));
        }
        breaker.at_risk() - before
    };
    assert_eq!(out_at_once(&mut breaker), 2, "a tenth of twenty");
    let good = End { action: 0, outcome: Outcome::Accepted, status: 204 };
    for _ in 0..2 {
        breaker.settled(action(0), &settlement(good));
    }
    for _ in 0..98 {
        breaker.sent(action(0));
        breaker.settled(action(0), &settlement(good));
    }
    assert_eq!(out_at_once(&mut breaker), 11, "eleven of a hundred and eleven");
    let (sent, trip) = one_by_one(limits, std::iter::repeat_n((Outcome::Failed, 500), 9));
    assert_eq!(sent, 2);
    let words =
        "2 of 2 jobs failed, and one more would exceed 10 % of 20 (stop_when: failure_percent: 10, min_sample: 20)";
    assert_eq!(trip.as_deref(), Some(words));
}

#[test]
fn trips_read_well() {
    let failing = |limits| one_by_one(limits, std::iter::repeat_n((Outcome::Failed, 500), 9)).1.unwrap_or_default();
    let none = StopWhen::default();
    assert_eq!(failing(StopWhen { failures: Some(1), ..none }), "1 job failed (stop_when: failures: 1)");
    assert_eq!(
        failing(StopWhen { consecutive_failures: Some(5), ..none }),
        "5 jobs failed one after the other (stop_when: consecutive_failures: 5)"
    );
    let unknown = one_by_one(StopWhen { unknown: Some(1), ..none }, [(Outcome::Unknown, 500)]);
    assert_eq!(unknown.1.as_deref(), Some("the outcome of 1 job is unknown (stop_when: unknown: 1)"));
}

#[test]
fn of_two_limits_the_tighter_one_holds() {
    let share = |percent, min_sample| Some(Share { percent, min_sample });
    let plan = StopWhen { failures: Some(5), failure_percent: share(2, 50), ..StopWhen::default() };
    let policy =
        StopWhen { failures: Some(3), unknown: Some(1), failure_percent: share(10, 20), ..StopWhen::default() };
    let both = StopWhen { failures: Some(3), unknown: Some(1), failure_percent: share(2, 50), ..StopWhen::default() };
    assert_eq!((plan.and(policy), policy.and(plan)), (both, both));
}

#[test]
fn rounds_are_counted_together_and_what_comes_up_again_counts_once() {
    let limits = StopWhen { failures: Some(3), unknown: Some(2), ..StopWhen::default() };
    let end = |outcome| settlement(End { action: 0, outcome, status: 204 });
    let mut breaker = Breaker::new(limits);
    for (job, outcome) in
        [(1, Outcome::Unknown), (2, Outcome::Failed), (3, Outcome::AwaitingApproval), (4, Outcome::Failed)]
    {
        breaker.sent(action(0));
        breaker.settled(action(0), &end(outcome));
        if outcome.standing() == Standing::Open {
            breaker.left_open(job, outcome);
        }
    }
    let mut breaker = breaker.next_round();
    assert_eq!((breaker.settled, breaker.failed, breaker.unknown), (4, 2, 1));
    // A read has shown that the first one went well; the third has been approved, and fails.
    assert!(breaker.taken_up(1));
    breaker.count(action(0), &end(Outcome::Accepted));
    assert!(breaker.taken_up(3) && !breaker.taken_up(3) && !breaker.taken_up(2));
    breaker.sent(action(0));
    assert_eq!((breaker.settled, breaker.at_risk(), breaker.unknown, breaker.tripped()), (3, 1, 0, None));
    breaker.settled(action(0), &end(Outcome::Failed));
    assert_eq!((breaker.settled, breaker.tripped()), (4, Some(Trip::Failures { limit: 3 })));
}
