//! Which jobs of a long plan the journal can know anything of, told without asking for each.
//!
//! In: the journal; a job. Out: whether anything is recorded by which it would be found. Must not: pass over a job that the journal
//! knows. Who is called known here is asked for closely.
//!
//! Of a million rows mostly none was in a run before, and to ask for each takes twice as long as the rest of a preview. Here
//! every name that the journal knows is read once, and leaves three bits: two bytes for each.

use rusqlite::{Connection, params};

use crate::job::{Job, JobId, device_of_state};
use crate::text::Folding;

/// To ask for one job takes longer than to read so many that are recorded.
const READ_FOR_ONE: i64 = 8;

/// Bits for each name, and how many of them it sets.
const BITS: usize = 16;
const BITS_SET: u32 = 3;
const BITS_IN_A_WORD: u32 = u64::BITS;

/// All names of jobs in the journal.
pub(super) struct Sieve {
    /// Their number is a power of two.
    words: Vec<u64>,
}

impl Sieve {
    /// Of the jobs of all runs at a place but that one, and of what is kept of runs that were pruned. `None`: for so few jobs it is
    /// less work to ask for each.
    pub(super) fn of(connection: &Connection, place: &str, jobs: usize, but: i64) -> rusqlite::Result<Option<Self>> {
        let worth = i64::try_from(jobs).unwrap_or(i64::MAX).saturating_mul(READ_FOR_ONE);
        let recorded: i64 = connection.query_row(
            "SELECT coalesce(sum(jobs), 0) + (SELECT count(*) FROM (SELECT 1 FROM remembered LIMIT ?3)) FROM runs
             WHERE place = ?1 AND run <> ?2",
            params![place, but, worth],
            |row| row.get(0),
        )?;
        if recorded >= worth {
            return Ok(None);
        }
        // Each has two names.
        let words = usize::try_from(recorded).unwrap_or_default() * 2 * BITS / BITS_IN_A_WORD as usize;
        let mut sieve = Self { words: vec![0; words.max(1).next_power_of_two()] };
        sieve.read(connection, place, but)?;
        Ok(Some(sieve))
    }

    fn read(&mut self, connection: &Connection, place: &str, but: i64) -> rusqlite::Result<()> {
        for sql in [RECORDED, KEPT] {
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query(params![place, but])?;
            while let Some(row) = rows.next()? {
                for column in 0..2 {
                    if let Some(name) = row.get_ref(column)?.as_str_or_null()? {
                        self.add(hash_of(name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether something may be recorded of it, or of what else is done to its target.
    pub(super) fn may_know(&self, job: &Job) -> bool {
        // What was made of the names of users is looked for by several names, and there are few.
        job.names.is_some()
            || self.has(job.id.as_hash())
            || self.has(Folding::hash(device_of_state(job.target()).as_bytes()))
    }

    fn add(&mut self, hash: u64) {
        let (word, bits) = self.place(hash);
        self.words[word] |= bits;
    }

    fn has(&self, hash: u64) -> bool {
        let (word, bits) = self.place(hash);
        self.words[word] & bits == bits
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        let hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (0..BITS_SET).map(|number| 1 << (hash >> (6 * number) & u64::from(BITS_IN_A_WORD - 1)));
        ((hash >> 32) as usize & (self.words.len() - 1), bits.fold(0, |all, bit: u64| all | bit))
    }
}

/// By what a job is found: what it does only once, and its target.
const RECORDED: &str = "SELECT j.once, json_extract(j.ids, '$[#-1]') FROM runs AS r JOIN jobs AS j ON j.run = r.run
    WHERE r.place = ?1 AND r.run <> ?2";

/// The same of runs that were pruned. An older version has kept neither place nor deed: there a job is found by what it is called.
const KEPT: &str = "SELECT once, job_id FROM remembered WHERE place IN (?1, '') AND ?2 = ?2";

/// A deed is an action and a target, or the id of a job.
fn hash_of(name: &str) -> u64 {
    match (name.split_once(' '), name.parse::<JobId>()) {
        (Some((_, target)), _) => Folding::hash(target.as_bytes()),
        (None, Ok(id)) => id.as_hash(),
        (None, Err(())) => Folding::hash(name.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ACTIONS, Action};
    use crate::job::{Ids, JobParts};
    use crate::journal::{Journal, NewRun, RunId};
    use jiff::Timestamp;

    const PLACE: &str = "https://graph.microsoft.com";
    const NO_RUN: i64 = -1;

    fn job(action: &'static Action, number: u32) -> Job {
        let route = action.default_route();
        let id = format!("{number:08X}-0b2e-4a55-9d6b-0d1f4a7a2c11");
        Job::new(JobParts::plain(number, action, Ids::new(route.ids.iter().map(|_| id.as_str()))))
    }

    fn begin(journal: &mut Journal, run: u8, place: &str, jobs: &[Job]) {
        let run = NewRun {
            id: &RunId::new(Timestamp::UNIX_EPOCH, [run; 10]),
            plan_key: "key",
            plan_file: "plan.csv",
            plan_digest: "",
            plan_files: &[],
            tenant: "contoso",
            place,
            known: 0,
            settings: &serde_json::json!({}),
            report: None,
            jobs,
            inherited: &[],
            request: |_| ("POST", String::new(), None),
            now: Timestamp::UNIX_EPOCH,
        };
        journal.begin(&run).unwrap();
    }

    #[test]
    fn whatever_is_recorded_is_found_and_hardly_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let recorded: Vec<Job> = (0u32..).zip(ACTIONS.iter().cycle()).take(1_000).map(|(at, it)| job(it, at)).collect();
        begin(&mut journal, 1, PLACE, &recorded[..500]);
        begin(&mut journal, 2, PLACE, &recorded[500..]);
        let connection = &journal.store.connection;
        let sieve = Sieve::of(connection, PLACE, 1_000, NO_RUN).unwrap().unwrap();
        let wipe = Action::named("wipe").unwrap();
        for known in &recorded {
            assert!(sieve.may_know(known), "{} of {}", known.action.name, known.target());
            // Something else on the same target, which is written otherwise.
            let other = JobParts::plain(1, wipe, Ids::new([known.target().to_lowercase().as_str()]));
            assert!(sieve.may_know(&Job::new(other)));
        }
        let strangers = (1_000..11_000).filter(|at| sieve.may_know(&job(wipe, *at))).count();
        assert!(strangers < 400, "{strangers}");
        let without = Sieve::of(connection, PLACE, 1_000, 1).unwrap().unwrap();
        let found = recorded[..500].iter().filter(|job| without.may_know(job)).count();
        assert!(found < 50, "{found} of the run that is left out");
        assert!(recorded[500..].iter().all(|job| without.may_know(job)));
    }

    #[test]
    fn for_few_jobs_nothing_is_read_and_another_place_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let retire = Action::named("retire").unwrap();
        let recorded: Vec<Job> = (0..100).map(|at| job(retire, at)).collect();
        begin(&mut journal, 1, PLACE, &recorded);
        let sieve = |place, jobs| Sieve::of(&journal.store.connection, place, jobs, NO_RUN).unwrap();
        assert!(sieve(PLACE, 12).is_none());
        assert!(sieve(PLACE, 13).is_some());
        let elsewhere = sieve("https://graph.microsoft.us", 13).unwrap();
        assert!(recorded.iter().all(|job| !elsewhere.may_know(job)));
    }

    #[test]
    fn what_is_kept_of_runs_that_were_pruned_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let retire = Action::named("retire").unwrap();
        let [today, before, stranger] = [1, 2, 3].map(|at| job(retire, at));
        let keep = "INSERT INTO remembered (plan_key, job_id, done, run_id, client_request_id, sent_at, place, once)
            VALUES ('k', ?1, 1, 'r', '', 0, ?2, ?3)";
        let connection = &journal.store.connection;
        connection.execute(keep, params!["0".repeat(32), PLACE, today.once()]).unwrap();
        connection.execute(keep, params![before.id.to_string(), "", None::<String>]).unwrap();
        let sieve = Sieve::of(connection, PLACE, 3, NO_RUN).unwrap().unwrap();
        assert_eq!([&today, &before, &stranger].map(|job| sieve.may_know(job)), [true, true, false]);
    }
}
