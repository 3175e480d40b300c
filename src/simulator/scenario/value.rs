//! The small values of a scenario, each checked where it stands so that a complaint has a line.
//!
//! In: scalars. Out: types that cannot hold nonsense. Must not: know which key they belong to.

use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, Error};

use crate::catalog::{ACTIONS, Action, Bucket};

/// A length of time: `2s`, `150ms`, `10m`, `1m 30s`, or a plain number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seconds(pub Duration);

pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => text.parse::<SignedDuration>().ok()?.try_into().ok(),
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a length of time such as 2s, 150ms or 10m")))
    }
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "on" | "true" => Ok(Self(true)),
            "off" | "false" => Ok(Self(false)),
            other => Err(D::Error::custom(format!("`{other}` is neither on nor off"))),
        }
    }
}

/// The name of an action of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionName(pub &'static Action);

impl ActionName {
    /// The action's place in the catalog.
    pub fn index(self) -> usize {
        ACTIONS.iter().position(|action| action == self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for ActionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let action = Action::named(&name).map(Self);
        action.ok_or_else(|| D::Error::custom(format!("unknown action `{name}`; `musterout actions` lists them")))
    }
}

/// The name of a bucket, as `intune-devices/write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BucketName(pub Bucket);

impl<'de> Deserialize<'de> for BucketName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Bucket::all().find(|bucket| bucket.to_string() == name).map(Self).ok_or_else(|| {
            let known: Vec<_> = Bucket::all().map(|bucket| bucket.to_string()).collect();
            D::Error::custom(format!("unknown bucket `{name}`; there are {}", known.join(", ")))
        })
    }
}

/// So many a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(pub f64);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        match (0.001..=10_000.0).contains(&value) {
            true => Ok(Self(value)),
            false => Err(D::Error::custom(format!("a rate is between 0.001 and 10000 a second, not {value}"))),
        }
    }
}

/// From never (0) to always (1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probability(pub f64);

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        match (0.0..=1.0).contains(&value) {
            true => Ok(Self(value)),
            false => Err(D::Error::custom(format!("a probability is between 0 and 1, not {value}"))),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourOfDay(pub u8);

impl<'de> Deserialize<'de> for HourOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hour = u8::deserialize(deserializer)?;
        match hour {
            0..=23 => Ok(Self(hour)),
            _ => Err(D::Error::custom(format!("an hour is 0 to 23, not {hour}"))),
        }
    }
}

/// The status of an answer that is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpStatus(pub u16);

impl<'de> Deserialize<'de> for HttpStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u16::deserialize(deserializer)?;
        match code {
            200..=599 => Ok(Self(code)),
            _ => Err(D::Error::custom(format!("a status is 200 to 599, not {code}"))),
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guid(pub String);

impl Guid {
    pub fn is(text: &str) -> bool {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    }
}

impl PartialEq<&str> for Guid {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Self::is(&text) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(D::Error::custom(format!("`{text}` is not an id of the form 8-4-4-4-12"))),
        }
    }
}

/// Text that no log and no `Debug` shows.
#[derive(Debug, Clone)]
pub struct SecretText(SecretString);

impl SecretText {
    pub fn is(&self, guess: &str) -> bool {
        self.0.expose_secret() == guess
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}
