//! Throttling allowances of the service, as documented.
//!
//! In: nothing. Out: [`Service`] rows that the limiter paces by, the preview forecasts by, and the simulator enforces.
//! Must not: keep time; the limiter does.
//!
//! Source: Microsoft Graph service-specific throttling limits, and its Intune tables.

use std::time::Duration;

/// So many requests in any window of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub requests: u32,
    pub window: Duration,
}

impl Allowance {
    /// So many in any so many seconds.
    const fn per(requests: u32, seconds: u64) -> Self {
        Self { requests, window: Duration::from_secs(seconds) }
    }

    /// Requests per second when the allowance is used up evenly.
    pub fn per_second(self) -> f64 {
        f64::from(self.requests) / self.window.as_secs_f64()
    }

    /// The time between two requests when the allowance is used up evenly.
    pub fn interval(self) -> Duration {
        self.window / self.requests.max(1)
    }

    /// How much later than it left a request may arrive without two windows of the service getting one too many.
    pub fn margin(self) -> Duration {
        const SHARE: f64 = 0.015;
        self.window.mul_f64(SHARE)
    }

    /// How long so many requests take, when nobody else is there and every answer comes at once.
    pub fn time_for(self, requests: u32) -> Duration {
        (self.window + self.margin()).mul_f64(f64::from(requests) / f64::from(self.requests.max(1)))
    }

    /// What is left of it when others get that share. Never nothing.
    pub fn less(self, reserve_percent: u8) -> Self {
        let share = u64::from(100 - reserve_percent.min(99));
        let requests = u64::from(self.requests) * share / 100;
        Self { requests: u32::try_from(requests).unwrap_or(u32::MAX).max(1), ..self }
    }
}

/// A class of endpoints that share their allowances, per app and tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    pub name: &'static str,
    pub writes: Allowance,
    /// What is left for reads of the allowance for any method once all writes are taken off. Where it depends on the
    /// size of the tenant, that of a small one.
    pub reads: Allowance,
    /// The same for a medium and for a large tenant, where that is more.
    pub larger_reads: Option<[Allowance; 2]>,
    /// What one signed-in person may write, where that is less than an app may.
    pub delegated_writes: Option<Allowance>,
    /// It says how near the limit is (`x-ms-throttle-limit-percentage`), and can be told that a request may wait
    /// (`x-ms-throttle-priority`).
    pub tells_load: bool,
    pub source: &'static str,
}

/// How many users a tenant has: fewer than 50, up to 500, more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TenantSize {
    Small,
    Medium,
    Large,
}

impl TenantSize {
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The word in plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.name() == name)
    }
}

/// Reads and writes are throttled apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    Read,
    Write,
}

impl Access {
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One throttling allowance: a service class, for reads or for writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub service: &'static Service,
    pub access: Access,
}

impl Bucket {
    pub fn allowance(self) -> Allowance {
        match self.access {
            Access::Read => self.service.reads,
            Access::Write => self.service.writes,
        }
    }

    /// A small number that is different for each bucket: an index into a table of [`Bucket::COUNT`] rows.
    pub fn index(self) -> usize {
        let service = SERVICES.iter().position(|service| service.name == self.service.name).unwrap_or_default();
        service * 2 + usize::from(self.access == Access::Write)
    }

    pub const COUNT: usize = SERVICES.len() * 2;

    /// Every bucket, in the order of [`Bucket::index`].
    pub fn all() -> impl Iterator<Item = Bucket> {
        SERVICES
            .iter()
            .copied()
            .flat_map(|service| [Access::Read, Access::Write].map(|access| Bucket { service, access }))
    }
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.service.name, self.access.name())
    }
}

/// `managedDevice` and its siblings.
pub static INTUNE_DEVICES: Service = Service {
    name: "intune-devices",
    writes: Allowance::per(200, 20),
    reads: Allowance::per(1_800, 20),
    larger_reads: None,
    delegated_writes: None,
    tells_load: false,
    source: "Intune devices: 200 writes and 2,000 requests of any method per 20 s, per app and tenant",
};

/// Every other Intune class. Autopilot identities and the user-bound Intune actions are named in no table; they are
/// counted here, which is the careful reading.
pub static INTUNE_OTHER: Service = Service {
    name: "intune-other",
    writes: Allowance::per(100, 20),
    reads: Allowance::per(900, 20),
    larger_reads: None,
    delegated_writes: None,
    tells_load: false,
    source: "other Intune classes: 100 writes and 1,000 requests of any method per 20 s, per app and tenant",
};

/// Users, groups and what else Entra keeps, but for its devices. Its reads are measured in resource units: a tenth is
/// left to the reads of [`ENTRA_DEVICES`], 450 are set aside for the writes of both, of which paced ones use 400 in 10 s,
/// and a read is taken for two, as a page of a list is that names no properties.
pub(crate) static DIRECTORY: Service = Service {
    name: "directory",
    writes: Allowance::per(3_000, 150),
    reads: Allowance::per(1_350, 10),
    larger_reads: Some([Allowance::per(2_025, 10), Allowance::per(3_375, 10)]),
    delegated_writes: None,
    tells_load: true,
    source: "identity and access: 3,500 resource units per 10 s in a tenant of fewer than 50 users, 5,000 up to 500, \
             8,000 beyond, and 3,000 writes per 150 s, per app and tenant",
};

/// Writes to Entra's devices have an allowance of their own; reads of them count as any other of the directory, of whose
/// units they get a tenth.
pub(super) static ENTRA_DEVICES: Service = Service {
    name: "entra-devices",
    writes: Allowance::per(3_000, 150),
    reads: Allowance::per(150, 10),
    larger_reads: Some([Allowance::per(225, 10), Allowance::per(375, 10)]),
    delegated_writes: Some(Allowance::per(25, 10)),
    tells_load: true,
    source: "identity and access, device operations: 3,000 writes per 150 s, per app and tenant, and 25 per 10 s for \
             one user of it",
};

static SERVICES: &[&Service] = &[&INTUNE_DEVICES, &INTUNE_OTHER, &DIRECTORY, &ENTRA_DEVICES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_found_again_by_its_index() {
        for (index, bucket) in Bucket::all().enumerate() {
            assert_eq!(bucket.index(), index, "{bucket}");
        }
        assert_eq!(Bucket::all().count(), Bucket::COUNT);
    }

    #[test]
    fn what_is_left_after_a_reserve_is_never_nothing() {
        let ten = Allowance::per(10, 1);
        assert_eq!([0, 25, 95, 99, 255].map(|reserve| ten.less(reserve).requests), [10, 7, 1, 1, 1]);
    }

    #[test]
    fn a_thousand_requests_take_a_hundred_seconds_and_the_margin() {
        assert_eq!(INTUNE_DEVICES.writes.time_for(1_000), Duration::from_millis(101_500));
        assert_eq!(INTUNE_DEVICES.writes.interval(), Duration::from_millis(100));
    }
}
