//! How hard somebody wants a run to work: what plans, command lines, saved previews and the journal say of it, as one type.
//!
//! In: what somebody has said. Out: [`StatedLimits`], as JSON and read back, also as older versions wrote them. Must not: know
//! what a limit that is not given comes to.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bucket::TenantSize;
use super::budget::OwnAllowances;

/// How hard a run may work; `None` where nobody has said anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatedLimits {
    /// Requests in flight, at most: 1 to 256.
    pub concurrency: Option<u16>,
    /// Share of the service's allowance that is left to others: 0 to 95.
    pub reserve_percent: Option<u8>,
    /// Tries of one job, at most: 1 to 20.
    pub max_attempts: Option<u8>,
    /// How long after an answer in doubt a read that shows no effect proves nothing yet: 0 to 3600.
    pub settling_seconds: Option<u16>,
    #[serde(with = "size")]
    pub tenant_size: Option<TenantSize>,
    /// Whether the directory is told that these requests may wait.
    pub low_priority: Option<bool>,
    /// The plan's own, by the name of their bucket, in the catalog's order.
    #[serde(with = "allowances")]
    pub allowances: OwnAllowances,
}

/// What the fields are called in JSON.
const FIELDS: [&str; 7] =
    ["concurrency", "reserve_percent", "max_attempts", "settling_seconds", "tenant_size", "low_priority", "allowances"];

impl StatedLimits {
    /// These, and where they say nothing, the others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            concurrency: self.concurrency.or(others.concurrency),
            reserve_percent: self.reserve_percent.or(others.reserve_percent),
            max_attempts: self.max_attempts.or(others.max_attempts),
            settling_seconds: self.settling_seconds.or(others.settling_seconds),
            tenant_size: self.tenant_size.or(others.tenant_size),
            low_priority: self.low_priority.or(others.low_priority),
            allowances: std::array::from_fn(|bucket| self.allowances[bucket].or(others.allowances[bucket])),
        }
    }

    /// From an object that holds them among other things, as older versions recorded them.
    pub fn among(others: &Value) -> Result<Self, serde_json::Error> {
        let own = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), others.get(name)?.clone())));
        Self::deserialize(Value::Object(own.collect::<Map<_, _>>()))
    }
}

mod size {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::catalog::bucket::TenantSize;

    pub(super) fn serialize<S: Serializer>(size: &Option<TenantSize>, to: S) -> Result<S::Ok, S::Error> {
        size.map(TenantSize::name).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TenantSize>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        name.map(|name| TenantSize::named(&name).ok_or_else(|| D::Error::custom("unknown tenant size"))).transpose()
    }
}

mod allowances {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::catalog::bucket::{Allowance, Bucket};
    use crate::catalog::budget::OwnAllowances;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct AllowanceInJson {
        requests: u32,
        window_seconds: u64,
    }

    /// As an older version may have recorded it: requests, and seconds.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum AllowanceAsWritten {
        Named(AllowanceInJson),
        Pair(u32, u64),
    }

    pub(super) fn serialize<S: Serializer>(own: &OwnAllowances, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(Bucket::all().filter_map(|bucket| {
            let Allowance { requests, window } = own[bucket.index()]?;
            Some((bucket.to_string(), AllowanceInJson { requests, window_seconds: window.as_secs() }))
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OwnAllowances, D::Error> {
        let mut own = OwnAllowances::default();
        for (name, written) in BTreeMap::<String, AllowanceAsWritten>::deserialize(from)? {
            let (requests, seconds) = match written {
                AllowanceAsWritten::Named(AllowanceInJson { requests, window_seconds }) => (requests, window_seconds),
                AllowanceAsWritten::Pair(requests, seconds) => (requests, seconds),
            };
            let bucket = Bucket::all().find(|bucket| bucket.to_string() == name);
            let bucket = bucket.ok_or_else(|| D::Error::custom(format!("there is no bucket `{name}`")))?;
            if !(1..=u32::from(u16::MAX)).contains(&requests) || !(1..=3_600).contains(&seconds) {
                return Err(D::Error::custom(format!("no plan can set {name} so")));
            }
            own[bucket.index()] = Some(Allowance { requests, window: Duration::from_secs(seconds) });
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Allowance;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn limits_are_read_back_as_they_were_written_and_nothing_else_is_taken() {
        let mut limits =
            StatedLimits { concurrency: Some(8), tenant_size: Some(TenantSize::Large), ..StatedLimits::default() };
        limits.allowances[0] = Some(Allowance { requests: 7, window: Duration::from_secs(30) });
        let mut written = serde_json::to_value(limits).unwrap();
        assert_eq!(StatedLimits::deserialize(&written).unwrap(), limits);
        let names: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
        assert!(names.iter().all(|name| FIELDS.contains(&name.as_str())) && names.len() == FIELDS.len());
        written["of_tomorrow"] = json!(1);
        assert!(StatedLimits::deserialize(&written).is_err() && StatedLimits::among(&written).unwrap() == limits);
        for wrong in [json!({ "tenant_size": "huge" }), json!({ "allowances": { "nobody": [1, 1] } })] {
            assert!(StatedLimits::deserialize(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_said_first_holds() {
        let said = StatedLimits { concurrency: Some(8), ..StatedLimits::default() };
        let plan = StatedLimits { concurrency: Some(2), max_attempts: Some(3), ..StatedLimits::default() };
        assert_eq!(
            said.or(plan),
            StatedLimits { concurrency: Some(8), max_attempts: Some(3), ..StatedLimits::default() }
        );
    }
}
