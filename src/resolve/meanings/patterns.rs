//! What patterns of `protected` stand for: whoever has an address that fits, and the devices behind records that show little.
//!
//! In: the search, somebody who reads. Out: users and managed devices in the meanings of patterns; what may not be listed is
//! in them too. Must not: read anything where no pattern wants it, or every list more than once.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::super::query;
use super::super::reading::{ReadError, Reading};
use super::super::ways::is_of_one;
use super::search::{MeaningSearch, SoughtValue, lack, note};
use crate::catalog::TargetKind;
use crate::guard::meaning::{Object, shows_all_names};
use crate::guard::protected::Protected;
use crate::identity::Identity;
use crate::msgraph::transport::Transport;
use crate::text::key;

impl MeaningSearch<'_> {
    /// A pattern of addresses stands for the users who have one that fits it, whatever their devices show of them.
    pub(super) async fn find_by_pattern<T: Transport>(
        &mut self,
        list: &Protected,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let is_wanted = |it: &SoughtValue<'_>| it.entry.is_pattern_of_addresses() && it.entry.can_be(Object::User);
        let Some(first) = query::whole_with_aliases().filter(|_| self.wanted.iter().any(is_wanted)) else {
            return Ok(());
        };
        let (wanted, of_entries) = (&mut self.wanted, &self.of_entries);
        let mut unreadable = false;
        let each = |page: Vec<Value>| {
            for document in &page {
                let Some(user) = Identity::from_document(document) else {
                    unreadable = true;
                    continue;
                };
                let meant = list.patterns_of(&user).filter_map(|number| of_entries.get(number as usize));
                let meant: HashSet<usize> = meant.copied().filter(|at| is_wanted(&wanted[*at])).collect();
                meant.into_iter().for_each(|at| wanted[at].found.push((Object::User, user.clone())));
            }
        };
        let why = match reading.pages(first, query::bucket(TargetKind::User), each).await {
            Ok(true) if !unreadable => return Ok(()),
            Ok(_) => "the list of users could not be understood".to_owned(),
            Err(error) if is_of_one(&error) => error.to_string(),
            Err(error) => return Err(error),
        };
        let patterns = self.wanted.iter_mut().filter(|wanted| is_wanted(wanted));
        patterns.for_each(|wanted| lack(&mut wanted.meaning, Object::User, &why));
        Ok(())
    }

    /// Patterns are held against what every target shows. Where that is less than a pattern may be about, they stand for the
    /// managed devices that fit them.
    pub(super) async fn spread_patterns<T: Transport>(
        &mut self,
        list: &Protected,
        reading: &mut Reading<'_, T>,
    ) -> Result<(), ReadError> {
        let any = self.wanted.iter().any(|wanted| wanted.entry.is_pattern());
        if !any || self.targets.iter().all(|target| shows_all_names(*target)) {
            return Ok(());
        }
        self.read_fleet(reading).await?;
        match &self.fleet {
            Some(Ok(fleet)) => {
                let owners = UsersOfPatterns::of(&self.wanted);
                for device in fleet {
                    let fits = list.patterns_of(device).filter_map(|number| self.of_entries.get(number as usize));
                    for at in fits.copied().chain(owners.patterns_of(device)) {
                        let meaning = &mut self.wanted[at].meaning;
                        meaning.called.get_or_insert_with(|| "a managed device that fits it".into());
                        note(meaning, device);
                    }
                }
            }
            Some(Err(why)) => {
                let patterns = self.wanted.iter_mut().filter(|wanted| wanted.entry.is_pattern());
                patterns.for_each(|wanted| lack(&mut wanted.meaning, Object::ManagedDevice, why));
            }
            None => {}
        }
        Ok(())
    }
}

/// Users who fit a pattern, by id, and which patterns those are.
struct UsersOfPatterns(HashMap<String, Vec<usize>>);

impl UsersOfPatterns {
    fn of(wanted: &[SoughtValue<'_>]) -> Self {
        let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, wanted) in wanted.iter().enumerate().filter(|(_, wanted)| wanted.entry.is_pattern()) {
            for (_, user) in &wanted.found {
                owners.entry(key(&user.id).into_owned()).or_default().push(at);
            }
        }
        Self(owners)
    }

    /// The patterns that the owner of a device fits.
    fn patterns_of(&self, device: &Identity) -> impl Iterator<Item = usize> {
        let owner = device.owner_id.as_deref().map(key);
        owner.and_then(|owner| self.0.get(owner.as_ref())).into_iter().flatten().copied()
    }
}
