//! A question that somebody is asked, and what has to stand still when it is answered: it may stay open for hours.
//!
//! In: what was judged before. Out: consent, or a refusal. Must not: take an answer for one to a state of things that has passed.

use std::path::Path;

use jiff::Timestamp;

use super::agreed::Agreed;
use super::agreed::expiry;
use super::brakes::brakes;
use super::daily::forecast;
use super::error::Error;
use super::guards::{self, Policies};
use super::limits::budget;
use super::run_request::RunRequest;
use crate::daily::DailySettings;
use crate::diagnostics::Diagnostic;
use crate::guard::consent;
use crate::guard::drift::Sighting;
use crate::guard::judge::Judgement;
use crate::guard::preflight::Preflight;
use crate::plan::Plan;
use crate::preview::Preview;
use crate::session::TargetTenant;
use crate::settings::{PolicyFile, Settings};
use crate::ui;
use crate::ui::stderr::Stderr;
use crate::ui::subject::Subject;

/// What somebody is asked.
#[derive(Debug)]
pub(super) struct RunQuestion {
    text: String,
    policies: Vec<PolicyFile>,
    /// What they said before the question.
    said: Policies,
    /// When the saved preview ends that is run.
    ends: Option<Timestamp>,
}

impl RunQuestion {
    pub(super) fn new(text: String, policies: &[PolicyFile], said: &Policies, agreed: Option<&Agreed>) -> Self {
        let ends = agreed.map(|agreed| expiry(&agreed.head, said.preview_max_age));
        Self { text, policies: policies.to_vec(), said: said.clone(), ends }
    }

    /// Asks for that number.
    pub(super) fn ask(&self, due: u32) -> Result<(), Error> {
        let agreed = ui::confirm::ask_on_terminal(&self.text, due)
            .map_err(|cause| Error::Io { what: "the answer could not be read".into(), cause })?;
        match agreed {
            true => Ok(()),
            false => {
                let message = format!("nothing was sent: the answer was not {due}, the number of jobs");
                Err(Error::Declined(Box::new(Diagnostic::warning("not-confirmed", message))))
            }
        }
    }

    /// Whether it is still what was looked at: the time has gone on, and somebody may have changed a policy.
    pub(super) fn still_stands(&self, verdict: &Judgement, plan: &Path, now: Timestamp) -> Result<(), Error> {
        let faults = verdict.ended_by(now);
        if faults.has_errors() {
            return Err(Error::Guarded { file: plan.to_owned(), faults });
        }
        let refuse = |code, message: &str| {
            let help = "nothing was sent; start again with a new preview";
            Err(Error::refused(Diagnostic::error(code, message).help(help)))
        };
        if guards::policies(&self.policies)? != self.said {
            return refuse("policy-changed", "a policy has changed while the question was open");
        }
        match self.ends.is_some_and(|ends| now >= ends) {
            true => refuse("preview-expired", "the preview has expired while the question was open"),
            false => Ok(()),
        }
    }
}

/// What the question is about.
pub(super) struct AskedAbout<'a> {
    pub preflight: &'a Preflight,
    pub sightings: &'a [Option<Sighting>],
    pub verdict: &'a Judgement,
    pub daily: &'a DailySettings,
    /// What the tenant is called.
    pub label: &'a str,
}

/// What people are asked about.
pub(super) fn subject(plan: &Plan, tenant: &TargetTenant, label: &str) -> Subject {
    Subject { name: plan.name.clone(), file: plan.file.display().to_string(), tenant: called(tenant, label) }
}

/// What people call a tenant.
pub(super) fn called(tenant: &TargetTenant, label: &str) -> String {
    match tenant {
        TargetTenant::Simulated(_) | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => {
            "the simulated tenant".to_owned()
        }
        TargetTenant::Real => label.to_owned(),
    }
}

/// Asked where something cannot be taken back or much is changed, and nobody has named the number yet.
pub(super) fn question(
    request: &RunRequest,
    (plan, agreed, policies): (&Plan, Option<&Agreed>, &Policies),
    AskedAbout { preflight, sightings, verdict, daily, label }: &AskedAbout<'_>,
    (settings, stderr): (&Settings, &Stderr),
) -> Result<Option<RunQuestion>, Error> {
    if request.confirm.is_some() || !consent::is_needed(&plan.jobs, &preflight.holds) {
        return Ok(None);
    }
    let budget = budget(request.choices, plan.limits);
    let waves = brakes(&verdict.rules, &plan.jobs, preflight).waves;
    let spread = forecast(plan, daily, preflight, &request.tenant, settings, request.start.now)?;
    let preview = Preview::new(&plan.jobs, preflight, budget).judged(verdict).in_waves(waves).seen(sightings);
    let preview = preview.over(spread);
    let text = ui::confirm::question(&preview, &subject(plan, &request.tenant, label), stderr.view());
    Ok(Some(RunQuestion::new(text, &request.policies, policies, agreed)))
}
