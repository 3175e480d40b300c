//! Whose the names are today that jobs were made of, where they were made earlier: saved in a preview, or begun in a run.
//!
//! In: jobs, and who had the names in their bodies then. Out: those held whose name has moved or leads to nobody. Must not: hold
//! anything that can send more than a GET, or look for the names of jobs that are not sent.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::Error;
use super::look_up::not_read;
use crate::guard::preflight::Preflight;
use crate::job::Job;
use crate::resolve::{self, Owners, Reading};
use crate::session::Session;

/// Holds the jobs whose body calls a user by a name that is not his any more. `skipped`: jobs that will not be sent, besides
/// those that are held.
pub(super) async fn hold_moved(
    session: &mut Session<'_>,
    jobs: &[Job],
    preflight: &mut Preflight,
    skipped: impl Fn(usize) -> bool,
) -> Result<(), Error> {
    let is_sent = |at: usize| preflight.is_sent(at) && !skipped(at);
    let named = jobs.iter().enumerate().filter_map(|(at, job)| Some((at, job.names.as_deref()?)));
    let named: Vec<_> = named.filter(|(at, names)| !names.in_body.is_empty() && is_sent(*at)).collect();
    let names: Vec<&str> = named.iter().flat_map(|(_, names)| &names.in_body).map(|(name, _)| &**name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let owners = owners(&names, session).await?;
    let moved = named.into_iter().filter_map(|(at, names)| {
        let mut whys = names.in_body.iter().filter_map(|(name, id)| moved(name, id, &owners));
        Some((at, Arc::<str>::from(whys.next()?)))
    });
    let moved: HashMap<usize, Arc<str>> = moved.collect();
    preflight.hold_moved(jobs, &moved);
    Ok(())
}

/// Why the user with that id must not be called so, if he must not.
fn moved(name: &str, id: &str, owners: &Owners) -> Option<String> {
    match owners.of(name) {
        None => Some(format!("no user has the name {name} any more")),
        Some(owner) if !owner.id.eq_ignore_ascii_case(id) => {
            Some(format!("{name} now belongs to another account: it was {id}, and is {}", owner.id))
        }
        Some(_) => None,
    }
}

/// Looks the names up.
pub(super) async fn owners(names: &[&str], session: &mut Session<'_>) -> Result<Owners, Error> {
    let rng = session.rng();
    let mut reading = Reading::new(session.reading().await?, rng);
    resolve::owners(names.iter().copied(), &mut reading).await.map_err(not_read)
}
