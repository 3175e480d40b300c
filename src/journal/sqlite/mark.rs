//! The mark beside a database: which one it is, and up to which place in the order it was written.
//!
//! In: the database of a journal. Out: a fault where it is another one than was here before, or lacks what was in it: it
//! was replaced, an older copy was put back, or its write-ahead log was deleted. Must not: be ahead of what is durable, or
//! stand in the way of somebody who says that what is missing is known: deleting the mark is that word.
//!
//! Which database it is stands in its `application_id`, which SQLite keeps for whoever uses a file. A folder that is put back
//! as a whole brings its mark along, and nothing here can tell.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::order;
use crate::journal::error::JournalError;
use crate::journal::private;

/// What the mark of `journal.db` is called, beside it.
const EXTENSION: &str = "mark";

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MarkSays {
    id: i32,
    order: i64,
}

/// The open mark.
#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    id: i32,
}

/// Somebody may be writing it at this moment.
const MOMENT: Duration = Duration::from_millis(50);

impl Mark {
    /// Holds a database against its mark, and makes one where there is none.
    pub(super) fn compare(database: &Path, connection: &Connection) -> Result<(), JournalError> {
        let id = id_of(connection).map_err(JournalError::read)?;
        private::close_to_others(&path(database));
        // The mark first: what it says is in the database by then.
        let look = || -> Result<(Option<MarkSays>, i64), JournalError> {
            let said = read(database)?;
            Ok((said, order::now(connection).map_err(JournalError::read)?))
        };
        let is_older =
            |said: Option<MarkSays>, order: i64| said.is_some_and(|said| said.id != id || said.order > order);
        let (mut said, mut order) = look()?;
        if is_older(said, order) {
            std::thread::park_timeout(MOMENT);
            (said, order) = look()?;
        }
        match said {
            Some(said) if said.id != id => Err(JournalError::Another { file: database.to_owned() }),
            Some(said) if said.order > order => Err(JournalError::Older { file: database.to_owned() }),
            Some(said) if said.order == order => Ok(()),
            _ => Self::open(database, connection)?.write(order).map_err(JournalError::write),
        }
    }

    pub(super) fn open(database: &Path, connection: &Connection) -> Result<Self, JournalError> {
        let id = id_of(connection).map_err(JournalError::read)?;
        let mut options = OpenOptions::new();
        private::for_its_owner(options.write(true).create(true).truncate(false));
        let path = path(database);
        let file = options.open(&path).map_err(JournalError::write)?;
        private::close_to_others(&path);
        Ok(Self { file, id })
    }

    /// Up to that place everything is durable. Always as long as before, so that a full disk takes it too.
    pub(super) fn write(&mut self, order: i64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{:011} {order:020}\n", self.id).as_bytes())
    }
}

/// Which database it is; one that nobody has named yet gets a name.
fn id_of(connection: &Connection) -> rusqlite::Result<i32> {
    let read = |connection: &Connection| connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0));
    match read(connection)? {
        0 => {
            let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            if read(&transaction)? == 0 {
                transaction.pragma_update(None, "application_id", fastrand::i32(1..))?;
            }
            transaction.commit()?;
            read(connection)
        }
        id => Ok(id),
    }
}

fn path(database: &Path) -> PathBuf {
    database.with_extension(EXTENSION)
}

fn read(database: &Path) -> Result<Option<MarkSays>, JournalError> {
    let path = path(database);
    let mut text = String::new();
    match File::open(&path).and_then(|file| file.take(64).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::Read(format!("{}: {error}", path.display()))),
    }
    let mut words = text.split_whitespace();
    let said = (|| Some(MarkSays { id: words.next()?.parse().ok()?, order: words.next()?.parse().ok()? }))();
    // Cut or scribbled over, it says nothing; whoever has done that may have done the same to the database.
    said.map(Some).ok_or(JournalError::Unmarked { mark: path })
}
