//! What is on file of devices: BitLocker keys and LAPS passwords, by Entra's id of the device.
//!
//! In: the scenario, and reads. Out: the answers Graph would give, which never hold a secret, and whether a read was one for
//! a secret. Must not: make up a secret: nobody here has any business with one.

use serde_json::{Value, json};

use super::clock::iso_date;
use super::context::ContextSource;
use super::errors::Refusal;
use super::inventory::Record;
use super::judge::{self, Call};
use super::query::Query;
use super::reads::{framed, selected};
use super::resources::{Setting, guid_from};
use super::routes::Endpoint;
use super::scenario::{Scenario, Volume};
use crate::catalog::{Proof, Secret};

/// Where the lists are.
pub(super) const RECOVERY_KEYS: &str = "/informationProtection/bitlocker/recoveryKeys";
pub(super) const LOCAL_CREDENTIALS: &str = "/directory/deviceLocalCredentials";

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
pub(super) fn answer(
    scenario: &Scenario,
    (setting, record): (&Setting, Record),
    call: &Call<'_>,
    source: &ContextSource,
) -> Result<Value, Refusal> {
    match call.endpoint {
        Endpoint::ReadLocalCredential => {
            admit(scenario, Secret::Laps)?;
            // The password of a deleted device is kept with it, and nothing shows it before the device is back.
            let credential = local_credential(scenario, setting, &call.target).filter(|_| record == Record::There);
            let credential = credential.ok_or_else(|| judge::not_found(call.endpoint, &call.target))?;
            Ok(framed(source.of_one(&call.query), selected(credential, &call.query)))
        }
        _ => {
            admit(scenario, Secret::BitLocker)?;
            // Those of a deleted device can be read for as long as it can be had back, and are gone with it.
            let keys = match (recovery_keys(scenario, setting, &call.query)?, record) {
                (_, Record::Lost) => json!([]),
                (keys, _) => keys,
            };
            Ok(framed(source.of_many(&call.query), [("value".to_owned(), keys)]))
        }
    }
}

/// Entra's id of the device that a read of keys is about.
pub(crate) fn device<'c>(call: &'c Call<'_>) -> &'c str {
    let filtered = call.query.filter.as_ref().and_then(|filter| filter.wanted().into_iter().next());
    filtered.map_or(&call.target, |(_, device)| device)
}

/// The page of keys of the device that the filter names.
fn recovery_keys(scenario: &Scenario, setting: &Setting, query: &Query) -> Result<Value, Refusal> {
    let device = query.filter.as_ref().and_then(|filter| filter.wanted().into_iter().next()).map(|(_, device)| device);
    // Nobody that we know asks for all of them.
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
    let shown = |volume: &Volume| Value::Object(selected(key(volume), query));
    Ok(volumes(scenario, device).iter().map(shown).collect())
}

/// The record of the device's local administrator; `None` where there is none.
fn local_credential(scenario: &Scenario, setting: &Setting, device: &str) -> Option<Value> {
    let listed = scenario.keys.iter().find(|keys| keys.device_id.0.eq_ignore_ascii_case(device));
    let is_there = listed.map_or(!scenario.only_listed, |keys| keys.laps);
    let date = iso_date(setting.start);
    is_there.then(|| json!({ "id": device, "deviceName": "PC", "lastBackupDateTime": date, "refreshDateTime": date }))
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
