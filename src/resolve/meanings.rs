//! What the entries of `protected` stand for: each is found once, with everything else that names the same object.
//!
//! In: entries, the kinds of the targets that something is done to, somebody who reads. Out: a [`EntryMeaning`] for each entry;
//! what may not be read is in it. Must not: choose among several objects that an entry names (it protects them all), or
//! take a read that failed for an answer.

mod owners;
mod patterns;
mod search;

use self::search::MeaningSearch;
use super::reading::{ReadError, Reading};
use crate::catalog::TargetKind;
use crate::guard::meaning::{EntryMeaning, Object};
use crate::guard::protected::Protected;
use crate::msgraph::transport::Transport;

/// Finds out what each entry of `list` stands for, as far as that matters for targets of those kinds. An error is one of all reads.
pub(crate) async fn read_meanings<T: Transport>(
    list: &Protected,
    targets: &[TargetKind],
    reading: &mut Reading<'_, T>,
) -> Result<Vec<Option<EntryMeaning>>, ReadError> {
    let mut search = MeaningSearch::of(list, targets);
    for object in Object::ALL {
        search.find(object, reading).await?;
        match object {
            Object::ManagedDevice => search.find_by_imei(reading).await?,
            Object::User => {
                search.find_by_alias(reading).await?;
                search.find_by_pattern(list, reading).await?;
            }
            Object::EntraDevice | Object::AutopilotIdentity => {}
        }
    }
    search.bridge(reading).await?;
    search.devices_of_users(reading).await?;
    search.spread_patterns(list, reading).await?;
    Ok(search.of_entries.iter().map(|at| search.wanted.get(*at).map(|wanted| wanted.meaning.clone())).collect())
}
