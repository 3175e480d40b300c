//! Plausible values for the properties of things that nobody has listed.
//!
//! In: an id. Out: values that look real and are always the same for the same id. Must not: remember anything, or know kinds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::clock::iso_date;

/// How a property that nobody has set is made up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plausible {
    Id,
    Text(&'static str),
    OneOf(&'static [&'static str]),
    /// The prefix and ten characters that follow from the id.
    Numbered(&'static str),
    /// A name at the tenant's domain.
    AtDomain(&'static str),
    /// A GUID that follows from the id and this number.
    Guid(u64),
    Flag(bool),
    /// Some time in the last so many hours.
    Hours(u64),
    /// Some time in 2024 or 2025: the same whenever the tenant was started.
    LongAgo,
    EmptyList,
    /// Nobody has given it a value.
    Null,
    /// `assignedLicenses`: two that many tenants have.
    Licences,
}

use Plausible::{AtDomain, EmptyList, Flag, Guid, Hours, Id, Licences, LongAgo, Null, Numbered, OneOf, Text};

/// Microsoft 365 E3, and Enterprise Mobility + Security E3.
pub(super) const SKUS: [&str; 2] = ["05e9a617-0261-4cee-bb44-138d3ef5d965", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"];

/// `assignedLicenses` that holds those.
pub(super) fn licences<'a>(skus: impl IntoIterator<Item = &'a str>) -> Value {
    skus.into_iter().map(|sku| json!({ "disabledPlans": [], "skuId": sku })).collect()
}

/// A number that follows from a text (FNV-1a), the same on every machine.
pub(super) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads a number over all its bits (the finisher of SplitMix64).
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A version 4 GUID made of 128 bits.
pub(super) fn guid(high: u64, low: u64) -> String {
    uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// A GUID that follows from a text and a number.
pub(super) fn guid_from(text: &str, salt: u64) -> String {
    let hash = digest(text);
    guid(mix(hash ^ salt), mix(hash.rotate_left(32) ^ salt.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// Where and when made-up values are set.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub domain: String,
    pub start: Timestamp,
}

impl Setting {
    pub(super) fn make_up(&self, id: &str, plausible: Plausible) -> Value {
        let number = mix(digest(id));
        let code = || format!("{:010X}", number >> 24);
        match plausible {
            Id => json!(id),
            Text(text) => json!(text),
            OneOf(words) => json!(words[(number % words.len() as u64) as usize]),
            Numbered(prefix) => json!(format!("{prefix}{}", code())),
            AtDomain(prefix) => json!(format!("{prefix}{}@{}", code().to_ascii_lowercase(), self.domain)),
            Guid(salt) => json!(guid_from(id, salt)),
            Flag(flag) => json!(flag),
            Hours(hours) => {
                let ago = SignedDuration::from_secs((number % (hours * 3_600)) as i64);
                json!(iso_date(self.start.checked_sub(ago).unwrap_or(self.start)))
            }
            LongAgo => {
                const BEGIN: Timestamp = Timestamp::constant(1_704_067_200, 0);
                let after = SignedDuration::from_secs((number % (731 * 86_400)) as i64);
                json!(iso_date(BEGIN.checked_add(after).unwrap_or(BEGIN)))
            }
            EmptyList => json!([]),
            Null => Value::Null,
            Licences => licences(SKUS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_look_like_guids_and_follow_from_their_text() {
        let id = guid_from("ada", 1);
        assert!(crate::simulator::scenario::Guid::is(&id), "{id}");
        assert_eq!(id, guid_from("ada", 1));
        assert_ne!(id, guid_from("ada", 2));
    }
}
