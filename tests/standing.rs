//! Standing plans that name no ids, night after night: devices leave, arrive, come back and are enrolled again, names move.
//!
//! In: what a scheduler starts and what a person does by day, through the same operations as the program. Out: what reached the
//! tenant, and what the reports say. Under a paused clock and in one process. Must not: open sockets.

mod by_day;
mod samples;
mod sets;
mod site;
mod steps;

use musterout::testing::catalog::TargetKind;

use self::site::{Night, Site};
use crate::support::guid;

/// Devices 1 to 4 with their serial numbers; 11 is device 1, enrolled again.
const DEVICES: &str = "
only_listed: true
throttle: off
devices:
  - { id: ID1, serialNumber: 5CG0000001, deviceName: LAB-1, userPrincipalName: ada@contoso.com }
  - { id: ID2, serialNumber: 5CG0000002, deviceName: LAB-2, userPrincipalName: bo@contoso.com }
  - { id: ID3, serialNumber: 5CG0000003, deviceName: LAB-3, userPrincipalName: cy@contoso.com }
  - { id: ID11, serialNumber: 5CG0000001, deviceName: LAB-1b, userPrincipalName: ada@contoso.com }
";

const BY_SERIAL: &str = "
jobs:
  - action: retire
    targets:
      - serialNumber: 5CG0000001
      - serialNumber: 5CG0000002
";

#[test]
fn what_was_retired_and_is_gone_is_done_and_the_rest_goes_on() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        site.leaves(2);
        assert!(site.night().await.is_refused("no-match"), "nobody has ever done row 2");
        site.returns(2);
        assert_eq!(site.night().await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        let night = site.night().await;
        assert_eq!(night.told(), ["already_done 1", "already_done 2"]);
        assert!(
            night.note(0).contains("accepted at 2026-") && night.note(0).contains("found by serialNumber"),
            "{night:?}"
        );
        site.plan(&format!("{BY_SERIAL}      - serialNumber: 5cg0000003\n"));
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2", "accepted 3"]);
        // Case and spaces are no other number.
        site.plan(&BY_SERIAL.replace("5CG0000001", "5cg0000001"));
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1), (3, 1)]);
        // What was pruned is known.
        site.prune();
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2"]);
    });
}

#[test]
fn a_machine_that_was_enrolled_again_is_held_with_both_named() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        assert_eq!(site.night().await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        site.returns(11);
        let night = site.night().await;
        assert_eq!(night.told(), ["held 11", "already_done 2"]);
        for named in [guid(11), guid(1), "LAB-1b".into(), "--again 1".into()] {
            assert!(night.note(0).contains(&named), "{named}: {night:?}");
        }
        assert_eq!(site.preview().await, ["held", "done"]);
        site.prune();
        assert_eq!(site.night().await.told(), ["held 11", "already_done 2"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1)]);
        // Somebody has looked.
        assert_eq!(site.again("1").await.told(), ["accepted 11", "already_done 2"]);
        assert_eq!(site.night().await.told(), ["already_done 11", "already_done 2"]);
        site.leaves(11);
        assert_eq!(site.night().await.told(), ["already_done 11", "already_done 2"]);
        // The first one is there again: it was done, too.
        site.returns(1);
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1), (11, 1)]);
    });
}

#[test]
fn a_night_that_is_killed_before_it_has_settled_anything_holds_the_same_when_it_is_resumed() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        site.night().await;
        site.leaves(1);
        site.returns(11);
        site.plan(&format!("{BY_SERIAL}      - serialNumber: 5CG0000003\n"));
        let runs = site.runs();
        site.killed_night(|site| site.runs() > runs).await;
        assert_eq!(site.resume().await.told(), ["held 11", "already_done 2", "accepted 3"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1), (3, 1)]);
    });
}

#[test]
fn a_doubt_about_what_is_gone_is_read_and_not_forgotten() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        site.killed_night(|site| !site.calls("retire").is_empty()).await;
        site.leaves(1);
        let night = site.night().await;
        assert_eq!(night.told(), ["already_done 1", "accepted 2"], "{night:?}");
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2"]);
        // The doubt is about the machine that was, and nothing is sent to the one that is.
        site.returns(11);
        let night = site.night().await;
        assert_eq!(night.told(), ["held 11", "already_done 2"]);
        assert!(night.note(0).contains("with an unknown effect"), "{night:?}");
        assert_eq!(site.calls("retire"), [(1, 1), (2, 1)]);
    });
}

#[test]
fn what_was_gone_at_the_send_stays_done() {
    let gone = format!(
        "{DEVICES}faults:\n  - {{ on: {{ action: retire, target: ID1 }}, do: {{ status: {{ code: 404, error_code: ResourceNotFound, message: No. }} }} }}\n\
         \x20 - {{ on: {{ method: GET, target: ID1 }}, do: {{ status: {{ code: 404, error_code: ResourceNotFound, message: No. }} }} }}\n"
    );
    Site::play(&gone, BY_SERIAL, async |site| {
        site.leaves(11);
        assert_eq!(site.night().await.told(), ["already_done 1", "accepted 2"]);
        site.leaves(1);
        for _ in 0..2 {
            let night = site.night().await;
            assert_eq!(night.told(), ["already_done 1", "already_done 2"]);
            assert!(night.note(0).contains("; retire of LAB-1"), "{night:?}");
            site.prune();
        }
        // Nothing was done to it: whatever has the number now is sent to.
        site.returns(11);
        assert_eq!(site.night().await.told(), ["accepted 11", "already_done 2"]);
    });
}

const USERS: &str = "
only_listed: true
throttle: off
users:
  - { id: ID21, userPrincipalName: ada@contoso.com }
  - { id: ID22, userPrincipalName: eve@contoso.com }
";

#[test]
fn a_name_that_moves_takes_nobody_with_it() {
    let plan = "
jobs:
  - steps: [revokeSignInSessions, disableUser]
    targets: [ { userPrincipalName: ada@contoso.com } ]
";
    Site::play(USERS, plan, async |site| {
        assert_eq!(site.night().await.told(), ["completed 21", "completed 21"]);
        site.set(TargetKind::User, 21, "userPrincipalName", "ada.byron@contoso.com");
        assert_eq!(site.night().await.told(), ["already_done 21", "already_done 21"], "nobody has the name");
        site.set(TargetKind::User, 22, "userPrincipalName", "ada@contoso.com");
        let night = site.night().await;
        assert_eq!(night.told(), ["held 22", "held 22"]);
        assert!(night.note(0).contains(&guid(21)) && night.note(0).contains(&guid(22)), "{night:?}");
        // The account is deleted, and the name is nobody's.
        site.by_hand(TargetKind::User, 22, musterout::testing::simulator::by_hand::ByHand::Leaves);
        assert_eq!(site.night().await.told(), ["already_done 21", "already_done 21"]);
        assert_eq!(site.effects("disableUser"), [(21, 1)]);
    });
}

#[test]
fn several_rows_of_one_machine_are_one_machine_every_night() {
    let plan = "
jobs:
  - action: retire
    targets:
      - serialNumber: 5CG0000002
      - deviceName: LAB-2
      - { serialNumber: 5CG0000002, note: once more }
";
    Site::play(DEVICES, plan, async |site| {
        let held = ["accepted 2", "held 2", "held 2"];
        assert_eq!(site.night().await.told(), held);
        assert_eq!(site.night().await.told(), ["already_done 2", "held 2", "held 2"]);
        site.leaves(2);
        assert_eq!(site.night().await.told(), ["already_done 2", "held 2", "held 2"]);
        assert_eq!(site.effects("retire"), [(2, 1)]);
    });
}

#[test]
fn rows_that_match_several_are_held_where_that_is_said() {
    let plan = "
jobs:
  - action: retire
    targets:
      - serialNumber: 5CG0000001
      - serialNumber: 5CG0000002
      - serialNumber: 5CG0000009
";
    Site::play(DEVICES, plan, async |site| {
        assert!(site.night().await.is_refused("several-matches"));
        let night = site.night_with(Night { hold_unresolved: true, ..Night::default() }).await;
        assert_eq!(night.told()[1..], ["accepted 2", "held serialNumber 5CG0000009"]);
        assert!(night.note(0).contains(&guid(1)) && night.note(0).contains(&guid(11)), "{night:?}");
        assert_eq!(site.resume().await.told()[1], "accepted 2");
        assert!(site.resume().await.note(0).starts_with("serialNumber 5CG0000001 matches 2 managed devices: "));
    });
}
