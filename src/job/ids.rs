//! The ids of one job, kept in little room.
//!
//! In: ids as texts. Out: [`Ids`], which gives them back. Must not: know what an id means.

use std::fmt;

/// The ids of one job, in the order of its route. A plan may have a million of them, most of them one GUID: that needs no
/// allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ids(Joined);

/// The same ids have the same form of these two.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Joined {
    /// One id that fits, and its length. Behind its end it is zero.
    One(u8, [u8; SHORT]),
    Many(Box<str>),
}

/// A GUID has 36.
const SHORT: usize = 38;

const BETWEEN_IDS: char = '\u{1f}';

impl Ids {
    /// `values` in the order of the route's ids. None of them may hold a control character; the plan has seen to that.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut values = values.into_iter();
        let first = values.next().unwrap_or_default();
        let Some(second) = values.next() else { return Self::one(first) };
        let mut joined = first.to_owned();
        for value in std::iter::once(second).chain(values) {
            joined.push(BETWEEN_IDS);
            joined.push_str(value);
        }
        Self(Joined::Many(joined.into()))
    }

    fn one(id: &str) -> Self {
        let mut short = [0; SHORT];
        match short.get_mut(..id.len()).filter(|_| !id.contains(BETWEEN_IDS)) {
            Some(start) => {
                start.copy_from_slice(id.as_bytes());
                Self(Joined::One(id.len() as u8, short))
            }
            None => Self(Joined::Many(id.into())),
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        let (one, many) = match &self.0 {
            Joined::One(length, short) => (Some(text(*length, short)), None),
            Joined::Many(joined) => (None, Some(joined.split(BETWEEN_IDS))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The id acted on: the last one of the path.
    pub fn target(&self) -> &str {
        match &self.0 {
            Joined::One(length, short) => text(*length, short),
            Joined::Many(joined) => joined.rsplit(BETWEEN_IDS).next().unwrap_or_default(),
        }
    }
}

impl Ids {
    /// Whether that character, which is one of ASCII, stands in one of them.
    pub fn have(&self, character: u8) -> bool {
        self.bytes().contains(&character)
    }

    /// The same as [`Ids::target`], for whoever only hashes it.
    pub fn target_bytes(&self) -> &[u8] {
        match &self.0 {
            Joined::One(..) => self.bytes(),
            Joined::Many(_) => self.target().as_bytes(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Joined::One(length, short) => &short[..usize::from(*length)],
            Joined::Many(joined) => joined.as_bytes(),
        }
    }
}

fn text(length: u8, short: &[u8; SHORT]) -> &str {
    std::str::from_utf8(&short[..usize::from(length)]).unwrap_or_default()
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_id_is_the_target() {
        let ids = Ids::new(["a", "b"]);
        assert_eq!(ids.target(), "b");
        assert_eq!(ids.iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn ids_are_what_they_were_made_of(values in prop::collection::vec("[a-zé@.-]{0,45}", 1..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let ids = Ids::new(values.iter().copied());
            prop_assert_eq!(ids.iter().collect::<Vec<_>>(), values.clone());
            prop_assert_eq!(ids.iter().rev().collect::<Vec<_>>(), values.iter().rev().copied().collect::<Vec<_>>());
            prop_assert_eq!(Some(ids.target()), values.last().copied());
            prop_assert_eq!(ids.target().as_bytes(), ids.target_bytes());
            prop_assert_eq!(ids.have(b'@'), values.iter().any(|value| value.contains('@')));
            prop_assert_eq!(&ids, &Ids::new([values.join("\u{1f}").as_str()]));
        }
    }
}
