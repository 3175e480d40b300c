//! Owners, groups and filters: sets that grow and shrink, and are empty.

use musterout::testing::catalog::TargetKind;
use musterout::testing::simulator::by_hand::ByHand;

use super::site::{Night, Site};
use crate::support::guid;

/// Ada has two devices and will get a third one. The group has device 3, which Entra knows as 33.
const TENANT: &str = "
only_listed: true
throttle: off
devices:
  - { id: ID1, serialNumber: S-1, deviceName: ADA-1, userPrincipalName: ada@contoso.com, userId: ID21 }
  - { id: ID2, serialNumber: S-2, deviceName: ADA-2, userPrincipalName: ada@contoso.com, userId: ID21 }
  - { id: ID4, serialNumber: S-4, deviceName: ADA-3, userPrincipalName: ada@contoso.com, userId: ID21 }
  - { id: ID3, serialNumber: S-3, deviceName: LAB-3, azureADDeviceId: ID43 }
users:
  - { id: ID21, userPrincipalName: ada@contoso.com, devices: [ID1, ID2, ID4] }
  - { id: ID22, userPrincipalName: di@contoso.com }
entra_devices:
  - { id: ID33, deviceId: ID43, displayName: LAB-3 }
groups:
  - { id: ID51, displayName: Lab, members: [ID33] }
  - { id: ID52, displayName: Nobody, members: [] }
";

const OF_ADA: &str = "
jobs:
  - action: retire
    targets: [ { devices_of_user: ada@contoso.com } ]
";

#[test]
fn devices_of_an_owner_leave_arrive_and_come_back_and_the_line_stays_the_same() {
    Site::play(TENANT, OF_ADA, async |site| {
        let line = || site.night_with(Night { confirm: Some(2), ..Night::default() });
        site.leaves(4);
        assert_eq!(line().await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        assert_eq!(line().await.told(), ["already_done 2"]);
        site.leaves(2);
        let night = line().await;
        assert_eq!(night.told(), ["already_done devices_of_user ada@contoso.com"]);
        for named in ["ADA-1", "ADA-2", &guid(1), &guid(2), "accepted at 2026-11-"] {
            assert!(night.note(0).contains(named), "{named}: {night:?}");
        }
        site.returns(4);
        assert_eq!(line().await.told(), ["accepted 4"]);
        site.returns(1);
        let mut told = line().await.told();
        told.sort();
        assert_eq!(told, ["already_done 1", "already_done 4"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1), (4, 1)]);
        // More in one night than anybody has agreed to.
        site.plan(&OF_ADA.replace("retire", "delete"));
        site.returns(2);
        assert!(line().await.is_refused("wrong-number"));
        assert_eq!(site.effects("delete"), []);
    });
}

#[test]
fn somebody_without_devices_has_none_and_nobody_is_a_missing_target() {
    let plan = "
jobs:
  - action: retire
    targets: [ { devices_of_user: di@contoso.com }, { devices_of_user: ID22 } ]
";
    Site::play(TENANT, plan, async |site| {
        let night = site.night().await;
        let nothing = [
            "already_done devices_of_user di@contoso.com".into(),
            format!("already_done devices_of_user {}", guid(22)),
        ];
        assert_eq!(night.told(), nothing);
        assert!(night.note(0).contains("no earlier run has had a job for it"), "{night:?}");
        for nobody in ["nobody@contoso.com", "ID29"] {
            site.plan(&plan.replace("di@contoso.com", nobody));
            assert!(site.night().await.is_refused("no-match"), "{nobody}");
            site.plan(&format!("missing: hold\n{}", plan.replace("di@contoso.com", nobody)));
            assert!(site.night().await.told()[0].starts_with("held devices_of_user "), "{nobody}");
        }
        assert_eq!(site.calls("retire"), []);
    });
}

#[test]
fn an_owner_whose_devices_are_done_may_go() {
    Site::play(TENANT, OF_ADA, async |site| {
        site.leaves(4);
        site.night().await;
        site.leaves(1);
        site.leaves(2);
        site.by_hand(TargetKind::User, 21, ByHand::Leaves);
        let night = site.night().await;
        assert_eq!(night.told(), ["already_done devices_of_user ada@contoso.com"]);
        assert!(night.note(0).contains("ADA-2"), "{night:?}");
    });
    // One of them was never done: that she is gone is no answer.
    let refused = format!(
        "{TENANT}faults:\n  - {{ on: {{ action: retire, target: ID1 }}, do: {{ status: {{ code: 403, error_code: Forbidden, message: No. }} }} }}\n"
    );
    Site::play(&refused, OF_ADA, async |site| {
        site.leaves(4);
        assert_eq!(site.night().await.told(), ["failed 1", "accepted 2"]);
        site.leaves(1);
        site.leaves(2);
        let night = site.night().await;
        assert!(
            night.told()[0].starts_with("already_done") && night.note(0).contains("was failed in run"),
            "{night:?}"
        );
        site.by_hand(TargetKind::User, 21, ByHand::Leaves);
        assert!(site.night().await.is_refused("no-match"));
    });
}

#[test]
fn a_group_may_be_empty_and_must_be_there() {
    let plan = "
jobs:
  - steps: [ retire, { action: deleteEntraDevice, if_found: true } ]
    targets: [ { members_of_group: ID51 }, { members_of_group_named: Nobody } ]
";
    Site::play(TENANT, plan, async |site| {
        let line = || site.night_with(Night { confirm: Some(2), ..Night::default() });
        let empty = "already_done members_of_group_named Nobody";
        assert_eq!(line().await.told(), ["accepted 3", "completed 33", empty]);
        // What was deleted from the directory is in no group any more.
        assert_eq!(line().await.told(), [&format!("already_done members_of_group {}", guid(51)), empty]);
        site.leaves(3);
        assert_eq!(line().await.told(), [&format!("already_done members_of_group {}", guid(51)), empty]);
        site.plan(&plan.replace("Nobody", "Nothing"));
        assert!(line().await.is_refused("no-match"));
        site.plan(&plan.replace("ID51", "ID59"));
        assert!(line().await.is_refused("no-match"));
    });
}

#[test]
fn a_filter_that_nothing_passes_keeps_its_row() {
    let plan = "
jobs:
  - action: retire
    targets: [ { filter: { deviceName: ADA-* } } ]
";
    Site::play(TENANT, plan, async |site| {
        site.leaves(4);
        assert_eq!(site.night().await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        site.leaves(2);
        let night = site.night().await;
        assert_eq!(night.told(), ["already_done filter deviceName ADA-*"]);
        assert!(night.note(0).contains("ADA-1") && night.note(0).contains("ADA-2"), "{night:?}");
        site.returns(4);
        assert_eq!(site.night().await.told(), ["accepted 4"]);
    });
}
