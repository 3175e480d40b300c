//! What was agreed to in a saved preview, judged before it is run or gone on with.
//!
//! In: what a saved preview says of itself, or what the journal kept of it. Out: whether it may be run here and now, and what was seen
//! of its targets. Must not: read the plan that it was made of; what runs is what was saved.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::guard::drift::Sighting;
use crate::guard::lookout::{PreSendCheck, SeenBy};
use crate::identity::Identity;
use crate::job::Job;
use crate::journal::{Journal, JournalError, RunHead, RunRecord};
use crate::moment::moment;
use crate::preview::saved::{self, Head, SavedPreview};
use crate::session::TargetTenant;
use crate::settings::Settings;

/// What a saved preview says of itself, and where it is.
#[derive(Debug, Clone)]
pub struct Agreed {
    pub file: PathBuf,
    pub head: Head,
    /// In hexadecimal.
    pub digest: String,
}

/// No saved preview is good for longer, whatever stands in it: a digest without a key is no seal.
pub(crate) const LONGEST_VALID: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A saved preview is told from a plan by its name: `.json`.
pub(super) fn is_saved(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Gives the report a name for each target that was seen.
pub(super) fn name_targets(jobs: &mut [Job], sightings: &[Option<Sighting>]) {
    for (job, sighting) in jobs.iter_mut().zip(sightings) {
        if let Some(Sighting::Identity(identity)) = sighting {
            job.set_target_name(identity.title(job.action.target).map(Box::from));
        }
    }
}

/// What is compared right before each send: what the preview saw, or else what the inventory has.
pub(super) fn lookout(jobs: &[Job], sightings: Vec<Option<Sighting>>, inventory: SeenInInventory) -> PreSendCheck {
    let listed = inventory.into_iter().map(|(index, seen)| (index, (Sighting::Identity(seen), SeenBy::Inventory)));
    let seen = (0u32..).zip(sightings).filter_map(|(index, seen)| Some((index, (seen?, SeenBy::Preview))));
    PreSendCheck::for_drift(listed.chain(seen).collect::<HashMap<_, _>>()).in_steps(jobs)
}

/// What an inventory has of targets, by the job's index.
pub(super) type SeenInInventory = Vec<(u32, Box<Identity>)>;

/// What the inventory has of the targets that were looked up in it.
pub(super) fn in_the_inventory(jobs: &[Job]) -> SeenInInventory {
    let seen = |job: &Job| job.found.as_ref()?.identity.as_deref().cloned().map(Box::new);
    let wanted = jobs.iter().map(|job| Some(job).filter(|job| job.action.risk.wants_confirmation()).and_then(seen));
    (0u32..).zip(wanted).filter_map(|(index, seen)| Some((index, seen?))).collect()
}

/// Nobody reads the fractions of a second.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl Agreed {
    /// Refuses a run at another time or place than was agreed to.
    pub(super) fn permits(
        &self,
        tenant: &TargetTenant,
        settings: &Settings,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let refuse =
            |code, message: String, help: &str| Err(Error::refused(Diagnostic::error(code, message).help(help)));
        let head = &self.head;
        let expires = expiry(head, max_age);
        if now >= expires {
            let message = format!("the preview expired at {}", moment(expires));
            return refuse("preview-expired", message, "make a new preview, check it, and run that one");
        }
        if now < head.created {
            let message = format!("the preview was made at {}, which is in the future", moment(head.created));
            return refuse("preview-of-tomorrow", message, "check the clock of this machine");
        }
        let simulated = matches!(tenant, TargetTenant::Simulated(_));
        match (head.simulated, simulated) {
            (true, false) => refuse(
                "another-service",
                "the preview is for the simulated tenant".into(),
                "run it with --simulate, or make a preview for your tenant",
            ),
            (false, true) => refuse(
                "another-service",
                format!("the preview is for {}, but this is the simulated tenant", head.graph_url),
                "remove --simulate, or simulate the plan instead",
            ),
            (false, false) if !head.graph_url.eq_ignore_ascii_case(&settings.graph_url) => refuse(
                "another-service",
                format!("the preview is for {}, but this is {}", head.graph_url, settings.graph_url),
                "connect to that service, or make another preview",
            ),
            _ => Ok(()),
        }
    }
}

/// When it ends, whatever stands in it: after a week, or when a policy says so.
pub(super) fn expiry(head: &Head, max_age: Option<Duration>) -> Timestamp {
    at_most(head.created, head.expires, max_age)
}

/// An end that is not later than a week after the beginning, or than a policy allows.
pub(super) fn at_most(created: Timestamp, expires: Timestamp, max_age: Option<Duration>) -> Timestamp {
    let max_age = max_age.and_then(|age| SignedDuration::try_from(age).ok()).unwrap_or(LONGEST_VALID);
    created.saturating_add(max_age.min(LONGEST_VALID)).map_or(expires, |last| last.min(expires))
}

impl Agreed {
    /// Refuses what was run before: one look is good for one run.
    pub(super) fn is_unspent(&self, journal: &Journal) -> Result<(), Error> {
        let Some(run) = journal.spent(&self.digest)? else { return Ok(()) };
        let message = format!("this preview was already run, by run {run}");
        let help = format!("`musterout resume {run}` continues that run; otherwise, make a new preview");
        Err(Error::refused(Diagnostic::error("preview-spent", message).help(help)))
    }
}

/// The saved preview that a run in the journal was begun from, if it was. What cannot be read stops whoever asks.
pub(super) fn recorded(journal: &Journal, record: &RunRecord) -> Result<Option<SavedPreview>, Error> {
    let saved = of_run(journal, &record.head)?;
    if let Some(saved) = &saved {
        must_have(saved, 0, record.jobs.iter().map(|stored| &stored.job))?;
    }
    Ok(saved)
}

/// The same, for whoever compares the jobs as they come.
pub(super) fn of_run(journal: &Journal, head: &RunHead) -> Result<Option<SavedPreview>, Error> {
    let Some(digest) = head.settings.get("saved_preview").and_then(serde_json::Value::as_str) else {
        return Ok(None);
    };
    let files = journal.plan_files(head.number)?;
    let [file] = files.as_slice() else { return Err(damaged("it is missing")) };
    let saved = saved::read_of_run(&file.text).map_err(|why| damaged(&why.to_string()))?;
    match saved.digest == digest && saved.jobs.len() == head.jobs as usize {
        true => Ok(Some(saved)),
        false => Err(damaged(ANOTHER)),
    }
}

/// Whether these are the jobs of the saved preview, from the one with that index on.
pub(super) fn must_have<'j>(
    saved: &SavedPreview,
    first: u32,
    jobs: impl IntoIterator<Item = &'j Job>,
) -> Result<(), Error> {
    let mut agreed = saved.jobs.iter().skip(first as usize);
    match jobs.into_iter().all(|job| agreed.next().is_some_and(|agreed| agreed.id == job.id)) {
        true => Ok(()),
        false => Err(damaged(ANOTHER)),
    }
}

const ANOTHER: &str = "it is another one";

fn damaged(what: &str) -> Error {
    JournalError::Damaged(format!("the saved preview of the run: {what}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_preview_is_good_for_longer_than_a_week_or_than_a_policy_says() {
        let at = |day: &str| format!("{day}T12:00:00Z").parse::<Timestamp>().unwrap();
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        let ends = |expires, max_age| at_most(at("2026-11-01"), at(expires), max_age);
        assert_eq!(ends("2096-01-01", None), at("2026-11-08"));
        assert_eq!(ends("2026-11-03", None), at("2026-11-03"));
        assert_eq!(ends("2026-11-07", days(3)), at("2026-11-04"));
        assert_eq!(ends("2026-11-02", days(3)), at("2026-11-02"));
        assert_eq!(ends("2096-01-01", days(30)), at("2026-11-08"));
    }
}
