//! One read, and nothing else.
//!
//! In: a path, or the link to a further page. Out: a [`Get`]. Must not: lead to another service than the one that was asked.

use http::Uri;

use super::request::GraphRequest;
use crate::catalog::{Method, Version};
use crate::text::{Medium, harmless};

/// A read: path and query below the version, percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Get {
    version: Version,
    path: String,
    one: bool,
    /// It is the list of one thing, so that it is missing where the thing is.
    below: bool,
}

impl Get {
    /// `path` begins with a slash.
    pub fn new(path: String) -> Self {
        Self { version: Version::V1, path, one: false, below: false }
    }

    /// A read of one thing, not of a list.
    pub fn one(path: String) -> Self {
        Self { one: true, ..Self::new(path) }
    }

    /// A read of a list that belongs to one thing.
    pub fn below(path: String) -> Self {
        Self { below: true, ..Self::new(path) }
    }

    /// Whether nothing is there where the service knows no such path: of a collection of the tenant's own, that says only
    /// that whoever answered does not know it.
    pub fn may_be_missing(&self) -> bool {
        self.one || self.below
    }

    pub(super) fn request(&self) -> GraphRequest<'static> {
        let path = format!("/{}{}", self.version.name(), self.path);
        GraphRequest { method: Method::Get, version: self.version, path, body: None }
    }

    pub fn is_of_one(&self) -> bool {
        self.one
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The next page, as the service names it. The token goes along, so that it must be the same service.
    pub(super) fn next_page(link: &str, graph_url: &str) -> Result<Self, ForeignLink> {
        let foreign = || ForeignLink(harmless(link, Medium::Message).into_owned());
        let (there, here): (Uri, Uri) =
            (link.parse().map_err(|_| foreign())?, graph_url.parse().map_err(|_| foreign())?);
        let same_host = there.scheme() == here.scheme() && there.authority() == here.authority();
        let root = here.path().trim_end_matches('/');
        let below = there.path_and_query().map_or("", |path| path.as_str()).strip_prefix(root);
        let path = below.filter(|_| same_host && !climbs(there.path()) && !link.contains('#')).ok_or_else(foreign)?;
        let version = [Version::V1, Version::Beta].into_iter().find_map(|version| {
            let rest = path.strip_prefix('/')?.strip_prefix(version.name())?;
            rest.starts_with('/').then(|| Self { version, path: rest.to_owned(), one: false, below: false })
        });
        version.ok_or_else(foreign)
    }
}

/// Whether a path leads out of where it seems to lead to.
fn climbs(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|segment| segment == "..")
}

/// A link to a further page that does not lead to the service that was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the link to the next page leads elsewhere, and is not followed: {0}")]
pub struct ForeignLink(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_on_the_same_service_or_is_refused() {
        let graph = "https://graph.microsoft.com";
        let path = "/deviceManagement/managedDevices?$skiptoken=a%2Fb&x=%27";
        let next = |link: &str| Get::next_page(link, graph);
        assert_eq!(next(&format!("{graph}/v1.0{path}")).unwrap().path(), path);
        assert_eq!(next(&format!("https://GRAPH.microsoft.com/v1.0{path}")).unwrap().path(), path);
        assert_eq!(next(&format!("{graph}/beta{path}")).unwrap().version, Version::Beta);
        for link in [
            "https://evil.example/v1.0/x",
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "https://graph.microsoft.com.evil.example/v1.0/x",
            "https://graph.microsoft.com@evil.example/v1.0/x",
            "https://me@graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com/v2.0/x",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com/v1.0/../../oauth2/token",
            "https://graph.microsoft.com/v1.0/%2e%2e/x",
            "https://graph.microsoft.com/v1.0x/y",
            "//graph.microsoft.com/v1.0/x",
            "/v1.0/x",
            "v1.0/x",
            "",
        ] {
            assert!(next(link).is_err(), "{link}");
        }
    }

    #[test]
    fn a_service_below_a_path_is_left_neither() {
        let graph = "http://127.0.0.1:8080/graph/";
        let next = |link: &str| Get::next_page(link, graph);
        assert_eq!(next("http://127.0.0.1:8080/graph/v1.0/users").unwrap().path(), "/users");
        assert!(next("http://127.0.0.1:8080/v1.0/users").is_err());
        assert!(next("http://127.0.0.1:8080/graphs/v1.0/users").is_err());
        assert!(next("http://127.0.0.1:8081/graph/v1.0/users").is_err());
    }
}
