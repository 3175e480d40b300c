//! `runs` and `report`: what the journal has, listed, shown, pruned, handed out.
//!
//! In: settings, the id of a run. Out: summaries, rows as they stand now, also of a run under way or broken off.
//! Must not: change anything but what `prune` removes.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{Error, agreed};
use crate::job::Job;
use crate::journal::{Journal, Pruned, RunId, RunSummary};
use crate::outcome::Settlement;
use crate::settings::Settings;

/// The rows of a run as they stand.
#[derive(Debug)]
pub struct Reported {
    pub id: RunId,
    pub jobs: Vec<Job>,
    pub settlements: Vec<Settlement>,
}

/// All runs, the newest first.
pub fn runs(settings: &Settings) -> Result<Vec<RunSummary>, Error> {
    Ok(Journal::open(settings.state_dir().map_err(Error::Usage)?)?.runs()?)
}

/// One row for every row of the plan, as the journal knows them now.
pub fn report(settings: &Settings, run: &str) -> Result<Reported, Error> {
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let record = journal.read(&journal.find(run)?)?;
    let saved = agreed::recorded(&journal, &record)?;
    let (mut jobs, settlements): (Vec<Job>, Vec<Settlement>) = record
        .jobs
        .into_iter()
        .map(|stored| {
            let settlement = stored.standing();
            (stored.job, settlement)
        })
        .unzip();
    if let Some(saved) = saved {
        agreed::name_targets(&mut jobs, &saved.sightings);
    }
    Ok(Reported { id: record.id, jobs, settlements })
}

/// Removes finished runs of more than that many days ago in which nothing is open.
pub fn prune(settings: &Settings, days: u16, now: Timestamp) -> Result<Pruned, Error> {
    let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
    Ok(Journal::open(settings.state_dir().map_err(Error::Usage)?)?.prune(before)?)
}

/// Writes one run alone into a new database.
pub fn export(settings: &Settings, run: &str, file: &Path) -> Result<RunId, Error> {
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let id = journal.find(run)?;
    journal.export(&id, file)?;
    Ok(id)
}
