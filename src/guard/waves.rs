//! Waves: which jobs go first, and what must have happened before the next ones may go.
//!
//! In: the `waves` of a plan, its jobs, and what holds them. Out: a [`Schedule`]: where each wave ends in plan order.
//! Pure; the same for preview, run and resume. Must not: part the steps of one target, or leave a job in no wave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::preflight::Hold;
use crate::job::Job;

/// How long a wave may take to land, once it has settled, unless the plan says otherwise.
pub(crate) const WITHIN: Duration = Duration::from_secs(30 * 60);

/// How many jobs a wave takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    Jobs(u32),
    /// Of the jobs that the run is to send, rounded up.
    Percent(u32),
    /// All that are left.
    Rest,
}

/// One entry of the list in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    pub size: Size,
    pub conditions: Conditions,
}

/// What stands between a wave and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// It must have landed so soon after it has settled.
    pub within: Duration,
    /// Then nothing is sent for that long.
    pub pause: Duration,
    /// Then somebody must say yes.
    pub ask: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { within: WITHIN, pause: Duration::ZERO, ask: false }
    }
}

/// A wave of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveOfRun {
    /// The index behind its last job, in plan order.
    pub end: u32,
    /// Jobs to send.
    pub jobs: u32,
    pub conditions: Conditions,
}

/// The waves of one run, in order. Empty: everything goes at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule(Vec<WaveOfRun>);

impl Schedule {
    /// A wave is full when the next target does not fit; it takes one target at least, with all its steps. Entries that
    /// nothing is left for make no wave.
    pub fn new(waves: &[Wave], jobs: &[Job], holds: &[Option<Hold>]) -> Self {
        let due = holds.iter().filter(|hold| hold.is_none()).count() as u32;
        let mut stages: Vec<WaveOfRun> = Vec::with_capacity(waves.len());
        let mut targets = StepsOfTargets { jobs, holds, at: 0 }.peekable();
        for (number, wave) in waves.iter().enumerate() {
            let is_last = number + 1 == waves.len();
            let room = if is_last { u32::MAX } else { wave.size.of(due) };
            let mut stage =
                WaveOfRun { end: stages.last().map_or(0, |stage| stage.end), jobs: 0, ..WaveOfRun::empty(wave) };
            while let Some(target) = targets.next_if(|target| stage.jobs == 0 || stage.jobs + target.due <= room) {
                stage.end = target.end;
                stage.jobs += target.due;
            }
            if stage.jobs > 0 {
                stages.push(stage);
            }
        }
        // What is held at the end of the plan belongs to the last wave, as everything does that is left.
        if let Some(last) = stages.last_mut() {
            last.end = jobs.len() as u32;
        }
        Self(stages)
    }

    /// The number of the wave of a job, from 0.
    pub fn wave_of(&self, job: u32) -> usize {
        self.0.partition_point(|stage| stage.end <= job)
    }

    pub fn stages(&self) -> &[WaveOfRun] {
        &self.0
    }

    /// Jobs of the wave with that number, as indices in plan order.
    pub fn range(&self, wave: usize) -> std::ops::Range<u32> {
        let start = wave.checked_sub(1).and_then(|before| self.0.get(before)).map_or(0, |stage| stage.end);
        start..self.0.get(wave).map_or(start, |stage| stage.end)
    }
}

/// How people write a length of time: `90 s`, `30 min`, `2 h`.
pub(crate) fn length(time: Duration) -> String {
    match time.as_secs() {
        hours if hours >= 3_600 && hours % 3_600 == 0 => format!("{} h", hours / 3_600),
        minutes if minutes >= 60 && minutes % 60 == 0 => format!("{} min", minutes / 60),
        seconds => format!("{seconds} s"),
    }
}

impl WaveOfRun {
    fn empty(wave: &Wave) -> Self {
        Self { end: 0, jobs: 0, conditions: wave.conditions }
    }
}

impl Size {
    fn of(self, due: u32) -> u32 {
        match self {
            Self::Jobs(jobs) => jobs,
            Self::Percent(percent) => {
                let jobs = (u64::from(due) * u64::from(percent)).div_ceil(100);
                u32::try_from(jobs).unwrap_or(u32::MAX)
            }
            Self::Rest => u32::MAX,
        }
    }
}

/// A target with its steps, which stand together in the plan.
struct StepsOfTarget {
    end: u32,
    due: u32,
}

struct StepsOfTargets<'a> {
    jobs: &'a [Job],
    holds: &'a [Option<Hold>],
    at: usize,
}

impl Iterator for StepsOfTargets<'_> {
    type Item = StepsOfTarget;

    fn next(&mut self) -> Option<StepsOfTarget> {
        let first = self.at;
        self.jobs.get(first)?;
        let steps = self.jobs[first + 1..].iter().take_while(|job| job.after.is_some()).count();
        self.at = first + 1 + steps;
        let due = self.holds.get(first..self.at).unwrap_or_default().iter().filter(|hold| hold.is_none()).count();
        Some(StepsOfTarget { end: self.at as u32, due: due as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};
    use proptest::prelude::*;

    fn job(row: u32, after: Option<u32>) -> Job {
        let action = Action::named("retire").unwrap();
        Job::new(JobParts { after, ..JobParts::plain(row, action, Ids::new([row.to_string().as_str()])) })
    }

    /// Targets with so many steps each.
    fn plan(steps: &[u32]) -> Vec<Job> {
        let mut jobs = Vec::new();
        for steps in steps {
            for step in 0..*steps {
                let before = (step > 0).then(|| jobs.len() as u32 - 1);
                jobs.push(job(jobs.len() as u32 + 1, before));
            }
        }
        jobs
    }

    fn schedule(sizes: &[Size], jobs: &[Job], holds: &[Option<Hold>]) -> Schedule {
        let wave = |size: &Size| Wave { size: *size, conditions: Conditions::default() };
        Schedule::new(&sizes.iter().map(wave).collect::<Vec<_>>(), jobs, holds)
    }

    fn counts(sizes: &[Size], jobs: &[Job]) -> Vec<u32> {
        schedule(sizes, jobs, &vec![None; jobs.len()]).stages().iter().map(|stage| stage.jobs).collect()
    }

    #[test]
    fn one_ten_a_quarter_and_the_rest() {
        let sizes = [Size::Jobs(1), Size::Jobs(10), Size::Percent(25), Size::Rest];
        assert_eq!(counts(&sizes, &plan(&[1; 101])), [1, 10, 26, 64]);
        assert_eq!(counts(&sizes, &plan(&[1; 5])), [1, 4]);
        assert_eq!(counts(&sizes, &plan(&[])), [0; 0]);
    }

    #[test]
    fn the_steps_of_a_target_stay_together() {
        assert_eq!(counts(&[Size::Jobs(1), Size::Jobs(4), Size::Rest], &plan(&[3, 3, 1, 3])), [3, 4, 3]);
        assert_eq!(counts(&[Size::Jobs(5), Size::Rest], &plan(&[3, 3])), [3, 3]);
    }

    #[test]
    fn what_is_held_takes_no_room() {
        let jobs = plan(&[1; 6]);
        let held = Some(Hold::Done);
        let holds = [held.clone(), None, held.clone(), None, None, held];
        let schedule = schedule(&[Size::Jobs(1), Size::Percent(34), Size::Rest], &jobs, &holds);
        assert_eq!(schedule.stages().iter().map(|stage| (stage.end, stage.jobs)).collect::<Vec<_>>(), [(3, 1), (6, 2)]);
        assert_eq!((schedule.wave_of(0), schedule.wave_of(2), schedule.wave_of(3), schedule.wave_of(5)), (0, 0, 1, 1));
        assert_eq!((schedule.range(0), schedule.range(1)), (0..3, 3..6));
    }

    fn sizes() -> impl Strategy<Value = Vec<Size>> {
        let size = prop_oneof![(1u32..20).prop_map(Size::Jobs), (1u32..60).prop_map(Size::Percent)];
        proptest::collection::vec(size, 0..5).prop_map(|mut sizes| {
            sizes.push(Size::Rest);
            sizes
        })
    }

    proptest! {
        #[test]
        fn every_job_is_in_one_wave_and_no_wave_is_larger_than_it_may_be(
            sizes in sizes(),
            steps in proptest::collection::vec(1u32..4, 0..60),
            held in proptest::collection::vec(any::<bool>(), 240),
        ) {
            let jobs = plan(&steps);
            let holds: Vec<_> = held.iter().take(jobs.len()).map(|held| held.then_some(Hold::Done)).collect();
            let due = holds.iter().filter(|hold| hold.is_none()).count() as u32;
            let schedule = schedule(&sizes, &jobs, &holds);
            let stages = schedule.stages();
            prop_assert_eq!(stages.iter().map(|stage| stage.jobs).sum::<u32>(), due);
            for (index, job) in (0u32..).zip(&jobs) {
                let wave = schedule.wave_of(index);
                prop_assert!(due == 0 || wave < stages.len());
                prop_assert!(due == 0 || schedule.range(wave).contains(&index));
                prop_assert!(job.after.is_none_or(|before| schedule.wave_of(before) == wave));
            }
            // A wave beyond its size holds one target alone.
            for (wave, stage) in stages.iter().enumerate().take(stages.len().saturating_sub(1)) {
                let sent = schedule.range(wave).filter(|at| holds[*at as usize].is_none());
                let target_of = |at: u32| (0..=at).rev().find(|at| jobs[*at as usize].after.is_none());
                let targets: std::collections::BTreeSet<_> = sent.map(target_of).collect();
                prop_assert!(stage.jobs > 0 && (stage.jobs <= sizes[wave].of(due) || targets.len() == 1));
            }
        }
    }
}
