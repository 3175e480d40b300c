//! What a step sends where its row names a user: ids in place of names, and in a body the name that the user has now.
//!
//! In: a row, a step, who was found. Out: the ids and parameters of the job, and what it owes to names. Must not: find
//! anybody, or leave a name in a path.

use std::sync::Arc;

use super::matching::Match;
use super::record::{FoundRecord, key};
use crate::catalog::TargetKind;
use crate::job::{Found, Ids, Job, Names, OfRow, Parameters};
use crate::plan::{Pointer, Unresolved, UnresolvedStep};

/// The users in the parameters of a row, each under the name that the row gives.
pub(super) type Users<'p> = Vec<(Box<str>, &'p FoundRecord)>;

/// The ids of a job. `found`: that of what was looked up.
pub(super) fn ids(row: &Unresolved, step: &UnresolvedStep, group: Option<&str>, found: &str) -> Ids {
    match &row.ids {
        Some(given) => Ids::new(step.route.ids.iter().map(|id| {
            let by_itself = given.iter().find(|(known, _)| known.name == id.name);
            by_itself.map_or(found, |(_, value)| &**value)
        })),
        // A route of two ids is one of a group and who is in it.
        None => Ids::new(group.filter(|_| step.route.ids.len() > 1).into_iter().chain([found])),
    }
}

/// The parameters with every user called as he is called now.
pub(super) fn parameters(step: &UnresolvedStep, users: &Users<'_>) -> Option<Arc<Parameters>> {
    let parameters = step.parameters.as_ref()?;
    let current = |name: &str| {
        let (_, record) = users.iter().find(|(written, _)| **written == *name)?;
        record.identity.user_principal_name.clone()
    };
    // Each of them was found by the name that he has.
    parameters.with_users(step.action, current).or_else(|| step.parameters.clone())
}

/// What a row says of its targets, in words and as the next night knows it.
pub(super) struct Called {
    pub by: Arc<str>,
    pub key: Arc<str>,
}

/// What is known of the target, where it is what was looked up.
pub(super) fn found(row: &Unresolved, step: &UnresolvedStep, target: &Match, called: &Called) -> Option<Found> {
    let is_target = row.ids.as_ref().is_none_or(|given| {
        let last = step.route.ids.last();
        last.is_some_and(|id| !given.iter().any(|(known, _)| known.name == id.name))
    });
    let name = match (step.kind, &target.identity) {
        (TargetKind::User, Some(user)) => user.title(TargetKind::User).map(Box::from),
        _ => target.name.clone(),
    };
    let (identity, by) = (target.identity.clone(), Arc::clone(&called.by));
    let row = OfRow { key: Arc::clone(&called.key), is_set: row.pointer.is_many(), device: target.device.clone() };
    is_target.then_some(Found { name, identity, by, row: Some(row) })
}

/// What a job owes to the names of users, if it does.
pub(super) fn names(row: &Unresolved, step: &UnresolvedStep, job: &Job, users: &Users<'_>) -> Option<Names> {
    let alias = match (&row.ids, &row.pointer) {
        (Some(given), Pointer::Given(criteria)) => {
            let is_meant = step.route.ids.iter().any(|id| !given.iter().any(|(known, _)| known.name == id.name));
            criteria.first().filter(|_| is_meant).map(|criterion| &*criterion.value)
        }
        _ => None,
    };
    let in_step: Vec<&str> = step.parameters.iter().flat_map(|it| it.users()).map(|name| &**name).collect();
    if alias.is_none() && in_step.is_empty() {
        return None;
    }
    let written = alias.map_or_else(|| job.ids.clone(), |alias| ids(row, step, None, alias));
    let sent = in_step.iter().filter_map(|name| {
        let (_, record) = users.iter().find(|(written, _)| **written == **name)?;
        let name = record.identity.user_principal_name.clone()?;
        Some((name, key(&record.identity.id).into_boxed_str()))
    });
    let in_body = sent.collect();
    let written_id = job.id_as_written(&written, step.parameters.as_deref());
    Some(Names { written_id, written, in_body })
}
