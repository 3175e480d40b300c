//! `@odata.context`: what an answer is a part of.
//!
//! In: the place that was read, as Graph writes it, and what was selected. Out: the address. Must not: look at values.
//!
//! Source: OData 4.01, "Context URL", and the samples on Graph's pages.

use super::query::Query;

/// Where an answer comes from.
#[derive(Debug, Clone)]
pub(crate) struct ContextSource {
    /// Scheme, host and version.
    pub root: String,
    /// `users('…')/managedDevices`
    pub place: String,
}

impl ContextSource {
    /// The context of one thing.
    pub(crate) fn of_one(&self, query: &Query) -> String {
        let set = match self.place.strip_suffix("')").and_then(|rest| rest.rsplit_once("('")) {
            Some((set, _)) => set,
            None => &self.place,
        };
        self.told(set, query, "/$entity")
    }

    /// The context of a list.
    pub(crate) fn of_many(&self, query: &Query) -> String {
        self.told(&self.place, query, "")
    }

    /// The same for objects of the directory of whatever kind, which say theirs themselves.
    pub(super) fn of_objects(&self, query: &Query, end: &str) -> String {
        self.told("directoryObjects", query, end)
    }

    /// The context of a value that is no thing.
    pub(super) fn of_value(&self, type_name: &str) -> String {
        format!("{}/$metadata#{type_name}", self.root)
    }

    fn told(&self, set: &str, query: &Query, end: &str) -> String {
        let selected = match &query.select {
            Some(names) => format!("({})", names.join(",")),
            None => String::new(),
        };
        format!("{}/$metadata#{set}{selected}{end}", self.root)
    }
}
