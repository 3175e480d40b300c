//! `verify`: what has become of what a run was told is accepted.
//!
//! In: the run, for how long, where the report goes. Out: [`Finished`], with every row of the run as it stands then.
//! Must not: send anything but reads, or change how the run ended: only rows that a read has settled change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::agreed;
use super::begun::Begun;
use super::daily::{DailyWork, known_id};
use super::error::Error;
use super::limits::limits;
use super::perform::{Finished, Looking, look_at};
use super::place_of_report::ReportPlace;
use super::record::RecordedRun;
use super::rehearsal::reopened;
use super::same_place::{as_begun, same_tenant};
use super::spare::Output;
use crate::clock::Clock;
use crate::job::Job;
use crate::journal::{Journal, JournalError};
use crate::plan;
use crate::report::ReportFile;
use crate::session::TargetTenant;
use crate::session::{ExpectedBy, Session};
use crate::settings::{Environment, Flags, Settings};
use crate::simulator::transport::SimTransport;
use crate::ui::stderr::Stderr;

/// What to look at.
#[derive(Debug)]
pub struct VerifyRequest {
    /// The run's id, the beginning of it, or `latest`.
    pub run: String,
    /// How long to go on looking; zero is one look at each.
    pub within: Duration,
    /// The tenant, where the run's own was one in process.
    pub in_process: Option<SimTransport>,
    /// Where the report goes; to the run's own report by default.
    pub report: Option<PathBuf>,
    pub now: Timestamp,
    pub seed: u64,
}

/// What is said where nothing of the run can be seen any more.
const REHEARSED: &str = "the run was simulated, and its tenant ended with it: the one that is looked at is made anew from the scenario, and \
                         shows nothing of what was sent; `run --simulate --verify 1h` follows it up while it is there";

/// Looks. The run is locked meanwhile, so that nothing is sent beside it.
pub async fn verify(
    request: VerifyRequest,
    flags: &Flags,
    environment: &Environment,
    stderr: &Stderr,
) -> Result<Finished, Error> {
    let clock = Clock::starting_at(request.now);
    let state_dir = Settings::new(flags, environment).map_err(Error::Usage)?;
    let journal = Journal::open(state_dir.state_dir().map_err(Error::Usage)?)?;
    let id = journal.find(&request.run)?;
    let lock = journal.lock(&journal.plan_key(&id)?, &id, request.now)?;
    let record = journal.read(&id)?;
    let begun = Begun::from_json(&record.head.settings)
        .ok_or_else(|| JournalError::Damaged("the settings of the run cannot be read".into()))?;
    let begun = match request.in_process {
        Some(tenant) => begun.with_tenant(TargetTenant::InProcess(tenant)),
        None => begun,
    };
    let begun = reopened(begun, &state_dir, request.now)?;
    let settings = &as_begun(flags, environment, &begun)?;
    same_tenant(&journal, &record.head, &begun, settings)?;
    let saved = agreed::recorded(&journal, &record)?;
    let mut jobs: Vec<Job> = record.jobs.iter().map(|stored| stored.job.clone()).collect();
    if let Some(saved) = &saved {
        agreed::name_targets(&mut jobs, &saved.sightings);
    }
    let own = record.head.report.as_ref().map(PathBuf::from);
    let place_of_report = ReportPlace::of(request.report.or(own), request.now, "verified")?;
    let report = place_of_report.path().to_owned();
    Output::report(&report).spares(&begun.read_by(&journal, &record)?, settings)?;
    ReportFile::probe(&report)?;
    let jobs: Arc<[Job]> = jobs.into();
    let local = begun.service.tenant != TargetTenant::Real || settings.is_local();
    let limits = limits(begun.choices, plan::StatedLimits::default(), local)?;
    let mut session = Session::new(settings, &begun.service.tenant, limits, clock, request.seed);
    session.must_be(ExpectedBy::Plan, begun.plan.tenant.as_deref());
    session.must_be(ExpectedBy::SavedPreview, saved.as_ref().and_then(|saved| saved.head.tenant_id.as_deref()));
    session.must_be(ExpectedBy::Run, known_id(&journal, &settings.graph_url, &record.head.tenant)?.as_deref());
    if let TargetTenant::Simulated(_) = begun.service.tenant {
        stderr.say(REHEARSED);
    }
    let daily = DailyWork::new(&begun.plan.daily, &record.head.tenant, false)?;
    let record = || Ok(RecordedRun::as_it_is(journal, lock, &record));
    let looking = Looking { within: request.within, daily, report };
    look_at(session, jobs, looking, stderr, record).await
}
