//! Whose the names of users are now, for jobs that were made before: by a saved preview, or by a run that goes on.
//!
//! In: names, somebody who reads. Out: for each the one user who has it. Must not: take a mail address for a name, or choose
//! among several.

use std::collections::HashMap;
use std::sync::Arc;

use super::needs::Needs;
use super::pool::Pool;
use super::reading::{ReadError, Reading};
use super::record::key;
use super::{gather, matching};
use crate::catalog::{TargetKind, USER_BY_NAME};
use crate::identity::Identity;
use crate::msgraph::transport::Transport;

/// By name, whatever its case: the user who has it. `None`: nobody, or several.
#[derive(Debug, Default)]
pub struct Owners(HashMap<String, Option<Arc<Identity>>>);

impl Owners {
    pub fn of(&self, name: &str) -> Option<&Identity> {
        self.0.get(&key(name))?.as_deref()
    }
}

/// Looks up who has each of these names.
pub async fn owners<T: Transport>(
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
