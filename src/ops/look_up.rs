//! Looking up what a plan names without an id, before anything else is done with it.
//!
//! In: a plan, and where to look: the service, or a saved inventory. Out: the plan with jobs alone, and the client that
//! was used, so that the run goes on with it. Must not: send anything but reads, or let a row through that leads to no
//! target or to several.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::limits::{Choices, limits};
use super::spare::{Output, scenario};
use super::start::Start;
use crate::catalog::Unresolvable;
use crate::diagnostics::{Diagnostic, Place};
use crate::msgraph::read_only::NoEnd;
use crate::plan::{self, Plan, Unresolved};
use crate::report::beside::{Readers, may_take, put, temporary};
use crate::resolve::{self, Before, Knowledge, Pool, ReadError, Reading, SavedInventory};
use crate::session::{ExpectedBy, Session, TargetTenant, label};
use crate::settings::Settings;
use crate::text::key;

/// How to look up.
#[derive(Debug, Clone, Copy)]
pub struct LookUp<'a> {
    pub settings: &'a Settings,
    pub tenant: &'a TargetTenant,
    /// A saved inventory, in place of the service.
    pub inventory: Option<&'a Path>,
    /// What the command line says becomes of rows that do not lead to one target.
    pub missing: Option<Unresolvable>,
    /// The reason that the command line gives for a plan that gives none.
    pub justification: Option<&'a str>,
    pub choices: Choices,
    pub start: Start,
}

/// An inventory older than this is told to be old.
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// Clocks differ.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

impl<'a> LookUp<'a> {
    /// Somebody who may read, under the limits of a plan. Nothing is connected yet.
    pub fn session(&self, plan: plan::StatedLimits) -> Result<Session<'a>, Error> {
        let local = *self.tenant != TargetTenant::Real || self.settings.is_local();
        let limits = limits(self.choices, plan, local)?;
        Ok(Session::new(self.settings, self.tenant, limits, self.start.clock(), self.start.seed))
    }

    /// Reads what rows of `plan` may mean. Nothing is read where every target is named by its id: `None`; and what is not due is
    /// not looked up.
    pub async fn read(&self, plan: &mut Plan, session: &mut Session<'_>) -> Result<Option<Pool>, Error> {
        let inventory = self.inventory.map(|file| self.open(file, plan)).transpose()?;
        session.must_be(ExpectedBy::Inventory, inventory.as_ref().and_then(|inventory| inventory.tenant.as_deref()));
        if plan.unresolved.is_empty() {
            return Ok(None);
        }
        let due: Vec<&Unresolved> = plan.unresolved.iter().filter(|row| row.is_due(self.start.now)).collect();
        Ok(Some(match inventory {
            Some(inventory) => inventory.into_pool(),
            None if due.is_empty() => Pool::default(),
            None => self.gather(&due, session).await?,
        }))
    }

    /// Turns all rows of `plan` into jobs.
    pub fn resolve(&self, plan: &mut Plan, pool: &mut Pool, before: &Before) -> Result<(), Error> {
        let hold_several = self.missing == Some(Unresolvable::Hold);
        put_in_place(plan, Knowledge { pool, before, hold_several, now: self.start.now })
    }

    async fn gather(&self, due: &[&Unresolved], session: &mut Session<'_>) -> Result<Pool, Error> {
        let rng = session.rng();
        let mut reading = Reading::new(session.reading().await?, rng);
        let gathered = resolve::gather(due, self.start.now, &mut reading).await;
        gathered.map_err(|error| not_read_at(row_of(due, &error), error))
    }

    /// Opens the saved inventory, and says how old it is where that matters.
    fn open(&self, file: &Path, plan: &mut Plan) -> Result<SavedInventory, Error> {
        let place = || Place::file(file.display().to_string());
        let inventory = SavedInventory::load(file)
            .map_err(|error| Error::usage(Diagnostic::error("bad-inventory", error.to_string()).at(place())))?;
        let here = graph(self.settings, self.tenant);
        if inventory.graph_url != here {
            let message = format!("this inventory is of {}, but the plan is for {here}", inventory.graph_url);
            return Err(Error::usage(Diagnostic::error("wrong-inventory", message).at(place())));
        }
        let age = self.start.now.duration_since(inventory.taken_at);
        if age < -SKEW {
            let message = format!("this inventory was made at {}, which is in the future", inventory.taken_at);
            return Err(Error::usage(Diagnostic::error("wrong-inventory", message).at(place())));
        }
        if age > FRESH {
            let hours = age.as_hours();
            let age = if hours >= 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") };
            let message = format!("this inventory is {age} old; devices may have been enrolled again since then");
            let help = "make a new one: musterout inventory --out FILE";
            plan.warnings.push(Diagnostic::warning("old-inventory", message).at(place()).help(help));
        }
        Ok(inventory)
    }
}

/// Turns the rows of `plan` that are not due into jobs that nothing is sent for. None may be due. Whether there were any.
pub(super) fn put_off(plan: &mut Plan, now: Timestamp) -> Result<bool, Error> {
    let any = !plan.unresolved.is_empty();
    if any {
        let (pool, before) = (&mut Pool::default(), &Before::new());
        put_in_place(plan, Knowledge { pool, before, hold_several: false, now })?;
    }
    Ok(any)
}

fn put_in_place(plan: &mut Plan, known: Knowledge<'_>) -> Result<(), Error> {
    let rows = std::mem::take(&mut plan.unresolved);
    let jobs = std::mem::take(&mut plan.jobs);
    let resolved = resolve::resolve(jobs, &plan.places, &rows, known).map_err(|mut faults| {
        faults.sort();
        Error::Plan { file: plan.file.clone(), faults }
    })?;
    plan.jobs = resolved.jobs;
    plan.places = resolved.places;
    plan.warnings.extend(resolved.warnings);
    let mut judged = plan::values::judge(&plan.jobs, &plan.places);
    judged.sort();
    match judged.has_errors() {
        true => Err(Error::Plan { file: plan.file.clone(), faults: judged }),
        false => Ok(()),
    }
}

/// The Graph that an inventory was taken of: what is simulated is no other's.
fn graph(settings: &Settings, tenant: &TargetTenant) -> String {
    match tenant {
        TargetTenant::Real | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => {
            settings.graph_url.trim_end_matches('/').to_ascii_lowercase()
        }
        TargetTenant::Simulated(_) => "simulated".into(),
    }
}

/// What was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    pub file: PathBuf,
    pub devices: usize,
    /// `None`: reading them was not permitted.
    pub autopilot: Option<usize>,
    /// The same.
    pub entra_devices: Option<usize>,
    /// The same.
    pub users: Option<usize>,
}

/// Reads a tenant's devices and saves them in `file`.
pub(crate) async fn take_inventory(look_up: &LookUp<'_>, file: PathBuf) -> Result<Saved, Error> {
    let written = |written: std::io::Result<()>| {
        written.map_err(|cause| Error::Io { what: format!("{} cannot be written", file.display()), cause })
    };
    Output::out(&file, "the inventory").spares(scenario(look_up.tenant), look_up.settings)?;
    written(may_take(&file))?;
    let inventory = take(look_up).await?;
    let text = inventory.to_json().map_err(std::io::Error::other);
    written(text.and_then(|text| write_private(&file, &text)))?;
    let count = |records: &Option<Vec<_>>| records.as_ref().map(Vec::len);
    let (autopilot, entra_devices) = (count(&inventory.autopilot), count(&inventory.entra_devices));
    Ok(Saved { file, devices: inventory.devices.len(), autopilot, entra_devices, users: count(&inventory.users) })
}

async fn take(look_up: &LookUp<'_>) -> Result<SavedInventory, Error> {
    let mut session = look_up.session(plan::StatedLimits::default())?;
    let rng = session.rng();
    let claims = session.signed_in().await?.tokens().claims().await.ok().flatten();
    let label = label(look_up.settings, look_up.tenant, None);
    let mut reading = Reading::new(session.reading().await?, rng);
    let mut inventory = resolve::take_inventory(&mut reading).await.map_err(not_read)?;
    inventory.tenant = Some(claims.and_then(|claims| claims.tid).unwrap_or(label));
    inventory.graph_url = graph(look_up.settings, look_up.tenant);
    inventory.taken_at = Timestamp::from_second(look_up.start.now.as_second()).unwrap_or(look_up.start.now);
    Ok(inventory)
}

/// Written beside its place and moved there whole. It names every device and user of a tenant: nobody else reads it.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut beside = temporary(file, Readers::Owner)?;
    beside.write_all(text.as_bytes())?;
    put(beside, file)
}

/// The row that names what could not be read, the first one of several.
fn row_of(rows: &[&Unresolved], error: &ReadError) -> Option<Place> {
    let value = key(error.value()?);
    let names = |row: &&&Unresolved| row.values().any(|named| key(named) == value);
    rows.iter().find(names).map(|row| (*row.place).clone())
}

/// Why nothing was sent.
pub(super) fn not_read(error: ReadError) -> Error {
    not_read_at(None, error)
}

fn not_read_at(place: Option<Place>, error: ReadError) -> Error {
    if let ReadError::SignIn(_) = error.cause() {
        return Error::sign_in(Diagnostic::error("sign-in", error.to_string()));
    }
    let help = match error.cause() {
        ReadError::Refused { status: Some(403), path, .. } if path == "/users" => {
            "nothing was sent; to look up users by name, grant User.ReadBasic.All, or use their ids"
        }
        ReadError::Refused { status: Some(403), .. } => {
            "nothing was sent; looking up needs DeviceManagementManagedDevices.Read.All, for Autopilot identities \
             DeviceManagementServiceConfig.Read.All, for devices in Entra Device.Read.All, for groups \
             GroupMember.Read.All, for users by name User.ReadBasic.All"
        }
        ReadError::NoEnd(NoEnd::Foreign { .. }) => {
            "nothing was sent; the answer did not come from Graph (a proxy may have answered)"
        }
        ReadError::NoEnd(_) => "nothing was sent; the list is incomplete",
        _ => "nothing was sent; the target could not be looked up",
    };
    let fault = Diagnostic::error("not-read", error.to_string()).help(help);
    Error::refused(place.into_iter().fold(fault, Diagnostic::at))
}
