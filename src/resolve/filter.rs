//! Whether a device passes a filter.
//!
//! In: a record, a filter, the time. Out: yes or no. Must not: let pass what the service did not say: a device without
//! a last sync is not older than anything.

use jiff::Timestamp;

use super::record::{FoundRecord, key};
use crate::plan::{DeviceFilter, FilterTest, Property};

/// Whether all tests are passed.
pub(super) fn passes(record: &FoundRecord, filter: &DeviceFilter, now: Timestamp) -> bool {
    filter.tests.iter().all(|(property, test)| holds(record, *property, test, now))
}

fn holds(record: &FoundRecord, property: Property, test: &FilterTest, now: Timestamp) -> bool {
    let identity = &record.identity;
    let text = match property {
        Property::DeviceName => &identity.name,
        Property::UserPrincipalName => &identity.user_principal_name,
        Property::SerialNumber => &identity.serial_number,
        Property::OperatingSystem => &identity.operating_system,
        Property::Ownership => &identity.ownership,
        Property::ManagementState => &identity.management_state,
        Property::EnrollmentType => &identity.enrollment_type,
        Property::EnrolledAt => return is_of_age(identity.enrolled_at, test, now),
        Property::LastSyncAt => return is_of_age(identity.last_sync_at, test, now),
    };
    match (text, test) {
        (Some(text), FilterTest::OneOf(patterns)) => patterns.iter().any(|pattern| fits(&key(pattern), &key(text))),
        _ => false,
    }
}

fn is_of_age(at: Option<Timestamp>, test: &FilterTest, now: Timestamp) -> bool {
    let Some(at) = at else { return false };
    match test {
        FilterTest::OlderThan(age) => now.checked_sub(age.duration()).is_ok_and(|then| at < then),
        FilterTest::NewerThan(age) => now.checked_sub(age.duration()).is_ok_and(|then| at > then),
        FilterTest::OneOf(_) => false,
    }
}

/// Whether `pattern`, in which `*` stands for any characters, is the whole of `text`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("lab-*", "lab-01", true),
            ("lab-*", "lab-", true),
            ("lab-*", "my-lab-01", false),
            ("*@contoso.com", "ada@contoso.com", true),
            ("*@contoso.com", "ada@contoso.com.evil", false),
            ("lab-*-a*", "lab-1-b-a2", true),
            ("lab", "lab", true),
            ("lab", "lab-01", false),
            ("a*a", "a", false),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    /// Letter by letter, with every way to go on after a star.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|from| naive(rest, &text[from..])),
            Some((letter, rest)) => text.first() == Some(letter) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(pattern in "[ab*é]{0,7}", text in "[abé]{0,9}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(fits(&pattern, &text), naive(&letters(&pattern), &letters(&text)));
        }
    }
}
