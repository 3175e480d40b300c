//! The plans that are shipped, over five nights of the same line.

use std::fs;
use std::path::Path;

use super::site::{Night, Site};

/// What the samples name by serial number, by owner and by name. Devices are there every hour, do what they were told, and leave.
const TENANT: &str = "
throttle: off
devices:
  - { id: ID1, serialNumber: 5CG1234XYZ, deviceName: L-1, azureADDeviceId: ID41 }
  - { id: ID2, serialNumber: PF3K9Q2L, deviceName: L-2, azureADDeviceId: ID42 }
  - { id: ID3, serialNumber: C02XK0ABJGH5, deviceName: L-3 }
  - { id: ID4, serialNumber: 5CG1234XYZ1, deviceName: L-4, azureADDeviceId: ID44 }
  - { id: ID5, serialNumber: MJ0D7K2P, deviceName: L-5, azureADDeviceId: ID45 }
  - { id: ID6, serialNumber: HUB2S00417, deviceName: HUB-1 }
  - { id: ID7, serialNumber: HUB2S00502, deviceName: HUB-2 }
  - { id: ID8, serialNumber: S-8, deviceName: ADA, userPrincipalName: ada.byron@contoso.onmicrosoft.com }
  - { id: ID9, serialNumber: S-9, deviceName: ADA-2, userPrincipalName: ada.byron@contoso.onmicrosoft.com }
  - { id: ID10, serialNumber: S-10, deviceName: BO, userPrincipalName: bo.lindqvist@contoso.onmicrosoft.com }
users:
  - { id: ID21, userPrincipalName: ada.byron@contoso.onmicrosoft.com, devices: [ID8, ID9] }
  - { id: ID22, userPrincipalName: bo.lindqvist@contoso.onmicrosoft.com, devices: [ID10] }
  - { id: ID23, userPrincipalName: chidi.okafor@contoso.onmicrosoft.com }
autopilot:
  - { id: ID31, serialNumber: 5CG1234XYZ }
  - { id: ID32, serialNumber: HUB2S00417 }
  - { id: ID33, serialNumber: HUB2S00502 }
entra_devices:
  - { id: ID51, deviceId: ID41, displayName: L-1 }
  - { id: ID52, deviceId: ID42, displayName: L-2 }
keys:
  - { deviceId: ID41, bitlocker: [operatingSystemVolume] }
  - { deviceId: ID42, bitlocker: [operatingSystemVolume] }
  - { deviceId: ID44, bitlocker: [operatingSystemVolume] }
  - { deviceId: ID45, bitlocker: [operatingSystemVolume] }
check_ins:
  - { after: 1h, do: complete }
";

/// What they name is listed above, and nothing else may answer to it.
const LOOKED_UP: &[&str] =
    &["laptop-out-of-service.yaml", "leavers-by-name.yaml", "retire-by-serial.csv", "surface-hub-given-up.yaml"];

#[test]
fn every_sample_is_through_after_some_nights_of_the_same_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut samples: Vec<_> = files(&folder).into_iter().filter(|path| path.is_file()).collect();
    samples.sort();
    assert!(samples.len() > 10);
    for sample in samples {
        let name: &'static str = sample.file_name().unwrap().to_str().unwrap().to_owned().leak();
        let only_listed = LOOKED_UP.contains(&name);
        Site::play(&format!("only_listed: {only_listed}\n{TENANT}"), "jobs: []\n", async |site| {
            fs::create_dir(site.path("targets")).unwrap();
            for (from, to) in [(folder.clone(), site.path("")), (folder.join("targets"), site.path("targets"))] {
                for file in files(&from).into_iter().filter(|path| path.is_file()) {
                    fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
                }
            }
            let night = |confirm| site.night_with(Night { plan: name, confirm, ..Night::default() });
            let first = night(None).await;
            // An empty set has nothing that could be sent.
            let is_due = |told: &&String| !told.starts_with("not_attempted") && told.matches(' ').count() == 1;
            let number = u32::try_from(first.told().iter().filter(is_due).count()).unwrap();
            let mut last = first;
            for _ in 2..=5 {
                last = night(Some(number)).await;
                let told = last.told();
                assert!(
                    !told.iter().any(|told| ["failed", "held", "unknown"].iter().any(|bad| told.starts_with(bad))),
                    "{name}: {last:?}"
                );
            }
            let is_through = |(at, told): (usize, &String)| {
                told.starts_with("already_done")
                    || (told.starts_with("not_attempted") && last.note(at).contains("not before"))
            };
            let told = last.told();
            assert!(told.iter().enumerate().all(is_through), "{name}: {told:#?}");
        });
    }
}
