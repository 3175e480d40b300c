//! Whose the names are today that jobs were made of, where they were made earlier: saved in a preview, or begun in a run.
//!
//! In: jobs, and who had the names in their bodies then. Out: those held whose name has moved or leads to nobody. Must not: hold
//! anything that can send more than a GET, or look for the names of jobs that are not sent.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;

use super::Error;
use super::connect::Client;
use super::keys::About;
use super::look_up::{LookUp, Used, not_read};
use crate::guard::preflight::Preflight;
use crate::msgraph::client::GraphClient;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::transport::Transport;
use crate::resolve::{self, Owners, Reading};

/// Holds the jobs whose body calls a user by a name that is not his any more. `skipped`: jobs that will not be sent, besides
/// those that are held.
pub async fn hold_moved(
    look_up: &LookUp<'_>,
    about: &About<'_>,
    preflight: &mut Preflight,
    skipped: impl Fn(usize) -> bool,
    used: &mut Used,
) -> Result<(), Error> {
    let is_sent = |at: usize| preflight.is_sent(at) && !skipped(at);
    let named = about.jobs.iter().enumerate().filter_map(|(at, job)| Some((at, job.names.as_deref()?)));
    let named: Vec<_> = named.filter(|(at, names)| !names.in_body.is_empty() && is_sent(*at)).collect();
    let names: Vec<&str> = named.iter().flat_map(|(_, names)| &names.in_body).map(|(name, _)| &**name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let owners = owners(&names, look_up, about, used).await?;
    let moved = named.into_iter().filter_map(|(at, names)| {
        let mut whys = names.in_body.iter().filter_map(|(name, id)| moved(name, id, &owners));
        Some((at, Arc::<str>::from(whys.next()?)))
    });
    let moved: HashMap<usize, Arc<str>> = moved.collect();
    preflight.hold_moved(about.jobs, &moved);
    Ok(())
}

/// Why the user with that id must not be called so, if he must not.
fn moved(name: &str, id: &str, owners: &Owners) -> Option<String> {
    match owners.of(name) {
        None => Some(format!("no user is called {name} any more")),
        Some(owner) if !owner.id.eq_ignore_ascii_case(id) => {
            Some(format!("{name} belongs to another account now: it was {id}, and is {}", owner.id))
        }
        Some(_) => None,
    }
}

/// Looks the names up, with the client that has been used for looking up, or one that is connected now.
pub async fn owners(names: &[&str], look_up: &LookUp<'_>, about: &About<'_>, used: &mut Used) -> Result<Owners, Error> {
    let (client, clock) = about.connected(look_up, used)?;
    let read = match &client {
        Client::Http(client) => read(client, names, look_up, about).await,
        Client::Simulated(client) => read(client, names, look_up, about).await,
    };
    used.client = Some((client, clock));
    read
}

async fn read<T: Transport>(
    client: &GraphClient<T>,
    names: &[&str],
    look_up: &LookUp<'_>,
    about: &About<'_>,
) -> Result<Owners, Error> {
    about.sign_in(client, look_up).await?;
    let mut reading = Reading::new(ReadOnly::new(client), Rng::with_seed(look_up.seed));
    resolve::owners(names.iter().copied(), &mut reading).await.map_err(not_read)
}
