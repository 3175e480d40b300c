//! Are the keys of these devices on file? Looked up before a run, and for previews.
//!
//! In: jobs, what is known of their targets, somebody who reads. Out: what was found out, one entry for each job, and the
//! jobs held that lack what the rules want. Must not: hold anything that can send more than a GET, or look for the keys of
//! jobs that are not sent.

use std::collections::HashMap;

use fastrand::Rng;

use super::connect::{self, Client};
use super::limits::limits;
use super::look_up::{LookUp, Used, not_read};
use super::tenant::{self, Source};
use super::{Agreed, Error, Tenant};
use crate::catalog::{Bearing, MANAGED_DEVICE, Proof, SECRETS, bearing};
use crate::clock::Clock;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::escrow::{Finding, Keys, Status};
use crate::guard::drift::Sighting;
use crate::guard::escrow::Asking;
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::rules::Rules;
use crate::identity::Identity;
use crate::job::Job;
use crate::msgraph::client::GraphClient;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::transport::Transport;
use crate::plan::{Limits, Plan};
use crate::resolve::{self, Device, Reading};

/// What the check is made for.
#[derive(Debug)]
pub struct About<'a> {
    pub jobs: &'a [Job],
    /// The plan's name.
    pub plan: Option<&'a str>,
    pub limits: Limits,
    /// Who says which tenant is meant, and which.
    pub tenants: Vec<(Source, Option<String>)>,
}

impl<'a> About<'a> {
    /// `tenants` beside the plan's: that of the saved preview, and of the inventory.
    pub fn of(plan: &'a Plan, agreed: Option<&Agreed>, used: &Used) -> Self {
        let tenants = vec![
            (Source::Plan, plan.tenant.clone()),
            (Source::SavedPreview, agreed.and_then(|agreed| agreed.head.tenant_id.clone())),
            (Source::Inventory, used.tenant.clone()),
        ];
        Self { jobs: &plan.jobs, plan: plan.name.as_deref(), limits: plan.limits, tenants }
    }
}

impl About<'_> {
    /// The client that has been used for looking up, or one that is connected now and goes back to `used` for the run.
    pub fn connected(&self, look_up: &LookUp<'_>, used: &mut Used) -> Result<(Client, Clock), Error> {
        let local = *look_up.tenant != Tenant::Real || look_up.settings.is_local();
        let limits = limits(look_up.choices, self.limits, local)?;
        let (client, clock) = match used.client.take() {
            Some(connected) => connected,
            None => {
                let (clock, named) = (Clock::starting_at(look_up.now), self.of_the_plan());
                (connect::connect(look_up.settings, look_up.tenant, named, &clock, limits)?, clock)
            }
        };
        Ok((client, clock))
    }

    /// Signs in, and makes sure that it is the tenant that is meant.
    pub async fn sign_in<T: Transport>(&self, client: &GraphClient<T>, look_up: &LookUp<'_>) -> Result<(), Error> {
        connect::sign_in(client.tokens(), client.gates(), look_up.now).await?;
        let signed_in_to = tenant::signed_in_to(look_up.settings, self.of_the_plan());
        for (source, expected) in &self.tenants {
            if let Some(expected) = expected {
                tenant::verify(client.tokens(), (*source, expected), signed_in_to).await?;
            }
        }
        Ok(())
    }

    fn of_the_plan(&self) -> Option<&str> {
        self.tenants.iter().find(|(source, _)| matches!(source, Source::Plan)).and_then(|(_, tenant)| tenant.as_deref())
    }
}

/// Looks for the keys that the rules want, if they want any, and holds what lacks them. `skipped`: jobs that will not be
/// sent, besides those that are held. Empty where nothing had to be read.
pub async fn check(
    look_up: &LookUp<'_>,
    about: &About<'_>,
    (preflight, rules): (&mut Preflight, &Rules),
    skipped: impl Fn(usize) -> bool,
    used: &mut Used,
) -> Result<Vec<Option<Keys>>, Error> {
    if !rules.wants_keys() {
        return Ok(Vec::new());
    }
    let (jobs, now) = (about.jobs, look_up.now);
    let known = |job: &Job| look_up.inventory.is_none().then(|| job.found.as_ref()?.identity.clone()).flatten();
    let wanted = Wanted::of(
        jobs,
        |at| preflight.is_sent(at) && !skipped(at),
        |at| known(&jobs[at]).map(|seen| Sighting::Identity(Box::new((*seen).clone()))),
    );
    let keys = wanted.read_with(look_up, about, used).await?;
    preflight.hold_unescrowed(jobs, &keys, Asking { rules, plan: about.plan, now });
    Ok(keys)
}

/// Looks for all keys of what cannot be taken back, whatever the rules say. `seen`: what was just seen of the targets.
pub async fn look<T: Transport>(
    jobs: &[Job],
    holds: &[Option<Hold>],
    seen: &[Option<Sighting>],
    client: ReadOnly<'_, T>,
    seed: u64,
) -> Result<Vec<Option<Keys>>, Error> {
    let is_sent = |at: usize| holds.get(at).is_some_and(Option::is_none);
    let wanted = Wanted::of(jobs, is_sent, |at| seen.get(at).cloned().flatten());
    wanted.read(client, Rng::with_seed(seed)).await
}

/// What the sign-in may not read, said once.
pub fn forbidden(keys: &[Option<Keys>]) -> Diagnostics {
    let mut told = Diagnostics::default();
    for row in &SECRETS {
        let findings = keys.iter().flatten().map(|keys| keys.of(row.secret));
        let Some(finding) = findings.into_iter().find(|finding| finding.status == Status::Forbidden) else { continue };
        let why = finding.why.as_deref().unwrap_or("no reason given");
        let message = format!("whether a {} is on file may not be read ({why})", row.what);
        let warning = Diagnostic::warning("keys-not-read", message);
        told.push(match row.proof {
            Proof::Read { permissions: [least, ..] } => warning.help(format!("grant {least}, which shows no secret")),
            _ => warning,
        });
    }
    told
}

/// The devices to look at, each once, and what every job waits for.
struct Wanted {
    devices: Vec<Device>,
    /// For each job: its device, or what is known without a read.
    of_jobs: Vec<Option<Result<usize, Keys>>>,
}

/// Some routes go by the run of a script, say.
fn names_its_device(job: &Job) -> bool {
    job.route.ids.last().is_some_and(|id| id.name == MANAGED_DEVICE.name)
}

impl Wanted {
    fn of(jobs: &[Job], is_sent: impl Fn(usize) -> bool, seen: impl Fn(usize) -> Option<Sighting>) -> Self {
        let mut devices: Vec<Device> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let all = |status, why: &str| Some(Err(Keys::all(&Finding::because(status, why))));
        let of_jobs = jobs.iter().enumerate().map(|(at, job)| match bearing(job.action) {
            _ if !is_sent(at) => None,
            Bearing::None => None,
            Bearing::Unlisted => all(Status::Unknown, "it acts on devices that the plan does not list"),
            Bearing::Target => match seen(at) {
                None if !names_its_device(job) => all(Status::Unknown, "its route names the device by another id"),
                Some(Sighting::Gone) => all(Status::Unknown, "there is no such device"),
                Some(Sighting::NotRead(why)) => all(Status::Unknown, &format!("the device was not read: {why}")),
                seen => {
                    let seen: Option<Identity> = match seen {
                        Some(Sighting::Identity(identity)) => Some(*identity),
                        _ => None,
                    };
                    let place = *places.entry(job.target().to_ascii_lowercase()).or_insert_with(|| {
                        devices.push(Device { id: job.target().into(), seen });
                        devices.len() - 1
                    });
                    Some(Ok(place))
                }
            },
        });
        let of_jobs = of_jobs.collect();
        Self { devices, of_jobs }
    }

    /// With the client that has been used for looking up, or one that is connected now and used for the run.
    async fn read_with(
        self,
        look_up: &LookUp<'_>,
        about: &About<'_>,
        used: &mut Used,
    ) -> Result<Vec<Option<Keys>>, Error> {
        if self.devices.is_empty() {
            return Ok(self.spread(&[]));
        }
        let (client, clock) = about.connected(look_up, used)?;
        let rng = Rng::with_seed(look_up.seed);
        let read = match &client {
            Client::Http(client) => self.signed_in(client, look_up, about, rng).await,
            Client::Simulated(client) => self.signed_in(client, look_up, about, rng).await,
        };
        used.client = Some((client, clock));
        read
    }

    async fn signed_in<T: Transport>(
        self,
        client: &GraphClient<T>,
        look_up: &LookUp<'_>,
        about: &About<'_>,
        rng: Rng,
    ) -> Result<Vec<Option<Keys>>, Error> {
        about.sign_in(client, look_up).await?;
        self.read(ReadOnly::new(client), rng).await
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

/// Whether there is anybody to sign in: a preview does without, a run does not begin.
pub fn can_look(look_up: &LookUp<'_>) -> bool {
    *look_up.tenant != Tenant::Real || look_up.settings.identity().is_ok()
}
