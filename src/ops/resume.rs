//! `resume`: goes on with a run that ended early, by what the journal knows of it.
//!
//! In: the run, which of its jobs, where the report goes. Out: [`Finished`], with every row of the run.
//! Must not: look at the plan for anything but differences: what goes on is what was begun.

mod consent;
mod left;
mod nameless;
mod request;
mod today;
mod which;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use self::consent::Rest;
use self::left::{Left, is_barred, waits};
use self::nameless::Nameless;
pub use self::request::ResumeRequest;
use self::today::{BegunJobs, brakes, today};
use self::which::under_lock;
use super::agreed_plan::AgreedPlan;
use super::begun::Begun;
use super::changed::{Changed, PlanNow, PlanSays, compare, leave_as_it_is, plan_now};
use super::daily::{DailyWork, known_id};
use super::error::Error;
use super::guard_watch::{GuardWatch, Watched};
use super::guards::Policies;
use super::known::{self, Elsewhere};
use super::limits::limits;
use super::perform::{Consent, Finished, Onward, RunWishes, Work, perform};
use super::place_of_report::ReportPlace;
use super::record::{self, RecordedRun};
use super::rehearsal::reopened;
use super::rounds::Requests;
use super::same_place::{as_begun, same_tenant};
use super::spare::Output;
use super::task::RunTask;
use super::{agreed, asked};
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::guard::Brakes;
use crate::guard::judge::Judgement;
use crate::guard::preflight::Hold;
use crate::guard::waves::Schedule;
use crate::job::Job;
use crate::journal::resume::Only;
use crate::journal::{Filed, Journal, JournalError, RunRecord, RunState, StoredJob};
use crate::outcome::{Outcome, Settlement};
use crate::plan;
use crate::preview::saved::SavedPreview;
use crate::report::ReportFile;
use crate::runner::Earlier;
use crate::session::TargetTenant;
use crate::session::{ExpectedBy, Session};
use crate::settings::{Environment, Flags, PolicyFile, Settings};
use crate::ui;
use crate::ui::stderr::Stderr;
use crate::ui::subject::Subject;

/// Goes on. `differences` is told how the plan has changed since.
pub async fn resume(
    request: ResumeRequest,
    flags: &Flags,
    environment: &Environment,
    stderr: &Stderr,
    differences: impl FnOnce(&Diagnostics),
) -> Result<Finished, Error> {
    let clock = request.start.clock();
    let state_dir = Settings::new(flags, environment).map_err(Error::Usage)?;
    let mut journal = Journal::open(state_dir.state_dir().map_err(Error::Usage)?)?;
    let (lock, mut record) = under_lock(&journal, &request)?;
    let begun = begun(&record, &request, &state_dir)?;
    let settings = &as_begun(flags, environment, &begun)?;
    same_tenant(&journal, &record.head, &begun, settings)?;
    let saved = agreed::recorded(&journal, &record)?;
    let is_local = begun.service.tenant != TargetTenant::Real || settings.is_local();
    let limits = limits(begun.choices, plan::StatedLimits::default(), is_local)?;
    let PlanNow { files, other } = unless_saved(saved.as_ref(), || plan_now(&record, request.as_agreed))?;
    let begun = with_reason(begun, &request, other.as_ref());
    let mut session = Session::new(settings, &begun.service.tenant, limits, clock, request.start.seed);
    let known = known_id(&journal, &settings.graph_url, &record.head.tenant)?;
    let tenants = [begun.plan.tenant.as_deref(), other.as_ref().and_then(|plan| plan.tenant.as_deref())];
    as_agreed(&mut session, tenants, saved.as_ref(), known.as_deref());
    let nameless = Nameless { request: &request, saved: saved.as_ref() };
    let mut of_names = nameless.look_up(&mut journal, &mut record, &mut session).await?;
    of_names.extend(known::still_of_names(&mut journal, &record, &begun.replaced, request.start.now)?);
    let (record, elsewhere) = caught_up(&mut journal, record, request.start.now)?;
    let changed = changed(other, &record, request.start.now);
    differences(&changed.told);
    let mut earlier = taken_up(&request, &record, &elsewhere.kept)?;
    let mut today = today(&request, &begun, &changed.now, environment)?;
    let BegunJobs { jobs, mut preflight, sightings } = today.jobs(&record, saved, &begun, request.start.now, &of_names);
    changed.hold(&record, &mut preflight.holds, &mut earlier);
    preflight.hold_behind_others(&jobs, &elsewhere.behind);
    let left = Left { request: &request, record: &record, begun: &begun, jobs: &jobs, earlier: &earlier };
    let (keys, told) = left.look(&mut session, &mut preflight, &mut today.rules, &sightings).await?;
    keep_what_is_barred(&record, &preflight.holds, &mut earlier, stderr);
    let spared = spared(&record, &elsewhere.kept, &changed, &preflight.holds, &mut earlier);
    let due = due(&request, &record, &preflight.holds, &earlier, &spared);
    let rest = Rest { request: &request, record: &record, begun: &begun, jobs: &jobs, due: &due };
    rest.introduce(stderr);
    let place_of_report = report_place(&request, &record)?;
    let report = place_of_report.path().to_owned();
    Output::report(&report).spares(begun.read_by(&journal, &record)?.iter().chain(&today.policies.files), settings)?;
    ReportFile::probe(&report)?;
    if due.is_empty() && request.stay.verify.is_none() {
        let (left, report) = ((&*preflight.holds, &elsewhere.kept), (ReportFile::create(report)?, session.requests()));
        return nothing_left(&request, (&journal, &begun.service.tenant), (record, jobs), left, report);
    }
    let left = Left { request: &request, record: &record, begun: &begun, jobs: &jobs, earlier: &earlier };
    let verdict = left.judge(today.rules, &preflight.holds, &keys)?;
    warn(&record, [&told, &verdict.faults], stderr);
    let policies = (today.candidates.as_slice(), &today.policies);
    let question = rest.question((&verdict, &sightings), policies, (&subject(&record, &begun), stderr))?;
    let holds = left.open(&preflight.holds);
    let brakes = brakes(&begun.brakes, &verdict.rules, changed.now.waves(), &jobs, &holds);
    let watch = watch((&begun, &changed.now), (&jobs, holds), files, (today.candidates, today.policies), &verdict);
    keep_reason(&journal, &record, &begun)?;
    let daily = DailyWork::new(&today.daily, &record.head.tenant, request.stay.wait)?;
    let work = Work {
        session,
        watch,
        wanted: wanted(&request, &begun, daily, spared, report),
        task: RunTask {
            between_waves: between_waves(&record, &begun.brakes.waves, &preflight.holds, &earlier),
            lookout: agreed::lookout(&jobs, sightings, begun.inventory.clone()),
            jobs,
            holds: preflight.holds,
            earlier,
            brakes: Brakes { until: request.stay.until, ..brakes },
        },
        consent: Consent { verdict, subject: subject(&record, &begun), due: due.len() as u32, question },
    };
    perform(work, stderr, || RecordedRun::again(journal, lock, &record)).await
}

/// The tenant must be the one that was agreed to.
fn as_agreed(session: &mut Session<'_>, plans: [Option<&str>; 2], saved: Option<&SavedPreview>, known: Option<&str>) {
    plans.into_iter().for_each(|plan| session.must_be(ExpectedBy::Plan, plan));
    session.must_be(ExpectedBy::SavedPreview, saved.and_then(|saved| saved.head.tenant_id.as_deref()));
    session.must_be(ExpectedBy::Run, known);
}

/// How the plan has changed since the run was begun; nothing has, where it is what it was.
fn changed(other: Option<plan::Plan>, record: &RunRecord, now: Timestamp) -> Changed {
    other.map(|plan| compare(plan, record.jobs.iter().map(|stored| &stored.job), now)).unwrap_or_default()
}

fn warn(record: &RunRecord, told: [&Diagnostics; 2], stderr: &Stderr) {
    told.into_iter().for_each(|faults| ui::faults::tell(faults, Path::new(&record.head.plan_file), stderr));
}

/// What guards the run under way.
fn watch(
    (begun, now): (&Begun, &PlanSays),
    (jobs, holds): (&Arc<[Job]>, Vec<Option<Hold>>),
    plan: Option<AgreedPlan>,
    (candidates, policies): (Vec<PolicyFile>, Policies),
    verdict: &Judgement,
) -> GuardWatch {
    let watched = Watched {
        policies: candidates,
        plan,
        own: now.tighten(begun.plan.rules.clone()),
        tenant: now.tenant.clone().or_else(|| begun.plan.tenant.clone()),
        daily: if now.rules.is_some() { now.daily.clone() } else { begun.plan.daily.clone() },
        name: begun.plan.name.clone(),
        justified: begun.justification.is_some(),
        jobs: Arc::clone(jobs),
        holds,
    };
    GuardWatch::new(watched, policies, verdict)
}

/// How it is done, and what else is wanted.
fn wanted(
    request: &ResumeRequest,
    begun: &Begun,
    daily: DailyWork,
    spared: HashSet<u32>,
    report: PathBuf,
) -> RunWishes {
    RunWishes {
        requests: Requests { only: request.only, refile: request.refile, wait: request.stay.wait, spared },
        justification: begun.justification.clone(),
        low_priority: begun.choices.limits.low_priority.unwrap_or_default(),
        interactive: request.interactive,
        verify: request.stay.verify,
        daily,
        report,
    }
}

/// What people are asked about.
fn subject(record: &RunRecord, begun: &Begun) -> Subject {
    let (name, file) = (begun.plan.name.clone(), record.head.plan_file.clone());
    let tenant = asked::called(&begun.service.tenant, &record.head.tenant);
    Subject { name, file, tenant }
}

/// A run of which nothing is left to be sent: its rows as the journal has them.
fn nothing_left(
    request: &ResumeRequest,
    (journal, tenant): (&Journal, &TargetTenant),
    (record, jobs): (RunRecord, Arc<[Job]>),
    (holds, elsewhere): (&[Option<Hold>], &HashMap<u32, Settlement>),
    (report, requests): (ReportFile, u64),
) -> Result<Finished, Error> {
    // What had no effect and is held today says so; the next resume may find it otherwise.
    let standing = |(index, (stored, hold)): (u32, (&StoredJob, &Option<Hold>))| {
        if let Some(kept) = elsewhere.get(&index) {
            return kept.clone();
        }
        let outcome = stored.settled.as_ref().map(|settled| settled.outcome);
        let is_open = matches!(outcome, None | Some(Outcome::NotAttempted | Outcome::Held));
        let nothing_happened = is_open && stored.doubt().is_none() && stored.filed.is_none();
        let told = |hold: &&Hold| hold.outcome() == Outcome::Held || matches!(hold, Hold::NotDue { .. });
        let held = hold.as_ref().filter(|hold| nothing_happened && told(hold));
        held.map_or_else(|| stored.standing(), |hold| Settlement::ended(hold.ending()))
    };
    let settlements: Vec<_> = (0u32..).zip(record.jobs.iter().zip(holds)).map(standing).collect();
    let report = report.finish(&jobs, &settlements);
    // Killed after its last job, it had no time to say so; or another run of the plan has done the rest.
    if request.only == Only::Open && record.head.state != RunState::Finished {
        journal.set_state(record.head.number, RunState::Finished, Some(request.start.now))?;
    }
    let (onward, id) = (Some(Onward::of(journal, &record.head.id, tenant)), Some(record.head.id));
    Ok(Finished { id, onward, ..Finished::without_a_run(jobs, settlements, report, requests) })
}

fn begun(record: &RunRecord, request: &ResumeRequest, today: &Settings) -> Result<Begun, Error> {
    let begun = Begun::from_json(&record.head.settings)
        .ok_or_else(|| JournalError::Damaged("the settings of the run cannot be read".into()))?;
    let begun = match request.in_process.clone() {
        Some(tenant) => begun.with_tenant(TargetTenant::InProcess(tenant)),
        None => begun,
    };
    reopened(begun, today, request.start.now)
}

/// What is protected today, or lacks a key that has to be on file, keeps its failure, or its doubt. Says so of each.
fn keep_what_is_barred(
    record: &RunRecord,
    holds: &[Option<Hold>],
    earlier: &mut HashMap<u32, Earlier>,
    stderr: &Stderr,
) {
    let mut told = Diagnostics::default();
    for ((index, stored), hold) in (0u32..).zip(&record.jobs).zip(holds) {
        let Some(hold) = hold.as_ref().filter(|hold| is_barred(Some(hold))) else { continue };
        let was_kept = matches!(earlier.get(&index), Some(Earlier::Kept(_) | Earlier::Approved(_)));
        // What waits for an approval is not completed, and somebody may be waiting for that.
        let waits = stored.filed.as_ref().is_some_and(Filed::is_open);
        if !leave_as_it_is(index, stored, earlier) && (!was_kept || waits) {
            let job = &stored.job;
            let message = format!("{} of {} is not changed; {hold}", job.action.name, job.target());
            let place = Place { line: Some(job.row as usize), ..Place::file(&record.head.plan_file) };
            told.push(Diagnostic::warning("left-as-it-is", message).at(place));
        }
    }
    ui::faults::tell(&told, Path::new(&record.head.plan_file), stderr);
}

/// The run as it is with what other runs have done since; and how their part stands, by job. Before anything is decided
/// about its jobs: what others have left in doubt is read first.
fn caught_up(journal: &mut Journal, record: RunRecord, now: Timestamp) -> Result<(RunRecord, Elsewhere), Error> {
    let elsewhere = known::catch_up(journal, &record, now)?;
    let record = if elsewhere.is_news { journal.read(&record.head.id)? } else { record };
    Ok((record, elsewhere))
}

/// How jobs stand, and what is done about them.
fn taken_up(
    request: &ResumeRequest,
    record: &RunRecord,
    elsewhere: &HashMap<u32, Settlement>,
) -> Result<HashMap<u32, Earlier>, Error> {
    let mut earlier = record::take_up(&record.jobs, request.only, request.refile)?;
    let kept = elsewhere.iter().map(|(index, standing)| (*index, Earlier::Kept(Box::new(standing.clone()))));
    earlier.extend(kept);
    Ok(earlier)
}

/// Jobs that are left as they are, their approval requests included.
fn spared(
    record: &RunRecord,
    elsewhere: &HashMap<u32, Settlement>,
    changed: &Changed,
    holds: &[Option<Hold>],
    earlier: &mut HashMap<u32, Earlier>,
) -> HashSet<u32> {
    let mut spared = keep_what_was_not_due(record, earlier);
    spared.extend(elsewhere.keys());
    spared.extend(changed.kept_back_from(record));
    spared.extend(barred(holds));
    spared
}

/// What is barred today is not completed either.
fn barred(holds: &[Option<Hold>]) -> impl Iterator<Item = u32> {
    (0u32..).zip(holds).filter(|(_, hold)| is_barred(hold.as_ref())).map(|(index, _)| index)
}

fn report_place(request: &ResumeRequest, record: &RunRecord) -> Result<ReportPlace, Error> {
    let own = record.head.report.as_ref().map(PathBuf::from);
    ReportPlace::of(request.report.clone().or(own), request.start.now, "resumed")
}

/// The jobs that are not kept as they are, by index.
fn due(
    request: &ResumeRequest,
    record: &RunRecord,
    holds: &[Option<Hold>],
    earlier: &HashMap<u32, Earlier>,
    spared: &HashSet<u32>,
) -> Vec<u32> {
    let kept =
        |index: u32| matches!(earlier.get(&index), Some(Earlier::Kept(_))) && !waits(record, index, request, spared);
    (0u32..).zip(holds).filter(|(index, hold)| hold.is_none() && !kept(*index)).map(|(index, _)| index).collect()
}

/// What the run was begun with, and its reason from now on: a plan that lacked the one that the tenant asks for may give it later.
fn with_reason(begun: Begun, request: &ResumeRequest, plan: Option<&plan::Plan>) -> Begun {
    let later = plan.and_then(|plan| plan.justification.clone());
    let justification = request.justification.clone().or(begun.justification).or(later);
    Begun { justification, ..begun }
}

/// Who approves from now on is shown it.
fn keep_reason(journal: &Journal, record: &RunRecord, begun: &Begun) -> Result<(), Error> {
    begun.justification.as_ref().map_or(Ok(()), |reason| Ok(journal.set_justification(record.head.number, reason)?))
}

/// A saved preview is its own agreement: the file of the plan is not needed again.
fn unless_saved(saved: Option<&SavedPreview>, now: impl FnOnce() -> Result<PlanNow, Error>) -> Result<PlanNow, Error> {
    saved.map_or_else(now, |_| Ok(PlanNow::default()))
}

/// A row whose day had not come when the run was begun was not in the number that somebody agreed to.
fn keep_what_was_not_due(record: &RunRecord, earlier: &mut HashMap<u32, Earlier>) -> HashSet<u32> {
    let mut kept = HashSet::new();
    for (index, stored) in (0u32..).zip(&record.jobs) {
        let was_due = stored.job.not_before.is_none_or(|day| day <= record.head.started_at);
        if !was_due && stored.attempts.is_empty() {
            earlier.entry(index).or_insert_with(|| Earlier::Kept(Box::new(stored.standing())));
            kept.insert(index);
        }
    }
    kept
}

/// Whether the run ended before the wave before the next one was seen to have landed: nothing of the next one has left,
/// and nobody was told that the one before it went wrong.
fn between_waves(
    record: &RunRecord,
    waves: &Schedule,
    holds: &[Option<Hold>],
    earlier: &HashMap<u32, Earlier>,
) -> bool {
    let kept = |index: u32| matches!(earlier.get(&index), Some(Earlier::Kept(_)));
    let next = (0u32..).zip(holds).find(|(index, hold)| hold.is_none() && !kept(*index));
    let Some((first, _)) = next else { return false };
    let mut wave = waves.range(waves.wave_of(first)).filter_map(|index| record.jobs.get(index as usize));
    record.head.state != RunState::Tripped && wave.all(|stored| stored.attempts.is_empty())
}
