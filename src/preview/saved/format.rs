//! The lines of a saved preview.
//!
//! In: nothing. Out: the head and a job's line as they stand in the file. Must not: change the order of fields: it is that of the
//! bytes, and the digest is over them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits::{LimitsOfPreview, is_default};
use crate::catalog::{Definition, Missing};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::job::{Found, Job, Names, OfRow, Unfound};

/// The versions of the format. Another one is refused.
///
/// The first one knew ids, and names as they stood in the plan: what it says of a name is refused, because the name may be
/// somebody else's today. With ids alone both are the same bytes, and the first one is written.
pub(crate) const FIRST: u32 = 1;

/// Says of each name whose it was.
pub(crate) const VERSION: u32 = 2;

/// How every saved preview begins, whatever its version.
pub(super) const BEGINNING: &str = "{\"musterout_preview\":";

/// The key of the last line, with what closes the list before it.
pub(super) const END: &str = "],\"digest\":\"sha256:";

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

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineOfJob {
    pub(super) row: u32,
    pub(super) job_id: String,
    pub(super) action: String,
    pub(super) route: String,
    pub(super) ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<NamesOfLine>,
    pub(super) method: String,
    pub(super) path: String,
    /// The exact text of the request's body.
    pub(super) body: Option<String>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) note: Option<String>,
    pub(super) after: Option<u32>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) verified_within: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) priority: i16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<Missing>,
    /// Why it has no target, where that is not that looking up has found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unfound: Option<Unfound>,
    /// How its target was found, where the plan names no id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<FoundOfLine>,
    pub(super) state: String,
    /// Why it would not be sent.
    pub(super) finding: Option<String>,
    pub(super) target: Option<SightingOfLine>,
    /// What was on file of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<Keys>,
}

/// By what a target was found, so that the next night knows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FoundOfLine {
    pub(super) by: Box<str>,
    pub(super) row: Box<str>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) set: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<Box<str>>,
}

impl FoundOfLine {
    pub(super) fn of(job: &Job) -> Option<Self> {
        let found = job.found.as_deref()?;
        let OfRow { key, is_set, device } = found.row.clone()?;
        Some(Self { by: (&*found.by).into(), row: (&*key).into(), set: is_set, device })
    }

    pub(super) fn found(&self) -> Found {
        let row = OfRow { key: (&*self.row).into(), is_set: self.set, device: self.device.clone() };
        Found { name: None, identity: None, by: (&*self.by).into(), row: Some(row) }
    }
}

/// The names of users that a job was made of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamesOfLine {
    /// What the job was called by versions that sent names.
    pub(super) job_id: String,
    /// As the plan has them.
    pub(super) ids: Vec<String>,
    /// Of the names in the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) users: Vec<UserOfLine>,
}

/// A user, as the body calls him, and who that was.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserOfLine {
    pub(super) name: Box<str>,
    pub(super) id: Box<str>,
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
pub(super) enum SightingOfLine {
    Seen(Box<crate::identity::Identity>),
    Gone,
    NotRead(Box<str>),
}

impl From<&Sighting> for SightingOfLine {
    fn from(sighting: &Sighting) -> Self {
        match sighting {
            Sighting::Identity(identity) => Self::Seen(identity.clone()),
            Sighting::Gone => Self::Gone,
            Sighting::NotRead(why) => Self::NotRead(why.clone()),
        }
    }
}

impl From<SightingOfLine> for Sighting {
    fn from(target: SightingOfLine) -> Self {
        match target {
            SightingOfLine::Seen(identity) => Self::Identity(identity),
            SightingOfLine::Gone => Self::Gone,
            SightingOfLine::NotRead(why) => Self::NotRead(why),
        }
    }
}
