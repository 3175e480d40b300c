//! One target as a read shows it, and what it can be found by.
//!
//! In: a document of the service. Out: a [`FoundRecord`], and its values in the form in which they are compared. Must not:
//! compare; `matching` does.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::{Selector, SelectorForm, TargetKind};
use crate::identity::Identity;
use crate::text;

/// What was read of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundRecord {
    /// Shared with the jobs on it.
    pub identity: Arc<Identity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imei: Option<Box<str>>,
    /// The id of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Box<str>>,
    /// Of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Box<str>>,
}

impl FoundRecord {
    /// `None` where the document has no id.
    pub fn from_document(kind: TargetKind, document: &Value) -> Option<Self> {
        let property = |name: &str| {
            let text = document.get(name)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.into())
        };
        let mut identity = Identity::from_document(document)?;
        if kind == TargetKind::EntraDevice {
            // What Entra calls the id of the device is what everybody else calls Entra's id of it.
            identity.azure_ad_device_id = property("deviceId");
        }
        let (imei, user_id, mail) = (property("imei"), property("userId"), property("mail"));
        Some(Self { identity: Arc::new(identity), imei, user_id, mail })
    }

    /// What a selector with that value is held against.
    pub fn value(&self, selector: &Selector, wanted: &str) -> Option<&str> {
        let Identity { name, serial_number, user_principal_name, azure_ad_device_id, .. } = &*self.identity;
        let value = match (selector.form, selector.name) {
            (SelectorForm::DevicesOfUser, _) if !wanted.contains('@') => &self.user_id,
            (SelectorForm::DevicesOfUser | SelectorForm::PrincipalName, _) => user_principal_name,
            (SelectorForm::Serial, _) => serial_number,
            (SelectorForm::OwnId, _) => return Some(&self.identity.id),
            (_, "deviceName") => name,
            (_, "azureADDeviceId") => azure_ad_device_id,
            (_, "imei") => &self.imei,
            _ => return None,
        };
        value.as_deref()
    }
}

/// The form in which values are compared.
pub(super) fn key(text: &str) -> String {
    text::key(text).into_owned()
}
