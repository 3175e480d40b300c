//! `preview --out`: looks at the targets, and writes the preview down.
//!
//! In: a plan, where the file goes, how long it is good. Out: a saved preview. Must not: hold anything that can send more
//! than a GET, or write a file that names no tenant.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::again::Repeats;
use super::agreed::{Agreed, at_most, is_saved, name_targets, whole_second};
use super::error::Error;
use super::look_up::LookUp;
use super::preview::considered;
use super::previewed::Previewed;
use super::spare::{Output, scenario};
use super::start::Start;
use super::{keys, protected, record};
use crate::catalog::Budget;
use crate::diagnostics::Diagnostic;
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::escrow::Asking;
use crate::guard::meaning::EntryMeaning;
use crate::guard::preflight::Hold;
use crate::msgraph::read_only::GraphReader;
use crate::preview::Preview;
use crate::preview::saved::{self, Head, LimitsOfPreview, PlanOfPreview};
use crate::report::beside::{Readers, may_take, put, temporary};
use crate::session::TargetTenant;
use crate::session::{Session, Survey, named};
use crate::settings::{PolicyFile, Settings};

/// How long a saved preview may be run unless somebody says otherwise: agreed today, done by tomorrow.
pub(crate) const VALID_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What to save, and where.
#[derive(Debug)]
pub struct SaveRequest<'a> {
    pub plan: PathBuf,
    pub policies: Vec<PolicyFile>,
    pub out: PathBuf,
    pub repeats: Repeats,
    pub valid_for: SignedDuration,
    pub look_up: LookUp<'a>,
}

/// What was seen, and with what.
struct Look {
    sightings: Vec<Option<Sighting>>,
    keys: Vec<Option<Keys>>,
    meanings: Vec<Option<EntryMeaning>>,
    tenant_id: Option<String>,
    not_read: Option<String>,
}

/// Makes the preview, and the file.
pub async fn save(request: SaveRequest<'_>) -> Result<Previewed, Error> {
    let look_up = request.look_up;
    let start = Start { now: whole_second(look_up.start.now), ..look_up.start };
    let look_up = LookUp { start, ..look_up };
    let request = SaveRequest { look_up, ..request };
    let settings = look_up.settings;
    check_place(&request)?;
    let (mut previewed, session) = considered(&request.plan, &request.policies, &look_up, &request.repeats).await?;
    check_output(&request, &previewed)?;
    let named = named_tenant(&previewed, &request, settings)?;
    let mut look = look(&request, &previewed, session).await?;
    keep_what_was_found(&previewed, &mut look.sightings);
    previewed.preflight.hold_unseen(&previewed.plan.jobs, &look.sightings, |_| true);
    let protected = std::mem::take(&mut previewed.verdict.rules.protected).meaning(look.meanings);
    previewed.preflight.hold_protected(&previewed.plan.jobs, &protected, &look.sightings);
    previewed.plan.warnings.extend(protected::told(&protected, &previewed.preflight.holds));
    previewed.verdict.rules.protected = protected;
    let asking =
        Asking { rules: &previewed.verdict.rules, plan: previewed.plan.name.as_deref(), now: look_up.start.now };
    previewed.preflight.hold_unescrowed(&previewed.plan.jobs, &look.keys, asking);
    name_targets(&mut previewed.plan.jobs, &look.sightings);
    previewed.plan.warnings.extend(keys::forbidden(&look.keys));
    (previewed.sightings, previewed.keys) = (look.sightings, look.keys);
    previewed.judge(request.look_up.start.now, false);
    previewed.refused()?;
    let head = Head {
        tenant: named,
        tenant_id: look.tenant_id,
        not_read: look.not_read,
        ..head(&request, settings, &previewed)?
    };
    let digest = write(&request.out, &head, &previewed).map_err(|cause| cannot_be_written(&request.out, cause))?;
    previewed.agreed = Some(Agreed { file: request.out, head, digest });
    Ok(previewed)
}

/// What looking up has shown of a protected target goes into the file: it is why the row is held.
fn keep_what_was_found(previewed: &Previewed, sightings: &mut [Option<Sighting>]) {
    let rows = previewed.plan.jobs.iter().zip(&previewed.preflight.holds).zip(sightings);
    for ((job, hold), sighting) in rows {
        if sighting.is_some() || !matches!(hold, Some(Hold::Protected(_) | Hold::MaybeProtected(_))) {
            continue;
        }
        let found = job.found.as_ref().and_then(|found| found.identity.as_deref());
        *sighting = found.map(|found| Sighting::Identity(Box::new(found.clone())));
    }
}

fn head(request: &SaveRequest<'_>, settings: &Settings, previewed: &Previewed) -> Result<Head, Error> {
    let plan = &previewed.plan;
    let choices = request.look_up.choices.or(plan.limits);
    let (_, digest) = record::plan_files(plan)?;
    let created = request.look_up.start.now;
    let expires = created.checked_add(request.valid_for).unwrap_or(created);
    Ok(Head {
        tool: concat!("musterout ", env!("CARGO_PKG_VERSION")).into(),
        created,
        expires: at_most(created, expires, previewed.policies.preview_max_age),
        plan: PlanOfPreview {
            name: plan.name.clone(),
            file: plan.file.display().to_string(),
            key: record::plan_key(plan, request.look_up.tenant, &settings.graph_url),
            digest,
        },
        tenant: None,
        tenant_id: None,
        graph_url: settings.graph_url.clone(),
        simulated: matches!(request.look_up.tenant, TargetTenant::Simulated(_)),
        justification: plan.justification.clone(),
        limits: LimitsOfPreview { stated: choices.limits, daily: plan.daily.clone() },
        actions: plan.own.iter().filter_map(|action| action.definition.cloned()).collect(),
        guards: json!(previewed.verdict.rules),
        not_read: None,
        rows: u32::try_from(plan.jobs.len()).unwrap_or(u32::MAX),
    })
}

fn check_place(request: &SaveRequest<'_>) -> Result<(), Error> {
    if is_saved(&request.plan) {
        let fault = Diagnostic::error("saved-already", "this is a saved preview; it cannot be saved again");
        return Err(Error::usage(fault.help("use the plan, and make a new preview of it")));
    }
    match is_saved(&request.out) {
        true => Ok(()),
        false => Err(Error::usage(
            Diagnostic::error("out-is-not-json", format!("`{}` does not end in .json", request.out.display()))
                .help("`run` recognises a saved preview by this ending"),
        )),
    }
}

/// The file takes the place of what was there, and that must not be what was read. Found out before anything is looked at.
fn check_output(request: &SaveRequest<'_>, previewed: &Previewed) -> Result<(), Error> {
    let inputs = previewed.plan.inputs.iter().map(|input| input.file.clone()).chain(previewed.policies.files.clone());
    let looked_up = request.look_up.inventory.map(Path::to_owned);
    let read: Vec<PathBuf> = inputs.chain(looked_up).chain(scenario(request.look_up.tenant).cloned()).collect();
    Output::out(&request.out, "the saved preview").spares(&read, request.look_up.settings)?;
    may_take(&request.out).map_err(|cause| cannot_be_written(&request.out, cause))
}

fn cannot_be_written(out: &Path, cause: io::Error) -> Error {
    Error::Io { what: format!("{} cannot be written", out.display()), cause }
}

/// What is run without a look at the plan must at least know its tenant.
fn named_tenant(
    previewed: &Previewed,
    request: &SaveRequest<'_>,
    settings: &Settings,
) -> Result<Option<String>, Error> {
    let plan_tenant = previewed.plan.tenant.as_deref();
    let known = plan_tenant.map(str::to_owned).or_else(|| named(settings));
    match (request.look_up.tenant, &known) {
        (TargetTenant::Real, None) => {
            Err(Error::usage(Diagnostic::error("no-tenant", "the preview needs a tenant").help(
                "write `tenant:` in the plan, or sign in with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
            )))
        }
        (TargetTenant::Simulated(_) | TargetTenant::Kept(_) | TargetTenant::InProcess(_), _) => {
            Ok(plan_tenant.map(str::to_owned))
        }
        (TargetTenant::Real, Some(_)) => Ok(known),
    }
}

/// Looks at what would be sent to, if there is somebody to sign in.
async fn look(request: &SaveRequest<'_>, previewed: &Previewed, session: Session<'_>) -> Result<Look, Error> {
    if let (TargetTenant::Real, Err(why)) = (session.tenant(), session.settings().identity()) {
        let sightings = vec![None; previewed.plan.jobs.len()];
        let not_read = Some(why.message.clone());
        return Ok(Look { sightings, keys: Vec::new(), meanings: Vec::new(), tenant_id: None, not_read });
    }
    let plan = &previewed.plan;
    let (limits, rng) = (session.limits(), session.rng());
    let patient = request.look_up.choices.or(plan.limits).limits.low_priority.unwrap_or_default();
    let client = session.into_client().await?.low_priority(patient);
    let claims = client.tokens().claims().await.ok().flatten();
    let reader = Arc::new(GraphReader::from(client));
    let holds = &previewed.preflight.holds;
    let inspect = |at: usize, id: String| {
        let (reader, job) = (Arc::clone(&reader), plan.jobs[at].clone());
        async move { reader.inspect(&job, &id).await }
    };
    let survey = Survey::new(limits, reader.gates().clone(), rng.clone());
    let sightings = survey.inspect(&plan.jobs, |at| holds[at].is_none(), inspect).await;
    let keys = keys::look(&plan.jobs, holds, &sightings, reader.read_only(), rng.clone()).await?;
    let targets = protected::targets(&plan.jobs, holds, |_, hold| hold.is_none());
    let meanings = protected::read(&previewed.verdict.rules.protected, &targets, reader.read_only(), rng).await?;
    Ok(Look { sightings, keys, meanings, tenant_id: claims.and_then(|claims| claims.tid), not_read: None })
}

/// Whole or not at all, and for its owner alone: it names devices and users.
fn write(place: &Path, head: &Head, previewed: &Previewed) -> io::Result<String> {
    let mut file = temporary(place, Readers::Owner)?;
    let preview =
        Preview::new(&previewed.plan.jobs, &previewed.preflight, Budget::documented(0)).seen(&previewed.sightings);
    let preview = preview.with_keys(&previewed.keys);
    let digest = saved::write(head, &preview, file.as_file_mut())?;
    file.as_file_mut().flush()?;
    put(file, place)?;
    Ok(digest)
}
