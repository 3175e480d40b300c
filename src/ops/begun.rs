//! What a resumed run must know of how it was begun, as the journal has it.
//!
//! In: how a run is begun, or what the journal kept of it. Out: the one from the other. Must not: misread what an older version has
//! written, or take what it cannot understand for nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::agreed::SeenInInventory;
use super::agreement::Agreement;
use super::error::Error;
use super::limits::Choices;
use super::missing::JobSpan;
use super::spare::scenario;
use super::stage::stage_of;
use crate::catalog::{Definition, StatedLimits};
use crate::daily::DailySettings;
use crate::guard::Brakes;
use crate::guard::rules::Rules;
use crate::journal::{Journal, RunRecord};
use crate::plan;
use crate::session::TargetTenant;
use crate::simulator::kept::KeptStage;

/// What a resumed run must know of how it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    pub service: ServiceOfRun,
    pub plan: OfPlan,
    pub justification: Option<String>,
    pub choices: Choices,
    /// What was said of rows whose target is not there.
    pub missing: Vec<JobSpan>,
    /// Jobs that are held because their row leads to another target than a run has dealt with; and why, by index.
    pub replaced: BTreeMap<u32, String>,
    /// The policy that was named.
    pub policy: Option<PathBuf>,
    pub brakes: Brakes,
    /// The digest of the saved preview that the run was begun from. The journal has the file.
    pub saved_preview: Option<String>,
    /// What somebody agreed to. `None`: an older version has not recorded it.
    pub agreed: Option<Agreement>,
    /// What the inventory that targets were looked up in has of those that something is done to which cannot be undone.
    pub inventory: SeenInInventory,
    /// Every file that it was made of: no report takes the place of one.
    pub read: Vec<PathBuf>,
}

/// Where the run sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceOfRun {
    pub graph_url: String,
    pub login_url: String,
    pub tenant: TargetTenant,
}

/// What the plan said beside its rows when the run was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfPlan {
    pub name: Option<String>,
    pub tenant: Option<String>,
    pub daily: DailySettings,
    /// The plan's own; those of a policy are read anew.
    pub rules: Rules,
    /// The actions that it defines itself: without them its jobs mean nothing.
    pub actions: Vec<Definition>,
}

/// In place of a scenario: a tenant in a process cannot be found again, and nobody else may take its place. Whoever
/// resumes hands it in.
const GONE: &str = "a tenant in the process that began the run";

impl Begun {
    pub(super) fn json(&self) -> Value {
        let scenario = match &self.service.tenant {
            TargetTenant::Real | TargetTenant::Kept(_) => Value::Null,
            TargetTenant::InProcess(transport) if transport.kept().is_some() => Value::Null,
            TargetTenant::InProcess(_) => json!(GONE),
            TargetTenant::Simulated(None) => json!(""),
            TargetTenant::Simulated(Some(file)) => json!(file),
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "graph_url": self.service.graph_url,
            "login_url": self.service.login_url,
            "simulated": scenario,
            "kept": stage_of(&self.service.tenant),
            "plan_name": self.plan.name,
            "plan_tenant": self.plan.tenant,
            "justification": self.justification,
            "limits": self.choices.limits,
            "unpaced": self.choices.unpaced,
            "daily": self.plan.daily,
            "guards": self.plan.rules,
            "missing": self.missing,
            "replaced": self.replaced,
            "policy": self.policy,
            "brakes": self.brakes,
            "saved_preview": self.saved_preview,
            "agreed": self.agreed,
            "inventory": self.inventory,
            "actions": self.plan.actions,
            "read": self.read,
        })
    }

    /// The files that the run was made of, as far as it has recorded them.
    pub(super) fn read_by(&self, journal: &Journal, record: &RunRecord) -> Result<Vec<PathBuf>, Error> {
        let mut read = self.read.clone();
        if read.is_empty() {
            read.extend(journal.plan_files(record.head.number)?.into_iter().map(|file| file.file.into()));
        }
        read.push(PathBuf::from(&record.head.plan_file));
        // It may read other lists by now.
        if let Ok(plan) = plan::load(Path::new(&record.head.plan_file)) {
            read.extend(plan.inputs.into_iter().map(|input| input.file));
        }
        read.extend(scenario(&self.service.tenant).cloned());
        Ok(read)
    }

    /// The same run, with a tenant that can be asked.
    pub(super) fn with_tenant(self, tenant: TargetTenant) -> Self {
        Self { service: ServiceOfRun { tenant, ..self.service }, ..self }
    }

    /// `None` where the record lacks what every run records.
    pub(super) fn from_json(settings: &Value) -> Option<Self> {
        Some(Self {
            service: ServiceOfRun::from_json(settings)?,
            plan: OfPlan::from_json(settings)?,
            justification: text(settings, "justification"),
            choices: Choices {
                limits: match settings.get("limits") {
                    Some(limits) => StatedLimits::deserialize(limits).ok()?,
                    // Older versions wrote them among the rest.
                    None => StatedLimits::among(settings).ok()?,
                },
                unpaced: settings.get("unpaced").and_then(Value::as_bool).unwrap_or_default(),
            },
            // Begun by a version in which nobody could say anything.
            missing: known(settings, "missing")?,
            replaced: known(settings, "replaced")?,
            policy: text(settings, "policy").map(PathBuf::from),
            // Begun by a version that knew of none.
            brakes: known(settings, "brakes")?,
            saved_preview: text(settings, "saved_preview"),
            agreed: match settings.get("agreed") {
                None | Some(Value::Null) => None,
                Some(agreed) => Some(Agreement::deserialize(agreed).ok()?),
            },
            // Older versions compared nothing with it.
            inventory: known(settings, "inventory")?,
            // Older versions knew of the plan alone.
            read: known(settings, "read")?,
        })
    }
}

impl ServiceOfRun {
    fn from_json(settings: &Value) -> Option<Self> {
        Some(Self {
            graph_url: text(settings, "graph_url")?,
            login_url: text(settings, "login_url")?,
            tenant: match text(settings, "simulated") {
                None => match settings.get("kept") {
                    None | Some(Value::Null) => TargetTenant::Real,
                    Some(stage) => TargetTenant::Kept(KeptStage::deserialize(stage).ok()?),
                },
                Some(file) => TargetTenant::Simulated((!file.is_empty()).then(|| file.into())),
            },
        })
    }
}

impl OfPlan {
    fn from_json(settings: &Value) -> Option<Self> {
        Some(Self {
            name: text(settings, "plan_name"),
            tenant: text(settings, "plan_tenant"),
            // A run of before there were any was begun without.
            daily: known(settings, "daily")?,
            // Runs of older versions had none. Those that cannot be understood are not left out.
            rules: known(settings, "guards")?,
            actions: known(settings, "actions")?,
        })
    }
}

fn text(settings: &Value, key: &str) -> Option<String> {
    settings.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// What an older version has not recorded was not there; what cannot be understood is `None`.
fn known<T: Default + DeserializeOwned>(settings: &Value, key: &str) -> Option<T> {
    settings.get(key).map_or_else(|| Some(T::default()), |kept| T::deserialize(kept).ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::{Allowance, Bucket, TenantSize};

    /// As version 0.1.0 recorded it at first.
    const OF_BEFORE: &str = r#"{"version":"0.1.0","graph_url":"https://graph.microsoft.com","login_url":"https://login.microsoftonline.com",
        "simulated":"","plan_name":"lab","plan_tenant":null,"justification":null,"concurrency":8,"reserve_percent":20,
        "max_attempts":3,"settling_seconds":90,"unpaced":true,"daily":{},"tenant_size":"medium","low_priority":true,
        "allowances":{"{BUCKET}":[100,20]},"missing":[],"policy":null,"saved_preview":null,"actions":[]}"#;

    #[test]
    fn the_limits_of_a_run_are_read_as_they_were_written_then_and_are_written_now() {
        let bucket = Bucket::all().next().unwrap();
        let mut limits = StatedLimits {
            concurrency: Some(8),
            reserve_percent: Some(20),
            max_attempts: Some(3),
            settling_seconds: Some(90),
            tenant_size: Some(TenantSize::Medium),
            low_priority: Some(true),
            ..StatedLimits::default()
        };
        limits.allowances[bucket.index()] = Some(Allowance { requests: 100, window: Duration::from_secs(20) });
        let written = OF_BEFORE.replace("{BUCKET}", &bucket.to_string());
        let begun = Begun::from_json(&serde_json::from_str(&written).unwrap()).unwrap();
        assert_eq!(begun.choices, Choices { limits, unpaced: true });
        assert_eq!(Begun::from_json(&begun.json()), Some(begun));
        let damaged = written.replace("\"medium\"", "\"of tomorrow\"");
        assert_eq!(Begun::from_json(&serde_json::from_str(&damaged).unwrap()), None);
    }
}
