//! What runs on a device, and which actions it knows.
//!
//! In: `operatingSystem` as Intune writes it. Out: a [`Platform`], or nothing where the word is not known. Must not: guess; an
//! action that names no platform is for all of them.
//!
//! Source: Intune's page "Device actions", the table of actions by platform, and the pages of the actions.

/// What runs on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Windows,
    /// iPadOS too.
    Ios,
    MacOs,
    Android,
    ChromeOs,
    Linux,
}

/// How `operatingSystem` begins, in lower case and without spaces.
const WORDS: &[(&str, Platform)] = &[
    ("windows", Platform::Windows),
    ("ios", Platform::Ios),
    ("ipados", Platform::Ios),
    ("macos", Platform::MacOs),
    ("android", Platform::Android),
    ("chromeos", Platform::ChromeOs),
    ("linux", Platform::Linux),
];

impl Platform {
    /// `None`: the word is not known, and nothing follows from it.
    pub fn of(operating_system: &str) -> Option<Self> {
        let word: String = operating_system.to_lowercase().split_whitespace().collect();
        WORDS.iter().find(|(known, _)| word.starts_with(known)).map(|(_, platform)| *platform)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::Ios => "iOS",
            Self::MacOs => "macOS",
            Self::Android => "Android",
            Self::ChromeOs => "ChromeOS",
            Self::Linux => "Linux",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_intune_are_known_and_no_others() {
        for (word, platform) in [
            ("Windows", Some(Platform::Windows)),
            ("iPadOS", Some(Platform::Ios)),
            ("Chrome OS", Some(Platform::ChromeOs)),
            ("AndroidEnterprise", Some(Platform::Android)),
            ("Darwin", None),
            ("", None),
        ] {
            assert_eq!(Platform::of(word), platform, "{word}");
        }
    }
}
