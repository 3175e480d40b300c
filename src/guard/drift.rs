//! Is the target still the one that was seen when the preview was made?
//!
//! In: who it was, who it is. Out: what differs, in words. Must not: read, or take what changes by itself (the last
//! check-in, the state of management) for a drift.

use jiff::Timestamp;

use crate::catalog::Alters;
use crate::identity::Identity;
use crate::moment::moment;

/// What a preview saw of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    Identity(Box<Identity>),
    /// It was not there.
    Gone,
    /// It could not be read; the text says why.
    NotRead(Box<str>),
}

/// A property that makes a target this one and no other.
struct Trait {
    of: fn(&Identity) -> Option<&str>,
    /// What an action may have changed that makes a change of it none.
    by: Option<Alters>,
    /// How a change of it is told.
    told: fn(&str, &str) -> String,
}

/// The name goes last: it is what changes most easily.
const TRAITS: &[Trait] = &[
    Trait { of: |it| Some(&it.id), by: None, told: |was, is| format!("id was {was}, is {is}") },
    Trait {
        of: |it| it.serial_number.as_deref(),
        by: None,
        told: |was, is| format!("serial number was {was}, is {is}"),
    },
    Trait {
        of: |it| it.azure_ad_device_id.as_deref(),
        by: None,
        told: |was, is| format!("Entra device id was {was}, is {is}"),
    },
    Trait {
        of: |it| it.user_principal_name.as_deref(),
        by: Some(Alters::Owner),
        told: |was, is| format!("user was {was}, is {is}"),
    },
    Trait {
        of: |it| it.ownership.as_deref(),
        by: Some(Alters::Ownership),
        told: |was, is| format!("ownership was {was}, is {is}"),
    },
    Trait {
        of: |it| it.operating_system.as_deref(),
        by: None,
        told: |was, is| format!("operating system was {was}, is {is}"),
    },
    Trait {
        of: |it| it.enrollment_type.as_deref(),
        by: None,
        told: |was, is| format!("enrolment type was {was}, is {is}"),
    },
    Trait {
        of: |it| it.name.as_deref(),
        by: Some(Alters::Name),
        told: |was, is| format!("renamed from {was} to {is}"),
    },
];

/// Every difference that matters, in words; empty where it is the same one. What an older file has not kept is no difference.
/// `altered`: what the steps before have changed themselves.
pub(crate) fn differences(was: &Identity, is: &Identity, altered: &[Alters]) -> Vec<String> {
    let mut told = Vec::new();
    told.extend(enrolled_again(was.enrolled_at, is.enrolled_at));
    if let (Some(before), Some(now)) = (&was.owner_id, &is.owner_id)
        && !before.eq_ignore_ascii_case(now)
        && was.user_principal_name.is_some()
        && !altered.contains(&Alters::Owner)
    {
        // An account of the same name may have been made anew.
        told.push(format!("owner's id was {before}, is {now}"));
    }
    for one in TRAITS.iter().filter(|one| one.by.is_none_or(|by| !altered.contains(&by))) {
        let (before, now) = ((one.of)(was), (one.of)(is));
        if before.map(str::to_lowercase) != now.map(str::to_lowercase) {
            told.push((one.told)(before.unwrap_or("empty"), now.unwrap_or("empty")));
        }
    }
    told
}

fn enrolled_again(was: Option<Timestamp>, is: Option<Timestamp>) -> Option<String> {
    match (was, is) {
        (was, is) if was == is => None,
        (Some(was), Some(is)) => Some(format!("enrolled again at {}, was enrolled at {}", moment(is), moment(was))),
        (None, Some(is)) => Some(format!("enrolled at {}, was not enrolled", moment(is))),
        (Some(was), None) => Some(format!("not enrolled any more, was enrolled at {}", moment(was))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn laptop() -> Identity {
        Identity {
            id: "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11".into(),
            name: Some("LAB-01".into()),
            serial_number: Some("5CG1234XYZ".into()),
            user_principal_name: Some("ada@contoso.com".into()),
            enrolled_at: Some("2026-01-05T08:00:00Z".parse().unwrap()),
            last_sync_at: Some("2026-11-21T08:00:00Z".parse().unwrap()),
            management_state: Some("managed".into()),
            ..Identity::default()
        }
    }

    fn told(change: impl FnOnce(&mut Identity)) -> Vec<String> {
        let mut now = laptop();
        change(&mut now);
        differences(&laptop(), &now, &[])
    }

    #[test]
    fn what_a_step_has_changed_itself_is_no_drift() {
        let now = Identity { name: Some("LAB-02".into()), user_principal_name: None, ..laptop() };
        assert_eq!(differences(&laptop(), &now, &[Alters::Owner]), ["renamed from LAB-01 to LAB-02"]);
        assert!(differences(&laptop(), &now, &[Alters::Owner, Alters::Name]).is_empty());
    }

    #[test]
    fn each_difference_is_named() {
        assert_eq!(told(|it| it.serial_number = Some("OTHER".into())), ["serial number was 5CG1234XYZ, is OTHER"]);
        assert_eq!(told(|it| it.user_principal_name = None), ["user was ada@contoso.com, is empty"]);
        assert_eq!(told(|it| it.ownership = Some("personal".into())), ["ownership was empty, is personal"]);
        assert_eq!(told(|it| it.name = Some("LAB-02".into())), ["renamed from LAB-01 to LAB-02"]);
        let again = told(|it| it.enrolled_at = Some("2026-11-22T06:00:00Z".parse().unwrap()));
        assert_eq!(again, ["enrolled again at 2026-11-22 06:00:00 UTC, was enrolled at 2026-01-05 08:00:00 UTC"]);
    }

    #[test]
    fn spelling_and_what_changes_by_itself_are_no_drift() {
        assert!(told(|it| it.id = it.id.to_uppercase().into()).is_empty());
        assert!(told(|it| it.name = Some("lab-01".into())).is_empty());
        assert!(told(|it| it.last_sync_at = None).is_empty());
        assert!(told(|it| it.management_state = Some("retirePending".into())).is_empty());
    }

    proptest! {
        /// Whatever the values, one changed property is one difference, and the same identity has none.
        #[test]
        fn one_change_is_one_difference(which in 0..6_usize, was in "[a-z0-9]{1,8}", is in "[a-z0-9]{1,8}") {
            let with = |value: &str| {
                let mut it = laptop();
                let place = match which {
                    0 => &mut it.serial_number,
                    1 => &mut it.azure_ad_device_id,
                    2 => &mut it.user_principal_name,
                    3 => &mut it.ownership,
                    4 => &mut it.operating_system,
                    _ => &mut it.name,
                };
                *place = Some(value.into());
                it
            };
            let found = differences(&with(&was), &with(&is), &[]);
            prop_assert_eq!(found.len(), usize::from(was != is), "{:?}", found);
            prop_assert!(differences(&with(&was), &with(&was), &[]).is_empty());
        }
    }
}
