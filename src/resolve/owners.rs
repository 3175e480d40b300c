//! Whose the names of users are now, for jobs that were made before: by a saved preview, or by a run that goes on.
//!
//! In: names or ids, somebody who reads. Out: for each name the one user who has it, and what each id is called. Must not: take a mail address for a name, or choose
//! among several.

use std::collections::HashMap;
use std::sync::Arc;

use super::needs::Needs;
use super::pool::Pool;
use super::reading::{ReadError, Reading};
use super::record::key;
use super::{gather, matching, query, ways};
use crate::catalog::{TargetKind, USER_BY_NAME};
use crate::identity::Identity;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;

/// By name, whatever its case: the user who has it. `None`: nobody, or several.
#[derive(Debug, Default)]
pub(crate) struct Owners(HashMap<String, Option<Arc<Identity>>>);

impl Owners {
    pub(crate) fn of(&self, name: &str) -> Option<&Identity> {
        self.0.get(&key(name))?.as_deref()
    }
}

/// What each of these users is called today; `None`: nobody has that id, or they have no name. An error is one of that read alone.
pub(crate) async fn names_of<T: Transport>(
    ids: &[&str],
    reading: &mut Reading<'_, T>,
) -> Result<Vec<Result<Option<Box<str>>, Box<str>>>, ReadError> {
    let mut names = vec![Err("it was not read".into()); ids.len()];
    let gets: Vec<(usize, Get)> =
        ids.iter().enumerate().filter_map(|(at, id)| Some((at, query::by_id(TargetKind::User, id)?))).collect();
    let reads: Vec<Get> = gets.iter().map(|(_, get)| get.clone()).collect();
    let each = |number: usize, answer: Result<Vec<Identity>, Box<str>>| {
        let Some((at, _)) = gets.get(number) else { return };
        let is_meant = |user: &Identity| user.id.eq_ignore_ascii_case(ids[*at]);
        names[*at] = answer.map(|users| users.into_iter().find(is_meant).and_then(|user| user.user_principal_name));
    };
    ways::read(&reads, TargetKind::User, reading, each).await?;
    Ok(names)
}

/// Looks up who has each of these names.
pub(crate) async fn owners<T: Transport>(
    names: impl IntoIterator<Item = &'_ str>,
    reading: &mut Reading<'_, T>,
) -> Result<Owners, ReadError> {
    let mut owners: HashMap<String, Option<Arc<Identity>>> = names.into_iter().map(|name| (key(name), None)).collect();
    let mut values: Vec<_> = owners.keys().map(|name| (&USER_BY_NAME, name.as_str().into())).collect();
    values.sort_unstable_by(|(_, one): &(_, Box<str>), (_, other)| one.cmp(other));
    let mut pool = Pool::default();
    gather::read(&Needs { kind: TargetKind::User, values, whole: false }, &mut pool, reading).await?;
    for (name, owner) in &mut owners {
        pool.index(TargetKind::User, &USER_BY_NAME, name);
        *owner = matching::user_named(&pool, name).ok().map(|record| Arc::clone(&record.identity));
    }
    Ok(Owners(owners))
}
