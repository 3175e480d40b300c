//! What runs of other plans have open on a target, read from the database.
//!
//! In: a target, and whose plan asks. Out: [`OpenJob`]s. Must not: say whether something may follow them.
//!
//! A target is known by its id, and by those of the records that one chain of steps has dealt with together with it: a
//! managed device, its Autopilot identity, its device in Entra.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::elsewhere::{OPEN, same_tenant};
use super::parts::{Deeds, JobOfRun, called};
use super::rows::micros;
use super::steps::OTHERS_THAN_HARMLESS;
use crate::catalog::{ACTIONS, Action, IdName, OncePer, Repeat, Risk};
use crate::job::{Job, device_of_state};
use crate::journal::known::PartOfRun;
use crate::journal::open::{HOLDS, OpenJob, Stands, open};

/// Whose plan asks, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub place: &'a str,
    pub tenant: &'a str,
    pub plan_key: &'a str,
}

/// A job that wants to go to a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct WantedJob<'a> {
    pub target: &'a str,
    /// What it does only once: there the memory of deeds decides, unless it waits for an approval.
    pub deed: Option<&'a str>,
}

/// Looks for what is open on targets.
pub(super) struct OnTargets<'c> {
    connection: &'c Connection,
    deeds: Deeds<'c>,
    jobs: CachedStatement<'c>,
    by_state: CachedStatement<'c>,
    around: CachedStatement<'c>,
    asked: CachedStatement<'c>,
    place: String,
    tenant: String,
    plan_key: String,
    /// Whether runs that were pruned have left anything open: mostly none have, and each target would be asked for by many names.
    remembers: bool,
}

/// A job on the target.
struct OpenRow {
    at: JobOfRun,
    deed: RecordedDeed,
    /// Whether steps stand before or behind it.
    is_step: bool,
    of: Of,
}

/// What is done, by whatever runs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RecordedDeed {
    /// What makes it one with the same job of another run.
    name: String,
    action: String,
    target: String,
}

/// The run that a job is of.
#[derive(Clone)]
struct Of {
    plan_key: String,
    plan: String,
}

/// Steps of one target stand beside each other; no plan has more of them.
const LONGEST_CHAIN: u32 = 32;

impl<'c> OnTargets<'c> {
    pub(super) fn look(connection: &'c Connection, asker: Asker<'_>, now: Timestamp) -> rusqlite::Result<Self> {
        let Asker { place, tenant, plan_key } = asker;
        Ok(Self {
            connection,
            deeds: Deeds::look(connection, place, tenant, NO_RUN)?,
            jobs: connection.prepare_cached(&jobs_where("lower(json_extract(j.ids, '$[#-1]')) = ?1"))?,
            by_state: connection.prepare_cached(&jobs_where(&format!("j.once IN ({})", by_state())))?,
            around: connection.prepare_cached(
                "SELECT job, after, lower(json_extract(ids, '$[#-1]')) FROM jobs WHERE run = ?1 AND job BETWEEN ?2 AND ?3
                 ORDER BY job",
            )?,
            asked: connection.prepare_cached(&format!(
                "SELECT a.expires_at FROM approvals AS a WHERE a.run = ?1 AND a.job = ?2 AND a.expires_at > ?3 AND {OPEN}"
            ))?,
            place: place.to_owned(),
            tenant: tenant.to_owned(),
            plan_key: plan_key.to_owned(),
            remembers: remembers(connection, asker, now)?,
        })
    }

    /// Whether another plan can have anything open there at all: mostly a machine runs one, and need not look for each job.
    pub(super) fn may_be_any(connection: &Connection, asker: Asker<'_>, now: Timestamp) -> rusqlite::Result<bool> {
        let Asker { place, plan_key, .. } = asker;
        let of_runs: bool = connection.query_row(
            &format!(
                "SELECT EXISTS (SELECT 1 FROM runs WHERE place = ?1 AND plan_key <> ?2 AND (ended_at IS NULL OR ended_at > ?3))
                    OR EXISTS (SELECT 1 FROM approvals AS a WHERE a.expires_at > ?4 AND {OPEN})"
            ),
            params![place, plan_key, young(now), now.as_microsecond()],
            |row| row.get(0),
        )?;
        Ok(of_runs || remembers(connection, asker, now)?)
    }

    /// What runs of other plans have open on that target.
    pub(super) fn open(&mut self, wanted: WantedJob<'_>, now: Timestamp) -> rusqlite::Result<Vec<OpenJob>> {
        let mut rows = self.rows(wanted.target)?;
        let mut targets: HashSet<String> = HashSet::from([wanted.target.to_owned()]);
        let steps: Vec<(i64, u32)> =
            rows.iter().filter(|row| row.is_step).map(|row| (row.at.run, row.at.job)).collect();
        for step in steps {
            for other in self.chain_of(step)? {
                if targets.insert(other.clone()) {
                    rows.extend(self.rows(&other)?);
                }
            }
        }
        let mut found = self.asked_among(&rows, now)?;
        // What is kept of runs that were pruned, and what an own run knows better of the same deed, counts as well.
        let mut deeds: BTreeMap<RecordedDeed, Vec<OpenRow>> = BTreeMap::new();
        for row in rows {
            deeds.entry(row.deed.clone()).or_default().push(row);
        }
        if self.remembers {
            for deed in targets.iter().flat_map(|target| deeds_on(target)) {
                deeds.entry(deed).or_default();
            }
        }
        for (deed, rows) in deeds {
            if wanted.deed != Some(deed.name.as_str()) {
                found.extend(self.left_open(&deed, &rows, now)?);
            }
        }
        Ok(found)
    }

    fn rows(&mut self, target: &str) -> rusqlite::Result<Vec<OpenRow>> {
        let mut found = Self::rows_of(&mut self.jobs, target, [&self.place, &self.tenant])?;
        for row in Self::rows_of(&mut self.by_state, target, [&self.place, &self.tenant])? {
            if !found.iter().any(|known| (known.at.run, known.at.job) == (row.at.run, row.at.job)) {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn rows_of(
        jobs: &mut CachedStatement<'_>,
        target: &str,
        [place, tenant]: [&str; 2],
    ) -> rusqlite::Result<Vec<OpenRow>> {
        let rows = jobs.query_map(params![target, place, tenant], |row| {
            let at = JobOfRun {
                run: row.get(0)?,
                job: row.get(1)?,
                run_id: row.get(5)?,
                called: called(row)?,
                is_inherited: row.get(9)?,
            };
            let of = Of { plan_key: row.get(6)?, plan: row.get(7)? };
            let deed = RecordedDeed { name: row.get(3)?, action: row.get(2)?, target: target.to_owned() };
            Ok(OpenRow { at, deed, is_step: row.get(4)?, of })
        })?;
        rows.collect()
    }

    /// The targets of the steps that stand together with that one.
    fn chain_of(&mut self, (run, job): (i64, u32)) -> rusqlite::Result<Vec<String>> {
        let (first, last) = (job.saturating_sub(LONGEST_CHAIN), job.saturating_add(LONGEST_CHAIN));
        let around = self.around.query_map(params![run, first, last], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, Option<u32>>(1)?, row.get::<_, String>(2)?))
        })?;
        let around: Vec<(u32, Option<u32>, String)> = around.collect::<rusqlite::Result<_>>()?;
        let mut chain: HashSet<u32> = HashSet::from([job]);
        for (at, after, _) in around.iter().rev() {
            chain.extend(after.filter(|_| chain.contains(at)));
        }
        for (at, after, _) in &around {
            if after.is_some_and(|after| chain.contains(&after)) {
                chain.insert(*at);
            }
        }
        Ok(around.into_iter().filter(|(at, ..)| chain.contains(at)).map(|(.., target)| target).collect())
    }

    fn asked_among(&mut self, rows: &[OpenRow], now: Timestamp) -> rusqlite::Result<Vec<OpenJob>> {
        let mut found = Vec::new();
        for OpenRow { at, deed, of, .. } in rows.iter().filter(|row| row.of.plan_key != self.plan_key) {
            let expires: Option<i64> =
                self.asked.query_row(params![at.run, at.job, now.as_microsecond()], |row| row.get(0)).optional()?;
            let stands = expires.map(|until| (Stands::Asked, micros(until)));
            found.extend(stands.map(|how| open_job(&at.run_id, of, deed, how)));
        }
        Ok(found)
    }

    /// A deed, by whatever runs, that another plan has sent last, and that is open.
    fn left_open(
        &mut self,
        deed: &RecordedDeed,
        rows: &[OpenRow],
        now: Timestamp,
    ) -> rusqlite::Result<Option<OpenJob>> {
        let mut parts: Vec<PartOfRun> = Vec::new();
        for row in rows {
            parts.extend(self.deeds.part(&row.at)?);
        }
        parts.extend(self.deeds.kept(&deed.name, None)?);
        let Some((run_id, stands, until)) = open(&parts, now) else { return Ok(None) };
        let of = match rows.iter().find(|row| row.at.run_id == run_id) {
            Some(row) => Some(row.of.clone()),
            None => self.of_run(&run_id, &deed.name)?,
        };
        let of = of.filter(|of| of.plan_key != self.plan_key);
        Ok(of.map(|of| open_job(&run_id, &of, deed, (stands, until))))
    }

    /// A run that is there no more, or that has done it on another's account.
    fn of_run(&self, run_id: &str, deed: &str) -> rusqlite::Result<Option<Of>> {
        let read = |sql: &str| {
            let mut select = self.connection.prepare_cached(sql)?;
            select
                .query_row(params![run_id, deed], |row| Ok(Of { plan_key: row.get(0)?, plan: row.get(1)? }))
                .optional()
        };
        let there = read(
            "SELECT plan_key, coalesce(json_extract(settings, '$.plan_name'), plan_file) FROM runs WHERE run_id = ?1 AND ?2 <> ''",
        )?;
        match there {
            Some(of) => Ok(Some(of)),
            None => read("SELECT plan_key, 'a plan of then' FROM remembered WHERE run_id = ?1 AND once = ?2"),
        }
    }
}

/// Whether anything that was done in runs that are there no more is as young as what holds others.
fn remembers(
    connection: &Connection,
    Asker { place, plan_key, .. }: Asker<'_>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM remembered WHERE place = ?1 AND plan_key <> ?2 AND outcome = 'accepted'
            AND finished_at > ?3 AND run_id NOT IN (SELECT run_id FROM runs))",
        params![place, plan_key, young(now)],
        |row| row.get(0),
    )
}

/// The runs that hold other plans by more than what is remembered of a run that is there no more: what was done only once to a
/// target is, and what else was done to it, or by steps on several records of one machine, is not. `?1`: from when on a run is too young to
/// be pruned; a query.
pub(super) fn holding_others() -> String {
    let holds = HOLDS.as_secs().saturating_mul(1_000_000);
    format!(
        "SELECT j.run FROM jobs AS j JOIN outcomes AS o ON o.run = j.run AND o.job = j.job AND o.outcome = 'accepted' AND o.finished_at > ?1 - {holds}
         WHERE j.{OTHERS_THAN_HARMLESS} AND (j.once IS NULL OR j.once <> j.action || ' ' || lower(json_extract(j.ids, '$[#-1]'))
            OR j.after IS NOT NULL OR EXISTS (SELECT 1 FROM jobs AS b WHERE b.run = j.run AND b.job = j.job + 1 AND b.after = j.job))"
    )
}

/// What is older holds nobody.
fn young(now: Timestamp) -> i64 {
    now.saturating_sub(HOLDS).unwrap_or(now).as_microsecond()
}

/// Jobs on a target, `?1`, in a tenant.
fn jobs_where(is_on: &str) -> String {
    format!(
        "SELECT j.run, j.job, j.action, coalesce(j.once, j.job_id),
            j.after IS NOT NULL OR EXISTS (SELECT 1 FROM jobs AS b WHERE b.run = j.run AND b.job = j.job + 1 AND b.after = j.job),
            r.run_id, r.plan_key, coalesce(json_extract(r.settings, '$.plan_name'), r.plan_file), j.job_id,
            EXISTS (SELECT 1 FROM inherited AS i WHERE i.run = j.run AND i.job = j.job)
         FROM jobs AS j JOIN runs AS r ON r.run = j.run AND r.place = ?2 AND {}
         WHERE {is_on} AND j.{OTHERS_THAN_HARMLESS} ORDER BY j.run, j.job",
        same_tenant("?2", "r.tenant", "?3")
    )
}

/// The deeds on a target, `?1`, that can be asked for by the state of a script on it as well, as a list for a query.
fn by_state() -> String {
    let takes_state =
        |action: &&Action| action.routes.iter().any(|route| route.ids.last().is_some_and(IdName::is_state));
    let names = ACTIONS.iter().filter(takes_state).map(|action| format!("'{} ' || ?1", action.name));
    names.collect::<Vec<_>>().join(", ")
}

/// No run has this number.
const NO_RUN: i64 = -1;

fn open_job(run_id: &str, of: &Of, deed: &RecordedDeed, (stands, until): (Stands, Timestamp)) -> OpenJob {
    let RecordedDeed { action, target, .. } = deed.clone();
    let plan = of.plan.rsplit(['/', '\\']).next().unwrap_or(&of.plan).to_owned();
    OpenJob { run_id: run_id.to_owned(), plan, action, target, stands, until }
}

/// What may be remembered of a target, by what is done only once to it.
fn deeds_on(target: &str) -> impl Iterator<Item = RecordedDeed> {
    let once = ACTIONS.iter().filter(|action| {
        action.repeat == Repeat::AfterReadBack && action.once_per == OncePer::Target && action.risk > Risk::Harmless
    });
    once.map(move |action| RecordedDeed {
        name: format!("{} {target}", action.name),
        action: action.name.to_owned(),
        target: target.to_owned(),
    })
}

/// What runs of other plans have open on the targets of one run, for its attempts. Within the transaction that records one:
/// whoever comes second sees the attempt of the first.
pub(super) struct Beside<'c> {
    on_targets: OnTargets<'c>,
    job: CachedStatement<'c>,
    run: i64,
}

impl<'c> Beside<'c> {
    /// `None`: nothing is open where everything is made up.
    pub(super) fn look(connection: &'c Connection, run: i64, now: Timestamp) -> rusqlite::Result<Option<Self>> {
        let mut select = connection
            .prepare_cached("SELECT place, tenant, plan_key FROM runs WHERE run = ?1 AND place <> 'simulated'")?;
        let found = select.query_row([run], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).optional()?;
        let Some([place, tenant, plan_key]): Option<[String; 3]> = found else { return Ok(None) };
        let asker = Asker { place: &place, tenant: &tenant, plan_key: &plan_key };
        let job = connection.prepare_cached(
            "SELECT action, lower(json_extract(ids, '$[#-1]')), once FROM jobs WHERE run = ?1 AND job = ?2",
        )?;
        Ok(Some(Self { on_targets: OnTargets::look(connection, asker, now)?, job, run }))
    }

    /// What a job that is about to leave may not follow.
    pub(super) fn of(
        &mut self,
        job: u32,
        now: Timestamp,
        may_follow: fn(&str, &str) -> bool,
    ) -> rusqlite::Result<Option<OpenJob>> {
        let found = self.job.query_row(params![self.run, job], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        });
        let Some((action, target, deed)) = found.optional()? else { return Ok(None) };
        let wanted = WantedJob { target: device_of_state(&target), deed: deed.as_deref() };
        let open = self.on_targets.open(wanted, now)?;
        Ok(open.into_iter().find(|open| !may_follow(&open.action, &action)))
    }
}

/// What runs of other plans have open on the targets of jobs, by index.
pub(super) fn on_targets<'j>(
    connection: &Connection,
    asker: Asker<'_>,
    jobs: impl Iterator<Item = (u32, &'j Job)>,
    now: Timestamp,
) -> rusqlite::Result<Vec<(u32, Vec<OpenJob>)>> {
    if !OnTargets::may_be_any(connection, asker, now)? {
        return Ok(Vec::new());
    }
    let mut on_targets = OnTargets::look(connection, asker, now)?;
    let mut found = Vec::new();
    for (index, job) in jobs {
        let (target, once) = (device_of_state(job.target()).to_ascii_lowercase(), job.once());
        let open = on_targets.open(WantedJob { target: &target, deed: once.as_deref() }, now)?;
        if !open.is_empty() {
            found.push((index, open));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::place::JournalPlace;
    use crate::journal::sqlite::store::Store;

    #[test]
    fn what_keeps_nobody_from_its_target_is_named_and_all_else_is_found_by_an_index() {
        for action in ACTIONS {
            let is_named = OTHERS_THAN_HARMLESS.contains(&format!("'{}'", action.name));
            assert_eq!(is_named, action.risk == Risk::Harmless, "{}", action.name);
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&JournalPlace::Folder(folder.path().into())).unwrap();
        let asker = Asker { place: "p", tenant: "t", plan_key: "k" };
        let on_targets = OnTargets::look(&store.connection, asker, Timestamp::UNIX_EPOCH).unwrap();
        for (found, index) in [(&on_targets.jobs, "jobs_by_target"), (&on_targets.by_state, "jobs_once")] {
            let explain = format!("EXPLAIN QUERY PLAN {}", found.expanded_sql().unwrap());
            let mut select = store.connection.prepare(&explain).unwrap();
            let plan: Vec<String> =
                select.query_map([], |row| row.get(3)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
            assert!(plan.iter().any(|line| line.contains(index)), "{plan:?}");
        }
    }
}
