//! Users whom a plan names by id, and whom an earlier version may have dealt with under a name.
//!
//! In: the jobs of a plan, the journal, somebody who reads. Out: the jobs as they would be known by the name that each user has
//! today, and those of which that could not be read. Must not: read where no version has ever sent a name, or take a name that
//! somebody has today for proof of who had it then: such a job is held, and a person says what becomes of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::error::Error;
use super::look_up::not_read;
use crate::catalog::IdKind;
use crate::guard::preflight::Preflight;
use crate::job::{Ids, Job, Names};
use crate::journal::Journal;
use crate::resolve::{self, Reading};
use crate::session::Session;

/// What was found out.
#[derive(Debug)]
pub(super) struct CalledBefore<'j> {
    /// The jobs by which the journal is asked.
    pub jobs: Cow<'j, [Job]>,
    /// By index: why nobody knows what the user is called.
    unread: HashMap<usize, Arc<str>>,
}

/// Looks up what users are called today, where that may matter. `all`: what may be repeated is not done twice either.
pub(super) async fn look<'j>(
    session: &mut Session<'_>,
    jobs: &'j [Job],
    journal: &Journal,
    place: &str,
    all: bool,
) -> Result<CalledBefore<'j>, Error> {
    let mut found = CalledBefore { jobs: Cow::Borrowed(jobs), unread: HashMap::new() };
    let matters = |job: &&Job| job.names.is_none() && (all || job.is_done_once());
    let of_users = jobs.iter().enumerate().filter(|(_, job)| matters(job));
    let of_users: Vec<(usize, &str)> = of_users.filter_map(|(at, job)| Some((at, user(job)?))).collect();
    let mut actions: Vec<&str> = of_users.iter().map(|(at, _)| jobs[*at].action.name).collect();
    actions.sort_unstable();
    actions.dedup();
    if actions.is_empty() || !journal.has_sent_names(place, &actions)? {
        return Ok(found);
    }
    let ids: Vec<&str> = of_users.iter().map(|(_, id)| *id).collect();
    let names = names(&ids, session).await?;
    for ((at, id), name) in of_users.iter().zip(names) {
        match name {
            Ok(Some(name)) => {
                let job = &mut found.jobs.to_mut()[*at];
                job.names = Some(Box::new(as_written(job, id, &name)));
            }
            // Nothing can be done to somebody who is not there.
            Ok(None) => {}
            Err(why) => {
                let told = format!(
                    "an earlier version did this to users by name, and the name of this user could not be read ({why}); \
                     grant User.ReadBasic.All"
                );
                found.unread.insert(*at, told.into());
            }
        }
    }
    Ok(found)
}

impl CalledBefore<'_> {
    /// Holds what is known of a name alone, and what nobody could tell of. How many are held that a preview, which reads
    /// nothing for this, has counted.
    pub(super) fn hold(&self, jobs: &[Job], of_names: &HashMap<usize, Arc<str>>, preflight: &mut Preflight) -> u32 {
        let (by_name, by_id): (HashMap<_, _>, HashMap<_, _>) =
            of_names.iter().map(|(at, why)| (*at, Arc::clone(why))).partition(|(at, _)| jobs[*at].names.is_some());
        preflight.hold_moved(jobs, &by_name);
        let before = preflight.due;
        preflight.hold_moved(jobs, &by_id);
        preflight.hold_moved(jobs, &self.unread);
        before - preflight.due
    }
}

/// The id of the user in the path of a job.
fn user(job: &Job) -> Option<&str> {
    let mut ids = job.route.ids.iter().zip(job.ids.iter());
    ids.find(|(id, value)| id.kind == IdKind::User && !id.is_alias(value) && !value.contains(' '))
        .map(|(_, value)| value)
}

/// The job as a version would have made it that was given the name.
fn as_written(job: &Job, id: &str, name: &str) -> Names {
    let written = Ids::new(job.ids.iter().map(|value| if value == id { name } else { value }));
    let written_id = job.id_as_written(&written, job.parameters.as_deref());
    Names { written_id, written, in_body: Box::default() }
}

type NamesRead = Vec<Result<Option<Box<str>>, Box<str>>>;

async fn names(ids: &[&str], session: &mut Session<'_>) -> Result<NamesRead, Error> {
    let rng = session.rng();
    let mut reading = Reading::new(session.reading().await?, rng);
    resolve::names_of(ids, &mut reading).await.map_err(not_read)
}
