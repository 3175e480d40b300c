//! What happens to a tenant without us: devices leave and come back, names move.
//!
//! In: what is done, and to what. Out: the tenant as it is then. Must not: count as an effect of anybody's request.

use super::tenant::Tenant;
use crate::catalog::TargetKind;

/// What somebody does in the portal, or a device by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByHand {
    /// It is not there any more.
    Leaves,
    /// It is there again, under the same id, as if nothing had been done to it.
    Returns,
    /// One of its properties has another value.
    Set { property: String, value: String },
}

impl Tenant {
    /// Does it, to a thing that is or was there.
    pub fn by_hand(&self, kind: TargetKind, id: &str, deed: &ByHand) {
        self.lock().inventory.by_hand(kind, id, deed);
    }
}
