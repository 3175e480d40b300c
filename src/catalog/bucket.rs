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
    /// Requests per second when the allowance is used up evenly.
    pub fn per_second(self) -> f64 {
        f64::from(self.requests) / self.window.as_secs_f64()
    }

    /// The time between two requests that keeps every window within the allowance, `reserve_percent` of which is left
    /// to others. A small margin is kept because requests that leave evenly do not arrive evenly.
    pub fn interval(self, reserve_percent: u8) -> Duration {
        const MARGIN: f64 = 0.97;
        let share = f64::from(100 - reserve_percent.min(99)) / 100.0;
        Duration::from_secs_f64(self.window.as_secs_f64() / (f64::from(self.requests) * share * MARGIN))
    }
}

/// A class of endpoints that share their allowances, per app and tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    pub name: &'static str,
    pub writes: Allowance,
    /// What is left for reads of the allowance for any method once all writes are taken off.
    pub reads: Allowance,
    pub source: &'static str,
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

const WINDOW: Duration = Duration::from_secs(20);

/// `managedDevice` and its siblings.
pub static INTUNE_DEVICES: Service = Service {
    name: "intune-devices",
    writes: Allowance { requests: 200, window: WINDOW },
    reads: Allowance { requests: 1_800, window: WINDOW },
    source: "Intune devices: 200 writes and 2,000 requests of any method per 20 s, per app and tenant",
};

/// Every other Intune class. Autopilot identities and the user-bound Intune actions are named in no table; they are
/// counted here, which is the careful reading.
pub static INTUNE_OTHER: Service = Service {
    name: "intune-other",
    writes: Allowance { requests: 100, window: WINDOW },
    reads: Allowance { requests: 900, window: WINDOW },
    source: "other Intune classes: 100 writes and 1,000 requests of any method per 20 s, per app and tenant",
};

const DIRECTORY_WINDOW: Duration = Duration::from_secs(150);
/// Reads of the directory are counted in resource units, 3,500 in 10 s for the smallest tenants. No read here costs
/// more than 3.
const DIRECTORY_READS: Allowance = Allowance { requests: 1_000, window: Duration::from_secs(10) };

/// Users, groups and their members, deleted items.
pub static DIRECTORY: Service = Service {
    name: "directory",
    writes: Allowance { requests: 3_000, window: DIRECTORY_WINDOW },
    reads: DIRECTORY_READS,
    source: "identity and access: 3,000 writes in 2 min 30 s, and 3,500 resource units in 10 s, per app and tenant",
};

/// Entra's device objects, whose writes are counted apart.
pub static ENTRA_DEVICES: Service = Service {
    name: "entra-devices",
    writes: Allowance { requests: 3_000, window: DIRECTORY_WINDOW },
    reads: DIRECTORY_READS,
    source: "identity and access, device operations: 3,000 writes in 2 min 30 s, per app and tenant",
};

pub static SERVICES: &[&Service] = &[&INTUNE_DEVICES, &INTUNE_OTHER, &DIRECTORY, &ENTRA_DEVICES];

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
}
