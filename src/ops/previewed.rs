//! A plan or a saved preview, and what the guards say of it.
//!
//! In: what was read and looked up, the policies. Out: a verdict on it. Must not: read files, or ask the tenant.

use jiff::Timestamp;

use super::agreed::Agreed;
use super::error::Error;
use super::guards::{self, Policies};
use super::record;
use crate::daily::DailySettings;
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::judge::Judgement;
use crate::guard::preflight::Preflight;
use crate::plan::Plan;
use crate::session::TargetTenant;

/// A plan or a saved preview that was looked at: what would be sent, and what the guards say of it.
#[derive(Debug)]
pub struct Previewed {
    pub plan: Plan,
    pub preflight: Preflight,
    pub verdict: Judgement,
    /// What was seen of the targets; empty where nobody looked.
    pub sightings: Vec<Option<Sighting>>,
    /// What is on file of their devices; empty where nobody looked.
    pub keys: Vec<Option<Keys>>,
    /// Of a saved preview: what it says of itself.
    pub agreed: Option<Agreed>,
    /// What plan and policies say of the tenant's daily limits.
    pub daily: DailySettings,
    /// What the policies say that it was held against.
    pub policies: Policies,
}

impl Previewed {
    /// The refusal of a run, if there is one.
    pub fn refused(&self) -> Result<(), Error> {
        guards::refused(&self.verdict, &self.plan.file)
    }

    /// What makes two runs runs of one plan; a saved preview is one of the plan that it was made of.
    pub(super) fn key(&self, tenant: &TargetTenant, graph_url: &str) -> String {
        match &self.agreed {
            Some(agreed) => agreed.head.plan.key.clone(),
            None => record::plan_key(&self.plan, tenant, graph_url),
        }
    }

    /// Judges once more, when what is sent has changed. `begins`: a run is about to.
    pub(super) fn judge(&mut self, now: Timestamp, begins: bool) {
        let rules = std::mem::take(&mut self.verdict.rules);
        self.verdict = guards::verdict(&self.plan, (&self.preflight, &self.keys), rules, now, begins);
    }

    /// Holds it against its guards and those of the policies.
    pub(super) fn hold_against(&mut self, policies: Policies, now: Timestamp) -> Result<(), Error> {
        self.daily = policies.daily.and(&self.plan.daily).map_err(guards::contradiction)?;
        self.verdict.rules = guards::look(&self.plan, policies.rules.clone(), &mut self.preflight, &self.sightings);
        self.policies = policies;
        self.judge(now, false);
        Ok(())
    }
}
