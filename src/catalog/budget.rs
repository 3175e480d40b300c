//! What a run may use of each allowance: the documented ones, as the plan and the tenant change them.
//!
//! In: the size of the tenant, who is signed in, the plan's own limits, the share that is left to others. Out: one
//! [`Allowance`] for each bucket. The limiter keeps to it, the preview forecasts by it and the progress shows it, so that
//! all three speak of the same thing. Must not: keep time.

use super::bucket::{Access, Allowance, Bucket, TenantSize};

/// Allowances of the plan's own, by the index of their bucket.
pub type OwnAllowances = [Option<Allowance>; Bucket::COUNT];

/// What a budget is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Unknown is small: the careful reading.
    pub tenant_size: Option<TenantSize>,
    /// A person is signed in, not an app.
    pub delegated: bool,
    pub own: OwnAllowances,
    /// Share of every allowance that is left to others.
    pub reserve_percent: u8,
}

/// One allowance for each bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(Terms);

impl Budget {
    pub fn new(terms: Terms) -> Self {
        Self(terms)
    }

    /// The documented allowances, less a share.
    pub fn documented(reserve_percent: u8) -> Self {
        Self(Terms { reserve_percent, ..Terms::default() })
    }

    /// What a run may use.
    pub fn allowance(&self, bucket: Bucket) -> Allowance {
        self.whole(bucket).less(self.0.reserve_percent)
    }

    /// The same before anything is left to others.
    pub fn whole(&self, bucket: Bucket) -> Allowance {
        let service = bucket.service;
        self.0.own[bucket.index()].unwrap_or(match (bucket.access, service.larger_reads, self.0.tenant_size) {
            (Access::Write, ..) if self.0.delegated => service.delegated_writes.unwrap_or(service.writes),
            (Access::Read, Some([medium, _]), Some(TenantSize::Medium)) => medium,
            (Access::Read, Some([_, large]), Some(TenantSize::Large)) => large,
            _ => bucket.allowance(),
        })
    }

    /// Whether the plan has set this allowance.
    pub fn is_own(&self, bucket: Bucket) -> bool {
        self.0.own[bucket.index()].is_some()
    }

    pub fn reserve_percent(&self) -> u8 {
        self.0.reserve_percent
    }

    /// The same budget for whoever turns out to be signed in.
    #[must_use]
    pub fn signed_in(self, delegated: bool) -> Self {
        Self(Terms { delegated, ..self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::{DIRECTORY, ENTRA_DEVICES, INTUNE_DEVICES};
    use super::*;
    use std::time::Duration;

    fn bucket(service: &'static super::super::Service, access: Access) -> Bucket {
        Bucket { service, access }
    }

    #[test]
    fn a_larger_tenant_may_read_more_and_write_the_same() {
        let of = |size| Budget::new(Terms { tenant_size: size, ..Terms::default() });
        let reads = bucket(&DIRECTORY, Access::Read);
        let requests = [None, Some(TenantSize::Small), Some(TenantSize::Medium), Some(TenantSize::Large)]
            .map(|size| of(size).allowance(reads).requests);
        assert_eq!(requests, [1_350, 1_350, 2_025, 3_375]);
        let writes = bucket(&DIRECTORY, Access::Write);
        assert_eq!(of(Some(TenantSize::Large)).allowance(writes), DIRECTORY.writes);
        let intune = bucket(&INTUNE_DEVICES, Access::Read);
        assert_eq!(of(Some(TenantSize::Large)).allowance(intune), INTUNE_DEVICES.reads);
    }

    #[test]
    fn a_person_may_write_fewer_devices_than_an_app() {
        let writes = bucket(&ENTRA_DEVICES, Access::Write);
        let app = Budget::documented(0);
        assert_eq!(app.allowance(writes).per_second(), 20.0);
        assert_eq!(app.signed_in(true).allowance(writes).per_second(), 2.5);
        assert_eq!(app.signed_in(true).allowance(bucket(&INTUNE_DEVICES, Access::Write)), INTUNE_DEVICES.writes);
    }

    #[test]
    fn the_plans_own_allowance_goes_before_the_documented_one_and_the_reserve_comes_off_both() {
        let writes = bucket(&INTUNE_DEVICES, Access::Write);
        let mut own = OwnAllowances::default();
        own[writes.index()] = Some(Allowance { requests: 50, window: Duration::from_secs(10) });
        let budget = Budget::new(Terms { own, reserve_percent: 20, ..Terms::default() });
        assert_eq!(budget.allowance(writes), Allowance { requests: 40, window: Duration::from_secs(10) });
        assert_eq!(budget.allowance(bucket(&INTUNE_DEVICES, Access::Read)).requests, 1_440);
    }
}
