//! The saved preview: one file that says what was agreed to, whole.
//!
//! In: a preview with what was seen of its targets, and where it is meant to be sent. Out: a canonical file, and the same
//! read back with every job rebuilt. Must not: trust what it reads; a byte that differs, a job that is no longer what the
//! file says, a finding that would be another one today: each refuses the whole file.
//!
//! One JSON document: the head on the first line, one job a line, the digest on the last one. Keys stand in the order of
//! the structs below, there are no fractions, and lines end in `\n`: the same preview makes the same bytes everywhere.
//! The digest is SHA-256 over all lines before its own.

mod limits;
mod read;
#[cfg(test)]
mod tests;
mod write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::{Definition, Missing};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::preflight::Preflight;
use crate::guard::rules::Rules;
use crate::job::{Found, Job, Names, OfRow, Unfound};

pub(crate) use limits::LimitsOfPreview;
pub(crate) use read::{Unusable, read, read_of_run};
pub(crate) use write::write;

/// The versions of the format. Another one is refused.
///
/// The first one knew ids, and names as they stood in the plan: what it says of a name is refused, because the name may be
/// somebody else's today. With ids alone both are the same bytes, and the first one is written.
pub(crate) const FIRST: u32 = 1;
/// Says of each name whose it was.
pub(crate) const VERSION: u32 = 2;

/// How every saved preview begins, whatever its version.
const BEGINNING: &str = "{\"musterout_preview\":";

/// The key of the last line, with what closes the list before it.
const END: &str = "],\"digest\":\"sha256:";

/// What a saved preview says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `musterout 0.1.0`.
    pub tool: String,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub plan: PlanOfPreview,
    /// As the plan or the sign-in settings name it. Of a rehearsal, only the plan.
    pub tenant: Option<String>,
    /// The id in the token that the targets were read with.
    pub tenant_id: Option<String>,
    pub graph_url: String,
    pub simulated: bool,
    pub justification: Option<String>,
    pub limits: LimitsOfPreview,
    /// The plan's own actions, without which its jobs mean nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Definition>,
    /// The guards in force. The keys of its maps are sorted when it is written.
    pub guards: Value,
    /// Why no target was read; `None` where they were.
    pub not_read: Option<String>,
    pub rows: u32,
}

/// The plan that a preview was made of. It is not read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanOfPreview {
    pub name: Option<String>,
    pub file: String,
    /// What makes two runs runs of one plan.
    pub key: String,
    /// Of the plan's files.
    pub digest: String,
}

/// A saved preview, read and found whole.
#[derive(Debug)]
pub(crate) struct SavedPreview {
    pub head: Head,
    pub jobs: Vec<Job>,
    /// One for each job; `None` where nobody looked.
    pub sightings: Vec<Option<Sighting>>,
    /// What was on file of the targets; `None` where nobody looked.
    pub keys: Vec<Option<Keys>>,
    /// As it was when the preview was made: what was not shown as `send` is not sent.
    pub preflight: Preflight,
    /// The guards in force then.
    pub rules: Rules,
    /// In hexadecimal.
    pub digest: String,
}

/// What nobody has said is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    row: u32,
    job_id: String,
    action: String,
    route: String,
    ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<NamesOfLine>,
    method: String,
    path: String,
    /// The exact text of the request's body.
    body: Option<String>,
    not_before: Option<Timestamp>,
    note: Option<String>,
    after: Option<u32>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified_within: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    priority: i16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<Missing>,
    /// Why it has no target, where that is not that looking up has found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unfound: Option<Unfound>,
    /// How its target was found, where the plan names no id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<FoundOfLine>,
    state: String,
    /// Why it would not be sent.
    finding: Option<String>,
    target: Option<Target>,
    /// What was on file of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Keys>,
}

/// By what a target was found, so that the next night knows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundOfLine {
    by: Box<str>,
    row: Box<str>,
    #[serde(default, skip_serializing_if = "is_default")]
    set: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<Box<str>>,
}

impl FoundOfLine {
    fn of(job: &Job) -> Option<Self> {
        let found = job.found.as_deref()?;
        let OfRow { key, is_set, device } = found.row.clone()?;
        Some(Self { by: (&*found.by).into(), row: (&*key).into(), set: is_set, device })
    }

    fn found(&self) -> Found {
        let row = OfRow { key: (&*self.row).into(), is_set: self.set, device: self.device.clone() };
        Found { name: None, identity: None, by: (&*self.by).into(), row: Some(row) }
    }
}

/// The names of users that a job was made of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesOfLine {
    /// What the job was called by versions that sent names.
    job_id: String,
    /// As the plan has them.
    ids: Vec<String>,
    /// Of the names in the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserOfLine>,
}

/// A user, as the body calls him, and who that was.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserOfLine {
    name: Box<str>,
    id: Box<str>,
}

impl From<&Names> for NamesOfLine {
    fn from(names: &Names) -> Self {
        let users = names.in_body.iter().map(|(name, id)| UserOfLine { name: name.clone(), id: id.clone() });
        Self {
            job_id: names.written_id.to_string(),
            ids: names.written.iter().map(str::to_owned).collect(),
            users: users.collect(),
        }
    }
}

/// What was seen of a target.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Target {
    Seen(Box<crate::identity::Identity>),
    Gone,
    NotRead(Box<str>),
}

impl From<&Sighting> for Target {
    fn from(sighting: &Sighting) -> Self {
        match sighting {
            Sighting::Identity(identity) => Self::Seen(identity.clone()),
            Sighting::Gone => Self::Gone,
            Sighting::NotRead(why) => Self::NotRead(why.clone()),
        }
    }
}

impl From<Target> for Sighting {
    fn from(target: Target) -> Self {
        match target {
            Target::Seen(identity) => Self::Identity(identity),
            Target::Gone => Self::Gone,
            Target::NotRead(why) => Self::NotRead(why),
        }
    }
}
