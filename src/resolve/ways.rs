//! How an entry of `protected` is looked for: the reads that find what it may be.
//!
//! In: the form of an entry, a kind of object, somebody who reads. Out: [`Get`]s, and what is read by them as identities. Must
//! not: believe a filter of the service, or take a read that failed for an answer.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::query;
use super::reading::{ReadError, Reading};
use crate::catalog::TargetKind;
use crate::guard::meaning::{EntryForm, Object};
use crate::identity::Identity;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;
use crate::text::key;

pub(super) fn kind(object: Object) -> TargetKind {
    match object {
        Object::ManagedDevice => TargetKind::ManagedDevice,
        Object::User => TargetKind::User,
        Object::EntraDevice => TargetKind::EntraDevice,
        Object::AutopilotIdentity => TargetKind::AutopilotIdentity,
    }
}

/// How an object is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Id,
    /// One of several addresses of a user.
    Alias,
    /// A property, and what of an [`Identity`] it is.
    Value(&'static str, fn(&Identity) -> Option<&str>),
}

pub(super) const SERIAL: Way = Way::Value("serialNumber", |it| it.serial_number.as_deref());

/// The reads that find an object which an entry of that form may be.
pub(super) fn ways(form: EntryForm, object: Object) -> &'static [Way] {
    match (form, object) {
        (EntryForm::Guid, Object::ManagedDevice) => {
            &[Way::Id, Way::Value("azureADDeviceId", |it| it.azure_ad_device_id.as_deref())]
        }
        (EntryForm::Guid, Object::EntraDevice) => {
            &[Way::Value("deviceId", |it| it.azure_ad_device_id.as_deref()), Way::Value("id", |it| Some(&it.id))]
        }
        (EntryForm::Guid, Object::User | Object::AutopilotIdentity) => &[Way::Id],
        (EntryForm::Address, Object::User) => &[
            Way::Value("userPrincipalName", |it| it.user_principal_name.as_deref()),
            Way::Value("mail", |it| it.mail.as_deref()),
        ],
        (EntryForm::Address, _) => &[],
        (EntryForm::Text, Object::ManagedDevice) => &[Way::Value("deviceName", |it| it.name.as_deref()), SERIAL],
        (EntryForm::Text, Object::User | Object::EntraDevice) => &[Way::Value("displayName", |it| it.name.as_deref())],
        (EntryForm::Text, Object::AutopilotIdentity) => &[SERIAL],
    }
}

/// Whether it looks like the number of a telephone: an IMEI has 15 digits, a MEID of digits 14, and with its version either 16.
pub(super) fn is_imei(text: &str) -> bool {
    (14..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Way {
    pub(super) fn get(self, object: Object, value: &str) -> Option<Get> {
        match self {
            Self::Id => query::by_id(kind(object), value),
            Self::Alias => query::with_alias(value),
            Self::Value(property, _) => query::with_value(kind(object), property, value),
        }
    }

    /// A filter of the service only narrows what is read.
    pub(super) fn is_true_of(self, identity: &Identity, value: &str) -> bool {
        let shown = match self {
            Self::Id => Some(&*identity.id),
            Self::Alias => return identity.aliases.iter().any(|alias| key(alias) == key(value)),
            Self::Value(_, of) => of(identity),
        };
        shown.is_some_and(|shown| key(shown) == key(value))
    }
}

/// Whether an error is one of that read alone, or of its kind.
pub(super) fn is_of_one(error: &ReadError) -> bool {
    matches!(error, ReadError::Refused { .. } | ReadError::NoList(_))
}

/// Reads all of them. What is forbidden for one is forbidden for all, and nobody goes on asking.
pub(super) async fn read<T: Transport>(
    gets: &[Get],
    kind: TargetKind,
    reading: &mut Reading<'_, T>,
    mut each: impl FnMut(usize, Result<Vec<Identity>, Box<str>>),
) -> Result<(), ReadError> {
    let mut open: HashSet<usize> = (0..gets.len()).collect();
    let mut forbidden = None;
    let answered = |number: usize, answer: Result<Vec<Value>, ReadError>| {
        open.remove(&number);
        if let Err(error @ ReadError::Refused { status: Some(403), .. }) = &answer {
            forbidden = Some(Box::<str>::from(error.to_string()));
        }
        let identities = answer.map_err(|error| error.to_string().into()).and_then(|documents| {
            let all: Option<Vec<_>> = documents.iter().map(Identity::from_document).collect();
            all.ok_or_else(|| "the answer could not be understood".into())
        });
        each(number, identities);
        match forbidden.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    reading.each_of(gets, query::bucket(kind), answered).await?;
    if let Some(why) = forbidden {
        open.into_iter().for_each(|number| each(number, Err(why.clone())));
    }
    Ok(())
}
