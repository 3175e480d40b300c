//! Where a run goes on: at the Graph and in the tenant that it was begun in.
//!
//! In: what it was begun with, the command line and the environment of today. Out: the settings to go on with, or a refusal. Must
//! not: show today's secret to a service that only the journal names.

use std::borrow::Cow;

use super::begun::Begun;
use super::daily::known_id;
use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::journal::{Journal, RunHead};
use crate::session::TargetTenant;
use crate::session::{OF_THE_TOKEN, label, place};
use crate::settings::{Environment, Flags, Settings};

/// A run goes on where it was begun, unless the command line says otherwise.
pub(super) fn as_begun(flags: &Flags, environment: &Environment, begun: &Begun) -> Result<Settings, Error> {
    let today = Settings::new(flags, environment).map_err(Error::Usage)?;
    let is_said = flags.cloud.is_some() || (flags.graph_url.is_some() && flags.login_url.is_some());
    if !is_said
        && begun.service.tenant == TargetTenant::Real
        && !today.knows(&begun.service.graph_url, &begun.service.login_url)
    {
        let message = format!(
            "the run began at {}, signed in at {}; only the journal names these addresses",
            begun.service.graph_url, begun.service.login_url
        );
        let help = format!(
            "if they are right, add --graph-url {} --login-url {}",
            begun.service.graph_url, begun.service.login_url
        );
        return Err(Error::refused(Diagnostic::error("unknown-service", message).help(help)));
    }
    let flags = flags.clone();
    let elsewhere = flags.cloud.is_some();
    let flags = Flags {
        graph_url: flags.graph_url.or_else(|| (!elsewhere).then(|| begun.service.graph_url.clone())),
        login_url: flags.login_url.or_else(|| (!elsewhere).then(|| begun.service.login_url.clone())),
        ..flags
    };
    Settings::new(&flags, environment).map_err(Error::Usage)
}

/// What a run has done is known by where it was done: it goes on at the same Graph, in the same tenant.
///
/// Two names may be of one tenant: where the journal knows its id, the token is compared with that at sign-in.
pub(super) fn same_tenant(journal: &Journal, head: &RunHead, begun: &Begun, settings: &Settings) -> Result<(), Error> {
    let place = place(&begun.service.tenant, &settings.graph_url);
    if place != head.place {
        let message = format!("the run began against {}, but this is {place}", head.place);
        let help = "remove --graph-url and --cloud; for another service, run the plan again";
        return Err(Error::refused(Diagnostic::error("another-service", message).help(help)));
    }
    let label = label(settings, &begun.service.tenant, begun.plan.tenant.as_deref());
    let known = |name: &str| known_id(journal, &settings.graph_url, name);
    let may_be_one = match (known(&head.tenant)?, known(&label)?) {
        (Some(begun), Some(now)) => begun == now,
        (begun, _) => begun.is_some(),
    };
    if label.eq_ignore_ascii_case(&head.tenant) || may_be_one {
        return Ok(());
    }
    let message = format!("the run began against {}, but this is {}", called(&head.tenant), called(&label));
    Err(Error::refused(Diagnostic::error("wrong-tenant", message).help("sign in to the tenant in which the run began")))
}

/// A label of a tenant, as a sentence names it.
fn called(label: &str) -> Cow<'_, str> {
    match label {
        OF_THE_TOKEN => label.into(),
        name => format!("tenant {name}").into(),
    }
}
