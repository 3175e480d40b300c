//! From a managed device to what else is known of the same machine: its Autopilot identity, its Entra device.
//!
//! In: a device that a row means, a [`Pool`] that holds at least everything that could match. Out: one target, called as the
//! device is where it has no name of its own, or a [`LookupRefusal`] that names the device. Must not: follow a serial number that says nothing, or a device to its user.

use super::matching::{LookupRefusal, Match};
use super::pool::Pool;
use super::record::FoundRecord;
use crate::catalog::{Selector, SelectorForm, TargetKind, link_to};
use crate::plan::says_nothing;

/// By what `device` leads to a target of that kind, where it leads anywhere.
pub(super) fn link(device: &FoundRecord, kind: TargetKind) -> Option<(&'static Selector, &str)> {
    let by = link_to(kind)?;
    let value = device.value(by, "")?;
    let says_something = by.form != SelectorForm::Serial || says_nothing(value).is_none();
    says_something.then_some((by, value))
}

/// The one target of that kind that `device` leads to. Needs [`Pool::index`] by the link.
pub(super) fn follow<'p>(
    pool: &'p Pool,
    device: &'p FoundRecord,
    kind: TargetKind,
) -> Result<Match, LookupRefusal<'p>> {
    if pool.unread.contains(&kind) {
        return Err(LookupRefusal::NotRead);
    }
    let Some((by, value)) = link(device, kind) else { return Err(LookupRefusal::NoLink(device)) };
    let found: Vec<_> = pool.find(kind, by, value).collect();
    match found.as_slice() {
        [] => Err(LookupRefusal::NothingLinked(device)),
        [one] => {
            let target = Match::of(one);
            let name = target.name.or_else(|| device.identity.name.clone());
            Ok(Match { name, device: Some(device.identity.id.to_ascii_lowercase().into()), ..target })
        }
        _ => Err(LookupRefusal::SeveralLinked(device, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const SERIALS: [&str; 9] = ["", "5CG1", " 5cg1", "5CG12", "SÜ7", "sü7", "0", "None", "System Serial Number"];

    fn record(kind: TargetKind, number: usize, serial: &str) -> FoundRecord {
        FoundRecord::from_document(kind, &json!({ "id": format!("{number}"), "serialNumber": serial })).unwrap()
    }

    proptest! {
        /// The oracle looks at every identity, and has a list of its own of what says nothing.
        #[test]
        fn a_device_leads_to_the_one_identity_with_its_serial_or_to_none(
            device in prop::sample::select(&SERIALS[..]),
            identities in prop::collection::vec(prop::sample::select(&SERIALS[..]), 0..6),
        ) {
            let kind = TargetKind::AutopilotIdentity;
            let mut pool = Pool::default();
            for (number, serial) in identities.iter().enumerate() {
                pool.add(kind, record(kind, number, serial));
            }
            pool.index(kind, link_to(kind).unwrap(), "");
            let same = |serial: &&str| serial.trim().to_lowercase() == device.trim().to_lowercase();
            let fitting: Vec<_> = (0..identities.len()).filter(|number| same(&identities[*number])).collect();
            let expected = match fitting.as_slice() {
                [only] if SERIALS[1..6].contains(&device) => Some(only.to_string()),
                _ => None,
            };
            let device = record(TargetKind::ManagedDevice, 99, device);
            let got = follow(&pool, &device, kind).ok().map(|target| target.id.to_string());
            prop_assert_eq!(got, expected);
        }
    }
}
