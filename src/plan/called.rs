//! Parameters by which a body names somebody or something.
//!
//! In: a parameter and its value. Out: nothing, or the fault that a target of that name would have. Must not: judge what
//! people are to read: a message may hold anything.

use std::borrow::Cow;

use super::identifier::{self, NotAnId};
use super::shown;
use crate::catalog::{Parameter, ParameterKind};

/// Texts that are what something is called, or is to be called from then on. Those of [`ParameterKind::PrincipalName`] are so
/// by their kind.
const NAMES: &[&str] = &[
    "deviceAccountEmail",
    "deviceFriendlyName",
    "deviceName",
    "deviceTag",
    "displayName",
    "groupTag",
    "iccId",
    "managedDeviceName",
    "resourceAccountName",
];

/// What is wrong with a value: the code, the message, what to do.
pub type Fault = (&'static str, String, Option<Cow<'static, str>>);

/// Whether the value is what it looks like, where it names something.
pub fn check(parameter: &Parameter, text: &str) -> Result<(), Fault> {
    let is_user = parameter.kind == ParameterKind::PrincipalName;
    let is_name = is_user || (parameter.kind == ParameterKind::Text && NAMES.contains(&parameter.name));
    if !is_name {
        return Ok(());
    }
    identifier::plain(text).map_err(|NotAnId { reason, help }| match is_user {
        true => ("bad-id", format!("`{}`: {reason}", shown(text)), help),
        false => ("selector", format!("`{}` is no {}: {reason}", shown(text), parameter.name), help),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;

    /// What people read, and addresses that begin as no name does.
    const OTHERS: &[&str] = &[
        "addressableUserName",
        "carrierUrl",
        "deprovisionReason",
        "exchangeServer",
        "footer",
        "message",
        "notes",
        "notificationBody",
        "notificationTitle",
        "phoneNumber",
        "remediationUrl",
        "sessionInitiationProtocalAddress",
    ];

    #[test]
    fn of_every_text_it_is_said_whether_it_is_a_name() {
        let all = ACTIONS.iter().flat_map(|action| action.parameters);
        let texts: Vec<&str> = all.filter(|it| it.kind == ParameterKind::Text).map(|it| it.name).collect();
        for name in &texts {
            assert_ne!(NAMES.contains(name), OTHERS.contains(name), "{name} has to stand in one of the lists");
        }
        let mut listed = NAMES.iter().chain(OTHERS);
        assert!(listed.all(|name| texts.contains(name)));
    }
}
