//! The limits in the head of a saved preview: all that a plan can say of how hard it may be worked on.
//!
//! In: what the plan and the command line said. Out: JSON, and the same read back. Must not: take a word or a number that
//! no plan could have said.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::catalog::StatedLimits;
use crate::daily::DailySettings;

/// What nobody has said is not written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How hard a run may work, in itself and in a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LimitsOfPreview {
    #[serde(flatten)]
    pub stated: StatedLimits,
    /// What the plan says of the tenant's daily limits.
    #[serde(skip_serializing_if = "is_default")]
    pub daily: DailySettings,
}

/// By hand, because what is flattened takes every name.
impl<'de> Deserialize<'de> for LimitsOfPreview {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut all = Map::deserialize(from)?;
        let daily = all.remove("daily").map(DailySettings::deserialize).transpose().map_err(D::Error::custom)?;
        let stated = StatedLimits::deserialize(Value::Object(all)).map_err(D::Error::custom)?;
        Ok(Self { stated, daily: daily.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As previews have had it from the first.
    const OF_BEFORE: &str = r#"{"concurrency":8,"reserve_percent":null,"max_attempts":null,"settling_seconds":90,"tenant_size":"large","low_priority":null,"allowances":{},"daily":{"retire":6,"wipe":null,"delete":null,"reserve_percent":null,"turns_at":null,"zone":null,"delete_counts_as":null,"refusals":null}}"#;

    #[test]
    fn a_preview_of_before_is_read_and_written_as_it_was_and_takes_no_other_word() {
        let limits: LimitsOfPreview = serde_json::from_str(OF_BEFORE).unwrap();
        assert_eq!((limits.stated.settling_seconds, limits.daily.retire), (Some(90), Some(6)));
        assert_eq!(serde_json::to_string(&limits).unwrap(), OF_BEFORE);
        for wrong in [OF_BEFORE.replace("low_priority", "no_priority"), OF_BEFORE.replace("wipe", "wipes")] {
            assert!(serde_json::from_str::<LimitsOfPreview>(&wrong).is_err(), "{wrong}");
        }
    }
}
