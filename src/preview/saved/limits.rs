//! The limits in the head of a saved preview: all that a plan can say of how hard it may be worked on.
//!
//! In: what the plan and the command line said. Out: JSON, and the same read back. Must not: take a word or a number that
//! no plan could have said.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::is_default;
use crate::catalog::{Allowance, Bucket, OwnAllowances, TenantSize};
use crate::daily::Settings as DailySettings;

/// How hard a run may work; `None`: the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsOfPreview {
    pub concurrency: Option<u16>,
    pub reserve_percent: Option<u8>,
    pub max_attempts: Option<u8>,
    pub settling_seconds: Option<u16>,
    #[serde(with = "size")]
    pub tenant_size: Option<TenantSize>,
    pub low_priority: Option<bool>,
    /// By the name of their bucket, in the catalog's order.
    #[serde(with = "allowances")]
    pub allowances: OwnAllowances,
    /// What the plan says of the tenant's daily limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub daily: DailySettings,
}

mod size {
    use super::*;

    pub fn serialize<S: Serializer>(size: &Option<TenantSize>, to: S) -> Result<S::Ok, S::Error> {
        size.map(TenantSize::name).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TenantSize>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        name.map(|name| TenantSize::named(&name).ok_or_else(|| D::Error::custom("unknown tenant size"))).transpose()
    }
}

mod allowances {
    use std::time::Duration;

    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        requests: u32,
        window_seconds: u64,
    }

    pub fn serialize<S: Serializer>(own: &OwnAllowances, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(Bucket::all().filter_map(|bucket| {
            let Allowance { requests, window } = own[bucket.index()]?;
            Some((bucket.to_string(), Own { requests, window_seconds: window.as_secs() }))
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OwnAllowances, D::Error> {
        let mut own = OwnAllowances::default();
        for (name, Own { requests, window_seconds }) in BTreeMap::<String, Own>::deserialize(from)? {
            let bucket = Bucket::all().find(|bucket| bucket.to_string() == name);
            let bucket = bucket.ok_or_else(|| D::Error::custom(format!("there is no bucket `{name}`")))?;
            if !(1..=u32::from(u16::MAX)).contains(&requests) || !(1..=3_600).contains(&window_seconds) {
                return Err(D::Error::custom(format!("no plan can set {name} so")));
            }
            own[bucket.index()] = Some(Allowance { requests, window: Duration::from_secs(window_seconds) });
        }
        Ok(own)
    }
}
