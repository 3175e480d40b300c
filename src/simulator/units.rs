//! What the directory says of its limits with each answer.
//!
//! In: what was read or written. Out: what it cost, and headers. Must not: count; `throttle` does.
//!
//! Source: Graph's page on service-specific limits, identity and access: the table of resource units, and the headers of
//! throttled requests.

use super::query::Query;
use super::routes::Endpoint;
use crate::catalog::{Access, TargetKind};

/// What an answer cost. A page of fewer than twenty, and one of which the properties are named, costs one less; what is
/// expanded one more; nothing is for nothing.
pub(crate) fn of(endpoint: Endpoint, query: &Query) -> u32 {
    let base: u32 = match endpoint {
        Endpoint::ReadAll(TargetKind::User) | Endpoint::ReadOwnedDevices => 2,
        Endpoint::ReadMembers => 3,
        _ => 1,
    };
    let less = u32::from(query.select.is_some()) + u32::from(query.top.is_some_and(|top| top < 20));
    (base + u32::from(!query.expand.is_empty())).saturating_sub(less).max(1)
}

/// `x-ms-throttle-scope` of a throttled request.
pub(crate) fn scope(access: Access, application: &str, tenant: &str) -> String {
    let limit = if access == Access::Write { "Write" } else { "Read" };
    format!("Tenant_Application/{limit}/{application}/{tenant}")
}

/// `x-ms-throttle-information` of a throttled request.
pub(super) fn information(access: Access) -> &'static str {
    if access == Access::Write { "WriteLimitExceeded" } else { "ResourceUnitLimitExceeded" }
}
