//! Whether somebody has to agree to the number of jobs before anything is sent.
//!
//! In: jobs, and what holds them. Out: whether one of them cannot be taken back, or much is changed. Must not: ask, or know how many
//! are allowed; a limit is another rule ([`super::rules`]).

use std::collections::HashSet;

use super::preflight::Hold;
use crate::catalog::Risk;
use crate::job::Job;

/// More targets than these are agreed to whatever is changed about them.
pub(crate) const MANY: usize = 50;

pub(crate) fn is_needed(jobs: &[Job], holds: &[Option<Hold>]) -> bool {
    let sent = || jobs.iter().zip(holds).filter(|(_, hold)| hold.is_none()).map(|(job, _)| job);
    if sent().any(|job| job.action.risk.wants_confirmation()) {
        return true;
    }
    let mut changed: HashSet<String> = HashSet::new();
    sent().filter(|job| job.action.risk > Risk::Harmless).any(|job| {
        changed.insert(job.target().to_ascii_lowercase());
        changed.len() > MANY
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::guard::preflight;
    use crate::job::{Ids, JobParts};

    fn asks(action: &str, targets: usize, held: usize) -> bool {
        let action = Action::named(action).unwrap();
        let jobs: Vec<Job> = (0..targets)
            .map(|at| Job::new(JobParts::plain(at as u32 + 1, action, Ids::new([format!("id-{at}").as_str()]))))
            .collect();
        let mut holds = preflight::inspect(&jobs, jiff::Timestamp::UNIX_EPOCH).holds;
        holds.iter_mut().take(held).for_each(|hold| *hold = Some(Hold::Removed));
        is_needed(&jobs, &holds)
    }

    #[test]
    fn one_that_cannot_be_taken_back_is_asked_about_and_many_that_change_something() {
        assert!(asks("wipe", 1, 0) && !asks("wipe", 1, 1));
        assert!(!asks("disableUser", MANY, 0) && asks("disableUser", MANY + 1, 0));
        assert!(!asks("setDeviceName", MANY + 1, 1));
        assert!(!asks("syncDevice", 10 * MANY, 0));
    }
}
