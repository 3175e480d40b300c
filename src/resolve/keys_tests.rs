//! Looking for keys, in process: trouble on the way, and what it costs.
//!
//! In: a simulated tenant that goes wrong. Out: verdicts on what was found, and on the requests that arrived.

use std::sync::Arc;

use fastrand::Rng;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::keys::{DeviceToCheck, read_keys};
use super::reading::Reading;
use super::tests::{client, id, paced, tenant};
use crate::catalog::Secret;
use crate::escrow::{KeyStatus, Keys};
use crate::msgraph::read_only::ReadOnly;
use crate::pacing::Pacing;
use crate::simulator::tenant::Tenant;

fn entra(number: usize) -> String {
    format!("e0000000-0000-4000-8000-{number:012x}")
}

/// What is on file of one device: its system, whether it is in Entra, its BitLocker volumes, a LAPS password.
type Kept = (&'static str, bool, Vec<&'static str>, bool);

fn tenant_with(kept: &[Kept], more: &Value) -> Arc<Tenant> {
    let device = |(number, kept): (usize, &Kept)| {
        let entra = if kept.1 { entra(number) } else { "00000000-0000-0000-0000-000000000000".into() };
        json!({ "id": id(number), "operatingSystem": kept.0, "azureADDeviceId": entra })
    };
    let keys =
        |(number, kept): (usize, &Kept)| json!({ "deviceId": entra(number), "bitlocker": kept.2, "laps": kept.3 });
    let devices: Vec<_> = kept.iter().enumerate().map(device).collect();
    let keys: Vec<_> = kept.iter().enumerate().map(keys).collect();
    let mut scenario = json!({ "only_listed": true, "devices": devices, "keys": keys });
    scenario.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tenant(&scenario.to_string())
}

async fn read(tenant: &Arc<Tenant>, devices: usize, pacing: Pacing) -> Vec<Keys> {
    let client = client(tenant, pacing);
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(7));
    let devices = (0..devices).map(|number| DeviceToCheck { id: id(number).into(), seen: None }).collect();
    read_keys(devices, &mut reading).await.unwrap()
}

fn statuses(keys: &[Keys], secret: Secret) -> Vec<KeyStatus> {
    keys.iter().map(|keys| keys.of(secret).status).collect()
}

const OS: &str = "operatingSystemVolume";

#[tokio::test(start_paused = true)]
async fn a_device_that_cannot_be_told_is_unknown_and_the_others_are_not() {
    let kept: Vec<Kept> = (0..45).map(|_| ("Windows", true, vec![OS], true)).collect();
    let fails = json!({ "on": { "target": entra(3) }, "do": { "status": { "code": 500 } } });
    let throttled = json!({ "on": { "target": entra(4), "calls": [1] }, "do": { "throttle": { "seconds": 3 } } });
    let tenant = tenant_with(&kept, &json!({ "faults": [fails, throttled] }));
    let keys = read(&tenant, 45, paced()).await;
    assert!(statuses(&keys, Secret::BitLocker).iter().all(|status| *status == KeyStatus::OnFile));
    let laps = statuses(&keys, Secret::Laps);
    assert_eq!(laps.iter().filter(|status| **status == KeyStatus::OnFile).count(), 44);
    assert_eq!(laps[3], KeyStatus::Unknown);
    assert!(keys[3].of(Secret::Laps).why.as_deref().unwrap().contains("500"));
    assert_eq!((tenant.counts().secrets_asked, tenant.counts().unexpected), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_for_one_is_asked_for_no_more_and_the_rest_goes_on() {
    let kept: Vec<Kept> = (0..100).map(|_| ("Windows", true, vec![OS], true)).collect();
    let roles = ["DeviceLocalCredential.ReadBasic.All", "DeviceManagementManagedDevices.Read.All"];
    let roles = json!({ "sign_in": { "roles": roles } });
    let tenant = tenant_with(&kept, &roles);
    let keys = read(&tenant, 100, paced()).await;
    assert!(statuses(&keys, Secret::BitLocker).iter().all(|status| *status == KeyStatus::Forbidden));
    assert!(statuses(&keys, Secret::Laps).iter().all(|status| *status == KeyStatus::OnFile));
    // The devices, one envelope about BitLocker, and LAPS.
    assert_eq!(tenant.counts().reads, 100 + 20 + 100);
}

#[tokio::test(start_paused = true)]
async fn keys_of_many_are_read_within_the_allowance() {
    let kept: Vec<Kept> = (0..2_000).map(|_| ("Windows", true, vec![OS], true)).collect();
    let tenant = tenant_with(&kept, &json!({}));
    let keys = read(&tenant, 2_000, paced()).await;
    assert_eq!(keys.len(), 2_000);
    let counts = tenant.counts();
    assert_eq!((counts.reads, counts.batches, counts.statuses.get(&429)), (6_000, 300, None));
}

fn kept() -> impl Strategy<Value = Kept> {
    let volumes = prop::sample::subsequence(vec![OS, "fixedDataVolume", "removableDataVolume"], 0..=3);
    (prop::sample::select(vec!["Windows", "macOS", "iOS", ""]), any::<bool>(), volumes, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The oracle looks at what the tenant was made of. There is a yes only where the very device has it.
    #[test]
    fn there_is_a_yes_only_where_it_is_kept_for_that_device(kept in prop::collection::vec(kept(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let tenant = tenant_with(&kept, &json!({}));
        let keys = runtime.block_on(read(&tenant, kept.len(), Pacing::Off));
        for ((system, in_entra, volumes, laps), keys) in kept.iter().zip(&keys) {
            let expected = |is_kept: bool| match (*system, in_entra) {
                ("Windows", true) if is_kept => KeyStatus::OnFile,
                ("Windows", true) => KeyStatus::Missing,
                ("Windows", false) | ("", _) => KeyStatus::Unknown,
                _ => KeyStatus::NotApplicable,
            };
            let filevault = if ["macOS", ""].contains(system) { KeyStatus::Unknown } else { KeyStatus::NotApplicable };
            prop_assert_eq!(keys.of(Secret::BitLocker).status, expected(volumes.contains(&OS)));
            prop_assert_eq!(keys.of(Secret::Laps).status, expected(*laps));
            prop_assert_eq!(keys.of(Secret::FileVault).status, filevault);
        }
        prop_assert_eq!((tenant.counts().secrets_asked, tenant.counts().unexpected), (0, 0));
    }
}
