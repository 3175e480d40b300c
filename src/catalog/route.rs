//! Where the request of an action goes.
//!
//! In: nothing. Out: a [`Route`]: method, URL template, versions and the ids in the template. Must not: fill a template.

use super::id::IdName;

/// The HTTP methods that actions use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A version of the Graph API, in the order in which we prefer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    V1,
    Beta,
}

impl Version {
    /// As it stands in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// One URL template of an action.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    pub name: &'static str,
    pub method: Method,
    /// Path below the version, with `{idName}` placeholders.
    pub path: &'static str,
    /// Versions that serve it, preferred first.
    pub versions: &'static [Version],
    /// Ids that fill the placeholders, in path order; the last one is the target acted on.
    pub ids: &'static [IdName],
}
