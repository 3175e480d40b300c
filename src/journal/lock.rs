//! One run of a plan at a time, on this machine.
//!
//! In: the plan's key, and who we are. Out: a [`RunLock`] that lasts as long as it lives, or the [`Holder`] that has it;
//! a request that the holder stops.
//! Must not: outlive its process. The system's own file lock is used, so a holder that died holds nothing.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
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
    holder: Holder,
    requests: PathBuf,
}

/// Looks whether somebody wants the run to end.
#[derive(Debug, Clone)]
pub struct StopWatch {
    holder: Holder,
    requests: PathBuf,
}

impl RunLock {
    pub fn stop_watch(&self) -> StopWatch {
        StopWatch { holder: self.holder.clone(), requests: self.requests.clone() }
    }
}

impl StopWatch {
    /// Whether this very process was asked to stop its run. A request that was meant for another one says nothing.
    pub fn is_requested(&self) -> bool {
        read_holder(&self.requests).is_some_and(|meant| meant == self.holder)
    }
}

impl Journal {
    /// Takes the lock of the plan with that key.
    pub fn lock(&self, plan_key: &str, run: &RunId, now: Timestamp) -> Result<RunLock, JournalError> {
        let folder = self.folder.join(FOLDER);
        let in_folder = |cause| JournalError::Folder { folder: folder.clone(), cause };
        fs::create_dir_all(&folder).map_err(in_folder)?;
        let path = folder.join(format!("{plan_key}.lock"));
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(in_folder)?;
        let holder_at = folder.join(format!("{plan_key}.holder"));
        let requests = folder.join(format!("{plan_key}.stop"));
        let mut looks = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Whoever lists the runs holds it for an instant.
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    std::thread::park_timeout(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(JournalError::Locked(read_holder(&holder_at).unwrap_or_else(nobody)));
                }
                Err(TryLockError::Error(cause)) => return Err(in_folder(cause)),
            }
        }
        let holder = Holder { run_id: run.to_string(), process: std::process::id(), since: now };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        // In a file of its own: some systems let nobody read a locked one.
        fs::write(holder_at, text).map_err(in_folder)?;
        // What an earlier process was asked is no business of this one.
        match fs::remove_file(&requests) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(in_folder(cause)),
            _ => Ok(RunLock { _file: file, holder, requests }),
        }
    }

    /// Asks the process that has that run under way to stop it. `false`: no process has.
    pub fn request_stop(&self, id: &RunId) -> Result<bool, JournalError> {
        let plan_key = self.plan_key(id)?;
        if !self.is_under_way(&plan_key, id.as_str()) {
            return Ok(false);
        }
        let folder = self.folder.join(FOLDER);
        let Some(holder) = read_holder(&folder.join(format!("{plan_key}.holder"))) else { return Ok(false) };
        if holder.run_id != id.as_str() {
            return Ok(false);
        }
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        fs::write(folder.join(format!("{plan_key}.stop")), text)
            .map_err(|cause| JournalError::Folder { folder, cause })?;
        Ok(true)
    }

    /// The newest run that is under way.
    pub fn find_under_way(&self) -> Result<Option<RunId>, JournalError> {
        Ok(self.runs()?.into_iter().find(|run| run.state == RUNNING).map(|run| run.id))
    }
}

const RUNNING: &str = "running";

impl Journal {
    /// Whether that run is under way: it holds the lock of its plan.
    pub fn is_under_way(&self, plan_key: &str, run_id: &str) -> bool {
        let at = |kind: &str| self.folder.join(FOLDER).join(format!("{plan_key}.{kind}"));
        let Ok(file) = OpenOptions::new().read(true).write(true).open(at("lock")) else { return false };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => read_holder(&at("holder")).is_some_and(|holder| holder.run_id == run_id),
            _ => false,
        }
    }
}

/// What a holder wrote of itself, as far as it can be read while it writes.
fn read_holder(file: &Path) -> Option<Holder> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn nobody() -> Holder {
    Holder { run_id: String::new(), process: 0, since: Timestamp::UNIX_EPOCH }
}
