//! The guards of a run that is under way: what policies and plan say by now.
//!
//! In: the files of both, what they said when the run began. Out: answers for the runner, which asks before it sends. Must not:
//! loosen what was agreed to, hold anything that can send more than a GET, or call guards kept that cannot be read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::agreed_plan::AgreedPlan;
use super::error::Error;
use super::guards::{self, Policies, first_error};
use super::{changed, protected};
use crate::clock::Clock;
use crate::daily::DailySettings;
use crate::diagnostics::Place;
use crate::guard::judge::{Judgement, RunFacts, denials, judge};
use crate::guard::now::GuardsNow;
use crate::guard::preflight::Hold;
use crate::guard::protected::Protected;
use crate::guard::rule::Guard;
use crate::guard::rules::Rules;
use crate::job::{Job, JobId};
use crate::msgraph::read_only::ReadOnly;
use crate::outcome::Unsent;
use crate::plan::Plan;
use crate::runner::guards::{Ask, GuardsAnswer};
use crate::session::Client;
use crate::settings::PolicyFile;
use crate::text::visible;
use crate::ui::stderr::Stderr;
use crate::ui::text::count_of;

/// So often a file that has faults is read again before the run ends for it: somebody may be about to save it.
const READINGS: u32 = 5;
const BETWEEN_READINGS: Duration = Duration::from_secs(1);

/// What the tenant is asked with.
pub(super) struct Reach<'a> {
    pub client: &'a Client,
    pub clock: &'a Clock,
    pub rng: Rng,
}

impl Reach<'_> {
    fn fork(&mut self) -> Self {
        Self { client: self.client, clock: self.clock, rng: self.rng.fork() }
    }
}

/// What was agreed to, and where it may have changed since.
#[derive(Debug)]
pub(super) struct GuardWatch {
    watched: Watched,
    /// What the policies said last.
    said: Policies,
    /// What the plan, as it was last read, keeps back.
    kept_back: HashMap<JobId, Hold>,
    /// When the next override ends.
    until: Option<Timestamp>,
    /// The files as they were when they were last looked at.
    seen: Option<Vec<FileStamp>>,
    /// What was told last.
    told: Arc<GuardsNow>,
}

/// Whether a file may be another one than it was; `None`: it is not there.
type FileStamp = Option<There>;

/// What tells two files apart, or two states of one. A time alone does not: whoever copies a file may keep its times.
#[derive(Debug, Clone, PartialEq, Eq)]
struct There {
    length: u64,
    modified: Option<SystemTime>,
    /// Which file it is, and when it was last touched in any way, where the system tells.
    itself: [i128; 4],
}

/// What was read.
struct GuardsRead {
    policies: Policies,
    /// Where it is not what was agreed to.
    plan: Option<Plan>,
}

/// What the guards are watched with.
#[derive(Debug)]
pub(super) struct Watched {
    /// Where policies may be.
    pub policies: Vec<PolicyFile>,
    /// Where a saved preview is run, or the journal's copy of a plan, no plan is read.
    pub plan: Option<AgreedPlan>,
    /// The plan's own rules, as they were agreed to.
    pub own: Rules,
    /// What else the plan says that a run keeps to.
    pub tenant: Option<String>,
    pub daily: DailySettings,
    pub name: Option<String>,
    pub justified: bool,
    pub jobs: Arc<[Job]>,
    /// Of the jobs that this process may send, none.
    pub holds: Vec<Option<Hold>>,
}

impl GuardWatch {
    /// `verdict`: by which the run begins.
    pub(super) fn new(watched: Watched, said: Policies, verdict: &Judgement) -> Self {
        let told =
            GuardsNow { protected: verdict.rules.protected.clone(), held: HashMap::new(), windows: verdict.windows() };
        Self { watched, said, kept_back: HashMap::new(), until: None, seen: None, told: Arc::new(told) }
    }

    /// What holds to begin with.
    pub(super) fn to_begin_with(&self) -> Arc<GuardsNow> {
        self.told.clone()
    }

    /// Answers for as long as somebody asks.
    pub(super) async fn answer(
        mut self,
        mut asked: mpsc::UnboundedReceiver<Ask>,
        mut reach: Reach<'_>,
        stderr: &Stderr,
    ) -> Infallible {
        self.until = self.next_end(reach.clock.now());
        while let Some(ask) = asked.recv().await {
            ask.answer(self.look(reach.fork(), stderr).await);
        }
        std::future::pending().await
    }

    async fn look(&mut self, tenant: Reach<'_>, stderr: &Stderr) -> GuardsAnswer {
        let mut readings = 1;
        let read = loop {
            match self.read(tenant.clock.now()) {
                Ok(None) => return Ok(Arc::clone(&self.told)),
                Ok(Some(read)) => break read,
                Err(_) if readings < READINGS => {
                    readings += 1;
                    tokio::time::sleep(BETWEEN_READINGS).await;
                }
                Err(why) => return Err(why),
            }
        };
        let now = self.judge(read, tenant).await?;
        let held = now.held.keys().filter(|job| !self.told.held.contains_key(job)).count();
        self.told = Arc::new(now);
        let more =
            if held == 0 { String::new() } else { format!("; {} held or postponed", count_of(held, "more row")) };
        stderr.say(&visible(&format!("a policy or the plan has changed; the run continues under the new rules{more}")));
        Ok(Arc::clone(&self.told))
    }

    /// `None`: nothing says anything else than before. Read on the spot: nothing else may go on before it is known.
    fn read(&mut self, now: Timestamp) -> Result<Option<GuardsRead>, Box<str>> {
        let seen = self.stamps();
        let is_over = self.until.is_some_and(|until| until <= now);
        if !is_over && self.seen.as_ref().is_some_and(|before| *before == seen) {
            return Ok(None);
        }
        self.are_still_there()?;
        let policies = guards::policies(&self.watched.policies).map_err(words)?;
        let plan = self.watched.plan.as_ref().map(AgreedPlan::as_it_is).transpose()?.flatten();
        if is_over || policies != self.said || plan.is_some() {
            return Ok(Some(GuardsRead { policies, plan }));
        }
        self.seen = Some(seen);
        Ok(None)
    }

    /// What there is to look at, also where a policy could be written by mistake.
    fn stamps(&self) -> Vec<FileStamp> {
        let misnamed = self.watched.policies.iter().map(|policy| policy.path.with_extension("yml"));
        let policies = self.watched.policies.iter().map(|policy| policy.path.clone()).chain(misnamed);
        let of_plan = self.watched.plan.iter().flat_map(AgreedPlan::files).cloned();
        policies.chain(self.said.files.iter().cloned()).chain(of_plan).map(|file| stamp(&file)).collect()
    }

    /// A policy that was there and is gone is no policy that says nothing: somebody may be about to save it.
    fn are_still_there(&self) -> Result<(), Box<str>> {
        let known = self.watched.policies.iter().filter(|policy| self.said.files.contains(&policy.path));
        match known.into_iter().find(|policy| stamp(&policy.path).is_none()) {
            Some(policy) => Err(format!("the policy {} no longer exists", policy.path.display()).into()),
            None => Ok(()),
        }
    }

    /// When the next override ends that holds now.
    fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.rules().overrides.iter().map(|entry| entry.until).filter(|until| *until > now).min()
    }

    /// What takes a new start: a tenant, or the limits of a day.
    fn takes_a_start(&self, policies: &Policies, plan: Option<&Plan>) -> Result<(), Box<str>> {
        let is_stricter = |before: &DailySettings, now: &DailySettings| before.and(now).as_ref() != Ok(before);
        let tenant =
            plan.and_then(|plan| plan.tenant.as_ref()).filter(|tenant| self.watched.tenant.as_ref() != Some(*tenant));
        match tenant {
            Some(tenant) => Err(format!("the plan is now for tenant {tenant}").into()),
            None if is_stricter(&self.said.daily, &policies.daily) => {
                Err("the daily limits of a policy have changed".into())
            }
            None if plan.is_some_and(|plan| is_stricter(&self.watched.daily, &plan.daily)) => {
                Err("the daily limits of the plan have changed".into())
            }
            None => Ok(()),
        }
    }

    /// What is to be done about it: jobs are held, or the run ends.
    async fn judge(
        &mut self,
        read: GuardsRead,
        Reach { client, clock, rng }: Reach<'_>,
    ) -> Result<GuardsNow, Box<str>> {
        let GuardsRead { policies, plan } = read;
        let now = clock.now();
        let before = self.rules();
        if let (Some(plan), Some(agreed)) = (&plan, &mut self.watched.plan) {
            agreed.is_now(plan);
        }
        self.takes_a_start(&policies, plan.as_ref())?;
        if let Some(plan) = plan {
            let changed = changed::compare(plan, self.watched.jobs.iter(), now);
            self.watched.own = changed.now.tighten(std::mem::take(&mut self.watched.own));
            self.kept_back = changed.kept_back;
        }
        self.said = policies;
        self.until = self.next_end(now);
        // What the files are when they are looked at next is compared with what was read now.
        self.seen = None;
        let mut rules = self.rules();
        let denials = denials(&rules, self.watched.jobs.iter(), self.watched.name.as_deref(), now);
        let holds: Vec<Option<Hold>> = self
            .watched
            .holds
            .iter()
            .zip(self.watched.jobs.iter())
            .map(|(hold, job)| {
                let kept_back = || self.kept_back.get(&job.id).cloned();
                let denied = || denials.get(job.action.name).map(|why| Hold::Denied(Arc::clone(why)));
                hold.clone().or_else(kept_back).or_else(denied)
            })
            .collect();
        let held = self.news(&holds);
        rules.protected = self.meaning(&before, rules.protected.clone(), &holds, client, rng).await?;
        let verdict = self.verdict(rules, &before, &holds, now)?;
        Ok(GuardsNow { protected: verdict.rules.protected.clone(), held, windows: verdict.windows() })
    }

    fn rules(&self) -> Rules {
        self.said.rules.clone().and(self.watched.own.clone()).or_default()
    }

    /// What is held now and was not when the run began.
    fn news(&self, holds: &[Option<Hold>]) -> HashMap<u32, Unsent> {
        let both = (0u32..).zip(self.watched.holds.iter().zip(holds));
        let new =
            both.filter_map(|(job, (before, now))| now.as_ref().filter(|_| before.is_none()).map(|hold| (job, hold)));
        new.filter_map(|(job, hold)| Some((job, hold.unsent()?))).collect()
    }

    /// The list with what its entries stand for; what is on it that was not before is read.
    async fn meaning(
        &self,
        before: &Rules,
        now: Protected,
        holds: &[Option<Hold>],
        client: &Client,
        rng: Rng,
    ) -> Result<Protected, Box<str>> {
        if now == before.protected {
            return Ok(self.told.protected.clone());
        }
        let targets = protected::targets(&self.watched.jobs, holds, |_, hold| hold.is_none());
        let read = protected::read(&now, &targets, ReadOnly::new(client), rng).await;
        let read = read.map_err(|error| format!("the entries of `protected` cannot be looked up: {error}"))?;
        Ok(now.meaning(read))
    }

    /// What refuses a run, and holds no row, ends one.
    fn verdict(
        &self,
        mut rules: Rules,
        before: &Rules,
        holds: &[Option<Hold>],
        now: Timestamp,
    ) -> Result<Judgement, Box<str>> {
        let is_new = |guard: &Guard| !before.stated.iter().any(|rule| rule.guard == *guard);
        let takes_reading = |guard: &Guard| matches!(guard, Guard::MaxPercentOfFleet(_) | Guard::RequireEscrow(_));
        if let Some(rule) = rules.stated.iter().find(|rule| takes_reading(&rule.guard) && is_new(&rule.guard)) {
            return Err(format!("{} is new ({})", rule.guard.name(), rule.origin).into());
        }
        // What was read for these when the run began still counts.
        rules.stated.retain(|rule| !takes_reading(&rule.guard));
        let about = RunFacts {
            plan: self.watched.name.as_deref(),
            justified: self.watched.justified,
            now,
            begins: false,
            keys: &[],
        };
        let plan = self.watched.plan.as_ref().map_or("the plan".into(), |plan| plan.file.display().to_string());
        let place =
            |at: usize| Place { line: self.watched.jobs.get(at).map(|job| job.row as usize), ..Place::file(&plan) };
        let verdict = judge(&self.watched.jobs, holds, rules, about, place);
        match first_error(&verdict.faults) {
            Some(why) => Err(why),
            None => Ok(verdict),
        }
    }
}

fn words(error: Error) -> Box<str> {
    match &error {
        Error::Guarded { faults, .. } => first_error(faults).unwrap_or_default(),
        _ => error.to_string().into(),
    }
}

fn stamp(file: &Path) -> FileStamp {
    let there = fs::metadata(file).ok()?;
    Some(There { length: there.len(), modified: there.modified().ok(), itself: itself(&there) })
}

#[cfg(unix)]
fn itself(there: &fs::Metadata) -> [i128; 4] {
    use std::os::unix::fs::MetadataExt;
    [there.dev().into(), there.ino().into(), there.ctime().into(), there.ctime_nsec().into()]
}

/// Where the system does not tell, length and time have to do.
#[cfg(not(unix))]
fn itself(_: &fs::Metadata) -> [i128; 4] {
    [0; 4]
}
