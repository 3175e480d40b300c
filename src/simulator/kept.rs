//! A tenant that stays: the next command finds it as the last one has left it.
//!
//! In: a folder, and a scenario. Out: [`Kept`], which no other process has at the same time, and what somebody should be told of it.
//! Must not: keep a token, a secret, or what was counted; or take up a state that another scenario or another version has written.
//!
//! The state is one file for each scenario. It is written beside its place and moved there whole: when the command ends, and from
//! time to time before, so that a process that is killed loses a moment and no more.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::scenario::{Scenario, ScenarioError};
use super::tenant::{StateRead, Tenant};

/// Of the file. A catalog of another length counts actions in another way.
const FORMAT: u32 = 2;
/// The part of a command's time that writing may take, as a divisor.
const SHARE: u32 = 20;
/// A process that is killed loses so much at least.
const MOMENT: Duration = Duration::from_secs(1);
/// How often, and after which time, a lock is looked at that another command has.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What makes a state this tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptHead {
    format: u32,
    /// Of the program that has written it, and how many actions it knows.
    version: String,
    /// The digest of the scenario.
    scenario: String,
    /// When the tenant began.
    pub start: Timestamp,
}

/// What a tenant is made of: each makes another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStage {
    /// The scenario that it is played from; `None`: the default one.
    pub scenario: Option<PathBuf>,
    /// The saved inventory that it holds; `None`: what nobody lists is made up.
    pub inventory: Option<PathBuf>,
}

/// A tenant, its file, and the lock on it.
pub(crate) struct Kept {
    tenant: Arc<Tenant>,
    head: KeptHead,
    name: String,
    stage: KeptStage,
    file: PathBuf,
    writing: Mutex<Writing>,
    /// Held until the process lets the tenant go.
    _lock: File,
}

#[derive(Debug)]
struct Writing {
    is_changed: bool,
    last: Instant,
    took: Duration,
}

/// Why there is no such tenant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error("another command is working in this simulated tenant")]
    Busy,
    #[error("{folder}: {cause}")]
    Folder { folder: PathBuf, cause: io::Error },
}

/// Where the tenants are, below the folder of the journal.
pub(crate) fn folder(state: &Path) -> PathBuf {
    state.join("simulated")
}

impl Kept {
    /// The tenant of that stage, as it was left; and why it begins anew, if it does although there was one. `scenario`: what the
    /// stage comes to.
    pub(crate) fn open(
        folder: &Path,
        stage: KeptStage,
        scenario: impl FnOnce() -> Result<Scenario, KeptError>,
        now: Timestamp,
    ) -> Result<(Arc<Self>, Option<String>), KeptError> {
        let failed = |cause| KeptError::Folder { folder: folder.to_owned(), cause };
        let scenario = scenario()?;
        let digest = stage.digest().map_err(failed)?;
        let name = stage.name();
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = locked(&folder.join(format!("{name}.lock"))).map_err(failed)?.ok_or(KeptError::Busy)?;
        let file = folder.join(format!("{name}.json"));
        let anew = KeptHead { format: FORMAT, version: version(), scenario: digest, start: now };
        let (head, state, told) = match read(&file, &anew) {
            KeptFound::Nothing => (anew, None, None),
            KeptFound::State(head, state) => (head, Some(*state), None),
            KeptFound::Other(why) => (anew, None, Some(why.to_owned())),
        };
        let tenant = Tenant::kept(scenario, head.start, now, state);
        let writing = Mutex::new(Writing { is_changed: false, last: Instant::now(), took: Duration::ZERO });
        Ok((Arc::new(Self { tenant, head, name, stage: stage.anywhere(), file, writing, _lock: lock }), told))
    }

    /// Forgets all of them. How many there were.
    pub(crate) fn reset(folder: &Path) -> Result<usize, KeptError> {
        let failed = |cause| KeptError::Folder { folder: folder.to_owned(), cause };
        let listed = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            listed => listed.map_err(failed)?,
        };
        let mut states = Vec::new();
        for entry in listed {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let lock = locked(&path.with_extension("lock")).map_err(failed)?.ok_or(KeptError::Busy)?;
                states.push((path, lock));
            }
        }
        states.iter().try_for_each(|(path, _)| fs::remove_file(path)).map_err(failed)?;
        Ok(states.len())
    }

    pub(super) fn tenant(&self) -> &Arc<Tenant> {
        &self.tenant
    }

    /// What it is made of.
    pub(crate) fn stage(&self) -> &KeptStage {
        &self.stage
    }

    /// Whether nothing is there but what is listed.
    pub(crate) fn is_closed(&self) -> bool {
        self.tenant.scenario().only_listed
    }

    /// The address of its Graph, which no host has. A tenant that begins anew has another one.
    pub(crate) fn graph_url(&self) -> String {
        format!("https://{}-{:x}{HOST}", self.name, self.head.start.as_millisecond())
    }

    /// A request has come, and may have changed something.
    pub(super) fn touched(&self) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.is_changed = true;
        if writing.last.elapsed() >= MOMENT.max(writing.took * SHARE) {
            self.write(&mut writing);
        }
    }

    fn write(&self, writing: &mut Writing) {
        let began = Instant::now();
        let written = self.tenant.written(&self.head).map_err(io::Error::other).and_then(|text| {
            let beside = self.file.with_extension("new");
            fs::write(&beside, text)?;
            fs::rename(beside, &self.file)
        });
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "the simulated tenant could not be kept");
        }
        *writing = Writing { is_changed: false, last: Instant::now(), took: began.elapsed() };
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut writing = std::mem::replace(
            self.writing.get_mut().unwrap_or_else(PoisonError::into_inner),
            Writing { is_changed: false, last: Instant::now(), took: Duration::ZERO },
        );
        if writing.is_changed {
            self.write(&mut writing);
        }
    }
}

/// What the host of a kept tenant's Graph ends with.
const HOST: &str = ".simulated";

/// Whether an address is that of a tenant which is kept.
pub(crate) fn is_kept(graph_url: &str) -> bool {
    graph_url.trim_end_matches('/').ends_with(HOST)
}

fn version() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), crate::catalog::ACTIONS.len())
}

fn digest_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl KeptStage {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.scenario.iter().chain(&self.inventory)
    }

    /// The same, whatever folder it is spoken of in.
    pub(crate) fn anywhere(&self) -> Self {
        let anywhere = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
        Self { scenario: self.scenario.as_ref().map(anywhere), inventory: self.inventory.as_ref().map(anywhere) }
    }

    fn digest(&self) -> io::Result<String> {
        let digests = self.files().map(|file| Ok(digest_of(&fs::read(file)?))).collect::<io::Result<Vec<_>>>()?;
        Ok(digests.join(" "))
    }

    /// `rehearsal`, or the names of its files and what tells them from others of those names.
    fn name(&self) -> String {
        const LONGEST: usize = 24;
        if self.files().next().is_none() {
            return "rehearsal".to_owned();
        }
        let places: Vec<PathBuf> =
            self.files().map(|file| fs::canonicalize(file).unwrap_or_else(|_| file.clone())).collect();
        let stems: String = places.iter().filter_map(|place| place.file_stem()?.to_str()).collect();
        let plain =
            stems.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).take(LONGEST).collect::<String>();
        let kinds = [self.scenario.is_some(), self.inventory.is_some()].map(u8::from);
        let named = places.iter().map(|place| place.as_os_str().as_encoded_bytes()).collect::<Vec<_>>().join(&0);
        let digest = digest_of(&[&kinds[..], &named].concat());
        format!("{plain}-{}", &digest[..12])
    }
}

/// `None`: another process has it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(BETWEEN_LOOKS),
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
    }
    Ok(None)
}

enum KeptFound {
    Nothing,
    State(KeptHead, Box<StateRead>),
    /// There was one, and it is not this tenant's.
    Other(&'static str),
}

fn read(file: &Path, wanted: &KeptHead) -> KeptFound {
    #[derive(Deserialize)]
    struct KeptWhole {
        head: KeptHead,
        state: StateRead,
    }
    #[derive(Deserialize)]
    struct HeadAlone {
        head: KeptHead,
    }
    let Ok(text) = fs::read(file) else { return KeptFound::Nothing };
    let Ok(HeadAlone { head }) = serde_json::from_slice(&text) else {
        return KeptFound::Other("its state cannot be read");
    };
    if head.scenario != wanted.scenario {
        return KeptFound::Other("its scenario has changed");
    }
    if head.format != wanted.format || head.version != wanted.version {
        return KeptFound::Other("another version of musterout has kept it");
    }
    match serde_json::from_slice::<KeptWhole>(&text) {
        Ok(KeptWhole { head, state }) => KeptFound::State(head, Box::new(state)),
        Err(_) => KeptFound::Other("its state cannot be read"),
    }
}
