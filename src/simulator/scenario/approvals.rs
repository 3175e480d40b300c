//! Multi Admin Approval: what needs it, how it is asked for, and what the approvers do.
//!
//! In: YAML. Out: an [`Approvals`]. Must not: file or decide anything; `simulator::approvals` does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::Latency;
use super::value::{ActionName, Guid, Probability, Seconds, Switch};
use crate::approval::RequestStatus;

/// The tenant's access policy; without actions there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    /// What needs approval.
    pub actions: Vec<ActionName>,
    /// How a write that was filed is answered; sources disagree.
    pub status: FiledStatus,
    pub code_in: CodeIn,
    /// How long a request lives that nobody completes.
    pub lifetime: Seconds,
    /// What the approvers do; the first that matches a request is what happens to it. None: nobody does anything.
    pub decisions: Vec<ScriptedDecision>,
    /// Requests that are there from the beginning.
    pub requests: Vec<ListedRequest>,
    /// Which filters the list of requests understands.
    pub filter: Filters,
    /// Whether the list says what each request is about.
    pub shows_objects: Switch,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            status: FiledStatus::default(),
            code_in: CodeIn::default(),
            lifetime: Seconds(Duration::from_secs(3 * 24 * 3_600)),
            decisions: Vec::new(),
            requests: Vec::new(),
            filter: Filters::default(),
            shows_objects: Switch(true),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum FiledStatus {
    #[serde(rename = "403")]
    Forbidden,
    #[default]
    #[serde(rename = "412")]
    PreconditionFailed,
}

/// Where the answer has the request's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeIn {
    #[default]
    Both,
    Header,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filters {
    /// `requestId eq '…' or requestId eq '…'`
    #[default]
    Or,
    /// That, and `status eq '…'`.
    Status,
    /// `requestId eq '…'` alone.
    Eq,
    None,
}

/// What happens to the requests that match.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedDecision {
    #[serde(default)]
    pub on: DecisionOn,
    /// Since it was filed.
    #[serde(default)]
    pub after: Latency,
    /// With `complete`: how long it stands as approved before somebody completes it, so that others may come first.
    #[serde(default)]
    pub approved_for: Latency,
    #[serde(rename = "do")]
    pub deed: ApprovalDeed,
}

/// Which requests: those of which everything given here is true.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionOn {
    pub action: Option<ActionName>,
    pub target: Option<String>,
    pub probability: Option<Probability>,
}

impl DecisionOn {
    /// `action`: its place in the catalog.
    pub fn matches(&self, action: usize, target: &str, dice: &mut fastrand::Rng) -> bool {
        self.action.is_none_or(|name| name.index() == action)
            && self.target.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(target))
            && self.probability.is_none_or(|probability| dice.f64() < probability.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalDeed {
    Approve,
    Reject,
    /// The requestor withdraws it in the portal.
    Cancel,
    /// Somebody approves it and presses Complete in the portal: it happens.
    Complete,
}

/// A request that somebody has filed before.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedRequest {
    pub id: Guid,
    pub action: ActionName,
    pub target: String,
    #[serde(default = "ListedRequest::waiting", deserialize_with = "status")]
    pub status: RequestStatus,
    /// So long ago.
    #[serde(default)]
    pub age: Seconds,
    /// Whether this app has filed it.
    #[serde(default = "ListedRequest::on")]
    pub ours: Switch,
}

impl ListedRequest {
    fn waiting() -> RequestStatus {
        RequestStatus::NeedsApproval
    }

    fn on() -> Switch {
        Switch(true)
    }
}

fn status<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<RequestStatus, D::Error> {
    let word = String::deserialize(deserializer)?;
    RequestStatus::ALL.into_iter().find(|status| status.name() == word).ok_or_else(|| {
        let known: Vec<_> = RequestStatus::ALL.into_iter().map(RequestStatus::name).collect();
        serde::de::Error::custom(format!("unknown status `{word}`; a request is {}", known.join(", ")))
    })
}
