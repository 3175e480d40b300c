//! Who else may have removed the target of a job.
//!
//! In: a run, one of its jobs, what removes such a target. Out: the newest of these that was sent at the same place, by whatever
//! run. Must not: leave out what was sent and may have had its effect.

use rusqlite::{Connection, OptionalExtension, params};

use super::elsewhere::same_tenant;
use crate::job::Job;
use crate::journal::record::Taker;
use crate::outcome::Effect;

pub(super) fn who_took_away(
    connection: &Connection,
    (run, job): (i64, u32),
    removals: &[Job],
) -> rusqlite::Result<Option<Taker>> {
    for removal in removals {
        let sent_by = match sent(connection, (run, job), removal)? {
            Some(sent_by) => Some(sent_by),
            None => pruned(connection, run, removal)?,
        };
        if let Some(run) = sent_by {
            return Ok(Some(Taker { action: removal.action.name.into(), run }));
        }
    }
    Ok(None)
}

/// How jobs like that one are found, and by what: by the deed, where it is done only once, and else by action and target.
fn found_by(removal: &Job) -> (String, String) {
    match removal.once() {
        Some(once) => ("j.once = ?1".into(), once),
        None => {
            let action = removal.action.name;
            let is_it = format!("j.action = '{action}' AND lower(json_extract(j.ids, '$[#-1]')) = ?1");
            (is_it, removal.target().to_ascii_lowercase())
        }
    }
}

fn sent(connection: &Connection, (run, job): (i64, u32), removal: &Job) -> rusqlite::Result<Option<Box<str>>> {
    let (is_it, by) = found_by(removal);
    let mut select = connection.prepare_cached(&format!(
        "SELECT r.run_id, a.verdict FROM runs AS mine JOIN jobs AS j ON {is_it} AND NOT (j.run = ?2 AND j.job = ?3)
         JOIN runs AS r ON r.run = j.run AND (r.run = ?2 OR (mine.place <> 'simulated' AND r.place = mine.place AND {}))
         JOIN attempts AS a ON a.run = j.run AND a.job = j.job WHERE mine.run = ?2 ORDER BY a.seq DESC",
        same_tenant("mine.place", "r.tenant", "mine.tenant")
    ))?;
    let mut rows = select.query(params![by, run, job])?;
    while let Some(row) = rows.next()? {
        let verdict: Option<String> = row.get(1)?;
        if Effect::of(verdict.as_deref()) == Effect::Possible {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// The same by what is kept of runs that were pruned.
fn pruned(connection: &Connection, run: i64, removal: &Job) -> rusqlite::Result<Option<Box<str>>> {
    let (column, by) = match removal.once() {
        Some(once) => ("once", once),
        None => ("job_id", removal.id.to_string()),
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT m.run_id FROM runs AS mine JOIN remembered AS m ON m.{column} = ?1 AND m.done IN (0, 1)
            AND mine.place <> 'simulated' AND m.place = mine.place AND {} WHERE mine.run = ?2",
        same_tenant("mine.place", "m.tenant", "mine.tenant")
    ))?;
    select.query_row(params![by, run], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use crate::catalog::Action;
    use crate::job::{Ids, Job, JobParts};

    #[test]
    fn what_may_be_repeated_and_removes_a_device_has_an_index() {
        let wipe = Action::named("wipe").unwrap();
        let removals =
            Job::new(JobParts::plain(1, wipe, Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"]))).removals();
        let named: Vec<_> = removals.iter().map(|job| (job.action.name, job.once().is_some())).collect();
        assert_eq!(named, [("retire", true), ("delete", false)]);
    }
}
