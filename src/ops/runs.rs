//! `runs` and `report`: what the journal has, listed, shown, pruned, handed out.
//!
//! In: settings, the id of a run. Out: summaries, rows as they stand now, also of a run under way or broken off.
//! Must not: change anything but what `prune` removes, or hold all rows of a run.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::agreed;
use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::job::Job;
use crate::journal::{Journal, JournalError, Pruned, RunId, RunSummary, StoredJob};
use crate::outcome::Settlement;
use crate::report::Row;
use crate::report::beside::folder_of;
use crate::settings::Settings;

/// All runs, the newest first.
pub fn runs(settings: &Settings) -> Result<Vec<RunSummary>, Error> {
    Ok(Journal::open(settings.state_dir().map_err(Error::Usage)?)?.runs()?)
}

/// One row for every row of the plan, as the journal knows them now: handed over one by one, all of one instant.
pub(crate) fn report<E>(
    settings: &Settings,
    run: &str,
    mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<Error> + From<JournalError>,
{
    let mut journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let head = journal.head(&journal.find(run)?)?;
    let saved = agreed::of_run(&journal, &head)?;
    // A report is there whole or not at all: what is damaged is found before the first row.
    journal.walk(&head.id, |first, stored| match &saved {
        Some(saved) => agreed::must_have(saved, first, stored.iter().map(|stored| &stored.job)),
        None => Ok(()),
    })?;
    journal.walk(&head.id, |first, stored| {
        let standing = |stored: StoredJob| {
            let settlement = stored.standing();
            (stored.job, settlement)
        };
        let (mut jobs, settlements): (Vec<Job>, Vec<Settlement>) = stored.into_iter().map(standing).unzip();
        if let Some(saved) = &saved {
            agreed::name_targets(&mut jobs, saved.sightings.get(first as usize..).unwrap_or_default());
        }
        jobs.iter().zip(&settlements).try_for_each(|(job, settlement)| each(&Row::new(job, settlement)))
    })?;
    Ok(())
}

/// Removes finished runs of more than that many days ago in which nothing is open.
pub fn prune(settings: &Settings, days: u16, now: Timestamp) -> Result<Pruned, Error> {
    let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
    Ok(Journal::open(settings.state_dir().map_err(Error::Usage)?)?.prune(before)?)
}

/// Writes one run alone into a new database.
pub(crate) fn export(settings: &Settings, run: &str, file: &Path) -> Result<RunId, Error> {
    if file.symlink_metadata().is_ok() {
        let message = format!("{} already exists, and an export never overwrites a file", file.display());
        return Err(Error::usage(
            Diagnostic::error("export-exists", message).help("use another file name after --export"),
        ));
    }
    if !folder_of(file).is_dir() {
        let message = format!("the folder {} does not exist", folder_of(file).display());
        let help = "create it, or use another file name after --export";
        return Err(Error::usage(Diagnostic::error("no-folder", message).help(help)));
    }
    let mut journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let id = journal.find(run)?;
    journal.export(&id, file)?;
    Ok(id)
}
