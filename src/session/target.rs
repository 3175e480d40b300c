//! Which tenant is meant, and what it is called before anybody has asked it.
//!
//! In: what the command line and the plan say. Out: a [`TargetTenant`], its name, and its place. Must not: ask.

use std::path::PathBuf;

use crate::journal::memory::SIMULATED;
use crate::msgraph::token::tenant_in;
use crate::settings::{Settings, SignInIdentity};
use crate::simulator::kept::{KeptStage, is_kept};
use crate::simulator::transport::SimTransport;

/// Which tenant a verb works against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetTenant {
    Real,
    /// The embedded one, playing this scenario, or the default one; a new one each time.
    Simulated(Option<PathBuf>),
    /// The same, as the last command has left it. It is opened, and becomes one in process, before anything is asked of it.
    Kept(KeptStage),
    /// An embedded one that is there already, and outlasts a run. For whoever uses the library.
    InProcess(SimTransport),
}

impl TargetTenant {
    /// The same, whatever folder it is spoken of in.
    pub fn anywhere(&self) -> Self {
        match self {
            Self::Simulated(Some(file)) => {
                Self::Simulated(Some(std::path::absolute(file).unwrap_or_else(|_| file.clone())))
            }
            Self::Kept(stage) => Self::Kept(stage.anywhere()),
            other => other.clone(),
        }
    }
}

/// The place of a tenant: the address of its Graph. What is rehearsed is not the real thing.
pub(crate) fn place(tenant: &TargetTenant, graph_url: &str) -> String {
    match tenant {
        TargetTenant::Real | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => {
            let place = graph_url.trim_end_matches('/').to_ascii_lowercase();
            // This machine has several names.
            ["//localhost", "//[::1]"].iter().fold(place, |place, name| place.replacen(name, "//127.0.0.1", 1))
        }
        TargetTenant::Simulated(_) => SIMULATED.into(),
    }
}

/// What a tenant is called whose token does not say which it is.
pub(crate) const OF_THE_TOKEN: &str = "the tenant of the access token";

/// What the tenant is called in the journal and in questions: known without asking anybody.
pub(crate) fn label(settings: &Settings, tenant: &TargetTenant, plan_tenant: Option<&str>) -> String {
    if matches!(tenant, TargetTenant::Simulated(_)) || is_kept(&settings.graph_url) {
        return "simulated".into();
    }
    plan_tenant.map(str::to_owned).or_else(|| named(settings)).unwrap_or_else(|| OF_THE_TOKEN.into())
}

/// The tenant that the sign-in settings name.
pub(crate) fn named(settings: &Settings) -> Option<String> {
    match settings.identity() {
        Ok(SignInIdentity::AccessToken(token)) => tenant_in(token),
        Ok(SignInIdentity::ClientSecret { tenant, .. }) => Some(tenant.clone()),
        Err(_) => settings.tenant.clone(),
    }
}

/// The tenant that the token was asked of.
pub(super) fn signed_in_to<'a>(settings: &'a Settings, plan_tenant: Option<&'a str>) -> Option<&'a str> {
    match settings.identity() {
        Ok(SignInIdentity::ClientSecret { tenant, .. }) => Some(tenant),
        Ok(SignInIdentity::AccessToken(_)) => None,
        Err(_) => plan_tenant.or(settings.tenant.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_one_place_by_all_its_names_and_no_other_machine_is() {
        let place = |url: &str| super::place(&TargetTenant::Real, url);
        for url in ["http://localhost:8080", "http://LocalHost:8080/", "http://[::1]:8080"] {
            assert_eq!(place(url), "http://127.0.0.1:8080", "{url}");
        }
        let here = place("http://127.0.0.1:8080");
        for url in ["http://localhost:8081", "https://localhost:8080", "https://graph.microsoft.com"] {
            assert_ne!(place(url), here, "{url}");
        }
        assert_eq!(place("https://Graph.Microsoft.com/"), "https://graph.microsoft.com");
    }
}
