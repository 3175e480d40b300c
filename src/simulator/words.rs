//! Words of the program, written to a file and read again.
//!
//! In: a `&'static str`, or pairs that begin with one. Out: the same text. Must not: be used for what a file may hold without end;
//! each different word that is read is kept for as long as the process lives.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serializer};

/// A word of the program. The name keeps `serde` from borrowing it of what it reads.
pub(crate) type Word = &'static str;

static KNOWN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

fn known(word: String) -> &'static str {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    match known.get(word.as_str()) {
        Some(word) => word,
        None => {
            let word: &'static str = Box::leak(word.into_boxed_str());
            known.insert(word);
            word
        }
    }
}

pub(crate) fn serialize<S: Serializer>(word: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(word)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    String::deserialize(from).map(known)
}

/// Values under such words.
pub(crate) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer, T: Serialize>(
        pairs: &[(&'static str, T)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(pairs)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        from: D,
    ) -> Result<Vec<(&'static str, T)>, D::Error> {
        let pairs = Vec::<(String, T)>::deserialize(from)?;
        Ok(pairs.into_iter().map(|(word, value)| (super::known(word), value)).collect())
    }
}
