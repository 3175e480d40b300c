//! The simulated tenant that stays, opened before anything is asked of it.
//!
//! In: which tenant a verb works against, and settings. Out: the same, with the tenant in this process, as the last command has left
//! it. Must not: open it for two processes at once, or take one that began anew for the one that a run was begun in.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::begun::Begun;
use super::error::Error;
use crate::catalog::TargetKind;
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::resolve::{FoundRecord, SavedInventory};
use crate::session::TargetTenant;
use crate::settings::Settings;
use crate::simulator::kept::{self, Kept, KeptError, KeptStage};
use crate::simulator::scenario::{Holdings, Scenario};
use crate::simulator::transport::SimTransport;

/// A tenant that can be asked.
#[derive(Debug)]
pub(crate) struct Opened {
    pub tenant: TargetTenant,
    pub settings: Settings,
    /// What somebody should know of it.
    pub told: Diagnostics,
}

/// Opens the tenant, if it is one that stays.
pub(crate) fn opened(tenant: TargetTenant, settings: Settings, now: Timestamp) -> Result<Opened, Error> {
    let TargetTenant::Kept(stage) = tenant else {
        return Ok(Opened { tenant, settings, told: Diagnostics::default() });
    };
    let named = named(&stage);
    let (kept, anew) = open(&settings, stage, now)?;
    let mut told = Diagnostics::default();
    if let Some(why) = anew {
        told.push(Diagnostic::warning("simulated-anew", format!("{named} begins anew: {why}")));
    }
    if !kept.is_closed() {
        let message = "this is a rehearsal, and every target that the plan names is made up";
        let help =
            "to rehearse on a tenant of your own: musterout inventory --out FILE, then --simulate --inventory FILE";
        told.push(Diagnostic::warning("made-up", message).help(help));
    }
    let mut settings = settings;
    settings.graph_url = kept.graph_url();
    Ok(Opened { tenant: TargetTenant::InProcess(SimTransport::to_kept(kept)), settings, told })
}

/// The tenant that a run was begun in, where it is one that stays.
pub(super) fn reopened(begun: Begun, settings: &Settings, now: Timestamp) -> Result<Begun, Error> {
    let TargetTenant::Kept(stage) = &begun.service.tenant else { return Ok(begun) };
    let (kept, _) = open(settings, stage.clone(), now)?;
    if kept.graph_url() != begun.service.graph_url {
        let message = format!("{} began anew since the run was begun", named(stage));
        let help = "nothing of the run is there any more: begin it anew";
        return Err(Error::refused(Diagnostic::error("another-tenant", message).help(help)));
    }
    Ok(begun.with_tenant(TargetTenant::InProcess(SimTransport::to_kept(kept))))
}

/// Forgets every simulated tenant that stays. How many there were.
pub(crate) fn reset(settings: &Settings) -> Result<usize, Error> {
    Kept::reset(&kept::folder(state(settings)?)).map_err(|error| fault(error, None))
}

fn open(settings: &Settings, stage: KeptStage, now: Timestamp) -> Result<(Arc<Kept>, Option<String>), Error> {
    let folder = kept::folder(state(settings)?);
    let held = stage.inventory.as_deref().map(held).transpose()?;
    let played = stage.scenario.clone();
    let scenario = || {
        let mut scenario = played.map_or_else(|| Ok(Scenario::rehearsal()), |file| Scenario::load(&file))?;
        if let Some(held) = held {
            scenario.hold(held);
        }
        Ok(scenario)
    };
    let named = stage.clone();
    Kept::open(&folder, stage, scenario, now).map_err(|error| fault(error, Some(&named)))
}

/// What a saved inventory holds, as a scenario lists it.
fn held(file: &Path) -> Result<Holdings, Error> {
    let refused = |message: String| {
        Error::usage(Diagnostic::error("bad-inventory", message).at(Place::file(file.display().to_string())))
    };
    let inventory = SavedInventory::load(file).map_err(|error| refused(error.to_string()))?;
    let documents = |kind: TargetKind, records: &[FoundRecord]| {
        records.iter().map(|record| record.identity.document(kind)).collect::<Vec<_>>()
    };
    let others =
        |kind: TargetKind, records: &Option<Vec<FoundRecord>>| documents(kind, records.as_deref().unwrap_or_default());
    Holdings::of(
        documents(TargetKind::ManagedDevice, &inventory.devices),
        others(TargetKind::User, &inventory.users),
        others(TargetKind::AutopilotIdentity, &inventory.autopilot),
        others(TargetKind::EntraDevice, &inventory.entra_devices),
    )
    .map_err(|error| refused(error.to_string()))
}

fn state(settings: &Settings) -> Result<&Path, Error> {
    settings
        .state_dir()
        .map_err(Error::Usage)?
        .folder()
        .ok_or_else(|| Error::usage(Diagnostic::error("no-state-dir", "there is no folder for the simulated tenant")))
}

fn named(stage: &KeptStage) -> String {
    let files = [&stage.scenario, &stage.inventory].into_iter().flatten();
    let files: Vec<_> = files.map(|file| file.display().to_string()).collect();
    match files.is_empty() {
        true => "the simulated tenant".to_owned(),
        false => format!("the simulated tenant of {}", files.join(" and ")),
    }
}

fn fault(error: KeptError, stage: Option<&KeptStage>) -> Error {
    match error {
        KeptError::Scenario(error) => Error::Scenario(error),
        KeptError::Busy => {
            let named = stage.map_or_else(|| "a simulated tenant".to_owned(), named);
            let message = format!("another command is working in {named}");
            let help = "wait until it ends, or use a tenant that does not last: --simulate-fresh";
            Error::refused(Diagnostic::error("simulated-busy", message).help(help))
        }
        KeptError::Folder { folder, cause } => Error::Io { what: folder.display().to_string(), cause },
    }
}
