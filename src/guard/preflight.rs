//! What can be said about a plan's jobs before the first request.
//!
//! In: jobs in plan order, and the time. Out: [`Preflight`]: which jobs are held or not due, and why; how many will be
//! sent. Preview and run use the same one. Must not: change jobs or read files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;

use super::crowd::HashCounts;
use super::drift::Sighting;
use super::lookout::is_compared;
use super::protected::Protected;
use crate::catalog::Missing;
use crate::job::{Job, JobId, Unfound};
use crate::moment::moment;
use crate::outcome::{Cause, Ending, Outcome, Unsent};

/// Why a job is not sent in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// An earlier row of the plan is the same job.
    Duplicate { of_row: u32 },
    /// Its `notBefore` has not come.
    NotDue { until: Timestamp },
    /// The same, and it is looked up only then.
    NotLookedUp { until: Timestamp },
    /// The step before it is held.
    AfterHeld { row: u32 },
    /// An earlier run of the plan has done it.
    Done,
    /// A run that is under way has sent it, and has not settled it.
    LeftTo { run: Arc<str> },
    /// A job of another plan is open on its target, and this may not follow it; the text says which.
    OpenElsewhere(Arc<str>),
    /// The plan that the run was begun with has lost it since.
    Removed,
    /// Nothing is done to its target; the text says which entry of which list covers it.
    Protected(Arc<str>),
    /// What an entry of such a list stands for could not be read, and it may be its target.
    MaybeProtected(Arc<str>),
    /// Its target could not be read when the preview was made, and what it does cannot be taken back.
    Unseen,
    /// The name of a user that it was made of leads to nobody, or to somebody else today; the text says so.
    Moved(Arc<str>),
    /// A secret of its device that has to be on file is not; the text says which.
    NotEscrowed(Arc<str>),
    /// A guard forbids its action since the run was begun; the text says which.
    Denied(Arc<str>),
    /// Looking up has found several by what the plan says of it; the text names them.
    Several(Arc<str>),
    /// Nothing is left to do for it; the text says why.
    NothingLeft(Arc<str>),
    /// Looking up has found nothing by what the plan says of it. `done`: the plan takes that for done.
    NotThere { by: Box<str>, done: bool },
}

impl Hold {
    /// Whether it takes the journal or the tenant to know, or rows that were looked up: a plan alone does not tell.
    pub fn needs_lookup(&self) -> bool {
        match self {
            Self::Duplicate { .. } | Self::NotDue { .. } | Self::NotLookedUp { .. } => false,
            Self::AfterHeld { .. } | Self::Removed => false,
            Self::Done | Self::LeftTo { .. } | Self::Protected(_) | Self::MaybeProtected(_) | Self::Unseen => true,
            Self::Moved(_) | Self::NotEscrowed(_) | Self::Denied(_) | Self::NotThere { .. } => true,
            Self::Several(_) | Self::NothingLeft(_) => true,
            Self::OpenElsewhere(_) => true,
        }
    }

    /// How a held job settles.
    pub fn outcome(&self) -> Outcome {
        self.cause().map_or(Outcome::AlreadyDone, Cause::outcome)
    }

    /// `None`: it is taken for done.
    pub fn cause(&self) -> Option<Cause> {
        Some(match self {
            Self::Duplicate { .. } => Cause::Duplicate,
            Self::NotDue { .. } | Self::NotLookedUp { .. } => Cause::NotDue,
            Self::AfterHeld { .. } => Cause::StepBeforeHeld,
            Self::LeftTo { .. } => Cause::LeftToAnotherRun,
            Self::OpenElsewhere(_) => Cause::OpenElsewhere,
            Self::Removed => Cause::NoLongerInPlan,
            Self::Protected(_) => Cause::Protected,
            Self::MaybeProtected(_) => Cause::MaybeProtected,
            Self::Unseen => Cause::TargetNotRead,
            Self::Moved(_) => Cause::NameMoved,
            Self::NotEscrowed(_) => Cause::KeyNotOnFile,
            Self::Denied(_) => Cause::Denied,
            Self::NotThere { done: false, .. } => Cause::TargetNotFound,
            Self::Several(_) => Cause::SeveralTargets,
            Self::Done | Self::NothingLeft(_) | Self::NotThere { done: true, .. } => return None,
        })
    }

    /// Why a held job is not sent; `None`: it is taken for done.
    pub fn unsent(&self) -> Option<Unsent> {
        self.cause().map(|cause| cause.with(self.facts()))
    }

    /// How a held job ends.
    pub fn ending(&self) -> Ending {
        match self.unsent() {
            Some(unsent) => unsent.into(),
            None => Ending::settled(Outcome::AlreadyDone, Some(self.to_string())),
        }
    }

    /// What there is to say beyond the cause.
    fn facts(&self) -> String {
        match self {
            Self::Duplicate { of_row: row } | Self::AfterHeld { row } => row.to_string(),
            Self::NotDue { until } => moment(*until),
            Self::NotLookedUp { until } => format!("{}; looked up when due", moment(*until)),
            Self::LeftTo { run } => run.to_string(),
            Self::Protected(why) | Self::MaybeProtected(why) => why.to_string(),
            Self::Moved(why) | Self::NotEscrowed(why) | Self::Denied(why) => why.to_string(),
            Self::Several(why) | Self::NothingLeft(why) | Self::OpenElsewhere(why) => why.to_string(),
            Self::Unseen => "its target could not be read for the preview".to_owned(),
            Self::NotThere { by, .. } => by.to_string(),
            Self::Done | Self::Removed => String::new(),
        }
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self, self.cause()) {
            (_, Some(cause)) => f.write_str(cause.with(self.facts()).note()),
            (Self::NotThere { by, .. }, None) => {
                write!(f, "no target found for {by} (missing: {})", Missing::Done.name())
            }
            (Self::NothingLeft(why), None) => f.write_str(why),
            (_, None) => f.write_str("done by an earlier run"),
        }
    }
}

/// The findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// One entry for every job, in plan order; `None` means that it will be sent.
    pub holds: Vec<Option<Hold>>,
    /// Jobs that will be sent.
    pub due: u32,
}

impl Preflight {
    /// Whether nothing holds the job at that index.
    pub fn is_sent(&self, index: usize) -> bool {
        self.holds.get(index).is_none_or(Option::is_none)
    }

    /// Takes out a job that an earlier run has done.
    pub fn leave_out(&mut self, index: usize) {
        self.hold(index, Hold::Done);
    }

    /// Holds what changes something where its target could not be read, and the steps behind it. `also`: whether that goes
    /// for a job that can be taken back as well; an older preview did not hold those.
    pub fn hold_unseen(&mut self, jobs: &[Job], sightings: &[Option<Sighting>], also: impl Fn(usize) -> bool) {
        for (index, (job, sighting)) in jobs.iter().zip(sightings).enumerate() {
            let compared = job.action.risk.wants_confirmation() || (is_compared(job.action) && also(index));
            let unseen = matches!(sighting, Some(Sighting::NotRead(_))) && compared;
            if let Some(why) = unseen.then_some(Hold::Unseen).or_else(|| after_held(job, jobs, &self.holds)) {
                self.hold(index, why);
            }
        }
    }

    /// Holds what is done to a protected target, whatever else holds it, and the steps behind it: as its ids tell, and what
    /// was seen of it when it was looked up or at. What only a read can tell of a target that nobody has seen is told right
    /// before it is sent.
    pub fn hold_protected(&mut self, jobs: &[Job], protected: &Protected, sightings: &[Option<Sighting>]) {
        if protected.is_empty() {
            return;
        }
        for (index, job) in jobs.iter().enumerate() {
            // Looking up has shown who it is, where the plan did not name its id.
            let found = job.found.as_ref().and_then(|found| found.identity.as_deref());
            let seen = match sightings.get(index) {
                Some(Some(Sighting::Identity(identity))) => Some(&**identity),
                _ => found,
            };
            if let Some(finding) = protected.covers(job, seen) {
                let told = finding.to_string().into();
                let why = if finding.is_certain() { Hold::Protected(told) } else { Hold::MaybeProtected(told) };
                match self.holds.get_mut(index) {
                    // What was done before is not done any more; what is not due yet may be told then.
                    Some(Some(Hold::Done)) => {}
                    Some(Some(hold)) if finding.is_certain() => *hold = why,
                    _ => self.hold(index, why),
                }
            } else if let Some(why) = after_held(job, jobs, &self.holds) {
                self.hold(index, why);
            }
        }
    }

    /// Leaves jobs to the runs that have them in their hands, by index, and the steps behind them too.
    pub fn leave_to(&mut self, jobs: &[Job], runs: &HashMap<usize, Arc<str>>) {
        if runs.is_empty() {
            return;
        }
        for (index, job) in jobs.iter().enumerate() {
            let left = runs.get(&index).map(|run| Hold::LeftTo { run: Arc::clone(run) });
            if let Some(why) = left.or_else(|| after_held(job, jobs, &self.holds)) {
                self.hold(index, why);
            }
        }
    }

    /// Holds what may not follow what another plan has open on its target, by index, and the steps behind it.
    pub fn hold_behind_others(&mut self, jobs: &[Job], open: &HashMap<usize, Arc<str>>) {
        if open.is_empty() {
            return;
        }
        for (index, job) in jobs.iter().enumerate() {
            let why = open.get(&index).map(|why| Hold::OpenElsewhere(Arc::clone(why)));
            if let Some(why) = why.or_else(|| after_held(job, jobs, &self.holds)) {
                self.hold(index, why);
            }
        }
    }

    /// Holds what was made of a name that is somebody else's today, and the steps behind it. `moved`: by index.
    pub fn hold_moved(&mut self, jobs: &[Job], moved: &HashMap<usize, Arc<str>>) {
        if moved.is_empty() {
            return;
        }
        for (index, job) in jobs.iter().enumerate() {
            let why = moved.get(&index).map(|why| Hold::Moved(Arc::clone(why)));
            if let Some(why) = why.or_else(|| after_held(job, jobs, &self.holds)) {
                self.hold(index, why);
            }
        }
    }

    /// Holds what a guard forbids, and the steps behind it. `denials`: by the name of the action.
    pub fn hold_denied(&mut self, jobs: &[Job], denials: &HashMap<&'static str, Arc<str>>) {
        if denials.is_empty() {
            return;
        }
        for (index, job) in jobs.iter().enumerate() {
            let why = denials.get(job.action.name).map(|why| Hold::Denied(Arc::clone(why)));
            if let Some(why) = why.or_else(|| after_held(job, jobs, &self.holds)) {
                self.hold(index, why);
            }
        }
    }

    /// Takes out a job that would be sent.
    pub fn hold(&mut self, index: usize, why: Hold) {
        if let Some(hold @ None) = self.holds.get_mut(index) {
            *hold = Some(why);
            self.due -= 1;
        }
    }
}

/// Looks at all jobs once; nothing is protected.
pub fn inspect(jobs: &[Job], now: Timestamp) -> Preflight {
    let crowd = HashCounts::of(jobs.iter().map(|job| job.id.as_hash()));
    let mut first_rows: HashMap<JobId, u32> = HashMap::with_capacity(crowd.repeated());
    let mut preflight = Preflight { holds: Vec::with_capacity(jobs.len()), due: 0 };
    for (at, job) in jobs.iter().enumerate() {
        let mut earlier = || match crowd.has_company(at) {
            false => None,
            true => match first_rows.entry(job.id) {
                Entry::Occupied(first) => Some(*first.get()),
                Entry::Vacant(place) => {
                    place.insert(job.row);
                    None
                }
            },
        };
        let hold = match job.unfound() {
            Some(Unfound::Nothing) => Some(not_there(job)),
            Some(Unfound::Several(why)) => Some(Hold::Several(why.into())),
            Some(Unfound::NothingLeft(why)) => Some(Hold::NothingLeft(why.into())),
            unfound => match (earlier(), unfound) {
                (Some(of_row), _) => Some(Hold::Duplicate { of_row }),
                // Nobody has looked, whatever the time is.
                (None, Some(_)) => Some(Hold::NotLookedUp { until: job.not_before.unwrap_or(Timestamp::MAX) }),
                (None, None) => job.not_before.filter(|until| *until > now).map(|until| Hold::NotDue { until }),
            },
        };
        let hold = hold.or_else(|| after_held(job, jobs, &preflight.holds));
        if hold.is_none() {
            preflight.due += 1;
        }
        preflight.holds.push(hold);
    }
    preflight
}

/// Looking up has found nothing.
fn not_there(job: &Job) -> Hold {
    Hold::NotThere { by: job.stand_in().unwrap_or_default().into(), done: job.missing == Some(Missing::Done) }
}

/// Steps come behind the ones they wait for, so that what holds those is known.
pub(super) fn after_held(job: &Job, jobs: &[Job], holds: &[Option<Hold>]) -> Option<Hold> {
    let before = job.after? as usize;
    let is_held = holds.get(before)?.as_ref()?.outcome() == Outcome::Held;
    jobs.get(before).filter(|_| is_held).map(|first| Hold::AfterHeld { row: first.row })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};

    fn job(row: u32, id: &str, not_before: Option<&str>) -> Job {
        let action = Action::named("retire").unwrap();
        Job::new(JobParts {
            row,
            action,
            route: action.default_route(),
            ids: Ids::new([id]),
            parameters: None,
            not_before: not_before.map(|at| at.parse().unwrap()),
            note: None,
            after: None,
        })
    }

    #[test]
    fn the_second_of_two_equal_jobs_is_held_and_the_first_is_named() {
        let found = inspect(&[job(2, "a", None), job(3, "b", None), job(4, "A", None)], Timestamp::UNIX_EPOCH);
        assert_eq!(found.holds, [None, None, Some(Hold::Duplicate { of_row: 2 })]);
        assert_eq!(found.due, 2);
    }

    #[test]
    fn a_step_behind_a_held_one_is_held_and_not_counted() {
        let mut behind = job(4, "c", None);
        behind.after = Some(1);
        let found = inspect(&[job(2, "a", None), job(3, "a", None), behind], Timestamp::UNIX_EPOCH);
        assert_eq!(found.holds[2], Some(Hold::AfterHeld { row: 3 }));
        assert_eq!(found.due, 1);
    }

    #[test]
    fn a_job_waits_for_its_day() {
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let found =
            inspect(&[job(2, "a", Some("2026-12-01T00:00:00Z")), job(3, "b", Some("2026-12-01T00:00:01Z"))], now);
        assert_eq!(found.holds[0], None);
        assert!(matches!(found.holds[1], Some(Hold::NotDue { .. })));
        assert_eq!(found.due, 1);
    }
}
