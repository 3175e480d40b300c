//! The daily limits of a run: whose they are, by which rules, and how a plan spreads over days.
//!
//! In: what the plan says, the journal, a signed-in client. Out: what the runner counts by, and forecasts.
//! Must not: take two spellings of a tenant for two tenants once a token has shown that they are one.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::Error;
use super::rounds::FIRST_WAIT;
use crate::daily::DailyAccount;
use crate::daily::DailyTerms;
use crate::daily::{Book, DailyRules, DailySettings};
use crate::daily::{Spread, spread};
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::Preflight;
use crate::journal::{Journal, RunId};
use crate::plan::Plan;
use crate::session::{Session, TargetTenant, label, place};
use crate::settings::Settings;

/// What a run knows of daily limits before it has signed in.
#[derive(Debug, Clone)]
pub(super) struct DailyWork {
    pub rules: DailyRules,
    /// What the tenant is called before a token names it.
    pub label: String,
    /// Whether the run waits between its rounds: then no round stays longer than it takes to look around again.
    pub wait: bool,
}

impl DailyWork {
    pub(super) fn new(settings: &DailySettings, label: &str, wait: bool) -> Result<Self, Error> {
        Ok(Self { rules: rules(settings)?, label: label.to_owned(), wait })
    }

    /// Opens the tenant's account. `id`: the tenant that the token is for, as far as it says.
    pub(super) fn open(
        &self,
        journal: &mut Journal,
        tenant: &TargetTenant,
        graph_url: &str,
        run: &RunId,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<DailyTerms, Error> {
        let patience = if self.wait { FIRST_WAIT } else { DailyTerms::default().patience };
        let name = match tenant {
            // It is new in every process, and so is its day.
            TargetTenant::Simulated(_) => format!("simulated|{run}|{now}"),
            TargetTenant::Real | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => {
                let name = named(graph_url, &self.label);
                journal.know_tenant(&name, &id.map_or(name.clone(), |id| named(graph_url, id)), now)?;
                journal.tenant_known_as(&name)?
            }
        };
        let account = DailyAccount { tenant: name, rules: self.rules.clone() };
        Ok(DailyTerms { account: Some(Arc::new(account)), patience })
    }
}

/// Runs at the same place in a tenant of another name may have been in this one, or not: only a token tells. Where there are
/// any, it is asked for before anything is taken for done.
pub(super) async fn learn_tenant(session: &mut Session<'_>, journal: &mut Journal, label: &str) -> Result<(), Error> {
    let graph_url = &session.settings().graph_url;
    let name = named(graph_url, label);
    let is_made_up = matches!(session.tenant(), TargetTenant::Simulated(_));
    if is_made_up || !journal.has_other_tenants(&place(session.tenant(), graph_url), label)? {
        return Ok(());
    }
    if journal.tenant_known_as(&name)? != name {
        return Ok(());
    }
    let now = session.now();
    let claims = session.signed_in().await?.tokens().claims().await.ok().flatten();
    match claims.and_then(|claims| claims.tid) {
        Some(id) => Ok(journal.know_tenant(&name, &named(graph_url, &id), now)?),
        None => Ok(()),
    }
}

/// The id of the tenant that a run was in, as far as tokens have shown it.
pub(super) fn known_id(journal: &Journal, graph_url: &str, label: &str) -> Result<Option<String>, Error> {
    let known = journal.tenant_known_as(&named(graph_url, label))?;
    let id = known.rsplit_once('|').map(|(_, id)| id.to_owned());
    Ok(id.filter(|id| uuid::Uuid::try_parse(id).is_ok()))
}

/// A tenant's name in the ledger: its place comes before it. Clouds do not share tenants, and servers on this machine share
/// their ids.
pub(super) fn named(graph_url: &str, tenant: &str) -> String {
    format!("{}|{tenant}", place(&TargetTenant::Real, graph_url)).to_lowercase()
}

fn rules(settings: &DailySettings) -> Result<DailyRules, Error> {
    DailyRules::new(settings).map_err(|zone| {
        let message = format!("there is no time zone `{zone}` on this machine");
        Error::usage(Diagnostic::error("unknown-zone", message).help("install the time zone database"))
    })
}

/// How the daily limits spread a plan, by what the journal says is used up already. Touches no network.
pub(crate) fn forecast(
    plan: &Plan,
    daily: &DailySettings,
    preflight: &Preflight,
    tenant: &TargetTenant,
    settings: &Settings,
    now: Timestamp,
) -> Result<Spread, Error> {
    let rules = rules(daily)?;
    let book = match tenant {
        TargetTenant::Simulated(_) => Book::default(),
        TargetTenant::Real | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => {
            let label = label(settings, tenant, plan.tenant.as_deref());
            book(settings, &named(&settings.graph_url, &label), &rules)?
        }
    };
    Ok(spread(&plan.jobs, |index| preflight.is_sent(index), &rules, book, now))
}

/// A machine without a journal has sent nothing.
fn book(settings: &Settings, name: &str, rules: &DailyRules) -> Result<Book, Error> {
    let Some(place) = settings.state_dir().ok().filter(|place| Journal::is_at(place)) else {
        return Ok(Book::default());
    };
    let journal = Journal::open(place)?;
    let tenant = journal.tenant_known_as(name)?;
    Ok(journal.daily_book(&tenant, rules)?)
}
