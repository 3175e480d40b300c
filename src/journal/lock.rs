//! One run of a plan at a time, on this machine.
//!
//! In: the plan's key, and who we are. Out: a [`RunLock`] that lasts as long as it lives, or the [`Holder`] that has it;
//! a request that the holder stops.
//! Must not: outlive its process. The system's own file lock is used, so a holder that died holds nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::error::JournalError;
use super::holder::Holder;
use super::id::RunId;
use super::place::{JournalPlace, Taken};
use super::private;

pub(super) const FOLDER: &str = "locks";
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Whoever runs a plan whose lock was deleted takes it again within this time; a process that finds none beside a run that
/// should be under way waits for that.
const REAPPEARS: Duration = Duration::from_millis(1_500);

/// Held until it is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct RunLock(HeldLock);

#[derive(Debug)]
enum HeldLock {
    File(Arc<KeptLock>),
    Memory(Taken),
}

/// A locked file, and what stands beside it.
#[derive(Debug)]
struct KeptLock {
    file: Mutex<File>,
    holder: Holder,
    folder: PathBuf,
    plan_key: String,
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
pub struct StopFile(Arc<KeptLock>);

impl RunLock {
    pub fn stop_watch(&self) -> StopWatch {
        match &self.0 {
            HeldLock::File(kept) => StopWatch::Look(StopFile(Arc::clone(kept))),
            HeldLock::Memory(taken) => StopWatch::Wait(Arc::clone(&taken.asked)),
        }
    }

    /// Takes the lock again if its file was deleted. An error: somebody else has it.
    pub fn keep(&self) -> Result<(), JournalError> {
        match &self.0 {
            HeldLock::File(kept) => kept.keep(),
            HeldLock::Memory(_) => Ok(()),
        }
    }
}

impl KeptLock {
    /// A cleaner of old files knows nothing of locks, and a lock on a file without a name keeps nobody out.
    fn keep(&self) -> Result<(), JournalError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if is_at(&file, &self.folder.join(lock_of(&self.plan_key))) {
            return Ok(());
        }
        *file = locked(&self.folder, &self.plan_key, &self.holder)?;
        Ok(())
    }
}

/// Whether a file still has that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |about: fs::Metadata| (about.dev(), about.ino());
    let here = file.metadata().map(number).ok();
    here.is_some() && here == fs::metadata(path).map(number).ok()
}

/// An open file can be neither deleted nor replaced there.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl StopFile {
    /// Whether this very process was asked to stop its run. A request that was meant for another one says nothing.
    pub fn is_requested(&self) -> bool {
        let KeptLock { folder, plan_key, holder, .. } = &*self.0;
        read_holder(&folder.join(stop_of(plan_key))).is_some_and(|meant| meant == *holder)
    }

    /// Keeps the lock, as [`RunLock::keep`] does.
    pub fn keep(&self) -> Result<(), JournalError> {
        self.0.keep()
    }
}

/// Takes the lock of the plan with that key, for a run of this process. `is_run`: the journal has a run of it that should be
/// under way, so that its lock may have been deleted.
pub(super) fn take(
    place: &JournalPlace,
    (plan_key, is_run): (&str, bool),
    run: &RunId,
    now: Timestamp,
) -> Result<RunLock, JournalError> {
    let holder = Holder { run_id: run.to_string(), process: std::process::id(), since: now };
    match place {
        JournalPlace::Folder(folder) => lock_in(&folder.join(FOLDER), (plan_key, is_run), holder),
        JournalPlace::Memory(memory) => match memory.lock(plan_key, serde_json::to_vec(&holder).unwrap_or_default()) {
            Ok(taken) => Ok(RunLock(HeldLock::Memory(taken))),
            Err(held) => Err(JournalError::Locked(told(&held).unwrap_or_else(nobody))),
        },
    }
}

/// Asks the process that has that run of the plan under way to stop it. `false`: no process has.
pub(super) fn request_stop(place: &JournalPlace, plan_key: &str, run: &RunId) -> Result<bool, JournalError> {
    match place {
        JournalPlace::Folder(folder) => request_in(&folder.join(FOLDER), plan_key, run),
        JournalPlace::Memory(memory) => {
            let held = memory.held(plan_key).filter(|held| is_of(&held.holder, run.as_str()));
            Ok(held.map(|held| held.asked.notify_one()).is_some())
        }
    }
}

/// Whether that run holds the lock of its plan.
pub(super) fn is_held(place: &JournalPlace, plan_key: &str, run_id: &str) -> bool {
    match place {
        JournalPlace::Folder(folder) => is_locked_in(&folder.join(FOLDER), plan_key, run_id),
        JournalPlace::Memory(memory) => memory.held(plan_key).is_some_and(|held| is_of(&held.holder, run_id)),
    }
}

/// Takes the lock of a plan among the files of a folder.
fn lock_in(folder: &Path, (plan_key, is_run): (&str, bool), holder: Holder) -> Result<RunLock, JournalError> {
    let path = folder.join(lock_of(plan_key));
    let began = Instant::now();
    while is_run && !path.exists() && began.elapsed() < REAPPEARS {
        std::thread::park_timeout(BETWEEN_LOOKS);
    }
    let file = locked(folder, plan_key, &holder)?;
    let requests = folder.join(stop_of(plan_key));
    // What an earlier process was asked is no business of this one.
    match fs::remove_file(&requests) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(in_folder(folder, cause)),
        _ => {
            let (folder, plan_key) = (folder.to_owned(), plan_key.to_owned());
            Ok(RunLock(HeldLock::File(Arc::new(KeptLock { file: Mutex::new(file), holder, folder, plan_key }))))
        }
    }
}

/// The locked file of a plan, with a note beside it of who has it.
fn locked(folder: &Path, plan_key: &str, holder: &Holder) -> Result<File, JournalError> {
    let failed = |cause| in_folder(folder, cause);
    private::make_folder(folder).map_err(failed)?;
    let path = folder.join(lock_of(plan_key));
    let mut options = OpenOptions::new();
    private::for_its_owner(options.read(true).write(true).create(true).truncate(false));
    let file = options.open(&path).map_err(failed)?;
    private::close_to_others(&path);
    let holder_at = folder.join(format!("{plan_key}.holder"));
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
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
    }
    // In a file of its own: some systems let nobody read a locked one.
    let text = serde_json::to_vec(holder).unwrap_or_default();
    private::make_file(&holder_at).and_then(|()| fs::write(holder_at, text)).map_err(failed)?;
    Ok(file)
}

fn in_folder(folder: &Path, cause: std::io::Error) -> JournalError {
    JournalError::Folder { folder: folder.to_owned(), cause }
}

fn lock_of(plan_key: &str) -> String {
    format!("{plan_key}.lock")
}

fn stop_of(plan_key: &str) -> String {
    format!("{plan_key}.stop")
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
    fs::write(folder.join(stop_of(plan_key)), text).map_err(|cause| in_folder(folder, cause))?;
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
