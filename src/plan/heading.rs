//! What a plan says about itself.
//!
//! In: nothing. Out: a [`PlanHeading`]. Must not: know the jobs of the plan.

use crate::catalog::{Action, Missing, StatedLimits};
use crate::daily::DailySettings;
use crate::guard::rules::Rules;

/// What a plan says about itself. A CSV plan says nothing.
#[derive(Debug, Default)]
pub(super) struct PlanHeading {
    pub(super) name: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) justification: Option<String>,
    pub(super) missing: Option<Missing>,
    pub(super) limits: StatedLimits,
    pub(super) daily: DailySettings,
    pub(super) rules: Rules,
    pub(super) own: Vec<&'static Action>,
}
