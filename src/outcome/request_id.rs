//! The id of a request, ours or the service's.
//!
//! In: text. Out: the same text. Must not: change a character of it; a support case asks for this very id.
//!
//! Nearly all of them are GUIDs, of which a run of a million jobs keeps two for each: as a number it takes a quarter of the
//! space.

use std::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// An id that is kept for as long as its job.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(KeptId);

#[derive(Clone, PartialEq, Eq)]
enum KeptId {
    /// Written as usual: in small letters, with hyphens.
    Guid(Uuid),
    Text(Box<str>),
}

impl RequestId {
    /// The text, in a buffer if it has to be written.
    pub fn write<'a>(&'a self, buffer: &'a mut [u8; Hyphenated::LENGTH]) -> &'a str {
        match &self.0 {
            KeptId::Guid(guid) => guid.hyphenated().encode_lower(buffer),
            KeptId::Text(text) => text,
        }
    }

    /// A buffer for it.
    pub const fn buffer() -> [u8; Hyphenated::LENGTH] {
        [0; Hyphenated::LENGTH]
    }
}

impl From<Uuid> for RequestId {
    fn from(guid: Uuid) -> Self {
        Self(KeptId::Guid(guid))
    }
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        let guid =
            Uuid::try_parse(text).ok().filter(|guid| guid.hyphenated().encode_lower(&mut Self::buffer()) == text);
        Self(guid.map_or_else(|| KeptId::Text(text.into()), KeptId::Guid))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut Self::buffer()))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.write(&mut Self::buffer()), f)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut Self::buffer()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_written_as_usual_is_kept_as_a_number() {
        let usual = "5e41ce1d-0000-4000-8000-000000000204";
        let others = [
            "5E41CE1D-0000-4000-8000-000000000204",
            "5e41ce1d000040008000000000000204",
            "{5e41ce1d-0000-4000-8000-000000000204}",
            "c-1",
            "",
        ];
        assert!(matches!(RequestId::from(usual).0, KeptId::Guid(_)));
        for text in others {
            assert!(matches!(RequestId::from(text).0, KeptId::Text(_)), "{text}");
            assert_eq!(RequestId::from(text).to_string(), text);
        }
        assert_eq!(size_of::<Option<RequestId>>(), 24);
    }

    proptest! {
        #[test]
        fn it_is_the_text_that_it_was(text in "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[ -~]{0,40}") {
            prop_assert_eq!(RequestId::from(text.as_str()).to_string(), text);
        }
    }
}
