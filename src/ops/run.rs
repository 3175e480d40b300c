//! `run`: from a plan to a report.
//!
//! In: a [`RunRequest`]. Out: [`Finished`], with one settlement for every row, and the report written.
//! Must not: begin before the plan is valid, the report's place is writable, the number is confirmed and the plan is
//! nobody else's at the moment.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::again::Repeats;
use super::agreed::Agreed;
use super::agreed_plan::AgreedPlan;
use super::agreement::Agreement;
use super::asked::{self, AskedAbout};
use super::begun::{Begun, OfPlan, ServiceOfRun};
use super::brakes::brakes;
use super::called_before::{self, CalledBefore};
use super::confirm::{Whole, confirm_number};
use super::daily::{DailyWork, learn_tenant};
use super::error::Error;
use super::guard_watch::{GuardWatch, Watched};
use super::guards::Policies;
use super::known::PastRuns;
use super::left_out::leave_out_done;
use super::look_up::LookUp;
use super::looked_up::looked_up;
use super::perform::{Consent, Finished, RunWishes, Work, perform};
use super::previewed::Previewed;
use super::protected::{self, Checked, ProtectedFound};
use super::record::{self, Beginning};
use super::rounds::Requests;
use super::run_request::RunRequest;
use super::task::RunTask;
use super::{agreed, guards, keys, known, missing, names, nights, place_of_report, spare};
use crate::diagnostics::Diagnostics;
use crate::guard::Brakes;
use crate::guard::drift::Sighting;
use crate::guard::judge::Judgement;
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::journal::memory::MemoryQuery;
use crate::journal::{Inherited, Journal, RunId, RunLock};
use crate::outcome::{Cause, Settlement};
use crate::plan::Plan;
use crate::report::ReportFile;
use crate::runner::Earlier;
use crate::session::{Session, label, place};
use crate::settings::{PolicyFile, Settings};
use crate::text::visible;
use crate::ui;
use crate::ui::stderr::Stderr;

/// Performs the plan.
pub async fn run(request: RunRequest, settings: &Settings, stderr: &Stderr) -> Result<Finished, Error> {
    let look_up = request.look_up(settings);
    let (previewed, mut session) = looked_up(&request.plan, &request.policies, &look_up, &request.repeats).await?;
    permit(&request, settings, &previewed, &mut session)?;
    let (key, place) = key_and_place(&request, settings, &previewed);
    let Previewed { mut plan, mut preflight, verdict, sightings, agreed, daily, policies, .. } = previewed;
    let label = label(settings, &request.tenant, plan.tenant.as_deref());
    let (mut journal, lock, id) = under_lock(settings, &key, request.start.now, agreed.as_ref())?;
    learn_tenant(&mut session, &mut journal, &label).await?;
    let (once, now) = (request.repeats.once, request.start.now);
    let about = MemoryQuery { plan_key: &key, place: &place, tenant: &label, once, now };
    let (past, called) =
        past(&request.repeats, &mut session, (&mut journal, about), (&plan, &preflight.holds), stderr).await?;
    let earlier = known::take_up(&past, &plan.jobs);
    let whole = leave_out_done(&mut preflight, &plan.jobs, &earlier);
    let held = called.hold(&plan.jobs, &past.of_names, &mut preflight);
    let held = held + known::leave_to_others(&past, &plan.jobs, &mut preflight);
    let replaced = nights::hold_replaced(&mut journal, about, &plan.jobs, &request.repeats, &mut preflight)?;
    let looked = GuardedPlan { plan: &plan, sightings: &sightings, inherited: &past.inherited };
    let Judged { verdict, spared, told } = judge(&look_up, looked, &mut preflight, verdict.rules, &mut session).await?;
    let read = request.reads(&plan, &policies.files);
    let place_of_report = place_of_report::find(&request, &read, settings)?;
    let report_at = place_of_report.path();
    warn(&plan, &told, &verdict, stderr);
    confirm_number(&request, &plan, &preflight, Whole { known: whole, spared: spared + held })?;
    if filed(&past.inherited, &preflight.holds).is_empty() && preflight.due == 0 {
        return nothing_due(plan, &preflight.holds, earlier, report_at, session.requests());
    }
    // The names in a saved preview or an inventory may be somebody else's by now; those of a plan have just been looked up.
    if agreed.is_some() || request.inventory.is_some() {
        names::hold_moved(&mut session, &plan.jobs, &mut preflight, |_| false).await?;
    }
    let shown =
        AskedAbout { preflight: &preflight, sightings: &sightings, verdict: &verdict, daily: &daily, label: &label };
    let question = asked::question(&request, (&plan, agreed.as_ref(), &policies), &shown, (settings, stderr))?;
    // Nobody is asked about what was filed: it was agreed to then.
    let_go(filed(&past.inherited, &preflight.holds), &past.behind, &mut preflight.holds);
    let how = (brakes(&verdict.rules, &plan.jobs, &preflight), Agreement::of(&preflight));
    let begun = Begun { replaced, ..begun(&request, (&plan, &read), settings, how, agreed.as_ref()) };
    remark(&mut plan.jobs, &preflight.holds, &verdict);
    let jobs: Arc<[Job]> = std::mem::take(&mut plan.jobs).into();
    let subject = asked::subject(&plan, &request.tenant, &label);
    let work = Work {
        session,
        watch: watch(&request, (&plan, &jobs, &preflight.holds), agreed.is_some(), policies, &verdict),
        wanted: wanted(&request, &begun, DailyWork::new(&daily, &label, request.stay.wait)?, report_at),
        task: RunTask {
            jobs: Arc::clone(&jobs),
            lookout: agreed::lookout(&jobs, sightings, begun.inventory.clone()),
            holds: preflight.holds,
            earlier,
            brakes: Brakes { until: request.stay.until, ..begun.brakes.clone() },
            between_waves: false,
        },
        consent: Consent { verdict, subject, due: preflight.due, question },
    };
    let beginning = Beginning {
        plan: &plan,
        jobs: &jobs,
        key: &key,
        tenant: &label,
        place: &place,
        order: past.order,
        begun: &begun,
        report: report_at,
        inherited: past.inherited,
        id,
        now: request.start.now,
    };
    perform(work, stderr, || record::begin(journal, lock, beginning)).await
}

/// What guards the run under way. A saved preview is its own agreement, and its plan is not read again.
fn watch(
    request: &RunRequest,
    (plan, jobs, holds): (&Plan, &Arc<[Job]>, &[Option<Hold>]),
    is_saved: bool,
    policies: Policies,
    verdict: &Judgement,
) -> GuardWatch {
    let watched = Watched {
        policies: request.policies.clone(),
        plan: (!is_saved).then(|| AgreedPlan::of(plan)),
        own: plan.rules.clone(),
        tenant: plan.tenant.clone(),
        daily: plan.daily.clone(),
        name: plan.name.clone(),
        justified: plan.justification.is_some(),
        jobs: Arc::clone(jobs),
        holds: holds.to_vec(),
    };
    GuardWatch::new(watched, policies, verdict)
}

/// What makes the run a run of its plan, and where it is run.
fn key_and_place(request: &RunRequest, settings: &Settings, previewed: &Previewed) -> (String, String) {
    let (tenant, graph_url) = (&request.tenant, &settings.graph_url);
    (previewed.key(tenant, graph_url), place(tenant, graph_url))
}

/// What the guards look at.
struct GuardedPlan<'a> {
    plan: &'a Plan,
    sightings: &'a [Option<Sighting>],
    inherited: &'a [(u32, Inherited)],
}

/// What the guards say, now that they were told what there is in the tenant.
struct Judged {
    verdict: Judgement,
    /// Jobs held because of what the entries of `protected` stand for. A preview that reads nothing has counted them.
    spared: u32,
    told: Diagnostics,
}

/// The journal, the lock of the plan, and what the run is called. What was agreed to must not have been run before.
fn under_lock(
    settings: &Settings,
    key: &str,
    now: Timestamp,
    agreed: Option<&Agreed>,
) -> Result<(Journal, RunLock, RunId), Error> {
    let id = RunId::new(now, std::array::from_fn(|_| fastrand::u8(..)));
    let journal = Journal::open(settings.state_dir().map_err(Error::Usage)?)?;
    let lock = journal.lock(key, &id, now)?;
    agreed.map_or(Ok(()), |agreed| agreed.is_unspent(&journal))?;
    Ok((journal, lock, id))
}

fn warn(plan: &Plan, told: &Diagnostics, verdict: &Judgement, stderr: &Stderr) {
    [&plan.warnings, told, &verdict.faults].into_iter().for_each(|faults| ui::faults::tell(faults, &plan.file, stderr));
}

/// What runs before have done about the jobs of the plan, also under names; people are told what is left alone for it.
async fn past<'p>(
    repeats: &Repeats,
    session: &mut Session<'_>,
    (journal, about): (&mut Journal, MemoryQuery<'_>),
    (plan, holds): (&'p Plan, &[Option<Hold>]),
    stderr: &Stderr,
) -> Result<(PastRuns, CalledBefore<'p>), Error> {
    let called = called_before::look(session, &plan.jobs, journal, about.place, about.once).await?;
    let past = known::past(journal, about, &called.jobs, holds, repeats)?;
    past.remarks.iter().for_each(|line| stderr.say(&visible(line)));
    Ok((past, called))
}

/// Whether what was agreed to, and what is named to be done again, may be run now and here; a rehearsal of it knows what the one before it has made up.
fn permit(
    request: &RunRequest,
    settings: &Settings,
    previewed: &Previewed,
    session: &mut Session<'_>,
) -> Result<(), Error> {
    request.repeats.again.refuse_copies(&previewed.plan.jobs, &previewed.preflight.holds)?;
    let Some(agreed) = &previewed.agreed else { return Ok(()) };
    agreed.permits(&request.tenant, settings, previewed.policies.preview_max_age, request.start.now)?;
    for (job, sighting) in previewed.plan.jobs.iter().zip(&previewed.sightings) {
        if let Some(Sighting::Identity(seen)) = sighting {
            session.take_over_seen(job.action.target, &seen.document(job.action.target))?;
        }
    }
    Ok(())
}

/// What is protected or lacks a key that has to be on file is held, and the rest is held against the rules.
async fn judge(
    look_up: &LookUp<'_>,
    GuardedPlan { plan, sightings, inherited }: GuardedPlan<'_>,
    preflight: &mut Preflight,
    mut rules: Rules,
    session: &mut Session<'_>,
) -> Result<Judged, Error> {
    let about = keys::KeyCheck::of(plan, look_up);
    let found = ProtectedFound { preflight: &mut *preflight, rules: &mut rules, sightings };
    let asked: HashSet<usize> = asked(inherited).map(|index| index as usize).collect();
    let is_sent = |at: usize, hold: Option<&Hold>| hold.is_none() || asked.contains(&at);
    let Checked { held, told } = protected::check(session, &plan.jobs, found, is_sent).await?;
    let on_file = keys::check(session, &about, preflight, &rules, |_| false).await?;
    let verdict = match asked.is_empty() {
        true => guards::verdict(plan, (preflight, &on_file), rules, look_up.start.now, true),
        // What was filed by an earlier run is no new request, and may be completed by this one: it keeps to the rules of now.
        false => {
            let mut with_asked = preflight.clone();
            let holds = with_asked.holds.iter_mut().enumerate();
            let filed = holds.filter(|(at, hold)| asked.contains(at) && **hold == Some(Hold::Done));
            filed.for_each(|(_, hold)| *hold = None);
            guards::verdict(plan, (&with_asked, &on_file), rules, look_up.start.now, true)
        }
    };
    guards::refused(&verdict, &plan.file)?;
    Ok(Judged { verdict, spared: held, told })
}

/// What an earlier run has filed.
fn asked(inherited: &[(u32, Inherited)]) -> impl Iterator<Item = u32> {
    inherited.iter().filter(|(_, it)| matches!(it, Inherited::Asked { .. })).map(|(index, _)| *index)
}

/// What an earlier run has filed, and nothing else holds, by index.
fn filed(inherited: &[(u32, Inherited)], holds: &[Option<Hold>]) -> Vec<usize> {
    let is_done = |at: &usize| holds.get(*at).is_some_and(|hold| *hold == Some(Hold::Done));
    asked(inherited).map(|index| index as usize).filter(is_done).collect()
}

/// What was filed is not sent anew, and may have been approved since. What another plan has open on a target keeps it back.
fn let_go(filed: Vec<usize>, behind: &HashMap<usize, Arc<str>>, holds: &mut [Option<Hold>]) {
    for at in filed {
        holds[at] = behind.get(&at).map(|why| Hold::OpenElsewhere(Arc::clone(why)));
    }
}

/// How it is done, and what else is wanted.
fn wanted(request: &RunRequest, begun: &Begun, daily: DailyWork, report: &Path) -> RunWishes {
    RunWishes {
        requests: Requests { wait: request.stay.wait, ..Requests::default() },
        justification: begun.justification.clone(),
        low_priority: begun.choices.limits.low_priority.unwrap_or_default(),
        interactive: request.interactive,
        verify: request.stay.verify,
        daily,
        report: report.to_owned(),
    }
}

/// What a resumed run must know.
fn begun(
    request: &RunRequest,
    (plan, read): (&Plan, &[PathBuf]),
    settings: &Settings,
    (brakes, agreement): (Brakes, Agreement),
    agreed: Option<&Agreed>,
) -> Begun {
    Begun {
        service: ServiceOfRun {
            graph_url: settings.graph_url.clone(),
            login_url: settings.login_url.clone(),
            tenant: request.tenant.anywhere(),
        },
        plan: OfPlan {
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            daily: plan.daily.clone(),
            rules: plan.rules.clone(),
            actions: plan.own.iter().filter_map(|action| action.definition.cloned()).collect(),
        },
        justification: plan.justification.clone(),
        choices: request.choices.or(plan.limits),
        missing: missing::spans(&plan.jobs),
        replaced: BTreeMap::new(),
        policy: named_policy(&request.policies),
        brakes,
        agreed: Some(agreement),
        saved_preview: agreed.map(|agreed| agreed.digest.clone()),
        inventory: request.inventory.as_ref().map(|_| agreed::in_the_inventory(&plan.jobs)).unwrap_or_default(),
        read: spare::from_anywhere(read),
    }
}

/// What goes out only because of an override says so in the report, wherever that is read.
fn remark(jobs: &mut [Job], holds: &[Option<Hold>], verdict: &Judgement) {
    if verdict.overrides_in_use().next().is_none() {
        return;
    }
    for (job, _) in jobs.iter_mut().zip(holds).filter(|(_, hold)| hold.is_none()) {
        let remark = verdict.remark(job.action).into_iter();
        let note: Vec<_> = job.note.take().map(String::from).into_iter().chain(remark).collect();
        job.note = (!note.is_empty()).then(|| note.join("; ").into());
    }
}

fn named_policy(policies: &[PolicyFile]) -> Option<PathBuf> {
    let named = policies.iter().find(|policy| policy.named)?;
    Some(std::path::absolute(&named.path).unwrap_or_else(|_| named.path.clone()))
}

/// A plan of which nothing is due: every row is accounted for, and there is no run.
fn nothing_due(
    plan: Plan,
    holds: &[Option<Hold>],
    mut earlier: HashMap<u32, Earlier>,
    report: &Path,
    requests: u64,
) -> Result<Finished, Error> {
    let report = ReportFile::create(report)?;
    let settlements: Vec<_> = (0u32..)
        .zip(holds)
        .map(|(index, hold)| match (earlier.remove(&index), hold) {
            (Some(Earlier::Kept(settlement)), _) => *settlement,
            (_, Some(hold)) => Settlement::ended(hold.ending()),
            (_, None) => Settlement::ended(Cause::NotReached.with("ended first").into()),
        })
        .collect();
    let jobs: Arc<[Job]> = plan.jobs.into();
    let report = report.finish(&jobs, &settlements);
    Ok(Finished::without_a_run(jobs, settlements, report, requests))
}
