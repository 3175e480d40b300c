//! One run of a plan at a time, on this machine.
//!
//! In: the plan's key, and who we are. Out: a [`RunLock`] that lasts as long as it lives, or the [`Holder`] that has it.
//! Must not: outlive its process. The system's own file lock is used, so a holder that died holds nothing.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::JournalError;
use super::store::{Journal, RunId};

const FOLDER: &str = "locks";
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Who runs a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub run_id: String,
    pub process: u32,
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run_id.is_empty() {
            true => write!(f, "another process"),
            false => write!(f, "run {} (process {}, since {})", self.run_id, self.process, self.since),
        }
    }
}

/// Held until it is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl Journal {
    /// Takes the lock of the plan with that key.
    pub fn lock(&self, plan_key: &str, run: &RunId, now: Timestamp) -> Result<RunLock, JournalError> {
        let folder = self.folder.join(FOLDER);
        let in_folder = |cause| JournalError::Folder { folder: folder.clone(), cause };
        fs::create_dir_all(&folder).map_err(in_folder)?;
        let path = folder.join(format!("{plan_key}.lock"));
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(in_folder)?;
        let mut looks = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Whoever lists the runs holds it for an instant.
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    std::thread::park_timeout(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(holder(&mut file))),
                Err(TryLockError::Error(cause)) => return Err(in_folder(cause)),
            }
        }
        let holder = Holder { run_id: run.to_string(), process: std::process::id(), since: now };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text)).map_err(in_folder)?;
        Ok(RunLock { _file: file })
    }
}

impl Journal {
    /// Whether that run is under way: it holds the lock of its plan.
    pub(super) fn is_under_way(&self, plan_key: &str, run_id: &str) -> bool {
        let path = self.folder.join(FOLDER).join(format!("{plan_key}.lock"));
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return false };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => holder(&mut file).run_id == run_id,
            _ => false,
        }
    }
}

/// What the holder wrote of itself, as far as it can be read while it writes.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or(Holder { run_id: String::new(), process: 0, since: Timestamp::UNIX_EPOCH })
}
