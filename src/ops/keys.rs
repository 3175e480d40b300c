//! Are the keys of these devices on file? Looked up before a run, and for previews.
//!
//! In: jobs, what is known of their targets, somebody who reads. Out: what was found out, one entry for each job, and the
//! jobs held that lack what the rules want. Must not: hold anything that can send more than a GET, or look for the keys of
//! jobs that are not sent.

use std::collections::HashMap;

use fastrand::Rng;

use super::error::Error;
use super::look_up::{LookUp, not_read};
use crate::catalog::{Bearing, MANAGED_DEVICE, Proof, SECRETS, bearing};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::escrow::{Finding, KeyStatus, Keys};
use crate::guard::drift::Sighting;
use crate::guard::escrow::Asking;
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::rules::Rules;
use crate::identity::Identity;
use crate::job::Job;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::transport::Transport;
use crate::plan::Plan;
use crate::resolve::{self, DeviceToCheck, Reading};
use crate::session::Session;

/// What the check is made for.
#[derive(Debug)]
pub(super) struct KeyCheck<'a> {
    pub jobs: &'a [Job],
    /// The plan's name.
    pub plan: Option<&'a str>,
    /// What was looked up may be a month old.
    pub from_inventory: bool,
}

impl<'a> KeyCheck<'a> {
    pub(super) fn of(plan: &'a Plan, look_up: &LookUp<'_>) -> Self {
        Self { jobs: &plan.jobs, plan: plan.name.as_deref(), from_inventory: look_up.inventory.is_some() }
    }
}

/// Looks for the keys that the rules want, if they want any, and holds what lacks them. `skipped`: jobs that will not be
/// sent, besides those that are held. Empty where nothing had to be read.
pub(super) async fn check(
    session: &mut Session<'_>,
    about: &KeyCheck<'_>,
    preflight: &mut Preflight,
    rules: &Rules,
    skipped: impl Fn(usize) -> bool,
) -> Result<Vec<Option<Keys>>, Error> {
    if !rules.wants_keys() {
        return Ok(Vec::new());
    }
    let (jobs, now) = (about.jobs, session.now());
    let known = |job: &Job| (!about.from_inventory).then(|| job.found.as_ref()?.identity.clone()).flatten();
    let wanted = DevicesToCheck::of(
        jobs,
        |at| preflight.is_sent(at) && !skipped(at),
        |at| known(&jobs[at]).map(|seen| Sighting::Identity(Box::new((*seen).clone()))),
    );
    let keys = wanted.read_in(session).await?;
    preflight.hold_unescrowed(jobs, &keys, Asking { rules, plan: about.plan, now });
    Ok(keys)
}

/// Looks for all keys of what cannot be taken back, whatever the rules say. `seen`: what was just seen of the targets.
pub(super) async fn look<T: Transport>(
    jobs: &[Job],
    holds: &[Option<Hold>],
    seen: &[Option<Sighting>],
    client: ReadOnly<'_, T>,
    rng: Rng,
) -> Result<Vec<Option<Keys>>, Error> {
    let is_sent = |at: usize| holds.get(at).is_some_and(Option::is_none);
    let wanted = DevicesToCheck::of(jobs, is_sent, |at| seen.get(at).cloned().flatten());
    wanted.read(client, rng).await
}

/// What the sign-in may not read, said once.
pub(super) fn forbidden(keys: &[Option<Keys>]) -> Diagnostics {
    let mut told = Diagnostics::default();
    for row in &SECRETS {
        let findings = keys.iter().flatten().map(|keys| keys.of(row.secret));
        let Some(finding) = findings.into_iter().find(|finding| finding.status == KeyStatus::Forbidden) else {
            continue;
        };
        let why = finding.why.as_deref().unwrap_or("no reason given");
        let message = format!("no permission to check whether a {} is on file ({why})", row.what);
        let warning = Diagnostic::warning("keys-not-read", message);
        told.push(match row.proof {
            Proof::Read { permissions: [least, ..] } => warning.help(format!("grant {least}, which shows no key")),
            _ => warning,
        });
    }
    told
}

/// The devices to look at, each once, and what every job waits for.
struct DevicesToCheck {
    devices: Vec<DeviceToCheck>,
    /// For each job: its device, or what is known without a read.
    of_jobs: Vec<Option<Result<usize, Keys>>>,
}

/// Some routes go by the run of a script, say.
fn names_its_device(job: &Job) -> bool {
    job.route.ids.last().is_some_and(|id| id.name == MANAGED_DEVICE.name)
}

impl DevicesToCheck {
    fn of(jobs: &[Job], is_sent: impl Fn(usize) -> bool, seen: impl Fn(usize) -> Option<Sighting>) -> Self {
        let mut devices: Vec<DeviceToCheck> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let all = |status, why: &str| Some(Err(Keys::all(&Finding::because(status, why))));
        let of_jobs = jobs.iter().enumerate().map(|(at, job)| match bearing(job.action) {
            _ if !is_sent(at) => None,
            Bearing::None => None,
            Bearing::Unlisted => all(KeyStatus::Unknown, "the action reaches devices that the plan does not list"),
            Bearing::Target => match seen(at) {
                None if !names_its_device(job) => all(KeyStatus::Unknown, "its route names the device by another id"),
                Some(Sighting::Gone) => all(KeyStatus::Unknown, "the device does not exist"),
                Some(Sighting::NotRead(why)) => {
                    all(KeyStatus::Unknown, &format!("the device could not be read: {why}"))
                }
                seen => {
                    let seen: Option<Identity> = match seen {
                        Some(Sighting::Identity(identity)) => Some(*identity),
                        _ => None,
                    };
                    let place = *places.entry(job.target().to_ascii_lowercase()).or_insert_with(|| {
                        devices.push(DeviceToCheck { id: job.target().into(), seen });
                        devices.len() - 1
                    });
                    Some(Ok(place))
                }
            },
        });
        let of_jobs = of_jobs.collect();
        Self { devices, of_jobs }
    }

    async fn read_in(self, session: &mut Session<'_>) -> Result<Vec<Option<Keys>>, Error> {
        if self.devices.is_empty() {
            return Ok(self.spread(&[]));
        }
        let rng = session.rng();
        self.read(session.reading().await?, rng).await
    }

    async fn read<T: Transport>(mut self, client: ReadOnly<'_, T>, rng: Rng) -> Result<Vec<Option<Keys>>, Error> {
        let devices = std::mem::take(&mut self.devices);
        let read = resolve::read_keys(devices, &mut Reading::new(client, rng)).await.map_err(not_read)?;
        Ok(self.spread(&read))
    }

    fn spread(self, read: &[Keys]) -> Vec<Option<Keys>> {
        let of_job = |wanted: Result<usize, Keys>| match wanted {
            Ok(place) => read.get(place).cloned(),
            Err(known) => Some(known),
        };
        self.of_jobs.into_iter().map(|wanted| wanted.and_then(of_job)).collect()
    }
}
