//! What people do by day with the same rows, and what other plans do.

use super::site::{Night, Site};
use super::{BY_SERIAL, DEVICES};
use crate::support::guid;

const FIRST: &str = "
jobs:
  - action: retire
    targets: [ { serialNumber: 5CG0000001 } ]
";

fn other(once: bool) -> Night {
    Night { plan: "other.yaml", once, ..Night::default() }
}

#[test]
fn what_another_plan_has_done_is_done_and_a_machine_enrolled_again_is_sent_to_by_day_alone() {
    Site::play(DEVICES, FIRST, async |site| {
        site.leaves(11);
        site.another_plan("other.yaml", "other", FIRST);
        assert_eq!(site.night_with(other(true)).await.told(), ["accepted 1"]);
        assert_eq!(site.night().await.told(), ["already_done 1"]);
        site.leaves(1);
        assert_eq!(site.night().await.told(), ["already_done 1"]);
        // Never done by a run of this plan, and there is no such device: by day, too, it is done.
        assert_eq!(site.night_with(Night { once: false, ..Night::default() }).await.told(), ["already_done 1"]);
        site.returns(11);
        assert_eq!(site.night().await.told(), ["held 11"], "at night nobody looks");
        let by_day = site.night_with(Night { once: false, ..Night::default() }).await;
        assert_eq!(by_day.told(), ["accepted 11"], "this plan has never retired anything");
        // The plan that did retire the first one holds the second, by day as well.
        site.another_plan("other.yaml", "other", &FIRST.replace("5CG0000001", "5CG0000002"));
        assert_eq!(site.effects("retire"), [(1, 1), (11, 1)]);
    });
}

#[test]
fn a_plan_that_has_retired_a_machine_holds_the_one_that_follows_it_by_day_as_well() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        let by_day = || site.night_with(Night { once: false, ..Night::default() });
        assert_eq!(by_day().await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        assert_eq!(by_day().await.told(), ["already_done 1", "already_done 2"]);
        site.returns(11);
        assert_eq!(by_day().await.told(), ["held 11", "already_done 2"]);
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1)]);
    });
}

#[test]
fn a_saved_preview_is_a_night_of_its_plan() {
    Site::play(DEVICES, BY_SERIAL, async |site| {
        site.leaves(11);
        site.save().await;
        let saved = Night { plan: "saved.json", once: false, ..Night::default() };
        assert_eq!(site.night_with(saved).await.told(), ["accepted 1", "accepted 2"]);
        site.leaves(1);
        assert_eq!(site.night().await.told(), ["already_done 1", "already_done 2"]);
        site.returns(11);
        site.save().await;
        let saved = Night { plan: "saved.json", ..Night::default() };
        let held = site.night_with(saved).await;
        assert_eq!(held.told(), ["held 11", "already_done 2"]);
        assert!(held.note(0).contains(&guid(1)), "{held:?}");
        assert_eq!(site.effects("retire"), [(1, 1), (2, 1)]);
    });
}

#[test]
fn a_saved_preview_never_sends_what_was_not_due_when_it_was_made() {
    // Nights begin on 2026-11-22.
    let plan = "
jobs:
  - action: retire
    targets:
      - { serialNumber: 5CG0000002 }
      - { serialNumber: 5CG0000009, notBefore: 2026-11-23 }
      - { serialNumber: 5CG0000003, notBefore: 2026-11-23 }
";
    Site::play(DEVICES, plan, async |site| {
        site.save().await;
        tokio::time::sleep(std::time::Duration::from_secs(25 * 3_600)).await;
        let saved = Night { plan: "saved.json", once: false, ..Night::default() };
        let not_due = ["accepted 2", "not_attempted serialNumber 5CG0000009", "not_attempted serialNumber 5CG0000003"];
        assert_eq!(site.night_with(saved).await.told(), not_due);
        assert_eq!(site.resume().await.told(), not_due);
        // The plan itself does, on its day: and then there has to be such a device.
        assert!(site.night().await.is_refused("no-match"));
        site.plan(&plan.replace("      - { serialNumber: 5CG0000009, notBefore: 2026-11-23 }\n", ""));
        assert_eq!(site.night().await.told(), ["already_done 2", "accepted 3"]);
    });
}

#[test]
fn what_was_not_due_is_not_sent_by_a_resume_and_is_looked_up_on_its_day() {
    let plan = "
jobs:
  - action: retire
    targets:
      - { serialNumber: 5CG0000002 }
      - { serialNumber: 5CG0000003, notBefore: 2026-11-23 }
";
    Site::play(DEVICES, plan, async |site| {
        site.leaves(3);
        assert_eq!(site.preview().await, ["send", "not_due"]);
        let line = || site.night_with(Night { confirm: Some(2), ..Night::default() });
        assert_eq!(line().await.told(), ["accepted 2", "not_attempted serialNumber 5CG0000003"]);
        site.returns(3);
        assert_eq!(site.resume().await.told(), ["accepted 2", "not_attempted serialNumber 5CG0000003"]);
        assert_eq!(line().await.told(), ["already_done 2", "accepted 3"]);
        assert_eq!(line().await.told(), ["already_done 2", "already_done 3"]);
        assert_eq!(site.effects("retire"), [(2, 1), (3, 1)]);
    });
}
