//! `stop`: asks a run under way, in whatever terminal, to end as after Ctrl-C.
//!
//! In: the run. Out: [`Stopped`]. Must not: touch a run that is not under way, or one that is begun later.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::Error;
use crate::journal::{Journal, JournalError, RunId, RunSummary};
use crate::settings::Settings;

/// How long to wait for the run to end. What is out may take its time; nothing new leaves.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What came of it.
#[derive(Debug)]
pub enum Stopped {
    /// It has ended, and stands like this.
    Ended(RunSummary),
    /// It sends nothing new, but has not ended.
    Draining(RunSummary),
    /// It was not under way.
    NotUnderWay(RunSummary),
}

/// Asks, and waits until the run has ended. `latest` is the newest run under way.
pub async fn stop(settings: &Settings, run: &str) -> Result<Stopped, Error> {
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let under_way = if run == "latest" { journal.find_under_way()? } else { None };
    let id = match under_way {
        Some(id) => id,
        None => journal.find(run)?,
    };
    if !journal.request_stop(&id)? {
        return Ok(Stopped::NotUnderWay(summary(&journal, &id)?));
    }
    let plan_key = journal.plan_key(&id)?;
    let asked = Instant::now();
    while journal.is_under_way(&plan_key, id.as_str()) {
        if asked.elapsed() > LONGEST_WAIT {
            return Ok(Stopped::Draining(summary(&journal, &id)?));
        }
        sleep(BETWEEN_LOOKS).await;
    }
    Ok(Stopped::Ended(summary(&journal, &id)?))
}

fn summary(journal: &Journal, id: &RunId) -> Result<RunSummary, Error> {
    let found = journal.runs()?.into_iter().find(|run| run.id == *id);
    found.ok_or_else(|| JournalError::NoSuchRun(id.to_string()).into())
}
