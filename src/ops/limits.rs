//! How hard a run may work: what the command line says, else the plan, else the defaults.
//!
//! In: [`Choices`] and the plan's `limits`. Out: the runner's limits. Must not: let pacing be switched off towards a
//! service that belongs to others.

use std::time::Duration;

use super::error::Error;
use crate::catalog::{Budget, Terms};
use crate::diagnostics::Diagnostic;
use crate::pacing::Pacing;
use crate::plan;
use crate::runner::{DEFAULT_CONCURRENCY, DEFAULT_MAX_ATTEMPTS, DEFAULT_SETTLING, Limits};

/// What the command line says, or the plan behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    pub limits: plan::StatedLimits,
    /// No plan can say this.
    pub unpaced: bool,
}

impl Choices {
    /// With the plan's limits where the command line says nothing: a resumed run works as hard as it was begun with.
    pub fn or(self, plan: plan::StatedLimits) -> Self {
        Self { limits: self.limits.or(plan), ..self }
    }
}

/// What a run may use of each allowance.
pub(crate) fn budget(choices: Choices, plan: plan::StatedLimits) -> Budget {
    let plan::StatedLimits { tenant_size, allowances, reserve_percent, .. } = choices.limits.or(plan);
    // Nothing is reserved by default: the allowance is the app's own, and half of the tenant's is beyond it already.
    let reserve_percent = reserve_percent.unwrap_or(0);
    Budget::new(Terms { tenant_size, delegated: false, own: allowances, reserve_percent })
}

/// The limits of a run. `local`: the service is on this machine.
pub(super) fn limits(choices: Choices, plan: plan::StatedLimits, local: bool) -> Result<Limits, Error> {
    let pacing = match choices.unpaced {
        true if local => Pacing::Off,
        true => {
            return Err(Error::usage(
                Diagnostic::error("unpaced", "rate limiting can only be disabled for a server on this machine")
                    .help("remove --unpaced: real tenants have limits"),
            ));
        }
        false => Pacing::Within(budget(choices, plan)),
    };
    let stated = choices.limits.or(plan);
    Ok(Limits {
        concurrency: stated.concurrency.unwrap_or(DEFAULT_CONCURRENCY),
        max_attempts: stated.max_attempts.map_or(DEFAULT_MAX_ATTEMPTS, u32::from),
        settling: stated.settling_seconds.map_or(DEFAULT_SETTLING, |seconds| Duration::from_secs(seconds.into())),
        pacing,
    })
}
