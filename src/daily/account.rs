//! Whose daily limits a request uses up.
//!
//! In: nothing. Out: [`DailyAccount`] and [`Take`], as data for the run and for the journal's ledger. Must not: count.

use std::sync::Arc;

use super::rules::DailyRules;
use crate::catalog::{Action, DailyLimit};

/// Whose limits, and by which rules.
#[derive(Debug)]
pub struct DailyAccount {
    /// As the journal knows the tenant.
    pub tenant: String,
    pub rules: DailyRules,
}

/// One request that wants to leave.
#[derive(Debug, Clone)]
pub struct Take {
    pub account: Arc<DailyAccount>,
    /// Its place in the catalog's table of daily limits.
    pub limit: usize,
}

/// The place of a job's action in the catalog's table, if it has a daily limit.
pub(crate) fn limit_of(action: &Action) -> Option<usize> {
    DailyLimit::index_of(action)
}
