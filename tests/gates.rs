//! Every request passes a gate: what reached the tenant is what the gates have let through, reads and questions included.
//!
//! In: a whole run with looks, lost replies, approvals over hours and a follow-up, through the same operations as the program.
//! Out: two counts that differ. Must not: open sockets.

use std::time::Duration;

use musterout::testing::ops::{self, Choices, Repeats, RunRequest, Start, Stay, TargetTenant};
use musterout::testing::outcome::Tally;
use musterout::testing::settings::{Environment, Flags, Settings};
use musterout::testing::ui::stderr::Stderr;

use crate::support::world::{ALWAYS, World, paused, system, target};

const ROWS: u32 = 40;

/// Whoever approves comes late; answers are lost, and the service has bad moments.
const SCENARIO: &str = "
approvals:
  actions: [retire]
  decisions: [ { after: { min: 10m, max: 3h }, do: approve } ]
check_ins: [ { after: { min: 1m, max: 20m }, do: complete } ]
faults:
  - { on: { action: retire, probability: 0.1 }, do: drop_reply }
  - { on: { action: retire, probability: 0.1 }, do: { status: { code: 503, body: html } } }
  - { on: { action: retire, probability: 0.05 }, do: { throttle: { seconds: 3s } } }
";

/// By serial number, with a list of what is protected, and users whom names lead to.
fn plan() -> String {
    let devices: String = (1..=ROWS).map(|row| format!("      - serialNumber: SN-{row}\n")).collect();
    format!(
        "version: 1\nname: gates\njustification: CHG0012345\nguards: {{ protected: [ ceo@contoso.com, 'vip-*' ], max_targets: 100 }}\n\
         jobs:\n  - action: retire\n    targets:\n{devices}  - action: disableUser\n    targets: [ {{ userId: {} }} ]\n",
        target(2, 1)
    )
}

async fn counts(seed: u64) -> (Tally, u64, u64) {
    let mut world = World::new(SCENARIO, seed);
    std::fs::write(world.path("plan.yaml"), plan()).unwrap();
    let tenant = world.tenant.clone();
    let (tally, passed) = world
        .live(ALWAYS, async |world, transport| {
            let flags = Flags { state_dir: Some(world.state().into()), ..Flags::default() };
            let request = RunRequest {
                plan: world.path("plan.yaml"),
                tenant: TargetTenant::InProcess(transport),
                policies: Vec::new(),
                report: Some(world.path("report.csv")),
                confirm: Some(musterout::testing::ops::Confirm::Exactly(ROWS + 1)),
                interactive: false,
                repeats: Repeats::default(),
                inventory: None,
                missing: None,
                justification: None,
                choices: Choices::default(),
                stay: Stay { wait: true, verify: Some(Duration::from_secs(3_600)), ..Stay::default() },
                start: Start { now: system(), system, seed },
            };
            let settings = Settings::new(&flags, &Environment::default()).unwrap();
            let finished = ops::run(request, &settings, &Stderr::silent()).await.unwrap();
            let tally: Tally = finished.settlements.iter().map(|settled| settled.outcome).collect();
            (tally, finished.requests)
        })
        .await
        .unwrap();
    let arrived = tenant.counts().requests;
    (tally, passed, arrived)
}

#[test]
fn what_reached_the_tenant_is_what_the_gates_have_let_through() {
    for seed in [1, 20_261_122] {
        let (tally, passed, arrived) = paused(counts(seed));
        assert!(arrived > u64::from(ROWS) * 3, "seed {seed}: {arrived} requests, {tally:?}");
        assert_eq!(passed, arrived, "seed {seed}: let through, and arrived; {tally:?}");
    }
}
