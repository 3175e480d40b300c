//! From the catalog's kinds of target to the tables.
//!
//! In: a kind of target. Out: its table. Must not: hold a row.

use super::autopilot::{IDENTITY, IMPORTED_AUTOPILOT, IMPORTED_IDENTITY};
use super::devices::DEVICE;
use super::directory::{ENTRA_DEVICE, MEMBER, USER};
use super::kind::{Kind, KindProperty, Logic};
use crate::catalog::TargetKind;
use crate::simulator::resources::Plausible::Id;

/// Nothing of the catalog; it keeps the table whole.
static OTHER: Kind = Kind {
    kind: TargetKind::Other,
    type_name: "microsoft.graph.entity",
    properties: &[KindProperty::new("id", Id)],
    silent: &[],
    indexed: &[],
    logic: Logic::OneClause,
    expansions: &[],
};

pub(crate) fn kind_of(kind: TargetKind) -> &'static Kind {
    match kind {
        TargetKind::ManagedDevice => &DEVICE,
        TargetKind::AutopilotIdentity => &IDENTITY,
        TargetKind::User | TargetKind::DeletedUser => &USER,
        TargetKind::EntraDevice => &ENTRA_DEVICE,
        TargetKind::GroupMember => &MEMBER,
        TargetKind::ImportedAutopilotIdentity => &IMPORTED_AUTOPILOT,
        TargetKind::ImportedDeviceIdentity => &IMPORTED_IDENTITY,
        TargetKind::Other => &OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::effects::{self, Deed};

    #[test]
    fn every_property_that_an_effect_sets_exists() {
        for action in crate::catalog::ACTIONS {
            for deed in effects::of(action.name).unwrap().deeds {
                if let Deed::Set(name, _) | Deed::SetNow(name) | Deed::From(name, _) = deed {
                    assert!(kind_of(action.target).property(name).is_some(), "{} sets {name}", action.name);
                }
            }
        }
    }

    #[test]
    fn nothing_of_ours_stands_in_a_table() {
        let kinds = [&DEVICE, &IDENTITY, &USER, &ENTRA_DEVICE, &super::super::GROUP];
        for kind in kinds {
            let names: Vec<_> = kind.properties.iter().map(|it| it.name).chain(kind.silent.iter().copied()).collect();
            for (at, name) in names.iter().enumerate() {
                assert!(!name.contains("simulator") && !names[at + 1..].contains(name), "{}: {name}", kind.type_name);
            }
        }
    }
}
