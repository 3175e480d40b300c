//! What a scenario allows: windows, daily limits, a stranger who eats of both, and how long answers take.
//!
//! In: YAML. Out: plain tables. Must not: count; `throttle` and `quota` do.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::value::{ActionName, BucketName, Rate, Seconds, parse_duration};
use crate::catalog::{Allowance, Bucket};

/// The allowance of each bucket, by its index; `None` is no limit. Written `off`, `documented`, or a map of the buckets
/// that differ from the documentation. Beside it, what is punished although it is within the allowance.
#[derive(Debug, Clone)]
pub struct Throttle(pub [Option<Allowance>; Bucket::COUNT], pub [Option<Burst>; Bucket::COUNT]);

/// More than so many requests in a short window close the bucket for a while.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    pub requests: NonZeroU32,
    pub window: Seconds,
    pub penalty: Seconds,
}

impl Default for Throttle {
    fn default() -> Self {
        let mut windows = [None; Bucket::COUNT];
        for bucket in Bucket::all() {
            windows[bucket.index()] = Some(bucket.allowance());
        }
        Self(windows, [None; Bucket::COUNT])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowLimit {
    requests: NonZeroU32,
    window: Seconds,
    burst: Option<Burst>,
}

impl<'de> Deserialize<'de> for Throttle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Throttle;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("off, documented, or a map from buckets to { requests, window }")
            }

            // YAML 1.1 reads `off` as false.
            fn visit_bool<E: Error>(self, on: bool) -> Result<Throttle, E> {
                self.visit_str(if on { "on" } else { "off" })
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Throttle, E> {
                match word {
                    "off" => Ok(Throttle([None; Bucket::COUNT], [None; Bucket::COUNT])),
                    "documented" => Ok(Throttle::default()),
                    _ => Err(E::custom(format!("`{word}` is neither off nor documented, nor a map of buckets"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Throttle, A::Error> {
                let mut throttle = Throttle::default();
                while let Some(BucketName(bucket)) = map.next_key()? {
                    let WindowLimit { requests, window, burst } = map.next_value()?;
                    throttle.1[bucket.index()] = burst;
                    throttle.0[bucket.index()] = Some(Allowance { requests: requests.get(), window: window.0 });
                }
                Ok(throttle)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// How long an answer takes: between `min` and `max`. Written as one length of time, or `{ min, max }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    pub min: Duration,
    pub max: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, field_identifier, rename_all = "snake_case")]
enum LatencyKey {
    Min,
    Max,
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Latency;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a length of time such as 20ms, or { min, max }")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Latency, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Latency, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Latency, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Latency, E> {
                let time = parse_duration(text)
                    .ok_or_else(|| E::custom(format!("`{text}` is not a length of time such as 20ms")))?;
                Ok(Latency { min: time, max: time })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Latency, A::Error> {
                let (mut min, mut max) = (Duration::ZERO, Duration::ZERO);
                while let Some(key) = map.next_key()? {
                    let Seconds(time) = map.next_value()?;
                    match key {
                        LatencyKey::Min => min = time,
                        LatencyKey::Max => max = time,
                    }
                }
                match min <= max {
                    true => Ok(Latency { min, max }),
                    false => Err(A::Error::custom("the least latency is more than the most")),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Somebody else's requests, evenly spread, in every bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    pub requests_per_second: Rate,
    /// With it, the rate is anything from the one above to this one.
    pub up_to: Option<Rate>,
    /// How often it is another one.
    pub changes_every: Option<Seconds>,
    /// Since the tenant began.
    #[serde(default)]
    pub from: Seconds,
    pub until: Option<Seconds>,
}

/// How often a day an action may happen, by its place in the catalog.
#[derive(Debug, Clone, Default)]
pub struct Daily(pub BTreeMap<usize, u32>);

impl<'de> Deserialize<'de> for Daily {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Daily;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map from actions to how often a day each may happen")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Daily, A::Error> {
                let mut daily = Daily::default();
                while let Some(action) = map.next_key::<ActionName>()? {
                    daily.0.insert(action.index(), map.next_value()?);
                }
                Ok(daily)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// How a passed daily limit is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum DailyAnswer {
    #[default]
    #[serde(rename = "429")]
    TooManyRequests,
    /// 429 that says when to come back, and not why.
    #[serde(rename = "429_with_time")]
    WithTime,
    #[serde(rename = "403")]
    Forbidden,
    #[serde(rename = "400")]
    BadRequest,
}

/// What a day is to the daily limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DailyDay {
    /// From one turn to the next.
    #[default]
    Turning,
    /// Any 24 hours.
    Sliding,
}
