//! Steps on several records of one machine, of which the first makes the machine disappear.

use super::site::Site;

/// Laptop 1 is in Intune, in Autopilot as 31 and in Entra as 33; 2 is in Intune alone.
const LAPTOPS: &str = "
only_listed: true
throttle: off
devices:
  - { id: ID1, serialNumber: S-1, deviceName: L-1, azureADDeviceId: ID43 }
  - { id: ID2, serialNumber: S-2, deviceName: L-2 }
  - { id: ID11, serialNumber: S-1, deviceName: L-1, azureADDeviceId: ID44 }
autopilot:
  - { id: ID31, serialNumber: S-1 }
entra_devices:
  - { id: ID33, deviceId: ID43, displayName: L-1 }
  - { id: ID34, deviceId: ID44, displayName: L-1 }
";

const OUT_OF_SERVICE: &str = "
jobs:
  - steps:
      - delete
      - { action: deleteAutopilotIdentity, if_found: true }
      - { action: deleteEntraDevice, if_found: true }
    targets: [ { serialNumber: S-1 }, { serialNumber: S-2 } ]
";

#[test]
fn what_the_first_night_has_not_done_is_done_on_the_second_although_the_machine_is_gone() {
    let fails = format!(
        "{LAPTOPS}faults:\n  - {{ on: {{ action: deleteAutopilotIdentity, calls: [1] }}, do: {{ status: {{ code: 403, error_code: Forbidden, message: No. }} }} }}\n"
    );
    Site::play(&fails, OUT_OF_SERVICE, async |site| {
        site.leaves(11);
        assert_eq!(site.night().await.told(), ["completed 1", "failed 31", "held 33", "completed 2"]);
        assert_eq!(site.night().await.told(), ["already_done 1", "accepted 31", "completed 33", "already_done 2"]);
        assert_eq!(
            site.night().await.told(),
            ["already_done 1", "already_done 31", "already_done 33", "already_done 2"]
        );
        // The same machine, enrolled again: nothing is done to it, nor to what it leads to.
        site.returns(11);
        let night = site.night().await;
        assert_eq!(night.told()[0], "held 11", "{night:?}");
        assert_eq!(site.effects("deleteEntraDevice"), [(33, 1)]);
        assert_eq!(site.effects("delete"), [(1, 1), (2, 1)]);
    });
}

#[test]
fn a_record_that_was_deleted_is_done_although_the_machine_is_still_there() {
    let plan = "
jobs:
  - steps: [ retire, deleteAutopilotIdentity ]
    targets: [ { serialNumber: S-1 } ]
";
    Site::play(LAPTOPS, plan, async |site| {
        site.leaves(11);
        assert_eq!(site.night().await.told(), ["accepted 1", "accepted 31"]);
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 31"]);
    });
}
