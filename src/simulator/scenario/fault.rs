//! What goes wrong, and when.
//!
//! In: YAML. Out: [`FaultRule`]s. Must not: count calls or throw dice; `faults` does.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::value::{ActionName, Guid, HttpStatus, Probability, Seconds};

/// One fault and the requests it hits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    #[serde(default)]
    pub on: On,
    #[serde(rename = "do")]
    pub fault: Fault,
}

/// Which requests a fault hits: those of which everything given here is true. Empty: every request to Graph.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct On {
    pub action: Option<ActionName>,
    /// The id acted on or read.
    pub target: Option<String>,
    pub method: Option<String>,
    /// Numbers, from 1, of the calls to the same target that match the rule.
    pub calls: Option<Vec<NonZeroU32>>,
    /// Every so many calls that match the rule, whatever their target.
    pub every: Option<NonZeroU32>,
    pub probability: Option<Probability>,
    /// Since the tenant began.
    pub after: Option<Seconds>,
    pub until: Option<Seconds>,
    /// How often the fault happens at most.
    pub limit: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429 without effect.
    Throttle(Slowdown),
    /// Any other status, without effect unless it says otherwise.
    Status(Status),
    /// It happens, and the connection closes before the reply.
    DropReply,
    /// The connection closes before anything happens.
    Reset,
    /// No connection comes about.
    RefuseConnection,
    /// It happens at once; the reply takes this long.
    Delay(Seconds),
    /// It is accepted at once, and happens that much later.
    Late(Seconds),
    /// The token is no good from now on.
    ExpireToken,
    /// 302 to this URL.
    Redirect(String),
    /// Multi Admin Approval stands before it.
    Approval(Approval),
    /// 409, "repeat the request after some delay".
    Conflict,
    /// As if the daily limit were used up.
    DailyQuota,
}

/// How an answer says when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `Retry-After: 10`
    #[default]
    Integer,
    /// `Retry-After: 2.128`
    Decimal,
    /// `Retry-After: Sun, 06 Nov 1994 08:49:37 GMT`
    HttpDate,
    /// Only as `RetryAfter` of the document inside Intune's message.
    Body,
    /// Only inside the `HttpHeaders` string of that document.
    BodyHeaders,
    /// Nowhere.
    Absent,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slowdown {
    #[serde(default)]
    pub retry_after: RetryAfter,
    #[serde(default = "Slowdown::a_while")]
    pub seconds: Seconds,
}

impl Slowdown {
    fn a_while() -> Seconds {
        Seconds(std::time::Duration::from_secs(5))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub code: HttpStatus,
    #[serde(default)]
    pub body: Body,
    /// When to come back; without it, nothing is said.
    pub seconds: Option<Seconds>,
    #[serde(default)]
    pub retry_after: RetryAfter,
    pub error_code: Option<String>,
    pub message: Option<String>,
    /// It happens first, and this is said in place of the real answer.
    #[serde(default)]
    pub after_effect: bool,
}

/// What the answer's body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Graph's or Intune's error document.
    #[default]
    Json,
    /// A gateway's page.
    Html,
    Empty,
}

/// Multi Admin Approval: a write without a justification is refused with 400, with one it is filed and answered with
/// `status`, and with the right approval code it happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    #[serde(default)]
    pub status: ApprovalStatus,
    /// The code it is filed under; without it, one that follows from the action and the target.
    pub code: Option<Guid>,
}

/// The answers on record for a write that waits for approval; sources disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ApprovalStatus {
    /// "Header 'x-msft-approval-justification' is required", whatever was sent.
    #[serde(rename = "400")]
    JustificationRequired,
    #[serde(rename = "403")]
    Forbidden,
    /// An earlier request for the same object is still pending.
    #[serde(rename = "409")]
    AlreadyPending,
    #[default]
    #[serde(rename = "412")]
    PreconditionFailed,
}
