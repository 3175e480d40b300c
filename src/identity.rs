//! Who a target is, beyond its id: what a read of it shows and a person would recognise it by.
//!
//! In: the document that the service gives of a device, user or Autopilot identity. Out: an [`Identity`].
//! Must not: decide anything; guards compare, `resolve` chooses, previews and reports show.
//!
//! Source: the properties of Graph's managedDevice, windowsAutopilotDeviceIdentity and user resources.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::TargetKind;

/// What was seen of one target. `None`: the service did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub id: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<Box<str>>,
    /// The user principal name of its owner; of a user, its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<Box<str>>,
    /// The mail address of its owner; of a user, its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Box<str>>,
    /// The id of its owner; of a user, nothing: that is its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure_ad_device_id: Option<Box<str>>,
    /// Of an Autopilot identity: the managed device that it has become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_device_id: Option<Box<str>>,
    /// Not kept in files: it is only compared with what a read shows now.
    #[serde(skip)]
    pub imei: Option<Box<str>>,
    /// Of a user, where it was asked for: all addresses that mail reaches it by, without `smtp:`. Not kept in files either.
    #[serde(skip)]
    pub aliases: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<Box<str>>,
    /// `company` or `personal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment_type: Option<Box<str>>,
    /// `azureADJoined`, `hybridAzureADJoined`, `azureADRegistered`; beta only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_type: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_state: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// Of a user, where an action reaches all their devices: which ones they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<Identity>>,
}

/// What to ask for with `$select`, by kind of target.
pub(crate) fn properties(kind: TargetKind) -> &'static [&'static str] {
    match kind {
        TargetKind::ManagedDevice => &[
            "id",
            "deviceName",
            "serialNumber",
            "userId",
            "userPrincipalName",
            "emailAddress",
            "azureADDeviceId",
            "imei",
            "operatingSystem",
            "managedDeviceOwnerType",
            "deviceEnrollmentType",
            "managementState",
            "enrolledDateTime",
            "lastSyncDateTime",
        ],
        TargetKind::User | TargetKind::DeletedUser => &["id", "displayName", "userPrincipalName", "mail"],
        TargetKind::EntraDevice => &["id", "displayName", "deviceId", "operatingSystem"],
        TargetKind::AutopilotIdentity
        | TargetKind::GroupMember
        | TargetKind::ImportedAutopilotIdentity
        | TargetKind::ImportedDeviceIdentity
        | TargetKind::Other => &[],
    }
}

/// Types of members of groups that are neither a device nor a user.
const NEITHER: &[&str] =
    &["#microsoft.graph.group", "#microsoft.graph.orgContact", "#microsoft.graph.servicePrincipal"];

/// The id that stands for none.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

impl Identity {
    /// Of a member of a group, as that document shows it: whether nobody can tell which device it is, or which user. A name
    /// alone is no identity.
    pub fn is_unknown_member(&self, document: &Value) -> bool {
        let kind = document.get("@odata.type").and_then(Value::as_str);
        let is_neither = kind.is_some_and(|kind| NEITHER.contains(&kind));
        !is_neither && self.user_principal_name.is_none() && self.azure_ad_device_id.is_none()
    }

    /// `None` where the document has no id.
    pub fn from_document(document: &Value) -> Option<Self> {
        let text = |names: &[&str]| -> Option<Box<str>> {
            let values = names.iter().filter_map(|name| document.get(*name)?.as_str());
            values.map(str::trim).find(|text| !text.is_empty() && *text != NO_ID).map(Box::from)
        };
        // A year before 1900 is how the service writes "never".
        let moment = |name: &str| -> Option<Timestamp> {
            let at: Timestamp = document.get(name)?.as_str()?.parse().ok()?;
            (at > NEVER).then_some(at)
        };
        Some(Self {
            id: text(&["id"])?,
            name: text(&["deviceName", "displayName"]),
            serial_number: text(&["serialNumber"]).or_else(|| imported(document)),
            user_principal_name: text(&["userPrincipalName", "assignedUserPrincipalName"])
                .map(|name| of_before(&name, document).unwrap_or(name)),
            mail: text(&["mail", "emailAddress"]),
            owner_id: text(&["userId"]),
            // What Entra calls the id of the device is what everybody else calls Entra's id of it.
            azure_ad_device_id: text(&["azureADDeviceId", "azureActiveDirectoryDeviceId", "deviceId"]),
            managed_device_id: text(&["managedDeviceId"]),
            imei: text(&["imei"]),
            aliases: aliases(document),
            operating_system: text(&["operatingSystem"]),
            ownership: text(&["managedDeviceOwnerType", "ownerType"]),
            enrollment_type: text(&["deviceEnrollmentType"]),
            join_type: text(&["joinType"]),
            management_state: text(&["managementState"]),
            enrolled_at: moment("enrolledDateTime"),
            last_sync_at: moment("lastSyncDateTime").or_else(|| moment("lastContactedDateTime")),
            devices: None,
        })
    }
}

/// A user who was deleted has the name of before behind the digits of the id, so that somebody else may be given it.
///
/// Source: field reports of `directory/deletedItems`, whose `userPrincipalName` begins so.
fn of_before(name: &str, document: &Value) -> Option<Box<str>> {
    let id = document.get("id")?.as_str().filter(|id| uuid::Uuid::try_parse(id).is_ok())?.replace('-', "");
    let digits = name.get(..id.len()).filter(|digits| digits.eq_ignore_ascii_case(&id))?;
    name.get(digits.len()..).filter(|rest| rest.contains('@')).map(Box::from)
}

/// What a device that was imported beforehand is known by: a serial number or an IMEI, alone or behind maker and model.
///
/// Source: Graph's importedDeviceIdentity, whose `importedDeviceIdentifier` is by its `importedDeviceIdentityType`.
fn imported(document: &Value) -> Option<Box<str>> {
    let all = document.get("importedDeviceIdentifier")?.as_str()?;
    all.rsplit(',').next().map(str::trim).filter(|last| !last.is_empty()).map(Box::from)
}

/// What stands behind `smtp:` in `proxyAddresses`; the other protocols reach somebody by other means than mail.
fn aliases(document: &Value) -> Vec<Box<str>> {
    let all = document.get("proxyAddresses").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let addresses = all.filter_map(|text| text.trim().split_once(':'));
    addresses.filter(|(by, _)| by.eq_ignore_ascii_case("smtp")).map(|(_, address)| address.trim().into()).collect()
}

impl Identity {
    /// A document that shows it, as the service would; what it did not say is not there.
    pub fn document(&self, kind: TargetKind) -> Value {
        let is_device = kind == TargetKind::ManagedDevice;
        let entra = kind == TargetKind::EntraDevice;
        let texts = [
            (if is_device { "deviceName" } else { "displayName" }, &self.name),
            ("serialNumber", &self.serial_number),
            ("userPrincipalName", &self.user_principal_name),
            (if entra { "deviceId" } else { "azureADDeviceId" }, &self.azure_ad_device_id),
            ("operatingSystem", &self.operating_system),
            ("managedDeviceOwnerType", &self.ownership),
            ("deviceEnrollmentType", &self.enrollment_type),
            ("managementState", &self.management_state),
        ];
        let moments = [("enrolledDateTime", self.enrolled_at), ("lastSyncDateTime", self.last_sync_at)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.as_deref()?.into())));
        let moments = moments.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?.to_string().into())));
        let id = [("id".to_owned(), Value::from(&*self.id))];
        Value::Object(id.into_iter().chain(texts).chain(moments).collect())
    }

    /// What people call it.
    pub fn title(&self, kind: TargetKind) -> Option<&str> {
        match kind {
            TargetKind::User => self.user_principal_name.as_deref().or(self.name.as_deref()),
            _ => self.name.as_deref().or(self.serial_number.as_deref()),
        }
    }
}

const NEVER: Timestamp = Timestamp::constant(-2_208_988_800, 0);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blanks_zero_ids_and_the_year_one_say_nothing() {
        let device = json!({
            "id": "a", "deviceName": " LAB-01 ", "serialNumber": "", "azureADDeviceId": NO_ID,
            "enrolledDateTime": "0001-01-01T00:00:00Z", "lastSyncDateTime": "2026-11-01T10:00:00Z",
        });
        let identity = Identity::from_document(&device).unwrap();
        assert_eq!(identity.name.as_deref(), Some("LAB-01"));
        assert_eq!((identity.serial_number, identity.azure_ad_device_id, identity.enrolled_at), (None, None, None));
        assert_eq!(identity.last_sync_at, Some("2026-11-01T10:00:00Z".parse().unwrap()));
        assert_eq!(Identity::from_document(&json!({"deviceName": "x"})), None);
    }

    #[test]
    fn what_was_seen_shows_the_same_again() {
        let device = json!({
            "id": "a", "deviceName": "LAB-01", "serialNumber": "S", "userPrincipalName": "a@b.c", "azureADDeviceId": "e",
            "operatingSystem": "Windows", "managedDeviceOwnerType": "company", "deviceEnrollmentType": "w",
            "managementState": "managed", "enrolledDateTime": "2026-01-05T08:00:00Z", "lastSyncDateTime": "2026-11-01T10:00:00Z",
        });
        let identity = Identity::from_document(&device).unwrap();
        assert_eq!(identity.document(TargetKind::ManagedDevice), device);
        let user = json!({"id": "u", "displayName": "Ada", "userPrincipalName": "a@b.c"});
        assert_eq!(Identity::from_document(&user).unwrap().document(TargetKind::User), user);
    }

    #[test]
    fn what_was_imported_beforehand_is_known_by_its_number_and_its_user() {
        let of = |document: Value| Identity::from_document(&document).unwrap();
        let number = |text: &str| of(json!({ "id": "a", "importedDeviceIdentifier": text })).serial_number;
        assert_eq!(number("5CG1234XYZ").as_deref(), Some("5CG1234XYZ"));
        assert_eq!(number("HP,EliteBook 840,5CG1234XYZ").as_deref(), Some("5CG1234XYZ"));
        let user = of(json!({ "id": "a", "serialNumber": "S", "assignedUserPrincipalName": "ada@contoso.com" }));
        assert_eq!(user.user_principal_name.as_deref(), Some("ada@contoso.com"));
    }

    #[test]
    fn somebody_who_was_deleted_is_called_as_before() {
        let of = |name: &str| {
            let user = json!({ "id": "22222222-2222-4222-8222-222222222222", "userPrincipalName": name });
            Identity::from_document(&user).unwrap().user_principal_name.unwrap()
        };
        assert_eq!(&*of("22222222222242228222222222222222ada@contoso.com"), "ada@contoso.com");
        assert_eq!(&*of("2222ada@contoso.com"), "2222ada@contoso.com");
    }
}
