//! What is on file of devices: BitLocker keys and LAPS passwords, by Entra's id of the device.
//!
//! In: the scenario, and reads. Out: the answers Graph would give, which never hold a secret, and whether a read was one for
//! a secret. Must not: make up a secret: nobody here has any business with one.

use serde_json::{Value, json};

use super::clock::iso_date;
use super::errors::Refusal;
use super::judge::{self, Call};
use super::odata::Query;
use super::resources::Plausible::{Id, Text};
use super::resources::{Kind, Setting, guid_from};
use super::routes::Endpoint;
use super::scenario::{Scenario, Volume};
use crate::catalog::{Proof, Secret};

/// Where the lists are.
pub(super) const RECOVERY_KEYS: &str = "/informationProtection/bitlocker/recoveryKeys";
pub(super) const LOCAL_CREDENTIALS: &str = "/directory/deviceLocalCredentials";

pub(super) static RECOVERY_KEY: Kind = Kind::readable(
    "microsoft.graph.bitlockerRecoveryKey",
    &[("id", Id), ("createdDateTime", Text("")), ("volumeType", Text("")), ("deviceId", Text(""))],
);
pub(super) static LOCAL_CREDENTIAL: Kind = Kind::readable(
    "microsoft.graph.deviceLocalCredentialInfo",
    &[("id", Id), ("deviceName", Text("")), ("lastBackupDateTime", Text("")), ("refreshDateTime", Text(""))],
);

/// Whether an answer to this would be a secret. It is never given; that somebody asks is counted.
pub(super) fn is_for_a_secret(path: &str, query: &str) -> bool {
    let selects = |name: &str| {
        let query = percent_encoding::percent_decode_str(query).decode_utf8_lossy().to_lowercase();
        let selected = query.split('&').filter_map(|option| option.strip_prefix("$select="));
        selected.flat_map(|names| names.split(',')).any(|known| known.trim() == name)
    };
    path.to_ascii_lowercase().ends_with("/getfilevaultkey")
        || (path.starts_with(RECOVERY_KEYS) && selects("key"))
        || (path.starts_with(LOCAL_CREDENTIALS) && selects("credentials"))
}

/// Whether the token may see that such secrets are there. Where the scenario does not say what it may, it may.
fn admit(scenario: &Scenario, secret: Secret) -> Result<(), Refusal> {
    let Proof::Read { permissions } = secret.row().proof else { return Ok(()) };
    let held = |roles: &Vec<String>| roles.iter().any(|role| permissions.contains(&role.as_str()));
    match scenario.sign_in.roles.as_ref().is_none_or(held) {
        true => Ok(()),
        false => Err(Refusal::new(
            403,
            "authorization_error",
            "Failed to authorize, token doesn't have the required permissions.",
        )),
    }
}

/// What is answered to a read of keys.
pub(super) fn answer(scenario: &Scenario, setting: &Setting, call: &Call<'_>) -> Result<Value, Refusal> {
    match call.endpoint {
        Endpoint::ReadLocalCredential => {
            admit(scenario, Secret::Laps)?;
            local_credential(scenario, setting, &call.target, &call.query)
                .ok_or_else(|| judge::not_found(call.endpoint, &call.target))
        }
        _ => {
            admit(scenario, Secret::BitLocker)?;
            recovery_keys(scenario, setting, &call.query)
        }
    }
}

/// The page of keys of the device that the filter names.
fn recovery_keys(scenario: &Scenario, setting: &Setting, query: &Query) -> Result<Value, Refusal> {
    let device = query.filter.as_ref().filter(|filter| filter.property == "deviceId").map(|filter| &filter.literal);
    // Who asks for all of them is nobody that we know.
    let device = device.ok_or_else(|| Refusal::bad_request("Only a filter by deviceId is simulated."))?;
    let key = |volume: &Volume| {
        let id = guid_from(&format!("{device}/{}", volume.shown()), 5);
        json!({
            "id": id,
            "createdDateTime": iso_date(setting.start),
            "volumeType": volume.shown(),
            "deviceId": device,
        })
    };
    let shown: Vec<Value> = volumes(scenario, device).iter().map(key).collect();
    Ok(json!({ "value": shown }))
}

/// The record of the device's local administrator; `None` where there is none.
fn local_credential(scenario: &Scenario, setting: &Setting, device: &str, query: &Query) -> Option<Value> {
    let listed = scenario.keys.iter().find(|keys| keys.device_id.0.eq_ignore_ascii_case(device));
    let is_there = listed.map_or(!scenario.only_listed, |keys| keys.laps);
    let date = iso_date(setting.start);
    let whole = json!({ "id": device, "deviceName": "PC", "lastBackupDateTime": date, "refreshDateTime": date });
    let shown = whole
        .as_object()?
        .iter()
        .filter(|(name, _)| query.select.as_ref().is_none_or(|names| names.contains(&name.as_str())));
    is_there.then(|| Value::Object(shown.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

fn volumes(scenario: &Scenario, device: &str) -> Vec<Volume> {
    let listed = scenario.keys.iter().find(|keys| keys.device_id.0.eq_ignore_ascii_case(device));
    match listed {
        Some(keys) => keys.bitlocker.clone(),
        None if scenario.only_listed => Vec::new(),
        None => vec![Volume::OperatingSystem],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_for_a_secret_is_known_however_it_is_written() {
        for (path, query, expected) in [
            ("/informationProtection/bitlocker/recoveryKeys/k", "$select=key", true),
            ("/informationProtection/bitlocker/recoveryKeys/k", "%24select=id%2Ckey", true),
            ("/informationProtection/bitlocker/recoveryKeys", "$filter=deviceId eq 'key'", false),
            ("/directory/deviceLocalCredentials/d", "$select=credentials", true),
            ("/directory/deviceLocalCredentials/d", "$select=id,lastBackupDateTime", false),
            ("/deviceManagement/managedDevices/d/getFileVaultKey", "", true),
            ("/deviceManagement/managedDevices/d", "", false),
        ] {
            assert_eq!(is_for_a_secret(path, query), expected, "{path}?{query}");
        }
    }
}
