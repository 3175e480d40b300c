//! The pages of one list that were read.
//!
//! In: the link to each further page. Out: the read that it is, or why the list is not read on: it leads elsewhere, in a
//! circle, or has no end. Must not: read.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::get::{ForeignLink, Get};

/// Pages of one list that are read at most: ten million devices, a thousand on each page.
const PAGES: usize = 10_000;
/// How long one list is read at most. A million devices under a throttle take less.
const LONGEST: Duration = Duration::from_secs(4 * 3_600);

/// Why a list cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEnd {
    #[error("GET {path}: {link}")]
    Foreign { path: String, link: ForeignLink },
    #[error("GET {path}: the pages lead in a circle, after {pages}")]
    Circle { path: String, pages: usize },
    #[error("GET {path}: the list has no end, {pages} pages were read")]
    Pages { path: String, pages: usize },
    #[error("GET {path}: the list has no end, it was read for {} hours", LONGEST.as_secs() / 3_600)]
    Time { path: String },
}

/// Where a list has led so far.
#[derive(Debug)]
pub(crate) struct Trail {
    /// What was asked for at first.
    path: String,
    seen: HashSet<Get>,
    began: Instant,
}

impl Trail {
    /// `path`: of the first page, without its query.
    pub(crate) fn new(path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default().to_owned();
        Self { path, seen: HashSet::new(), began: Instant::now() }
    }

    /// What was asked for.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The next page.
    pub(crate) fn follow(&mut self, link: &str, graph_url: &str) -> Result<Get, NoEnd> {
        let (path, pages) = (self.path.clone(), self.seen.len() + 1);
        let next = match Get::next_page(link, graph_url) {
            Ok(next) => next,
            Err(link) => return Err(NoEnd::Foreign { path, link }),
        };
        if !self.seen.insert(next.clone()) {
            return Err(NoEnd::Circle { path, pages });
        }
        match pages >= PAGES {
            true => Err(NoEnd::Pages { path, pages }),
            false if self.began.elapsed() > LONGEST => Err(NoEnd::Time { path }),
            false => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://graph.microsoft.com";

    fn link(page: usize) -> String {
        format!("{HERE}/v1.0/users?$skiptoken={page}")
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_ends_whatever_its_links_say() {
        let mut trail = Trail::new("/users?$top=2");
        assert_eq!(trail.follow(&link(1), HERE).unwrap().path(), "/users?$skiptoken=1");
        assert!(trail.follow(&link(2), HERE).is_ok());
        let said = |ended: Result<Get, NoEnd>| ended.unwrap_err().to_string();
        assert_eq!(said(trail.follow(&link(1), HERE)), "GET /users: the pages lead in a circle, after 3");
        let elsewhere = said(trail.follow("https://evil.example/v1.0/users", HERE));
        assert!(elsewhere.starts_with("GET /users: the link to the next page leads elsewhere"), "{elsewhere}");
        let mut trail = Trail::new("/users");
        let ended = (1..).find_map(|page| trail.follow(&link(page), HERE).err());
        assert_eq!(ended.unwrap().to_string(), "GET /users: the list has no end, 10000 pages were read");
        let mut trail = Trail::new("/users");
        assert!(trail.follow(&link(1), HERE).is_ok());
        tokio::time::advance(LONGEST + Duration::from_secs(1)).await;
        assert_eq!(said(trail.follow(&link(2), HERE)), "GET /users: the list has no end, it was read for 4 hours");
    }
}
