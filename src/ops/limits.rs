//! How hard a run may work: what the command line says, else the plan, else the defaults.
//!
//! In: [`Choices`] and the plan's `limits`. Out: the runner's limits. Must not: let pacing be switched off towards a
//! service that belongs to others.

use std::time::Duration;

use super::Error;
use crate::catalog::{Budget, OwnAllowances, TenantSize, Terms};
use crate::diagnostics::Diagnostic;
use crate::pacing::Pacing;
use crate::plan;
use crate::runner::{DEFAULT_CONCURRENCY, DEFAULT_MAX_ATTEMPTS, DEFAULT_SETTLING, Limits};

/// What the command line says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    pub concurrency: Option<u16>,
    pub reserve_percent: Option<u8>,
    pub max_attempts: Option<u8>,
    pub settling_seconds: Option<u16>,
    pub unpaced: bool,
    /// What only a plan can say.
    pub tenant_size: Option<TenantSize>,
    pub low_priority: Option<bool>,
    pub allowances: OwnAllowances,
}

impl Choices {
    /// With the plan's limits where the command line says nothing: a resumed run works as hard as it was begun with.
    pub fn or(self, plan: plan::Limits) -> Self {
        Self {
            concurrency: self.concurrency.or(plan.concurrency),
            reserve_percent: self.reserve_percent.or(plan.reserve_percent),
            max_attempts: self.max_attempts.or(plan.max_attempts),
            settling_seconds: self.settling_seconds.or(plan.settling_seconds),
            unpaced: self.unpaced,
            tenant_size: self.tenant_size.or(plan.tenant_size),
            low_priority: self.low_priority.or(plan.low_priority),
            allowances: std::array::from_fn(|bucket| self.allowances[bucket].or(plan.allowances[bucket])),
        }
    }
}

/// What a run may use of each allowance.
pub fn budget(choices: Choices, plan: plan::Limits) -> Budget {
    let Choices { tenant_size, allowances, reserve_percent, .. } = choices.or(plan);
    // Nothing is reserved by default: the allowance is the app's own, and half of the tenant's is beyond it already.
    let reserve_percent = reserve_percent.unwrap_or(0);
    Budget::new(Terms { tenant_size, delegated: false, own: allowances, reserve_percent })
}

/// The limits of a run. `local`: the service is on this machine.
pub fn limits(choices: Choices, plan: plan::Limits, local: bool) -> Result<Limits, Error> {
    let pacing = match choices.unpaced {
        true if local => Pacing::Off,
        true => {
            return Err(Error::usage(
                Diagnostic::error("unpaced", "pacing can be switched off for a server on this machine only")
                    .help("leave --unpaced out: the documented limits are kept towards a tenant"),
            ));
        }
        false => Pacing::Within(budget(choices, plan)),
    };
    Ok(Limits {
        concurrency: choices.concurrency.or(plan.concurrency).unwrap_or(DEFAULT_CONCURRENCY),
        max_attempts: choices.max_attempts.or(plan.max_attempts).map_or(DEFAULT_MAX_ATTEMPTS, u32::from),
        settling: choices
            .settling_seconds
            .or(plan.settling_seconds)
            .map_or(DEFAULT_SETTLING, |seconds| Duration::from_secs(seconds.into())),
        pacing,
    })
}
