//! One run of a plan at a time, on this machine.
//!
//! In: the plan's key, and who we are. Out: a [`RunLock`] that lasts as long as it lives, or the [`Holder`] that has it;
//! a request that the holder stops.
//! Must not: outlive its process. The system's own file lock is used, so a holder that died holds nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::error::JournalError;
use super::holder::Holder;
use super::id::RunId;
use super::place::{Place, Taken};

pub(super) const FOLDER: &str = "locks";
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Held until it is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct RunLock(Held);

#[derive(Debug)]
enum Held {
    File { _file: File, holder: Holder, requests: PathBuf },
    Memory(Taken),
}

/// How it is found out that somebody wants the run to end.
#[derive(Debug, Clone)]
pub enum StopWatch {
    /// By looking, now and then.
    Look(StopFile),
    /// By waiting: of a journal in memory.
    Wait(Arc<Notify>),
}

/// Where requests to stop are left.
#[derive(Debug, Clone)]
pub struct StopFile {
    holder: Holder,
    requests: PathBuf,
}

impl RunLock {
    pub fn stop_watch(&self) -> StopWatch {
        match &self.0 {
            Held::File { holder, requests, .. } => {
                StopWatch::Look(StopFile { holder: holder.clone(), requests: requests.clone() })
            }
            Held::Memory(taken) => StopWatch::Wait(Arc::clone(&taken.asked)),
        }
    }
}

impl StopFile {
    /// Whether this very process was asked to stop its run. A request that was meant for another one says nothing.
    pub fn is_requested(&self) -> bool {
        read_holder(&self.requests).is_some_and(|meant| meant == self.holder)
    }
}

/// Takes the lock of the plan with that key, for a run of this process.
pub(super) fn take(place: &Place, plan_key: &str, run: &RunId, now: Timestamp) -> Result<RunLock, JournalError> {
    let holder = Holder { run_id: run.to_string(), process: std::process::id(), since: now };
    match place {
        Place::Folder(folder) => lock_in(&folder.join(FOLDER), plan_key, holder),
        Place::Memory(memory) => match memory.lock(plan_key, serde_json::to_vec(&holder).unwrap_or_default()) {
            Ok(taken) => Ok(RunLock(Held::Memory(taken))),
            Err(held) => Err(JournalError::Locked(told(&held).unwrap_or_else(nobody))),
        },
    }
}

/// Asks the process that has that run of the plan under way to stop it. `false`: no process has.
pub(super) fn request_stop(place: &Place, plan_key: &str, run: &RunId) -> Result<bool, JournalError> {
    match place {
        Place::Folder(folder) => request_in(&folder.join(FOLDER), plan_key, run),
        Place::Memory(memory) => {
            let held = memory.held(plan_key).filter(|held| is_of(&held.holder, run.as_str()));
            Ok(held.map(|held| held.asked.notify_one()).is_some())
        }
    }
}

/// Whether that run holds the lock of its plan.
pub(super) fn is_held(place: &Place, plan_key: &str, run_id: &str) -> bool {
    match place {
        Place::Folder(folder) => is_locked_in(&folder.join(FOLDER), plan_key, run_id),
        Place::Memory(memory) => memory.held(plan_key).is_some_and(|held| is_of(&held.holder, run_id)),
    }
}

/// Takes the lock of a plan among the files of a folder.
fn lock_in(folder: &Path, plan_key: &str, holder: Holder) -> Result<RunLock, JournalError> {
    let in_folder = |cause| JournalError::Folder { folder: folder.to_owned(), cause };
    fs::create_dir_all(folder).map_err(in_folder)?;
    let path = folder.join(format!("{plan_key}.lock"));
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(in_folder)?;
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
    let text = serde_json::to_vec(&holder).unwrap_or_default();
    // In a file of its own: some systems let nobody read a locked one.
    fs::write(holder_at, text).map_err(in_folder)?;
    // What an earlier process was asked is no business of this one.
    match fs::remove_file(&requests) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(in_folder(cause)),
        _ => Ok(RunLock(Held::File { _file: file, holder, requests })),
    }
}

fn request_in(folder: &Path, plan_key: &str, id: &RunId) -> Result<bool, JournalError> {
    if !is_locked_in(folder, plan_key, id.as_str()) {
        return Ok(false);
    }
    let Some(holder) = read_holder(&folder.join(format!("{plan_key}.holder"))) else { return Ok(false) };
    if holder.run_id != id.as_str() {
        return Ok(false);
    }
    let text = serde_json::to_vec(&holder).unwrap_or_default();
    fs::write(folder.join(format!("{plan_key}.stop")), text)
        .map_err(|cause| JournalError::Folder { folder: folder.to_owned(), cause })?;
    Ok(true)
}

fn is_locked_in(folder: &Path, plan_key: &str, run_id: &str) -> bool {
    let at = |kind: &str| folder.join(format!("{plan_key}.{kind}"));
    let Ok(file) = OpenOptions::new().read(true).write(true).open(at("lock")) else { return false };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => read_holder(&at("holder")).is_some_and(|holder| holder.run_id == run_id),
        _ => false,
    }
}

/// What a holder wrote of itself, as far as it can be read while it writes.
fn read_holder(file: &Path) -> Option<Holder> {
    told(&fs::read(file).ok()?)
}

fn told(text: &[u8]) -> Option<Holder> {
    serde_json::from_slice(text).ok()
}

fn is_of(text: &[u8], run_id: &str) -> bool {
    told(text).is_some_and(|holder| holder.run_id == run_id)
}

fn nobody() -> Holder {
    Holder { run_id: String::new(), process: 0, since: Timestamp::UNIX_EPOCH }
}
