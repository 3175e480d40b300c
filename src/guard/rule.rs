//! One rule, and where it stands.
//!
//! In: values that `plan` has read from a plan or a policy. Out: a [`Rule`]: what may not be passed, as data and in words. Must
//! not: decide anything about a job.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::window::RunWindow;
use crate::catalog::Secret;
use crate::diagnostics::Place;

/// Where a rule or an override stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Built in: it holds where nobody has said anything else.
    Default,
    Plan(Place),
    Policy(Place),
}

impl Origin {
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Default => None,
            Self::Plan(place) | Self::Policy(place) => Some(place),
        }
    }

    /// Whether both stand in one file; the built-in ones stand in none.
    pub(super) fn same_file(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plan(a), Self::Plan(b)) | (Self::Policy(a), Self::Policy(b)) => a.file == b.file,
            _ => false,
        }
    }
}

/// `plan.yaml:12`, `policy /etc/xdg/musterout/policy.yaml:3`, `the default`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Default => return f.write_str("the default"),
            Self::Plan(place) => place,
            Self::Policy(place) => {
                f.write_str("policy ")?;
                place
            }
        };
        f.write_str(&place.file)?;
        place.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// A share, in hundredths of a percent, so that comparing it is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub u16);

impl Percent {
    pub const ALL: Self = Self(10_000);

    /// Whether `part` of `whole` is more than this share. Any part of nothing is.
    pub(super) fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 10_000 > u128::from(whole) * u128::from(self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole} %"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02} %"),
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Different targets of one run, at most.
    MaxTargets(u32),
    /// The same, of what cannot be taken back or locks people out; it is the default.
    MaxTargetsAtRisk(u32),
    /// Different targets of one action, at most.
    MaxPerAction {
        action: Box<str>,
        limit: u32,
    },
    /// Share of the enrolled devices, at most.
    MaxPercentOfFleet(Percent),
    /// No other actions than these.
    AllowActions(Vec<Box<str>>),
    DenyActions(Vec<Box<str>>),
    /// Actions that plans define: where a policy says anything of actions, no others than these.
    AllowOwnActions(Vec<Box<str>>),
    RequireJustification,
    /// A run begins only inside of it.
    Window(RunWindow),
    /// Nothing irreversible is done to a device of which one of these is not on file.
    RequireEscrow(Vec<Secret>),
}

impl Guard {
    /// The key under which it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MaxTargets(_) | Self::MaxTargetsAtRisk(_) => "max_targets",
            Self::MaxPerAction { .. } => "max_per_action",
            Self::MaxPercentOfFleet(_) => "max_percent_of_fleet",
            Self::AllowActions(_) => "allow_actions",
            Self::DenyActions(_) => "deny_actions",
            Self::AllowOwnActions(_) => "allow_own_actions",
            Self::RequireJustification => "require_justification",
            Self::Window(_) => "window",
            Self::RequireEscrow(_) => "require_escrow",
        }
    }
}

impl Guard {
    /// Whether it says which actions there may be, or how much of one.
    pub(super) fn is_about_actions(&self) -> bool {
        matches!(self, Self::AllowActions(_) | Self::DenyActions(_) | Self::MaxPerAction { .. })
    }
}

/// The value, as a person would write it.
impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxTargets(limit) => write!(f, "{limit}"),
            Self::MaxTargetsAtRisk(limit) => {
                write!(f, "{limit} for destructive, irreversible and account-locking actions")
            }
            Self::MaxPerAction { action, limit } => write!(f, "{action} {limit}"),
            Self::MaxPercentOfFleet(percent) => percent.fmt(f),
            Self::AllowActions(names) | Self::DenyActions(names) | Self::AllowOwnActions(names) => {
                f.write_str(&names.join(", "))
            }
            Self::RequireJustification => f.write_str("yes"),
            Self::Window(window) => window.fmt(f),
            Self::RequireEscrow(secrets) => {
                let names: Vec<_> = secrets.iter().map(|secret| secret.row().name).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

/// A rule and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub guard: Guard,
    pub origin: Origin,
}
