//! Serial numbers that say nothing: what makers leave in the firmware when they forget to write one.
//!
//! In: the text of a serial number. Out: why it cannot stand for one device, if so. Must not: know any inventory.

use crate::catalog::fold;

/// Without regard to case, spaces and punctuation.
const LEFT_IN: &[&str] = &[
    "systemserialnumber",
    "systemserialnumb",
    "serialnumber",
    "serialno",
    "chassisserialnumber",
    "baseboardserialnumber",
    "tobefilledbyoem",
    "tobefilled",
    "filledbyoem",
    "oem",
    "defaultstring",
    "default",
    "none",
    "null",
    "nil",
    "empty",
    "blank",
    "undefined",
    "unknown",
    "invalid",
    "na",
    "notapplicable",
    "notavailable",
    "notspecified",
    "notset",
    "nottobefilledbyoem",
    "nosn",
    "noserial",
    "noserialnumber",
    "123456789",
    "1234567890",
    "0123456789",
    "12345678",
    "1234567",
    "123456",
    "12345",
];

/// Why this is no serial number that could belong to one device only.
pub(crate) fn says_nothing(text: &str) -> Option<&'static str> {
    let folded = fold(text);
    let mut characters = folded.chars();
    let first = characters.next();
    if first.is_none() {
        return Some("it contains neither a letter nor a digit");
    }
    if characters.all(|c| Some(c) == first) {
        return Some("it is one character repeated; firmware uses this as a placeholder");
    }
    LEFT_IN.contains(&folded.as_str()).then_some("firmware uses this as a placeholder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_firmware_leaves_in_is_known_in_every_spelling() {
        for text in [
            "System Serial Number",
            "SYSTEM SERIAL NUMBER",
            "To be filled by O.E.M.",
            "To Be Filled By O.E.M.",
            "Default string",
            "0",
            "00000000",
            "None",
            "N/A",
            "xxxxxxx",
            "---",
            "Not Specified",
            "123456789",
        ] {
            assert!(says_nothing(text).is_some(), "{text}");
        }
        for text in ["5CG1234XYZ", "PF0ABC12", "VMware-56 4d 8b 1c", "C02XK0ABJGH5", "10", "0000-0001"] {
            assert_eq!(says_nothing(text), None, "{text}");
        }
    }
}
