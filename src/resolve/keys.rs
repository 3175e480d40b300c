//! Are the secrets of these devices on file? Never what they are.
//!
//! In: ids of managed devices, with what is known of them. Out: [`Keys`] for each. Must not: ask for `key` or
//! `credentials`, follow anything but the Entra device id that Intune shows of the device, or take a read that failed for
//! an answer.

use std::ops::ControlFlow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::query;
use super::reading::{ReadError, Reading};
use crate::catalog::{Access, Bucket, DIRECTORY, MANAGED_DEVICE_BY_ID, Proof, SECRETS, Secret, TargetKind};
use crate::escrow::{Finding, KeyStatus, Keys};
use crate::identity::Identity;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;

/// A managed device.
#[derive(Debug, Clone)]
pub(crate) struct DeviceToCheck {
    pub id: Box<str>,
    /// What was just read of it, where anything was.
    pub seen: Option<Identity>,
}

/// Reads what is needed. What single devices come to is in their keys; an error is one of all reads.
pub(crate) async fn read_keys<T: Transport>(
    devices: Vec<DeviceToCheck>,
    reading: &mut Reading<'_, T>,
) -> Result<Vec<Keys>, ReadError> {
    let seen = read_devices(devices, reading).await?;
    let mut keys: Vec<Keys> = seen.iter().map(before_reading).collect();
    for row in &SECRETS {
        if let Proof::Read { .. } = row.proof {
            read_secret(row.secret, &seen, &mut keys, reading).await?;
        }
    }
    Ok(keys)
}

/// What is known of a device, or why nothing can be told of its secrets.
type KnownDevice = Result<Identity, Finding>;

fn before_reading(seen: &KnownDevice) -> Keys {
    match seen {
        Ok(device) => Keys::before_reading(device),
        Err(finding) => Keys::all(finding),
    }
}

async fn read_devices<T: Transport>(
    devices: Vec<DeviceToCheck>,
    reading: &mut Reading<'_, T>,
) -> Result<Vec<KnownDevice>, ReadError> {
    let unseen: Vec<usize> = (0..devices.len()).filter(|at| devices[*at].seen.is_none()).collect();
    let get = |at: &usize| query::single(TargetKind::ManagedDevice, &MANAGED_DEVICE_BY_ID, &devices[*at].id);
    let gets: Vec<Get> = unseen.iter().filter_map(get).collect();
    let not_read = || Err(Finding::because(KeyStatus::Unknown, "the device was not read"));
    let mut seen: Vec<KnownDevice> =
        devices.iter().map(|device| device.seen.clone().ok_or(()).or_else(|()| not_read())).collect();
    let each = |number: usize, answer: Result<Vec<Value>, ReadError>| {
        let Some(at) = unseen.get(number) else { return ControlFlow::Continue(()) };
        seen[*at] = match answer.map(|found| found.first().map(Identity::from_document)) {
            Ok(Some(Some(device))) if device.id.eq_ignore_ascii_case(&devices[*at].id) => Ok(device),
            Ok(Some(_)) => Err(Finding::because(KeyStatus::Unknown, "the answer is no device of that id")),
            // Not a pass: what a read does not show may be there for a send all the same.
            Ok(None) => Err(Finding::because(KeyStatus::Unknown, "the device does not exist")),
            Err(ReadError::Refused { status: Some(403), why, .. }) => Err(Finding::because(KeyStatus::Forbidden, why)),
            Err(error) => Err(Finding::because(KeyStatus::Unknown, format!("the device could not be read: {error}"))),
        };
        ControlFlow::Continue(())
    };
    reading.each_of(&gets, query::bucket(TargetKind::ManagedDevice), each).await?;
    Ok(seen)
}

async fn read_secret<T: Transport>(
    secret: Secret,
    seen: &[KnownDevice],
    keys: &mut [Keys],
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    let wanted = |device: &&Identity| Keys::wants_a_read(device, secret);
    let under =
        |seen: &KnownDevice| seen.as_ref().ok().filter(wanted).and_then(|device| device.azure_ad_device_id.clone());
    let asked: Vec<(usize, Box<str>)> =
        seen.iter().enumerate().filter_map(|(at, seen)| Some((at, under(seen)?))).collect();
    let gets: Vec<Get> = asked.iter().map(|(_, id)| get(secret, id)).collect();
    let mut refused = None;
    let each = |number: usize, answer: Result<Vec<Value>, ReadError>| {
        let Some((at, id)) = asked.get(number) else { return ControlFlow::Continue(()) };
        let finding = match answer {
            Ok(documents) => judge(secret, id, &documents),
            Err(ReadError::Refused { status: Some(403), why, .. }) => {
                refused = Some(Finding::because(KeyStatus::Forbidden, why));
                return ControlFlow::Break(());
            }
            Err(error) => Finding::because(KeyStatus::Unknown, error.to_string()),
        };
        keys[*at].set(secret, finding);
        ControlFlow::Continue(())
    };
    reading.each_of(&gets, Bucket { service: &DIRECTORY, access: Access::Read }, each).await?;
    // What is refused for one is refused for all, and nobody goes on asking.
    if let Some(refused) = refused {
        asked.iter().for_each(|(at, _)| keys[*at].set(secret, refused.clone()));
    }
    Ok(())
}

/// The read that shows whether the secret is on file, and nothing of it.
fn get(secret: Secret, device: &str) -> Get {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match secret {
        Secret::Laps => {
            Get::one(format!("/directory/deviceLocalCredentials/{}?$select=id,lastBackupDateTime", encoded(device)))
        }
        // The list never holds a key. Nothing is ever read of a FileVault key.
        Secret::BitLocker | Secret::FileVault => {
            let test = format!("deviceId eq '{}'", device.replace('\'', "''"));
            Get::new(format!("/informationProtection/bitlocker/recoveryKeys?$filter={}", encoded(&test)))
        }
    }
}

/// What the documents show of that device's secret.
fn judge(secret: Secret, device: &str, documents: &[Value]) -> Finding {
    let text = |document: &Value, name: &str| {
        document.get(name).map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
    };
    let is = |document: &Value, name: &str| text(document, name).is_some_and(|id| id.eq_ignore_ascii_case(device));
    match secret {
        Secret::Laps => {
            // Microsoft's examples wrap the one thing in `value`, as a list would.
            let inner = |document: &Value| document.get("value").cloned().unwrap_or_else(|| document.clone());
            let backed_up = |document: &Value| text(document, "lastBackupDateTime").is_some_and(|at| at.len() > 4);
            let own: Vec<Value> = documents.iter().map(inner).filter(|document| is(document, "id")).collect();
            match (own.iter().any(backed_up), documents.is_empty()) {
                (true, _) => Finding::new(KeyStatus::OnFile),
                (false, true) => Finding::new(KeyStatus::Missing),
                (false, false) => Finding::because(KeyStatus::Unknown, "the answer does not say when it was backed up"),
            }
        }
        Secret::BitLocker | Secret::FileVault => {
            let own: Vec<&Value> = documents.iter().filter(|document| is(document, "deviceId")).collect();
            let of_system = |document: &&Value| {
                let volume = text(document, "volumeType").unwrap_or_default();
                volume == "1" || volume.eq_ignore_ascii_case("operatingSystemVolume")
            };
            match (own.iter().any(of_system), own.is_empty()) {
                (true, _) => Finding::new(KeyStatus::OnFile),
                (false, true) => Finding::new(KeyStatus::Missing),
                (false, false) => Finding::because(KeyStatus::Missing, "only for volumes other than the system volume"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DEVICE: &str = "e0000000-0000-4000-8000-000000000001";

    #[test]
    fn no_read_asks_for_a_secret() {
        let paths = [Secret::BitLocker, Secret::Laps].map(|secret| get(secret, DEVICE).path().to_owned());
        assert_eq!(
            paths,
            [
                "/informationProtection/bitlocker/recoveryKeys?$filter=deviceId%20eq%20%27e0000000%2D0000%2D4000%2D8000%2D000000000001%27",
                "/directory/deviceLocalCredentials/e0000000%2D0000%2D4000%2D8000%2D000000000001?$select=id,lastBackupDateTime",
            ]
        );
    }

    #[test]
    fn a_key_is_that_of_the_system_and_of_this_device() {
        let of = |documents: Value| judge(Secret::BitLocker, DEVICE, documents.as_array().unwrap());
        let key = |device: &str, volume: Value| json!({ "id": "k", "deviceId": device, "volumeType": volume });
        let upper = DEVICE.to_uppercase();
        assert_eq!(of(json!([])).status, KeyStatus::Missing);
        for volume in [json!("1"), json!(1), json!("operatingSystemVolume")] {
            assert_eq!(of(json!([key(&upper, volume)])).status, KeyStatus::OnFile);
        }
        let others = of(json!([key(DEVICE, json!("2")), key(DEVICE, json!("removableDataVolume"))]));
        assert_eq!(others.status, KeyStatus::Missing);
        assert!(others.why.is_some());
        assert_eq!(of(json!([key("e0000000-0000-4000-8000-000000000002", json!("1"))])).status, KeyStatus::Missing);
    }

    #[test]
    fn a_password_is_on_file_when_its_own_record_says_since_when() {
        let of = |documents: Value| judge(Secret::Laps, DEVICE, documents.as_array().unwrap()).status;
        let record = json!({ "id": DEVICE, "lastBackupDateTime": "2026-11-01T10:00:00Z" });
        assert_eq!(of(json!([record])), KeyStatus::OnFile);
        assert_eq!(of(json!([{ "value": record }])), KeyStatus::OnFile);
        assert_eq!(of(json!([])), KeyStatus::Missing);
        assert_eq!(of(json!([{ "id": DEVICE, "lastBackupDateTime": null }])), KeyStatus::Unknown);
        assert_eq!(of(json!([{ "id": "other", "lastBackupDateTime": "2026-11-01T10:00:00Z" }])), KeyStatus::Unknown);
    }
}
