//! What a plan says of an action of its own.
//!
//! In: nothing. Out: a [`Definition`], as a plan and the journal have it. Must not: make an action of it; `defining` does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parameter::ParameterKind;
use super::route::{Method, Version};

/// What a plan says of an action of its own, and what the journal keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub name: String,
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// `v1.0` or `beta`.
    pub version: String,
    /// Below the version, with an id in braces for every part that differs from target to target.
    pub path: String,
    /// What the body always holds; an id in braces stands for that of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<DefinedParameter>,
    /// The 2xx codes that mean success; empty: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinedParameter {
    pub name: String,
    pub kind: DefinedKind,
    pub required: bool,
}

/// The types that a plan can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinedKind {
    Text,
    Boolean,
    Integer,
    Guid,
}

impl DefinedKind {
    pub const ALL: [(&'static str, Self); 4] =
        [("text", Self::Text), ("boolean", Self::Boolean), ("integer", Self::Integer), ("guid", Self::Guid)];

    pub(super) fn kind(self) -> ParameterKind {
        match self {
            Self::Text => ParameterKind::Text,
            Self::Boolean => ParameterKind::Boolean,
            Self::Integer => ParameterKind::Integer,
            Self::Guid => ParameterKind::Guid,
        }
    }
}

/// The methods that an action of a plan can have.
pub(crate) const METHODS: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

/// The versions of the API.
pub(crate) const VERSIONS: [Version; 2] = [Version::V1, Version::Beta];
