//! Which other job a thing that was seen may be due to.
//!
//! In: a run, one of its jobs, what its rivals can be. Out: one that was sent at the same place, by whatever run, and may have had
//! its effect. Must not: leave one out because nobody knows whether it had.

use rusqlite::{Connection, OptionalExtension, params};

use super::elsewhere::same_tenant;
use super::steps::LISTED;
use crate::job::Job;
use crate::journal::record::{Rival, RivalQuestion};
use crate::outcome::Effect;

/// The service dates to the second: what was sent within that of an attempt is told apart from it by no date.
const SECOND: i64 = 1_000_000;

/// It retires all devices of a user, and nobody knows whose a device was that is gone.
const OF_ANYBODY: &str = "removeAllDevicesFromManagement";

pub(super) fn rival(
    connection: &Connection,
    run: (i64, u32),
    RivalQuestion { same, removals }: &RivalQuestion,
) -> rusqlite::Result<Option<Rival>> {
    let mine = first_of(connection, run)?;
    if let Some(found) = sent(connection, run, &found_by(same), mine)? {
        return Ok(Some(found));
    }
    if let Some(found) = pruned(connection, run.0, same, mine.0)? {
        return Ok(Some(found));
    }
    for removal in removals {
        if let Some(found) = sent(connection, run, &found_by(removal), EVER)? {
            return Ok(Some(found));
        }
        if let Some(found) = pruned(connection, run.0, removal, EVER.0)? {
            return Ok(Some(found));
        }
    }
    match removals.is_empty() {
        true => Ok(None),
        false => sent(connection, run, &of_anybody(), mine),
    }
}

/// The place of the job's first attempt in the order, and its time.
fn first_of(connection: &Connection, (run, job): (i64, u32)) -> rusqlite::Result<(i64, i64)> {
    let mut select =
        connection.prepare_cached("SELECT min(seq), min(sent_at) FROM attempts WHERE run = ?1 AND job = ?2")?;
    let found = select.query_row([run, i64::from(job)], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get(1)?)))?;
    let (seq, sent_at): (Option<i64>, Option<i64>) = found;
    Ok((seq.unwrap_or(EVER.0), sent_at.map_or(EVER.1, |at| at - at.rem_euclid(SECOND) - 1)))
}

/// After whatever place and time.
const EVER: (i64, i64) = (-1, i64::MIN);

/// A condition on jobs, and the text in it.
type FoundBy = (String, String);

/// By the deed, where a target has it done only once; else by action and target, for which there is an index where that is needed
/// (`super::steps`), or as the same job.
fn found_by(job: &Job) -> FoundBy {
    let by_target = || {
        let action = job.action.name;
        let is_it = format!("j.{LISTED} AND j.action = '{action}' AND lower(json_extract(j.ids, '$[#-1]')) = ?1");
        (is_it, job.target().to_ascii_lowercase())
    };
    match job.once() {
        Some(once) if once.contains(' ') => ("j.once = ?1".into(), once),
        _ => by_target(),
    }
}

fn of_anybody() -> FoundBy {
    (format!("j.once > ?1 AND j.once < '{OF_ANYBODY}!'"), format!("{OF_ANYBODY} "))
}

fn sent(
    connection: &Connection,
    (run, job): (i64, u32),
    (is_it, by): &FoundBy,
    (seq, at): (i64, i64),
) -> rusqlite::Result<Option<Rival>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT j.action, r.run_id, a.verdict FROM runs AS mine JOIN jobs AS j ON {is_it} AND NOT (j.run = ?2 AND j.job = ?3)
         JOIN runs AS r ON r.run = j.run AND (r.run = ?2 OR (mine.place <> 'simulated' AND r.place = mine.place AND {}))
         JOIN attempts AS a ON a.run = j.run AND a.job = j.job AND (a.seq > ?4 OR a.sent_at > ?5)
            AND NOT EXISTS (SELECT 1 FROM attempts AS own WHERE own.run = ?2 AND own.job = ?3
                AND own.client_request_id = a.client_request_id)
         WHERE mine.run = ?2 ORDER BY a.seq DESC",
        same_tenant("mine.place", "r.tenant", "mine.tenant")
    ))?;
    let mut rows = select.query(params![by, run, job, seq, at])?;
    while let Some(row) = rows.next()? {
        let verdict: Option<String> = row.get(2)?;
        if Effect::of(verdict.as_deref()) == Effect::Possible {
            return Ok(Some(Rival { action: row.get(0)?, run: row.get(1)? }));
        }
    }
    Ok(None)
}

/// The same by what is kept of runs that were pruned; older versions have kept no place.
fn pruned(connection: &Connection, run: i64, job: &Job, seq: i64) -> rusqlite::Result<Option<Rival>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT m.run_id FROM runs AS mine JOIN remembered AS m ON (m.once = ?1 OR m.job_id = ?2) AND m.done IN (0, 1)
            AND m.seq > ?3 AND m.run_id <> mine.run_id
            AND mine.place <> 'simulated' AND (m.place = '' OR m.place = mine.place AND {}) WHERE mine.run = ?4",
        same_tenant("mine.place", "m.tenant", "mine.tenant")
    ))?;
    let found = select.query_row(params![job.once(), job.id.to_string(), seq, run], |row| row.get(0)).optional()?;
    Ok(found.map(|run| Rival { action: job.action.name.into(), run }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ACTIONS, Action, OncePer, ReadBack, Repeat};
    use crate::job::{Ids, JobParts};
    use crate::journal::place::JournalPlace;
    use crate::journal::sqlite::store::Store;

    #[test]
    fn what_is_found_by_its_target_has_an_index() {
        let wipe = Action::named("wipe").unwrap();
        let removals =
            Job::new(JobParts::plain(1, wipe, Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"]))).removals();
        let removals: Vec<_> = removals.iter().map(|job| (job.action.name, job.is_done_once())).collect();
        assert_eq!(removals, [("retire", true), ("delete", false)]);
        let is_dated = |action: &&Action| matches!(action.read_back, ReadBack::ActionResult { .. });
        let once = |action: &&Action| action.repeat == Repeat::AfterReadBack && action.once_per == OncePer::Target;
        let needed = ACTIONS.iter().filter(is_dated).filter(|action| !once(action)).map(|action| action.name);
        let missing: Vec<_> = needed.chain(["delete"]).filter(|name| !LISTED.contains(&format!("'{name}'"))).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&JournalPlace::Folder(folder.path().into())).unwrap();
        for (action, index) in [("delete", "jobs_target"), ("wipe", "jobs_once")] {
            let action = Action::named(action).unwrap();
            let job = Job::new(JobParts::plain(1, action, Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"])));
            let (is_it, by) = found_by(&job);
            let explain = format!("EXPLAIN QUERY PLAN SELECT j.job FROM jobs AS j WHERE {is_it}");
            let plan: String = store.connection.query_row(&explain, [by], |row| row.get(3)).unwrap();
            assert!(plan.contains(index), "{plan}");
        }
    }
}
