//! Which targets any run has seen in a tenant.
//!
//! In: the place and the tenant, jobs; what a read has shown. Out: the jobs whose target an answer or a read has shown there,
//! by whichever run. Must not: take it for seen that something was called done: what was never there is called so too.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::elsewhere::same_tenant;
use super::store::Store;
use crate::catalog::{ACTIONS, Action, ReadBack, TargetKind};
use crate::job::Job;
use crate::journal::error::JournalError;

/// Keeps that a read has shown the target of a job of a run, which is of that kind: an id is that of one kind of thing.
pub(super) const SHOWN: &str = "
INSERT OR IGNORE INTO sightings SELECT r.place, r.tenant, ?3, lower(json_extract(j.ids, '$[#-1]'))
FROM runs AS r JOIN jobs AS j ON j.run = r.run
WHERE r.run = ?1 AND j.job = ?2 AND r.place <> 'simulated' AND json_array_length(j.ids) > 0";

/// A target by its kind and its id in lower case.
type Target = (Box<str>, Box<str>);

/// The indexes of the jobs whose target was seen.
pub(in crate::journal) fn shown(
    store: &Store,
    place: &str,
    tenant: &str,
    jobs: &[Job],
) -> Result<HashSet<u32>, JournalError> {
    let mut targets = sighted(&store.connection, place, tenant).map_err(JournalError::read)?;
    targets.extend(dealt_with(&store.connection, place, tenant).map_err(JournalError::read)?);
    let mut done = HashSet::new();
    kept(&store.connection, place, tenant, &mut targets, &mut done).map_err(JournalError::read)?;
    if targets.is_empty() && done.is_empty() {
        return Ok(HashSet::new());
    }
    let was_seen = |job: &Job| {
        let target = (job.action.target.name().into(), job.target().to_ascii_lowercase().into());
        targets.contains(&target) || done.contains(&job.id.to_string())
    };
    Ok((0u32..).zip(jobs).filter(|(_, job)| was_seen(job)).map(|(index, _)| index).collect())
}

/// Keeps that the targets of these jobs were seen before a run began: what a saved preview has read.
pub(in crate::journal) fn keep_shown(
    store: &mut Store,
    run: i64,
    jobs: impl IntoIterator<Item = (u32, TargetKind)>,
) -> Result<(), JournalError> {
    let transaction = store.connection.transaction().map_err(JournalError::write)?;
    let keep = || -> rusqlite::Result<()> {
        let mut insert = transaction.prepare_cached(SHOWN)?;
        jobs.into_iter().try_for_each(|(job, kind)| insert.execute(params![run, job, kind.name()]).map(|_| ()))
    };
    keep().map_err(JournalError::write)?;
    transaction.commit().map_err(JournalError::write)
}

/// Before runs go: what they have seen is kept. `which` is a condition on runs, with one parameter.
pub(super) fn keep_what_they_saw(connection: &Connection, which: &str, parameter: i64) -> rusqlite::Result<()> {
    let mut select = connection.prepare(&format!(
        "SELECT DISTINCT r.place, r.tenant, j.action, lower(json_extract(j.ids, '$[#-1]'))
         FROM runs AS r JOIN jobs AS j ON j.run = r.run
         WHERE r.place <> 'simulated' AND json_array_length(j.ids) > 0
            AND r.run IN (SELECT run FROM runs WHERE {which}) AND ({})",
        has_shown()
    ))?;
    let mut insert = connection.prepare("INSERT OR IGNORE INTO sightings VALUES (?1, ?2, ?3, ?4)")?;
    let mut rows = select.query([parameter])?;
    while let Some(row) = rows.next()? {
        let (place, tenant, action, target): (String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        if let Some(kind) = kind_of(&action) {
            insert.execute(params![place, tenant, kind, target])?;
        }
    }
    Ok(())
}

/// The kind of what an action acts on. What a plan defines itself is not known without the plan.
fn kind_of(action: &str) -> Option<&'static str> {
    Action::named(action).map(|action| action.target.name())
}

/// Targets that a read has shown.
fn sighted(connection: &Connection, place: &str, tenant: &str) -> rusqlite::Result<HashSet<Target>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT s.kind, s.target FROM sightings AS s WHERE s.place = ?1 AND {}",
        same_tenant("?1", "s.tenant", "?2")
    ))?;
    let found = select.query_map(params![place, tenant], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.collect()
}

/// Targets that the service has accepted something for, filed something about, or shown when they were looked up.
fn dealt_with(connection: &Connection, place: &str, tenant: &str) -> rusqlite::Result<HashSet<Target>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT DISTINCT j.action, lower(json_extract(j.ids, '$[#-1]')) FROM runs AS r JOIN jobs AS j ON j.run = r.run
         WHERE r.place = ?1 AND json_array_length(j.ids) > 0 AND {} AND ({})",
        same_tenant("?1", "r.tenant", "?2"),
        has_shown(),
    ))?;
    let mut found = HashSet::new();
    let mut rows = select.query(params![place, tenant])?;
    while let Some(row) = rows.next()? {
        let (action, target): (String, Box<str>) = (row.get(0)?, row.get(1)?);
        found.extend(kind_of(&action).map(|kind| (kind.into(), target)));
    }
    Ok(found)
}

/// Whether a job `j` has shown its target: it was looked up, its outcome or one of its attempts says so, or it is in doubt
/// no longer, because a read has shown no effect.
fn has_shown() -> String {
    let comes_back = |action: &&crate::catalog::Action| matches!(action.read_back, ReadBack::BackAt { .. });
    let comes_back: Vec<_> = ACTIONS.iter().filter(comes_back).map(|action| format!("'{}'", action.name)).collect();
    format!(
        "j.found_by IS NOT NULL
         OR EXISTS (SELECT 1 FROM outcomes AS o WHERE o.run = j.run AND o.job = j.job
             AND o.outcome IN ('completed', 'accepted', 'awaiting_approval'))
         OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.run = j.run AND a.job = j.job
             AND (a.verdict IN ('succeeded', 'failed_on_device', 'approval_required', 'approval_pending')
                 OR (a.cleared AND j.action NOT IN ({}))))",
        comes_back.join(", ")
    )
}

/// Jobs of runs that were pruned, and the targets of deeds that are done only once.
fn kept(
    connection: &Connection,
    place: &str,
    tenant: &str,
    targets: &mut HashSet<Target>,
    done: &mut HashSet<String>,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT m.job_id, m.once FROM remembered AS m WHERE m.done = 1
         AND coalesce(m.outcome, 'accepted') IN ('completed', 'accepted')
         AND (m.place = '' OR (m.place = ?1 AND {}))",
        same_tenant("?1", "m.tenant", "?2"),
    ))?;
    let mut rows = select.query(params![place, tenant])?;
    while let Some(row) = rows.next()? {
        done.insert(row.get(0)?);
        // A deed on a target is an action and the target; any other is a job, which is there already.
        let once: Option<String> = row.get(1)?;
        let deed = once.as_deref().and_then(|once| once.rsplit_once(' '));
        targets.extend(deed.and_then(|(action, target)| Some((kind_of(action)?.into(), target.into()))));
    }
    Ok(())
}
