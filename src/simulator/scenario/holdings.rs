//! Who a simulated tenant is, who may enter, and what it holds.
//!
//! In: YAML. Out: plain records; a property that is not given gets a plausible value later. Names of properties are
//! Graph's. Must not: make up values.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check_ins::ListedResult;
use super::value::{Guid, Seconds, SecretText};

const TENANT: &str = "5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001";
/// What Entra says of nearly every token.
const LIFETIME: u64 = 3_599;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantIdentity {
    pub id: Guid,
    /// Empty: every domain and every id is this tenant.
    pub domains: Vec<String>,
}

impl Default for TenantIdentity {
    fn default() -> Self {
        Self { id: Guid(TENANT.to_owned()), domains: Vec::new() }
    }
}

impl TenantIdentity {
    /// The domain that made-up names end in.
    pub fn domain(&self) -> &str {
        self.domains.first().map_or("contoso.onmicrosoft.com", String::as_str)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// The only right client secret; without it, any.
    pub secret: Option<SecretText>,
    /// No secret is right.
    pub refuse: bool,
    pub token_lifetime: Seconds,
    /// The application permissions in a token; without it, all that the catalog asks for.
    pub roles: Option<Vec<String>>,
    /// Whether a token that was not issued here is accepted.
    pub any_token: bool,
    /// Tokens that are accepted although they were not issued here.
    pub tokens: Vec<SecretText>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            secret: None,
            refuse: false,
            token_lifetime: Seconds(std::time::Duration::from_secs(LIFETIME)),
            roles: None,
            any_token: true,
            tokens: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListedDevice {
    #[serde(skip_serializing)]
    pub id: Guid,
    pub device_name: Option<String>,
    pub serial_number: Option<String>,
    pub imei: Option<String>,
    pub user_id: Option<String>,
    pub user_principal_name: Option<String>,
    pub email_address: Option<String>,
    pub user_display_name: Option<String>,
    #[serde(rename = "azureADDeviceId")]
    pub azure_ad_device_id: Option<String>,
    pub operating_system: Option<String>,
    pub os_version: Option<String>,
    pub model: Option<String>,
    pub manufacturer: Option<String>,
    pub management_state: Option<String>,
    pub managed_device_owner_type: Option<String>,
    pub management_agent: Option<String>,
    pub device_enrollment_type: Option<String>,
    pub compliance_state: Option<String>,
    pub is_supervised: Option<bool>,
    pub is_encrypted: Option<bool>,
    pub enrolled_date_time: Option<String>,
    pub last_sync_date_time: Option<String>,
    #[serde(default, skip_serializing)]
    pub results: Vec<ListedResult>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListedUser {
    #[serde(skip_serializing)]
    pub id: Guid,
    pub user_principal_name: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
    /// As the directory writes them: `smtp:other@contoso.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_addresses: Option<Vec<String>>,
    pub account_enabled: Option<bool>,
    /// By skuId; without it, two that many tenants have.
    #[serde(serialize_with = "as_licences")]
    pub assigned_licenses: Option<Vec<Guid>>,
    /// Whether it is among the deleted ones.
    #[serde(default, skip_serializing)]
    pub deleted: bool,
    /// Ids of devices; without it, those that name the user, or two made-up ones.
    #[serde(skip_serializing)]
    pub devices: Option<Vec<Guid>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListedIdentity {
    #[serde(skip_serializing)]
    pub id: Guid,
    pub serial_number: Option<String>,
    pub group_tag: Option<String>,
    pub display_name: Option<String>,
    pub user_principal_name: Option<String>,
    pub addressable_user_name: Option<String>,
    pub resource_name: Option<String>,
    pub managed_device_id: Option<String>,
    pub azure_active_directory_device_id: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub enrollment_state: Option<String>,
    pub last_contacted_date_time: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListedEntraDevice {
    #[serde(skip_serializing)]
    pub id: Guid,
    pub device_id: Option<String>,
    pub display_name: Option<String>,
    pub account_enabled: Option<bool>,
    pub operating_system: Option<String>,
    pub trust_type: Option<String>,
}

/// A script that runs on devices, and where it has run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedScript {
    pub id: Guid,
    pub kind: ScriptKind,
    #[serde(default)]
    pub run_states: Vec<ListedRunState>,
}

/// Whatever it is called, it is of one device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedRunState {
    pub id: String,
    pub device: Guid,
}

/// Names are those of Graph's collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ScriptKind {
    #[serde(rename = "deviceHealthScripts")]
    Health,
    #[serde(rename = "deviceManagementScripts")]
    Management,
    #[serde(rename = "deviceComplianceScripts")]
    Compliance,
}

impl ScriptKind {
    /// The kind whose ids a path calls that.
    pub(in crate::simulator) fn with_id(name: &str) -> Option<Self> {
        match name {
            "deviceHealthScriptId" => Some(Self::Health),
            "deviceManagementScriptId" => Some(Self::Management),
            "deviceComplianceScriptId" => Some(Self::Compliance),
            _ => None,
        }
    }
}

/// Whether a deleted device that is joined to a domain as well can be had back for 30 days, as one can that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HybridDeletion {
    Gone,
    Recoverable,
}

/// A group of which it is known who is in it; everybody is in any other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedGroup {
    pub id: Guid,
    #[serde(default, rename = "displayName")]
    pub display_name: Option<String>,
    pub members: Vec<Guid>,
}

/// What is on file of one device; of a device that nobody lists, everything is, unless only listed things exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListedKeys {
    /// Entra's id of the device, which is Intune's `azureADDeviceId`.
    pub device_id: Guid,
    /// The volumes that a BitLocker key is kept for.
    #[serde(default)]
    pub bitlocker: Vec<Volume>,
    /// Whether a LAPS password is kept.
    #[serde(default)]
    pub laps: bool,
}

/// Names are Graph's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Volume {
    #[serde(rename = "operatingSystemVolume")]
    OperatingSystem,
    #[serde(rename = "fixedDataVolume")]
    FixedData,
    #[serde(rename = "removableDataVolume")]
    RemovableData,
}

impl Volume {
    /// As the service shows it: a number in quotes.
    pub fn shown(self) -> &'static str {
        match self {
            Self::OperatingSystem => "1",
            Self::FixedData => "2",
            Self::RemovableData => "3",
        }
    }
}

/// All that a tenant holds, where that is known from elsewhere.
#[derive(Debug)]
pub struct Holdings {
    devices: Vec<ListedDevice>,
    users: Vec<ListedUser>,
    autopilot: Vec<ListedIdentity>,
    entra_devices: Vec<ListedEntraDevice>,
}

impl Holdings {
    /// Of documents with Graph's properties; what a scenario has no word for is left out.
    pub fn of(
        devices: Vec<Value>,
        users: Vec<Value>,
        autopilot: Vec<Value>,
        entra_devices: Vec<Value>,
    ) -> serde_json::Result<Self> {
        const USER: &[&str] = &["id", "userPrincipalName", "displayName", "mail"];
        const IDENTITY: &[&str] = &[
            "id",
            "serialNumber",
            "displayName",
            "userPrincipalName",
            "managedDeviceId",
            "azureActiveDirectoryDeviceId",
        ];
        const ENTRA_DEVICE: &[&str] = &["id", "deviceId", "displayName", "operatingSystem"];
        Ok(Self {
            devices: known(devices, DEVICE)?,
            users: known(users, USER)?,
            autopilot: known(autopilot, IDENTITY)?,
            entra_devices: known(entra_devices, ENTRA_DEVICE)?,
        })
    }
}

const DEVICE: &[&str] = &[
    "id",
    "deviceName",
    "serialNumber",
    "imei",
    "userId",
    "userPrincipalName",
    "emailAddress",
    "azureADDeviceId",
    "operatingSystem",
    "managedDeviceOwnerType",
    "deviceEnrollmentType",
    "managementState",
    "enrolledDateTime",
    "lastSyncDateTime",
];

fn known<T: serde::de::DeserializeOwned>(documents: Vec<Value>, names: &[&str]) -> serde_json::Result<Vec<T>> {
    let listed = documents.into_iter().map(|mut document| {
        if let Value::Object(members) = &mut document {
            members.retain(|name, value| names.contains(&name.as_str()) && !value.is_null());
        }
        serde_json::from_value(document)
    });
    listed.collect()
}

impl super::Scenario {
    /// A closed world: what is not among it is not there.
    pub fn hold(&mut self, held: Holdings) {
        let Holdings { devices, users, autopilot, entra_devices } = held;
        (self.devices, self.users, self.autopilot, self.entra_devices) = (devices, users, autopilot, entra_devices);
        self.only_listed = true;
    }
}

/// As Graph shows them.
fn as_licences<S: serde::Serializer>(skus: &Option<Vec<Guid>>, serializer: S) -> Result<S::Ok, S::Error> {
    let licence = |sku: &Guid| serde_json::json!({ "disabledPlans": [], "skuId": sku.0 });
    skus.as_ref().map(|skus| skus.iter().map(licence).collect::<Vec<_>>()).serialize(serializer)
}
