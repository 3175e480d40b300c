//! What the simulated tenant of a run is made of, as the journal has it.
//!
//! In: a tenant. Out: its [`Stage`], if it is one that stays. Must not: open it; `rehearsal` does.

use crate::session::Tenant;
use crate::simulator::kept::{Kept, Stage};

/// What a tenant that stays is made of.
pub(super) fn stage_of(tenant: &Tenant) -> Option<&Stage> {
    match tenant {
        Tenant::Kept(stage) => Some(stage),
        Tenant::InProcess(transport) => transport.kept().map(Kept::stage),
        Tenant::Real | Tenant::Simulated(_) => None,
    }
}
