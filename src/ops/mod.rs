//! The verbs: one function each, told on one screen.
//!
//! In: settings, paths, choices; no clap types. Out: values for `cli` to show, or an [`Error`].
//! Must not: print (only the bar and the question, which belong to `ui`), or choose exit codes.

mod again;
mod agreed;
mod agreement;
mod asked;
mod approvals;
mod called_before;
mod changed;
mod confirm;
mod daily;
mod diff;
mod guard_watch;
mod guards;
mod keys;
mod known;
mod limits;
mod look_up;
mod missing;
mod names;
mod nights;
mod perform;
mod place_of_report;
mod protected;
mod record;
mod rehearsal;
mod resume;
pub(crate) mod rounds;
mod run;
mod runs;
mod same_place;
mod save;
mod simulate;
mod spare;
mod stage;
mod stop;
mod task;
mod verify;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::guards::Policies;
use crate::catalog::Unresolvable;
use crate::daily::Settings as DailySettings;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::escrow::Keys;
use crate::guard::Brakes;
use crate::guard::drift::Sighting;
use crate::guard::judge::Verdict;
use crate::guard::preflight::{self, Hold, Preflight};
use crate::guard::rules::Rules;
use crate::guard::waves::Schedule;
use crate::job::Job;
use crate::journal::memory::About;
use crate::journal::{Journal, JournalError};
use crate::plan::{self, Plan};
use crate::report::ReportError;
use crate::runner::Earlier;
use crate::session::{self, Session, SessionError, Source};
use crate::settings::{PolicyFile, Settings};
use crate::simulator::scenario::ScenarioError;

pub use self::again::{Again, Repeats};
pub(crate) use self::agreed::Agreed;
pub(crate) use self::approvals::{ApprovalsRequest, Withdrawn, approvals, live_approvals, withdraw};
pub use self::confirm::Confirm;
pub(crate) use self::daily::forecast;
pub(crate) use self::diff::diff;
pub use self::limits::Choices;
pub(crate) use self::limits::budget;
pub use self::look_up::LookUp;
pub(crate) use self::look_up::{Saved, take_inventory};
pub use self::perform::Finished;
pub use self::record::{Recorded, take_up};
pub(crate) use self::rehearsal::{Opened, opened, reset};
pub use self::resume::{ResumeRequest, resume};
pub use self::run::{RunRequest, run};
pub(crate) use self::runs::{export, report};
pub use self::runs::{prune, runs};
pub(crate) use self::save::{LONGEST_VALID, VALID_FOR};
pub use self::save::{SaveRequest, save};
pub(crate) use self::simulate::serve;
pub(crate) use self::stop::Stopped;
pub use self::stop::stop;
pub use self::task::Task;
pub use self::verify::{VerifyRequest, verify};
pub use crate::session::Tenant;
pub(crate) use crate::simulator::kept::Stage;

/// Why a verb could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan has faults; all of them are here.
    #[error("the plan is invalid")]
    Plan { file: PathBuf, faults: Diagnostics },
    /// Something else that the user asked for cannot be.
    #[error("{}", .0.message)]
    Usage(Box<Diagnostic>),
    /// The plan has no rows.
    #[error("nothing to do: {} has no rows{}", file.display(), if told.warnings() > 0 { " that lead to a target" } else { "" })]
    NothingToDo { file: PathBuf, told: Diagnostics },
    /// No run is open.
    #[error("{}", .0.message)]
    NothingOpen(Box<Diagnostic>),
    /// A guard refused the run before anything was sent.
    #[error("{}", .0.message)]
    Refused(Box<Diagnostic>),
    /// Rules of the plan or of a policy refused the run, or a policy has faults; all of them are here.
    #[error("the guards refuse the run")]
    Guarded { file: PathBuf, faults: Diagnostics },
    /// No token could be had.
    #[error("{}", .0.message)]
    SignIn(Box<Diagnostic>),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{what}: {cause}")]
    Io { what: String, cause: std::io::Error },
}

impl Error {
    fn usage(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    fn refused(diagnostic: Diagnostic) -> Self {
        Self::Refused(Box::new(diagnostic))
    }

    fn sign_in(diagnostic: Diagnostic) -> Self {
        Self::SignIn(Box::new(diagnostic))
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::SignIn(fault) => Self::SignIn(fault),
            SessionError::WrongTenant(fault) => Self::Refused(fault),
            SessionError::Scenario(error) => Self::Scenario(error),
            SessionError::NoTransport(_) => {
                Self::Io { what: "no tenant can be reached".into(), cause: std::io::Error::other(error) }
            }
        }
    }
}

/// A plan or a saved preview that was looked at: what would be sent, and what the guards say of it.
#[derive(Debug)]
pub struct Previewed {
    pub plan: Plan,
    pub preflight: Preflight,
    pub verdict: Verdict,
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
    fn key(&self, tenant: &Tenant, graph_url: &str) -> String {
        match &self.agreed {
            Some(agreed) => agreed.head.plan.key.clone(),
            None => record::plan_key(&self.plan, tenant, graph_url),
        }
    }

    /// Judges once more, when what is sent has changed. `begins`: a run is about to.
    fn judge(&mut self, now: Timestamp, begins: bool) {
        let rules = std::mem::take(&mut self.verdict.rules);
        self.verdict = guards::verdict(&self.plan, (&self.preflight, &self.keys), rules, now, begins);
    }

    /// Holds it against its guards and those of the policies.
    fn hold_against(&mut self, policies: Policies, now: Timestamp) -> Result<(), Error> {
        self.daily = policies.daily.and(&self.plan.daily).map_err(guards::contradiction)?;
        self.verdict.rules = guards::look(&self.plan, policies.rules.clone(), &mut self.preflight, &self.sightings);
        self.policies = policies;
        self.judge(now, false);
        Ok(())
    }
}

/// Reads and validates a plan or a saved preview, whole. What has to be looked up is not there yet.
fn read(file: &Path, now: Timestamp) -> Result<Previewed, Error> {
    if agreed::is_saved(file) {
        return agreed::load(file);
    }
    let plan = plan::load(file).map_err(|faults| Error::Plan { file: file.to_owned(), faults })?;
    let preflight = preflight::inspect(&plan.jobs, now);
    let daily = plan.daily.clone();
    Ok(Previewed {
        plan,
        preflight,
        verdict: Verdict::default(),
        sightings: Vec::new(),
        keys: Vec::new(),
        agreed: None,
        daily,
        policies: Policies::default(),
    })
}

/// Reads and validates a plan or a saved preview, whole, and holds what needs no looking up against its guards.
pub(crate) fn check(file: &Path, policies: &[PolicyFile], now: Timestamp) -> Result<Previewed, Error> {
    let policies = guards::policies(policies)?;
    let mut previewed = read(file, now)?;
    previewed.hold_against(policies, now)?;
    Ok(previewed)
}

/// Reads what has something in it, looks up what has to be, and holds it against its guards. Sends nothing but reads,
/// and those only for targets that are not named by their id.
async fn looked_up<'s>(
    file: &Path,
    policies: &[PolicyFile],
    (look_up, repeats): (&LookUp<'s>, &Repeats),
) -> Result<(Previewed, Session<'s>), Error> {
    let policies = guards::policies(policies)?;
    let mut previewed = read(file, look_up.now)?;
    if let Tenant::Simulated(Some(scenario)) = look_up.tenant {
        crate::simulator::scenario::Scenario::load(scenario)?;
    }
    settle_missing(&mut previewed, policies.refuse_missing, look_up)?;
    settle_justification(&mut previewed, look_up.justification)?;
    let mut session = look_up.session(previewed.plan.limits)?;
    session.must_be(Source::Plan, previewed.plan.tenant.as_deref());
    let agreed_tenant = previewed.agreed.as_ref().and_then(|agreed| agreed.head.tenant_id.as_deref());
    session.must_be(Source::SavedPreview, agreed_tenant);
    if let Some(mut pool) = look_up.read(&mut previewed.plan, &mut session).await? {
        let before = nights::before(&previewed, look_up, repeats, (&mut session, &mut pool)).await?;
        look_up.resolve(&mut previewed.plan, &mut pool, &before)?;
        previewed.preflight = preflight::inspect(&previewed.plan.jobs, look_up.now);
    }
    if previewed.plan.jobs.is_empty() {
        return Err(Error::NothingToDo { file: file.to_owned(), told: previewed.plan.warnings });
    }
    previewed.hold_against(policies, look_up.now)?;
    Ok((previewed, session))
}

/// What becomes of rows whose target is not there. What a saved preview says of that was agreed to, and only a policy is
/// stricter.
fn settle_missing(previewed: &mut Previewed, refused_by_policy: bool, look_up: &LookUp<'_>) -> Result<(), Error> {
    if previewed.agreed.is_some() && look_up.missing.is_some() {
        let message = "--missing and --hold-unresolved are for a plan, and this is a saved preview";
        let help = "say it when the preview is made, so that it is in what is agreed to";
        return Err(Error::usage(Diagnostic::error("usage", message).help(help)));
    }
    previewed.plan.settle_missing(refused_by_policy, look_up.missing.map(Unresolvable::missing));
    for hold in previewed.preflight.holds.iter_mut().flatten() {
        if let Hold::NotThere { done, .. } = hold {
            *done &= !refused_by_policy;
        }
    }
    Ok(())
}

/// A reason of the command line stands in for one that the plan does not give, and in for no other.
fn settle_justification(previewed: &mut Previewed, given: Option<&str>) -> Result<(), Error> {
    let Some(given) = given else { return Ok(()) };
    let refused = |message: &str, help: &str| Err(Error::usage(Diagnostic::error("usage", message).help(help)));
    if previewed.agreed.is_some() {
        let message = "--justification is for a plan, and this is a saved preview";
        return refused(message, "say it when the preview is made, so that it is in what is agreed to");
    }
    if previewed.plan.justification.is_some() {
        return refused("the plan gives a justification of its own", "change it there, or leave --justification out");
    }
    previewed.plan.justification = Some(given.to_owned());
    Ok(())
}

/// Reads a plan or a saved preview and says what would be sent.
///
/// What earlier runs have done is left out as a run with the same `repeats` would, by the journal of these settings.
pub async fn preview(
    file: &Path,
    policies: &[PolicyFile],
    look_up: &LookUp<'_>,
    repeats: &Repeats,
) -> Result<Previewed, Error> {
    let (mut previewed, mut session) = considered(file, policies, look_up, repeats).await?;
    // A saved preview shows what was found when it was made.
    if previewed.agreed.is_none() && session.can_sign_in() {
        let Previewed { plan, preflight, verdict, keys, .. } = &mut previewed;
        let about = keys::About::of(plan, look_up);
        let mut told = Diagnostics::default();
        // A plan that gives every id is previewed offline; what its list stands for is read by the run.
        if session.is_open() || verdict.rules.wants_keys() {
            let found = (&mut *preflight, &mut verdict.rules, &[][..]);
            told = protected::check(&mut session, &plan.jobs, found, |_, hold| hold.is_none()).await?.told;
        }
        *keys = keys::check(&mut session, &about, (preflight, &verdict.rules), |_| false).await?;
        previewed.plan.warnings.extend(told);
        previewed.judge(look_up.now, false);
    }
    Ok(previewed)
}

/// The preview without a look at keys.
async fn considered<'s>(
    file: &Path,
    policies: &[PolicyFile],
    look_up: &LookUp<'s>,
    repeats: &Repeats,
) -> Result<(Previewed, Session<'s>), Error> {
    let (mut previewed, mut session) = looked_up(file, policies, (look_up, repeats)).await?;
    let jobs = &previewed.plan.jobs;
    match journal_of(look_up.settings, repeats)? {
        // Nobody has done anything yet.
        None => drop(repeats.again.of(jobs)?),
        Some(mut journal) => {
            let (tenant, graph_url) = (look_up.tenant, &look_up.settings.graph_url);
            let (key, place) = (previewed.key(tenant, graph_url), session::place(tenant, graph_url));
            let label = session::label(look_up.settings, tenant, previewed.plan.tenant.as_deref());
            // Where nobody can be asked, the preview takes two names for one tenant; the run asks again.
            match daily::learn_tenant(&mut session, &mut journal, &label).await {
                Ok(()) | Err(Error::SignIn(_)) => {}
                Err(error) => return Err(error),
            }
            let about = About { plan_key: &key, place: &place, tenant: &label, once: repeats.once, now: look_up.now };
            let past = known::past(&mut journal, about, (jobs, &previewed.preflight.holds), repeats)?;
            leave_out_done(&mut previewed.preflight, jobs, &known::take_up(&past, jobs));
            previewed.preflight.hold_moved(jobs, &past.of_names);
            known::leave_to_others(&past, jobs, &mut previewed.preflight);
            nights::hold_replaced(&mut journal, about, (jobs, repeats), &mut previewed.preflight)?;
            previewed.judge(look_up.now, false);
        }
    }
    Ok((previewed, session))
}

/// The journal, if there is one: a preview makes none, unless it was asked what earlier runs have done.
fn journal_of(settings: &Settings, repeats: &Repeats) -> Result<Option<Journal>, Error> {
    let folder = match settings.state_dir() {
        Ok(folder) => folder,
        Err(fault) if repeats.once => return Err(Error::Usage(fault)),
        Err(_) => return Ok(None),
    };
    match repeats.once || Journal::is_at(folder) {
        true => Ok(Some(Journal::open(folder)?)),
        false => Ok(None),
    }
}

/// What slows and stops a run of those jobs.
pub(crate) fn brakes(rules: &Rules, jobs: &[Job], preflight: &Preflight) -> Brakes {
    Brakes { stop_when: rules.stop_when, waves: Schedule::new(&rules.waves, jobs, &preflight.holds), until: None }
}

/// What earlier runs have done is neither sent nor counted. Returns how many were due with it.
fn leave_out_done(preflight: &mut Preflight, jobs: &[Job], earlier: &HashMap<u32, Earlier>) -> u32 {
    let whole = preflight.due;
    for index in 0..jobs.len() {
        if matches!(earlier.get(&(index as u32)), Some(Earlier::Kept(_))) {
            preflight.leave_out(index);
        }
    }
    whole
}
