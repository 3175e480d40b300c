//! The daily ledger: what counts against a tenant's daily limits, for all runs of this machine.
//!
//! In: attempts about to leave, answers that show that nothing happened, refusals. Out: room or none, within the
//! transaction that records the attempt, so that neither a crash nor another run comes between. Must not: know what a day
//! is; `daily` does.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::rows::micros;
use super::store::Store;
use crate::catalog::{DAILY, DailyLimit};
use crate::daily::{Book, DailyAccount, DailyRules, Ground, Take, UsedUp};
use crate::journal::error::JournalError;

/// What is older counts by no rule.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(14 * 24);

/// What the ledger says to the database.
pub(super) struct LedgerStatements<'c> {
    nth: CachedStatement<'c>,
    paused: CachedStatement<'c>,
    enter: CachedStatement<'c>,
    give_back: CachedStatement<'c>,
    pause: CachedStatement<'c>,
}

impl<'c> LedgerStatements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            nth: connection.prepare_cached(
                "SELECT left_at FROM daily_uses WHERE tenant = ?1 AND action = ?2
                 ORDER BY left_at DESC LIMIT 1 OFFSET ?3",
            )?,
            paused: connection.prepare_cached(PAUSED)?,
            enter: connection.prepare_cached("INSERT INTO daily_uses VALUES (?1, ?2, ?3, ?4)")?,
            give_back: connection.prepare_cached("DELETE FROM daily_uses WHERE client_request_id = ?1")?,
            pause: connection.prepare_cached(
                "INSERT INTO daily_pauses (tenant, action, until, presumed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET until = excluded.until, presumed = excluded.presumed
                 WHERE excluded.until > until",
            )?,
        })
    }

    /// Takes one request out of its allowances; `Err`: there is no room, and nothing was taken.
    pub(super) fn take(&mut self, take: &Take, now: Timestamp, id: &str) -> rusqlite::Result<Result<(), UsedUp>> {
        if let Some(used_up) = self.used_up(take, now)? {
            return Ok(Err(used_up));
        }
        let DailyAccount { tenant, rules } = &*take.account;
        for limit in rules.uses(take.limit) {
            self.enter.execute(params![tenant, action(limit), now.as_microsecond(), id])?;
        }
        Ok(Ok(()))
    }

    fn used_up(&mut self, take: &Take, now: Timestamp) -> rusqlite::Result<Option<UsedUp>> {
        let DailyAccount { tenant, rules } = &*take.account;
        let paused = self.paused.query_row(params![tenant, action(take.limit)], |row| paused(row, take.limit));
        let mut all: Vec<UsedUp> = paused.optional()?.into_iter().collect();
        for limit in rules.uses(take.limit) {
            let nth = rules.allowance(limit) - 1;
            let left: Option<i64> =
                self.nth.query_row(params![tenant, action(limit), nth], |row| row.get(0)).optional()?;
            let until = left.map(|left| rules.counts_until(micros(left)));
            all.extend(until.map(|until| UsedUp { limit, until, ground: Ground::Counted }));
        }
        Ok(all.into_iter().filter(|used_up| used_up.until > now).max_by_key(|used_up| used_up.until))
    }

    /// The attempt was none: nothing happened.
    pub(super) fn give_back(&mut self, id: &str) -> rusqlite::Result<()> {
        self.give_back.execute([id]).map(|_| ())
    }

    /// The service wants no more of it until then, or so it seems.
    pub(super) fn pause(&mut self, take: &Take, used_up: UsedUp) -> rusqlite::Result<()> {
        let (name, presumed) = (action(take.limit), used_up.ground == Ground::Presumed);
        let until = used_up.until.as_microsecond();
        self.pause.execute(params![take.account.tenant, name, until, presumed]).map(|_| ())
    }
}

const PAUSED: &str = "SELECT until, presumed FROM daily_pauses WHERE tenant = ?1 AND action = ?2";

fn paused(row: &Row<'_>, limit: usize) -> rusqlite::Result<UsedUp> {
    let ground = if row.get(1)? { Ground::Presumed } else { Ground::Said };
    Ok(UsedUp { limit, until: micros(row.get(0)?), ground })
}

fn action(limit: usize) -> &'static str {
    DAILY.get(limit).map_or("", |limit| limit.action)
}

/// What counts against the limits of a tenant, for a forecast.
pub(in crate::journal) fn book(store: &Store, tenant: &str, rules: &DailyRules) -> Result<Book, JournalError> {
    let read = || -> rusqlite::Result<Book> {
        let mut book = Book::default();
        let mut select = store.connection.prepare(
            "SELECT left_at FROM daily_uses WHERE tenant = ?1 AND action = ?2 ORDER BY left_at DESC LIMIT ?3",
        )?;
        let mut pauses = store.connection.prepare(PAUSED)?;
        for limit in 0..DailyLimit::COUNT {
            let mut rows = select.query(params![tenant, action(limit), rules.allowance(limit)])?;
            while let Some(row) = rows.next()? {
                book.enter(limit, micros(row.get(0)?));
            }
            let paused = pauses.query_row(params![tenant, action(limit)], |row| paused(row, limit));
            paused.optional()?.into_iter().for_each(|paused| book.pause(paused));
        }
        Ok(book)
    };
    read().map_err(JournalError::read)
}

/// What a tenant is called in the ledger that somebody calls `name`.
pub(in crate::journal) fn tenant_known_as(store: &Store, name: &str) -> Result<String, JournalError> {
    let name = name.to_lowercase();
    let known = store
        .connection
        .query_row("SELECT tenant FROM tenant_names WHERE name = ?1", [&name], |row| row.get(0))
        .optional()
        .map_err(JournalError::read)?;
    Ok(known.unwrap_or(name))
}

/// Whether runs at that place were in a tenant that was called otherwise.
pub(in crate::journal) fn has_other_tenants(store: &Store, place: &str, tenant: &str) -> Result<bool, JournalError> {
    store
        .connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE place = ?1 AND lower(tenant) <> lower(?2))
             OR EXISTS (SELECT 1 FROM remembered WHERE place = ?1 AND lower(tenant) <> lower(?2))
             OR EXISTS (SELECT 1 FROM sightings WHERE place = ?1 AND lower(tenant) <> lower(?2))",
            params![place, tenant],
            |row| row.get(0),
        )
        .map_err(JournalError::read)
}

/// Learns that `name` is the tenant with that id: what was counted under the name counts under the id. Forgets what
/// no longer counts.
pub(in crate::journal) fn know_tenant(
    store: &mut Store,
    name: &str,
    id: &str,
    now: Timestamp,
) -> Result<(), JournalError> {
    let (name, id) = (name.to_lowercase(), id.to_lowercase());
    let kept = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN).as_microsecond();
    let learn = |store: &mut Store| -> rusqlite::Result<()> {
        let learning = store.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if name != id {
            learning.execute("INSERT OR REPLACE INTO tenant_names VALUES (?1, ?2)", params![name, id])?;
            for table in ["daily_uses", "daily_pauses"] {
                let moved = format!("UPDATE OR REPLACE {table} SET tenant = ?2 WHERE tenant = ?1");
                learning.execute(&moved, params![name, id])?;
            }
        }
        learning.execute("DELETE FROM daily_uses WHERE left_at < ?1", [kept])?;
        learning.execute("DELETE FROM daily_pauses WHERE until < ?1", [kept])?;
        learning.commit()
    };
    learn(store).map_err(JournalError::write)
}

#[cfg(test)]
mod tests;
