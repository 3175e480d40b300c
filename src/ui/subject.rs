//! What a question is about: which plan, in which tenant.
//!
//! In: the names of both. Out: a line that every question begins with. Must not: leave out the file; two plans may have one name.

use super::style::{STRONG, paint};
use crate::text::visible;

/// What is done, and where.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The name of the plan, where it has one.
    pub name: Option<String>,
    pub file: String,
    pub tenant: String,
}

impl Subject {
    /// `lab-refresh (plans/lab.yaml) in contoso.onmicrosoft.com`.
    pub(crate) fn render(&self, styled: bool) -> String {
        let plan = match &self.name {
            Some(name) => format!("{} ({})", paint(styled, STRONG, &visible(name)), visible(&self.file)),
            None => paint(styled, STRONG, &visible(&self.file)),
        };
        format!("{plan} in {}", paint(styled, STRONG, &visible(&self.tenant)))
    }
}
