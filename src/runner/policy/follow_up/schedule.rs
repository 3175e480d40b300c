//! What the service has accepted, followed up until it has happened: one schedule of reads for a wave that has to land, for a
//! step that waits, and for whoever wants to know how it ended.
//!
//! In: jobs that were accepted, who wants to know, until when. Out: when to read which; who has waited in vain.
//! Must not: let a target be read twice within a minute, unless a person waits for a few minutes only, or know what a read shows.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use crate::runner::dialogue::Who;

/// Before that, hardly anything shows.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Between two looks at one target: a minute, and twice as long each time, up to ten.
pub(super) const BETWEEN: Duration = Duration::from_secs(60);
const LONGEST_BETWEEN: Duration = Duration::from_secs(600);
/// A person who waits for a few minutes at most is shown what happens in them: at least four looks, ten seconds apart at
/// least.
const SHORTEST_BETWEEN: Duration = Duration::from_secs(10);
const LOOKS_AT_LEAST: u32 = 4;
/// A look that is under way at a deadline may take so long.
const GRACE: Duration = Duration::from_secs(60);

/// That a job is followed up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub who: Who,
    /// When it is read first.
    pub first: Instant,
    /// For how long.
    pub within: Duration,
}

/// One job that is followed up.
#[derive(Debug)]
struct FollowedJob {
    /// Until when each of [`Who::ALL`] wants to know.
    until: [Option<Instant>; Who::ALL.len()],
    next: Instant,
    /// Between two looks at first.
    between: Duration,
    /// Looks that told nothing final.
    looks: u8,
    /// Its read is in a queue or on its way.
    out: bool,
    refused_tokens: u8,
}

impl FollowedJob {
    /// The first deadline; whoever only wants to know waits for a read that is out.
    fn deadline(&self) -> Option<Instant> {
        let grace = if self.out { GRACE } else { Duration::ZERO };
        let patient = |who: Who| self.out && who == Who::Verify;
        let until = Who::ALL.into_iter().zip(self.until).filter(|(who, _)| !patient(*who));
        until.filter_map(|(_, until)| Some(until? + grace)).min()
    }

    fn wake(&self) -> Option<Instant> {
        let next = (!self.out).then_some(self.next);
        next.into_iter().chain(self.deadline()).min()
    }

    fn is_wanted(&self) -> bool {
        self.until.iter().any(Option::is_some)
    }
}

/// What is to be done about a job now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DueRead {
    Read(u32),
    /// These have waited in vain.
    TooLate(u32, Vec<Who>),
}

/// All jobs that are followed up.
#[derive(Debug, Default)]
pub(super) struct ReadSchedule {
    jobs: HashMap<u32, FollowedJob>,
    wakes: BTreeSet<(Instant, u32)>,
    /// When each target was last read, by a digest of its id.
    read: HashMap<u64, Instant>,
    /// Why the last reads of some jobs failed.
    troubles: HashMap<u32, Box<str>>,
    /// Jobs that each of [`Who::ALL`] waits for.
    wanted: [u32; Who::ALL.len()],
}

impl ReadSchedule {
    /// Follows a job up.
    pub(super) fn add(&mut self, job: u32, wish: Wish, now: Instant) {
        let Wish { who, first, within } = wish;
        let until = now + within;
        let fresh =
            || FollowedJob { until: [None; 3], next: first, between: BETWEEN, looks: 0, out: false, refused_tokens: 0 };
        self.forget_wake(job);
        let followed = self.jobs.entry(job).or_insert_with(fresh);
        if followed.until[who as usize].replace(until).is_none() {
            self.wanted[who as usize] += 1;
        }
        followed.between = followed.between.min(between_for(who, within));
        self.keep_wake(job);
    }

    /// Whether somebody waits for a job.
    pub(super) fn has(&self, job: u32) -> bool {
        self.jobs.contains_key(&job)
    }

    /// How many jobs somebody waits for.
    pub(super) fn wanted_by(&self, who: Who) -> u32 {
        self.wanted[who as usize]
    }

    /// When to look again.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// The next thing to do, if it is time for it.
    pub(super) fn due(&mut self, now: Instant) -> Option<DueRead> {
        let (_, job) = *self.wakes.first().filter(|(at, _)| *at <= now)?;
        self.forget_wake(job);
        let followed = self.jobs.get_mut(&job)?;
        let due = match !followed.out && followed.next <= now {
            true => {
                followed.out = true;
                DueRead::Read(job)
            }
            false => DueRead::TooLate(job, self.expire(job, now)),
        };
        self.keep_wake(job);
        Some(due)
    }

    /// Whether somebody waits for a job and its target may be read now. If not, the job comes back in its time.
    pub(super) fn may_read(&mut self, job: u32, target: &str, now: Instant) -> bool {
        let Some(between) = self.jobs.get(&job).map(|followed| followed.between) else { return false };
        let again = self.read.get(&digest_of(target)).map(|at| *at + between).filter(|again| *again > now);
        if let Some(again) = again {
            self.again_at(job, again);
        }
        again.is_none()
    }

    /// The target is read now.
    pub(super) fn is_read(&mut self, target: &str, now: Instant) {
        self.read.insert(digest_of(target), now);
    }

    /// The read that was taken for made never left, or went nowhere.
    pub(super) fn was_not_read(&mut self, target: &str) {
        self.read.remove(&digest_of(target));
    }

    /// A read has told nothing final, or failed for a reason of its own. Whose time is over then?
    pub(super) fn not_told(&mut self, job: u32, trouble: Option<Box<str>>, now: Instant) -> Vec<Who> {
        self.forget_wake(job);
        let Some(followed) = self.jobs.get_mut(&job) else { return Vec::new() };
        followed.out = false;
        match trouble {
            Some(trouble) => drop(self.troubles.insert(job, trouble)),
            None => {
                followed.refused_tokens = 0;
                self.troubles.remove(&job);
            }
        }
        let between = followed.between.saturating_mul(1 << followed.looks.min(8)).min(LONGEST_BETWEEN);
        followed.looks = followed.looks.saturating_add(1);
        followed.next = now + between;
        let late = self.expire(job, now);
        if let Some(followed) = self.jobs.get_mut(&job) {
            // A last look at a deadline, unless the one before it was a moment ago.
            let last = followed.deadline().filter(|deadline| *deadline >= now + followed.between);
            followed.next = last.map_or(followed.next, |deadline| followed.next.min(deadline));
        }
        self.keep_wake(job);
        late
    }

    /// How often the token was refused at reads of a job, this time included.
    pub(super) fn refused_tokens(&mut self, job: u32) -> u8 {
        self.jobs.get_mut(&job).map_or(0, |followed| {
            followed.refused_tokens = followed.refused_tokens.saturating_add(1);
            followed.refused_tokens
        })
    }

    /// Jobs whose last read failed, and why.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (u32, &str)> {
        self.troubles.iter().map(|(job, trouble)| (*job, &**trouble))
    }

    /// Why the last read of a job failed, if it did.
    pub(super) fn trouble(&self, job: u32) -> Option<&str> {
        self.troubles.get(&job).map(|trouble| &**trouble)
    }

    /// One of them wants to know no more. Whether it did.
    pub(super) fn leave(&mut self, job: u32, who: Who) -> bool {
        self.forget_wake(job);
        let left = self.jobs.get_mut(&job).is_some_and(|followed| followed.until[who as usize].take().is_some());
        self.wanted[who as usize] -= u32::from(left);
        self.keep_wake(job);
        left
    }

    /// One of them wants to know nothing more of any job.
    pub(super) fn leave_all(&mut self, who: Who) {
        let jobs: Vec<u32> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.leave(job, who);
        }
    }

    /// There is nothing more to see.
    pub(super) fn is_told(&mut self, job: u32) {
        self.troubles.remove(&job);
        for who in Who::ALL {
            self.leave(job, who);
        }
    }

    /// Nobody wants to know any more.
    pub(super) fn give_up(&mut self) {
        *self = Self { troubles: std::mem::take(&mut self.troubles), ..Self::default() };
    }

    fn again_at(&mut self, job: u32, at: Instant) {
        self.forget_wake(job);
        if let Some(followed) = self.jobs.get_mut(&job) {
            (followed.out, followed.next) = (false, at);
        }
        self.keep_wake(job);
    }

    /// Those whose deadline is over; without anybody left, the job is followed up no more.
    fn expire(&mut self, job: u32, now: Instant) -> Vec<Who> {
        let Some(followed) = self.jobs.get_mut(&job) else { return Vec::new() };
        let grace = if followed.out { GRACE } else { Duration::ZERO };
        let mut late = Vec::new();
        for who in Who::ALL {
            let waits_on = followed.out && who == Who::Verify;
            if followed.until[who as usize].is_some_and(|until| until + grace <= now && !waits_on) {
                followed.until[who as usize] = None;
                self.wanted[who as usize] -= 1;
                late.push(who);
            }
        }
        late
    }

    fn forget_wake(&mut self, job: u32) {
        if let Some(at) = self.jobs.get(&job).and_then(FollowedJob::wake) {
            self.wakes.remove(&(at, job));
        }
    }

    fn keep_wake(&mut self, job: u32) {
        match self.jobs.get(&job) {
            Some(followed) if followed.is_wanted() => {
                self.wakes.extend(followed.wake().map(|at| (at, job)));
            }
            Some(_) => drop(self.jobs.remove(&job)),
            None => {}
        }
    }
}

fn between_for(who: Who, within: Duration) -> Duration {
    match who {
        Who::Verify => (within / LOOKS_AT_LEAST).clamp(SHORTEST_BETWEEN, BETWEEN),
        Who::Wave | Who::Step => BETWEEN,
    }
}

fn digest_of(target: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    target.to_ascii_lowercase().hash(&mut digest);
    digest.finish()
}
