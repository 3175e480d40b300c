//! What runs before have done about the jobs of a plan, and what that leaves for a new run or a resumed one.
//!
//! In: the journal, the jobs of a plan. Out: for each job that an earlier run has dealt with, what that leaves for the new
//! run, with all that the earlier one knows of it: whoever holds the last report must need no other. Must not: send, or
//! decide what is repeated; `journal::resume` and the catalog do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::again::Repeats;
use super::error::Error;
use crate::catalog::Repeat;
use crate::diagnostics::Diagnostic;
use crate::guard::contradictions::may_follow;
use crate::guard::preflight::{Hold, Preflight};
use crate::job::{Job, JobId};
use crate::journal::memory::{
    DoneBefore, InDoubt, JobMemory, Known, MemoryQuery, OpenJob, Pending, SIMULATED, TurnedDown,
};
use crate::journal::{Inherited, Journal, PastAttempt, RunRecord, StoredJob, Tries};
use crate::moment::moment;
use crate::outcome::{Cause, Outcome, Settlement, Stamp, Standing, doubt};
use crate::runner::Earlier;
use crate::ui;

/// What is inherited from the runs before.
#[derive(Debug, Default)]
pub(super) struct PastRuns {
    /// By index.
    pub inherited: Vec<(u32, Inherited)>,
    /// By index: jobs of which something is known for the name of a user alone, and not whose the name was. The text says it.
    pub of_names: HashMap<usize, Arc<str>>,
    /// By index: jobs that another run has sent, and is about to settle; and which one.
    pub under_way: HashMap<usize, Arc<str>>,
    /// By index: jobs that may not follow what another plan has open on their target. The text says it.
    pub behind: HashMap<usize, Arc<str>>,
    /// Up to this place in the order of all runs.
    pub order: i64,
    /// What people are told of it, a line each.
    pub remarks: Vec<String>,
}

/// What earlier runs leave for a new one: what may not be repeated and was done is not sent again, whatever plan it was
/// done for, unless it is named; what is in doubt is read first. With `once`, all that runs of the same plan have done is
/// left out. A second row of one job is held as that, whatever became of the first.
pub(super) fn past(
    journal: &mut Journal,
    about: MemoryQuery<'_>,
    jobs: &[Job],
    holds: &[Option<Hold>],
    repeats: &Repeats,
) -> Result<PastRuns, Error> {
    let again = repeats.again.of(jobs)?;
    let JobMemory { jobs: mut known, order, repeated, open } =
        journal.memory(MemoryQuery { once: repeats.once, ..about }, jobs)?;
    if !repeats.once {
        known.retain(|_, known| !is_forgotten(known, about.now));
    }
    let (mut of_names, mut under_way) = (HashMap::<usize, Arc<str>>::new(), HashMap::<usize, Arc<str>>::new());
    let is_copy = |index: u32| matches!(holds.get(index as usize), Some(Some(Hold::Duplicate { .. })));
    let left = (0u32..).zip(jobs).filter(|(index, _)| !is_copy(*index)).filter_map(|(index, job)| {
        let known = match known.get(&index)? {
            // What was filed goes out as it was recorded, and that is a name.
            Known::OfAName(known) if !again.contains(&index) || matches!(**known, Known::Asked(_)) => {
                of_names.insert(index as usize, of_a_name(known, job).into());
                return None;
            }
            Known::OfAName(known) => known,
            known => known,
        };
        // Whoever goes on with this run later knows by the copies that the job is in doubt, and reads first.
        if let Some(run_id) = in_other_hands(journal, known) {
            under_way.insert(index as usize, run_id.into());
            return Some((index, inherit(job, known)));
        }
        let left = !again.contains(&index) || !is_sent_again(known, job);
        left.then(|| (index, inherit(job, known)))
    });
    let inherited: Vec<_> = left.collect();
    let is_sent = |index: &u32| matches!(holds.get(*index as usize), Some(None));
    let done = inherited.iter().filter_map(|(index, _)| match known.get(index)? {
        Known::Done(done) => Some(done),
        _ => None,
    });
    let done_again = repeated.iter().filter(|(index, _)| is_sent(index)).map(|(_, done)| done);
    let remarks = [left_alone(done), sent_again(done_again)].into_iter().flatten().collect();
    if !repeats.once && about.place != SIMULATED {
        spare_what_is_asked(journal, about.plan_key, jobs)?;
    }
    let behind = behind(&open, jobs.iter());
    Ok(PastRuns { inherited, of_names, under_way, behind, order, remarks })
}

/// Rows of a run that were held because something is known of the name of a user alone: what is known of them by now. They
/// were not taken over when the run began. And those whose row led to another target then: nobody looks again.
pub(super) fn still_of_names(
    journal: &mut Journal,
    record: &RunRecord,
    replaced: &BTreeMap<u32, String>,
    now: Timestamp,
) -> Result<HashMap<usize, Arc<str>>, Error> {
    let replaced = || replaced.iter().map(|(index, why)| (*index as usize, Arc::from(why.as_str())));
    let was_held = |stored: &StoredJob| stored.settled.as_ref().is_some_and(|it| it.cause == Some(Cause::NameMoved));
    let rows: Vec<usize> = (0..record.jobs.len()).filter(|at| was_held(&record.jobs[*at])).collect();
    if rows.is_empty() {
        return Ok(replaced().collect());
    }
    let jobs: Vec<Job> = rows.iter().map(|at| record.jobs[*at].job.clone()).collect();
    let head = &record.head;
    let about = MemoryQuery { plan_key: &head.plan_key, place: &head.place, tenant: &head.tenant, once: true, now };
    let known = journal.memory(about, &jobs)?.jobs;
    let of_name = |(place, at): (u32, &usize)| match known.get(&place)? {
        Known::OfAName(known) => Some((*at, of_a_name(known, &record.jobs[*at].job).into())),
        _ => None,
    };
    Ok((0u32..).zip(&rows).filter_map(of_name).chain(replaced()).collect())
}

/// What each job may not follow of what other plans have open on its target.
fn behind<'j>(open: &[(u32, Vec<OpenJob>)], jobs: impl Iterator<Item = &'j Job>) -> HashMap<usize, Arc<str>> {
    let jobs: Vec<&Job> = jobs.collect();
    let first = |(index, open): &(u32, Vec<OpenJob>)| {
        let job = jobs.get(*index as usize)?;
        let open = open.iter().find(|open| !may_follow(&open.action, job.action.name))?;
        Some((*index as usize, open.to_string().into()))
    };
    open.iter().filter_map(first).collect()
}

/// Leaves to other runs what they have in their hands, and holds what may not follow it. How many jobs that are.
pub(super) fn leave_to_others(past: &PastRuns, jobs: &[Job], preflight: &mut Preflight) -> u32 {
    let before = preflight.due;
    preflight.leave_to(jobs, &past.under_way);
    preflight.hold_behind_others(jobs, &past.behind);
    before - preflight.due
}

/// Which run has a job in its hands that is in doubt: while its process lives, it waits for an answer, or reads. Whoever sent
/// the job beside it could not tell the effect of the one request from that of the other.
fn in_other_hands<'k>(journal: &Journal, known: &'k Known) -> Option<&'k str> {
    let Known::InDoubt(InDoubt { run_id, settled: false, .. }) = known else { return None };
    let plan_key = journal.find(run_id).and_then(|id| journal.plan_key(&id)).ok()?;
    journal.is_under_way(&plan_key, run_id).then_some(run_id)
}

/// What is known of whoever had a name then. Whether that is who has it today, nobody has recorded.
fn of_a_name(known: &Known, job: &Job) -> String {
    let written = job.names.as_deref().map(|names| names.written.clone());
    let in_path = written.as_ref().and_then(|ids| ids.iter().zip(job.ids.iter()).find(|(then, now)| then != now));
    let in_body = job.parameters.as_deref().and_then(|parameters| parameters.users().first());
    let name = in_path.map(|(then, _)| then).or(in_body.map(|name| &**name)).unwrap_or_default();
    let row = job.row;
    let (what, run_id, again) = match known {
        Known::Done(DoneBefore { run_id, settled, .. }) => {
            let how = settled.as_ref().map_or(Outcome::Completed, |settled| settled.outcome).name();
            (how.to_owned(), run_id, format!("--again {row} sends it"))
        }
        Known::InDoubt(InDoubt { run_id, .. }) => (
            "sent, with an unknown effect,".to_owned(),
            run_id,
            format!("--again {row} reads the target and continues"),
        ),
        Known::Asked(pending) => {
            let code = &pending.request.code;
            let again = format!("musterout approvals {} --withdraw withdraws it", pending.run_id);
            (format!("approval request {code} filed"), &pending.run_id, again)
        }
        Known::TurnedDown(turned_down) => {
            ("turned down".to_owned(), &turned_down.run_id, format!("--again {row} sends it"))
        }
        Known::OfAName(known) => return of_a_name(known, job),
    };
    format!(
        "{what} by run {run_id} for the user {name}, by name; which account had that name then is not recorded; {again}"
    )
}

/// How far a job has come, for a sentence about it.
pub(super) fn told(known: &Known) -> String {
    match known {
        Known::Done(DoneBefore { run_id, settled, .. }) => {
            let how = settled.as_ref().map_or(Outcome::Completed, |settled| settled.outcome).name();
            let at = settled.as_ref().and_then(|settled| settled.finished_at).map(Stamp::time);
            let on = at.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
            format!("{how}{on} in run {run_id}")
        }
        Known::InDoubt(InDoubt { run_id, .. }) => format!("sent by run {run_id}, with an unknown effect"),
        Known::Asked(pending) => {
            format!("filed as approval request {} by run {}", pending.request.code, pending.filed_by)
        }
        Known::TurnedDown(by) => format!("rejected as approval request {}, in run {}", by.code, by.run_id),
        Known::OfAName(known) => told(known),
    }
}

/// What somebody has named is sent again if it is done. What is in doubt is read all the same, where a read may ever show
/// that nothing happened.
fn is_sent_again(known: &Known, job: &Job) -> bool {
    match known {
        Known::OfAName(known) => is_sent_again(known, job),
        Known::Done(_) | Known::TurnedDown(_) => true,
        Known::InDoubt(_) => !job.action.read_back.can_deny(),
        Known::Asked(_) => false,
    }
}

/// What waits for an approval would be filed a second time.
fn spare_what_is_asked(journal: &Journal, plan_key: &str, jobs: &[Job]) -> Result<(), Error> {
    let asked: HashMap<JobId, Pending> = journal.asked(plan_key)?.into_iter().collect();
    let mut waiting = jobs.iter().filter_map(|job| asked.get(&job.id));
    let Some(first) = waiting.next() else { return Ok(()) };
    let count = waiting.count() + 1;
    let what = ui::text::count_of(count, "approval request");
    let run = &first.run_id;
    let message = format!("{what} of run {run} for jobs of this plan are open, and would be filed a second time");
    let help = format!("to continue that run: musterout resume {run}; with --once, approved requests are completed");
    Err(Error::refused(Diagnostic::error("open-run", message).help(help)))
}

/// For so long what may not be repeated is known to whoever starts a plan. A standing plan (`--once`) forgets nothing.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Whether a job was done so long ago that it may be asked for anew.
fn is_forgotten(known: &Known, now: Timestamp) -> bool {
    let Known::Done(DoneBefore { settled: Some(settled), .. }) = known else { return false };
    settled.finished_at.is_some_and(|at| now.duration_since(at.time()) > REMEMBERED)
}

/// What to tell of jobs that are left alone because a run has done them: how many, when, by which.
fn left_alone<'d>(done: impl Iterator<Item = &'d DoneBefore>) -> Option<String> {
    let Doers { jobs, by } = Doers::of(done)?;
    let them = if jobs == 1 { "it" } else { "them" };
    let jobs = ui::text::count_of(jobs, "job");
    Some(format!("{jobs} skipped, already done by {by}; --again ROWS or --again all sends {them} again"))
}

/// The same of jobs that are sent again because they may be repeated.
fn sent_again<'d>(done: impl Iterator<Item = &'d DoneBefore>) -> Option<String> {
    let Doers { jobs, by } = Doers::of(done)?;
    let (are, them) = if jobs == 1 { ("is", "it") } else { ("are", "them") };
    let jobs = ui::text::count_of(jobs, "job");
    Some(format!("{jobs} already done by {by} {are} sent again, because the action is repeatable; --once skips {them}"))
}

/// Who has done jobs, and how many these are.
struct Doers {
    jobs: usize,
    by: String,
}

impl Doers {
    fn of<'d>(done: impl Iterator<Item = &'d DoneBefore>) -> Option<Self> {
        let mut runs: BTreeMap<&str, (usize, Option<Timestamp>)> = BTreeMap::new();
        for DoneBefore { run_id, settled, .. } in done {
            let at = settled.as_ref().and_then(|settled| settled.finished_at).map(Stamp::time);
            let (count, last) = runs.entry(run_id).or_default();
            (*count, *last) = (*count + 1, at.max(*last));
        }
        let jobs: usize = runs.values().map(|(count, _)| count).sum();
        let (run, (_, at)) = runs.iter().max_by_key(|(_, (_, at))| *at)?;
        let on = at.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
        let others = match runs.len() {
            1 => String::new(),
            2 => " and another run".to_owned(),
            runs => format!(" and {} other runs", runs - 1),
        };
        Some(Self { jobs, by: format!("run {run}{on}{others}") })
    }
}

fn inherit(job: &Job, known: &Known) -> Inherited {
    match known {
        Known::OfAName(known) => inherit(job, known),
        Known::Done(done) => Inherited::Settled(Box::new(already_done(job, done))),
        Known::TurnedDown(turned_down) => Inherited::Settled(Box::new(failed(turned_down))),
        // Whether it may be repeated is asked when it is taken up.
        Known::InDoubt(InDoubt { attempts, .. }) => Inherited::InDoubt { attempts: attempts.clone() },
        Known::Asked(pending) => Inherited::Asked { pending: pending.clone(), settlement: Box::new(awaiting(pending)) },
    }
}

/// Nothing is left to do; requests, times and ids are those of the run that did it.
fn already_done(job: &Job, DoneBefore { run_id, job: asked, settled, .. }: &DoneBefore) -> Settlement {
    let is_as_asked = *asked == job.digest() || job.names.as_ref().is_some_and(|names| *asked == names.written_id);
    let otherwise = if is_as_asked { "" } else { ", with other parameters or under another name" };
    let Some(settled) = settled else {
        return Settlement::unsent(Outcome::AlreadyDone, format!("done by run {run_id}{otherwise}"));
    };
    let at = settled.verified_at().or(settled.finished_at.map(Stamp::time));
    let on = at.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
    let more = settled.note.as_deref().map(|note| format!("; {note}")).unwrap_or_default();
    let note = format!("{}{on} in run {run_id}{otherwise}{more}", settled.outcome.name());
    Settlement { outcome: Outcome::AlreadyDone, note: Some(note.into()), ..(**settled).clone() }
}

fn failed(TurnedDown { run_id, code, status, settled }: &TurnedDown) -> Settlement {
    let status = status.name();
    let note = format!(
        "approval request {code} is {status}, in run {run_id}; to file it again: musterout resume {run_id} --only failed"
    );
    Settlement { note: Some(note.into()), ..settled.clone() }
}

fn awaiting(Pending { request, filed_by, settled, .. }: &Pending) -> Settlement {
    let note = format!("{request}, by run {filed_by}");
    match settled {
        None => Settlement::unsent(Outcome::AwaitingApproval, note),
        Some(settled) => Settlement {
            outcome: Outcome::AwaitingApproval,
            cause: None,
            note: Some(note.into()),
            ..(**settled).clone()
        },
    }
}

/// What other runs have done about the jobs of a run.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// What they have done, or have in their hands, as it stands.
    pub kept: HashMap<u32, Settlement>,
    /// Whether the run has changed in the journal.
    pub is_news: bool,
    /// By index: jobs that may not follow what another plan has open on their target.
    pub behind: HashMap<usize, Arc<str>>,
}

/// What other runs have done about jobs of a run since it has last taken account of them, so that it must not do it again:
/// what they have settled well is its own from now on, and so is what they have left in doubt; what they have asked an
/// approval for is theirs. Whoever decides what becomes of its jobs does so by what is in the journal then.
pub(super) fn catch_up(journal: &mut Journal, record: &RunRecord, now: Timestamp) -> Result<Elsewhere, Error> {
    let JobMemory { jobs: since, order, open, .. } = journal.since(record, now)?;
    let (mut taken_over, mut kept, mut upto) = (Vec::new(), HashMap::new(), order);
    for (index, stored) in (0u32..).zip(&record.jobs) {
        let settled = stored.settled.as_ref().is_some_and(|settled| settled.outcome.standing() == Standing::Good);
        match since.get(&index).filter(|_| !settled) {
            None | Some(Known::TurnedDown(_)) => {}
            Some(Known::OfAName(known)) => {
                let held = Cause::NameMoved.with(of_a_name(known, &stored.job));
                kept.insert(index, Settlement::ended(held.into()));
                // It is not taken over, and has to be seen again.
                upto = record.head.known;
            }
            Some(Known::Done(by)) => {
                let settlement = already_done(&stored.job, by);
                taken_over.push((index, Inherited::Settled(Box::new(settlement.clone()))));
                kept.insert(index, settlement);
            }
            Some(known @ Known::InDoubt(InDoubt { attempts, .. })) => {
                if let Some(run_id) = in_other_hands(journal, known) {
                    kept.insert(index, in_hands_of(stored, run_id));
                    // It is not taken over, and has to be seen again.
                    upto = record.head.known;
                    continue;
                }
                let news = attempts.iter().filter(|made| stored.attempts.iter().all(|own| own.seq != made.seq));
                let attempts: Vec<_> = news.cloned().collect();
                if !attempts.is_empty() {
                    taken_over.push((index, Inherited::InDoubt { attempts }));
                }
            }
            Some(Known::Asked(pending)) => {
                kept.insert(index, in_hands_of(stored, &pending.run_id));
            }
        }
    }
    journal.take_over(record.head.number, &taken_over, upto)?;
    let behind = behind(&open, record.jobs.iter().map(|stored| &stored.job));
    Ok(Elsewhere { kept, is_news: !taken_over.is_empty(), behind })
}

fn in_hands_of(stored: &StoredJob, run_id: &str) -> Settlement {
    let why = Cause::LeftToAnotherRun.with(run_id);
    let standing = stored.standing();
    let cause = standing.outcome.has_a_cause().then_some(why.cause());
    Settlement { cause, note: Some(why.note().into()), ..standing }
}

/// What is inherited, as the runner takes it up; what is left to others is not.
pub(super) fn take_up(PastRuns { inherited, under_way, .. }: &PastRuns, jobs: &[Job]) -> HashMap<u32, Earlier> {
    let take_up = |(index, what): &(u32, Inherited)| {
        let earlier = match what {
            Inherited::Settled(settlement) | Inherited::Asked { settlement, .. } => Earlier::Kept(settlement.clone()),
            Inherited::InDoubt { attempts } => Earlier::Open {
                tries: Tries::of(attempts),
                doubtful_since: doubt(attempts.iter().map(PastAttempt::made), 0).map(|doubt| doubt.since),
                read_first: jobs.get(*index as usize).is_none_or(|job| job.action.repeat == Repeat::AfterReadBack),
            },
        };
        (*index, earlier)
    };
    inherited.iter().filter(|(index, _)| !under_way.contains_key(&(*index as usize))).map(take_up).collect()
}
