//! The order in which attempts and outcomes came, whichever run and process they belong to.
//!
//! In: a transaction that has the database to itself. Out: one place after the other, and the last one kept for whoever
//! comes next. Must not: know a clock: clocks are set back.

use rusqlite::Connection;

/// The places that a transaction gives out.
#[derive(Debug)]
pub(super) struct Order {
    last: i64,
    kept: i64,
}

impl Order {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let last = now(connection)?;
        Ok(Self { last, kept: last })
    }

    pub(super) fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn next(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// Keeps what was given out. Within the same transaction.
    pub(super) fn keep(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.kept != self.last {
            connection.prepare_cached("UPDATE sequence SET last = ?1")?.execute([self.last])?;
            self.kept = self.last;
        }
        Ok(())
    }
}

/// The place that was given out last.
pub(super) fn now(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT last FROM sequence")?.query_row([], |row| row.get(0))
}
