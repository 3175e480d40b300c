//! Targets that nothing is done to: a list of ids, names and patterns.
//!
//! In: entries from plans, policies and their CSV files. Out: whether a job's target is on the list, by its ids alone or
//! by what a read shows of it. Must not: guess: an entry matches whole values, and `*` stands for any text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::job::Job;

/// One entry of the list, as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub text: Box<str>,
    pub file: Arc<str>,
    pub line: u32,
}

impl Entry {
    fn is_pattern(&self) -> bool {
        self.text.contains('*')
    }
}

/// Why a target is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What of the target matched: `name`, `serial number`.
    pub field: &'static str,
    pub value: Box<str>,
    pub entry: Entry,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, entry } = self;
        write!(f, "protected: its {field} ")?;
        match entry.is_pattern() {
            true => write!(f, "`{value}` matches `{}`", entry.text)?,
            false => write!(f, "`{value}` is listed")?,
        }
        write!(f, " in {}:{}", entry.file, entry.line)
    }
}

/// The list, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Protected {
    entries: Vec<Entry>,
    /// Whole values without regard to case, and the entry each comes from.
    exact: HashMap<Box<str>, u32>,
    /// The others, folded.
    patterns: Vec<(Box<str>, u32)>,
}

impl From<Vec<Entry>> for Protected {
    fn from(entries: Vec<Entry>) -> Self {
        let mut list = Self::default();
        list.exact.reserve(entries.len());
        entries.into_iter().for_each(|entry| list.push(entry));
        list
    }
}

impl From<Protected> for Vec<Entry> {
    fn from(list: Protected) -> Self {
        list.entries
    }
}

impl Protected {
    fn push(&mut self, entry: Entry) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let folded = fold(&entry.text).into_owned().into_boxed_str();
        if entry.is_pattern() {
            self.patterns.push((folded, number));
        } else {
            self.exact.entry(folded).or_insert(number);
        }
        self.entries.push(entry);
    }

    /// Both lists.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        other.entries.into_iter().for_each(|entry| self.push(entry));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether an entry is no id, so that a read of a target may be needed to tell whether it is meant.
    pub fn wants_a_look(&self) -> bool {
        let is_id = |entry: &Entry| uuid::Uuid::try_parse(&entry.text).is_ok();
        !self.entries.iter().all(is_id)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the job's target is on the list, as far as its ids tell, and what a read showed of it where there was one.
    pub fn covers(&self, job: &Job, identity: Option<&Identity>) -> Option<Finding> {
        if self.is_empty() {
            return None;
        }
        let ids = job.ids.iter().map(|id| ("id", id));
        let seen = identity.map(|seen| {
            [
                ("id", Some(&seen.id)),
                ("name", seen.name.as_ref()),
                ("serial number", seen.serial_number.as_ref()),
                ("user principal name", seen.user_principal_name.as_ref()),
                ("Entra device id", seen.azure_ad_device_id.as_ref()),
            ]
        });
        let seen = seen.into_iter().flatten().filter_map(|(field, value)| Some((field, value?.as_ref())));
        ids.chain(seen).find_map(|(field, value)| {
            let entry = self.entries.get(self.entry_of(value)? as usize)?;
            Some(Finding { field, value: value.into(), entry: entry.clone() })
        })
    }

    fn entry_of(&self, value: &str) -> Option<u32> {
        let folded = fold(value);
        let listed = self.exact.get(folded.as_ref()).copied();
        listed.or_else(|| {
            let fits = |(pattern, _): &&(Box<str>, u32)| fits(pattern, &folded);
            self.patterns.iter().find(fits).map(|(_, number)| *number)
        })
    }
}

/// Case and the braces around a GUID say nothing.
fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    match bare.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        true => Cow::Borrowed(bare),
        false => Cow::Owned(bare.to_lowercase()),
    }
}

/// Whether `text` is `pattern`, in which each `*` stands for any text. Both are folded.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    // The leftmost place of each part leaves the most room for the next one.
    parts.all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};
    use proptest::prelude::*;

    fn job(id: &str) -> Job {
        let action = Action::named("retire").unwrap();
        Job::new(JobParts::plain(1, action, Ids::new([id])))
    }

    fn list(entries: &[&str]) -> Protected {
        let entries = entries.iter().map(|text| Entry { text: (*text).into(), file: "vip.csv".into(), line: 2 });
        entries.collect::<Vec<_>>().into()
    }

    #[test]
    fn a_target_is_known_by_its_ids_and_by_what_a_read_shows() {
        let seen = Identity {
            id: "a".into(),
            name: Some("VIP-01".into()),
            serial_number: Some("5CG1234XYZ".into()),
            user_principal_name: Some("ceo@board.contoso.com".into()),
            ..Identity::default()
        };
        let why = |entry: &str| list(&[entry]).covers(&job("a"), Some(&seen)).map(|finding| finding.to_string());
        assert_eq!(why("vip-*").as_deref(), Some("protected: its name `VIP-01` matches `vip-*` in vip.csv:2"));
        assert_eq!(
            why("5cg1234xyz").as_deref(),
            Some("protected: its serial number `5CG1234XYZ` is listed in vip.csv:2")
        );
        assert!(why("*@BOARD.contoso.com").is_some() && why("{A}").is_some());
        assert!(why("VIP").is_none() && why("*@contoso.com").is_none() && why("5CG").is_none());
        assert!(list(&["VIP-*"]).covers(&job("a"), None).is_none());
    }

    /// Every way to give the stars a text is tried.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            Some((byte, rest)) => text.split_first().is_some_and(|(first, text)| first == byte && naive(rest, text)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn stars_stand_for_any_text(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(fits(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
