//! `filter:` of a target: which devices of the inventory are meant, by their properties.
//!
//! In: a map of Graph's property names. Out: a [`DeviceFilter`], all of whose tests a device must pass. Must not: look at
//! devices; `resolve` does. The table of properties is what help, faults and the documentation read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

use super::identifier::{self, NotAnId};
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

/// All tests have to be passed. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeviceFilter {
    /// In the order of [`PROPERTIES`], so that equal filters are equal.
    pub tests: Box<[(Property, FilterTest)]>,
}

/// A property that a filter can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    DeviceName,
    UserPrincipalName,
    SerialNumber,
    OperatingSystem,
    Ownership,
    ManagementState,
    EnrollmentType,
    EnrolledAt,
    LastSyncAt,
}

/// What a property is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Text in which `*` stands for any characters.
    Pattern,
    /// One of a few words.
    Word,
    Age,
}

/// Every property, under Graph's name for it.
pub const PROPERTIES: &[(&str, Property, Against)] = &[
    ("deviceName", Property::DeviceName, Against::Pattern),
    ("userPrincipalName", Property::UserPrincipalName, Against::Pattern),
    ("serialNumber", Property::SerialNumber, Against::Pattern),
    ("operatingSystem", Property::OperatingSystem, Against::Word),
    ("managedDeviceOwnerType", Property::Ownership, Against::Word),
    ("managementState", Property::ManagementState, Against::Word),
    ("deviceEnrollmentType", Property::EnrollmentType, Against::Word),
    ("enrolledDateTime", Property::EnrolledAt, Against::Age),
    ("lastSyncDateTime", Property::LastSyncAt, Against::Age),
];

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FilterTest {
    /// It fits one of these, whatever its case. `*` stands for any characters.
    OneOf(Box<[Box<str>]>),
    OlderThan(Age),
    NewerThan(Age),
}

/// A length of time in hours, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Age {
    pub hours: u32,
}

impl Age {
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.hours))
    }

    /// `180 days`, `2 weeks`, `12 hours`.
    fn read(text: &str) -> Option<Self> {
        let (number, unit) = text.trim().split_once(char::is_whitespace)?;
        let hours = match unit.trim().strip_suffix('s').unwrap_or(unit.trim()) {
            "hour" => 1,
            "day" => 24,
            "week" => 7 * 24,
            _ => return None,
        };
        let hours = number.parse::<u32>().ok()?.checked_mul(hours)?;
        // A hundred years; and nothing is older than no time at all.
        (1..=876_000).contains(&hours).then_some(Self { hours })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hours % 24 {
            0 => write!(f, "{} days", self.hours / 24),
            _ => write!(f, "{} hours", self.hours),
        }
    }
}

impl fmt::Display for DeviceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (property, test)) in self.tests.iter().enumerate() {
            let name = PROPERTIES.iter().find(|(_, known, _)| known == property).map_or("", |(name, ..)| name);
            let between = if index > 0 { ", " } else { "" };
            match test {
                FilterTest::OneOf(texts) => write!(f, "{between}{name} {}", texts.join(" or "))?,
                FilterTest::OlderThan(age) => write!(f, "{between}{name} older than {age}")?,
                FilterTest::NewerThan(age) => write!(f, "{between}{name} newer than {age}")?,
            }
        }
        Ok(())
    }
}

/// Reads the map under `filter:`. `None` after a fault.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Arc<DeviceFilter>> {
    let faults_before = reader.faults.errors();
    let mut tests = Vec::new();
    for entry in reader.map(node, "`filter`")? {
        match PROPERTIES.iter().find(|(name, ..)| *name == entry.name) {
            Some((name, property, against)) => {
                tests.extend(read_test(name, *against, entry.value, reader).map(|test| (*property, test)));
            }
            None => unknown_property(&entry, reader),
        }
    }
    if reader.faults.errors() > faults_before {
        return None;
    }
    if tests.is_empty() {
        let help = Some("say which devices: `filter: { operatingSystem: iOS, lastSyncDateTime: older than 180 days }`");
        reader.fault(&node.span, "wrong-filter", "an empty filter would match every device", help.map(Into::into));
        return None;
    }
    tests.sort_by_key(|(property, _)| PROPERTIES.iter().position(|(_, known, _)| known == property));
    Some(Arc::new(DeviceFilter { tests: tests.into() }))
}

fn unknown_property(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) {
    let names = || PROPERTIES.iter().map(|(name, ..)| *name);
    let help = match did_you_mean(entry.name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("a filter cannot use `{}`", shown(entry.name));
    reader.fault(&entry.key.span, "unknown-key", message, Some(help));
}

fn read_test<'s>(name: &str, against: Against, node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<FilterTest> {
    let what = format!("`{name}`");
    if against == Against::Age {
        return read_age(&what, node, reader);
    }
    let nodes = match &node.value {
        Value::List(items) if !items.is_empty() => items.iter().collect(),
        _ => vec![node],
    };
    let mut texts = Vec::with_capacity(nodes.len());
    for node in nodes {
        let text = reader.text(node, &what)?;
        let star = text.contains('*');
        if star && against == Against::Word {
            let message = format!("{what} does not support wildcards, but `{}` contains `*`", shown(text));
            reader.fault(&node.span, "wrong-filter", message, Some("list the exact values".into()));
            return None;
        }
        if let Err(NotAnId { reason, help }) = identifier::plain(text) {
            let message = format!("{what} cannot be `{}`: {reason}", shown(text));
            reader.fault(&node.span, "wrong-filter", message, help.map(Cow::into_owned));
            return None;
        }
        if text.chars().all(|c| c == '*') {
            let message = format!("{what} with `*` alone would match every device");
            reader.fault(&node.span, "wrong-filter", message, Some("write a pattern that contains letters".into()));
            return None;
        }
        texts.push(text.into());
    }
    Some(FilterTest::OneOf(texts.into()))
}

fn read_age<'s>(what: &str, node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<FilterTest> {
    let text = reader.text(node, what)?;
    let test = match text.split_once(" than ") {
        Some(("older", age)) => Age::read(age).map(FilterTest::OlderThan),
        Some(("newer", age)) => Age::read(age).map(FilterTest::NewerThan),
        _ => None,
    };
    if test.is_none() {
        let message = format!(
            "{what} must be `older than` or `newer than` a number of hours, days or weeks, not `{}`",
            shown(text)
        );
        reader.fault(&node.span, "wrong-filter", message, Some("write, for example, `older than 180 days`".into()));
    }
    test
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_a_number_and_a_unit() {
        assert_eq!(Age::read("180 days"), Some(Age { hours: 4_320 }));
        assert_eq!(Age::read("1 day"), Some(Age { hours: 24 }));
        assert_eq!(Age::read("2 weeks"), Some(Age { hours: 336 }));
        assert_eq!(Age::read("36 hours").map(|age| age.to_string()), Some("36 hours".into()));
        for text in ["0 days", "-1 days", "days", "180", "6 months", "99999999999 days", "9999999 weeks", "1.5 days"] {
            assert_eq!(Age::read(text), None, "{text}");
        }
    }
}
