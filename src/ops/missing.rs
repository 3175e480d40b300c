//! What a run keeps of `missing`, so that `resume` goes on by what was agreed to.
//!
//! In: jobs, or what the journal has kept. Out: the one from the other. Must not: decide what `missing` means.

use serde::{Deserialize, Serialize};

use crate::catalog::Missing;
use crate::job::Job;

/// So many jobs in a row, from that index on, of which the same was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobSpan {
    first: u32,
    jobs: u32,
    missing: Missing,
}

/// What is said of the jobs, as short as it can be written. Jobs of which nothing is said are in no span.
pub(super) fn spans(jobs: &[Job]) -> Vec<JobSpan> {
    let mut spans: Vec<JobSpan> = Vec::new();
    for (index, job) in (0u32..).zip(jobs) {
        let Some(missing) = job.missing else { continue };
        match spans.last_mut().filter(|last| last.missing == missing && last.first + last.jobs == index) {
            Some(last) => last.jobs += 1,
            None => spans.push(JobSpan { first: index, jobs: 1, missing }),
        }
    }
    spans
}

/// Says it of the jobs again. A policy that refuses such rows today is stricter than whatever was said.
pub(super) fn apply(spans: &[JobSpan], jobs: &mut [Job], refused_by_policy: bool) {
    for JobSpan { first, jobs: count, missing } in spans {
        let of_span = jobs.iter_mut().skip(*first as usize).take(*count as usize);
        of_span.for_each(|job| job.missing = Some(*missing));
    }
    if refused_by_policy {
        jobs.iter_mut().for_each(|job| job.missing = Some(Missing::Refuse));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_says_the_same_again(said in proptest::collection::vec(0..4_usize, 0..40)) {
            let action = Action::named("retire").unwrap();
            let job = |row| Job::new(JobParts::plain(row, action, Ids::new(["x"])));
            let said: Vec<_> = said.into_iter().map(|at| Missing::ALL.get(at).copied()).collect();
            let mut jobs: Vec<Job> = (1..).zip(&said).map(|(row, missing)| Job { missing: *missing, ..job(row) }).collect();
            let kept = spans(&jobs);
            jobs.iter_mut().for_each(|job| job.missing = None);
            apply(&kept, &mut jobs, false);
            prop_assert_eq!(jobs.iter().map(|job| job.missing).collect::<Vec<_>>(), said);
            apply(&kept, &mut jobs, true);
            prop_assert!(jobs.iter().all(|job| job.missing == Some(Missing::Refuse)));
        }
    }
}
