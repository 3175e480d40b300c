//! What the simulated tenant of a run is made of, as the journal has it.
//!
//! In: a tenant. Out: its [`KeptStage`], if it is one that stays. Must not: open it; `rehearsal` does.

use crate::session::TargetTenant;
use crate::simulator::kept::{Kept, KeptStage};

/// What a tenant that stays is made of.
pub(super) fn stage_of(tenant: &TargetTenant) -> Option<&KeptStage> {
    match tenant {
        TargetTenant::Kept(stage) => Some(stage),
        TargetTenant::InProcess(transport) => transport.kept().map(Kept::stage),
        TargetTenant::Real | TargetTenant::Simulated(_) => None,
    }
}
