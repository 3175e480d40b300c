//! Rows that name no ids, as earlier runs have dealt with them.
//!
//! In: the journal, rows that lead to nothing today, jobs that were just looked up. Out: what earlier runs have made of such rows,
//! and the jobs that are held because the row leads to another target than the one that a run has dealt with. Must not: send,
//! or take one machine for another: a machine that is enrolled again is a new one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::again::Repeats;
use super::daily;
use super::error::Error;
use super::journal_of::journal_of;
use super::known;
use super::look_up::LookUp;
use super::previewed::Previewed;
use crate::catalog::Action;
use crate::guard::preflight::Preflight;
use crate::job::{Ids, Job, JobId, JobParts, Parameters};
use crate::journal::Journal;
use crate::journal::memory::{Known, MemoryQuery, WasLookedUp};
use crate::outcome::{Outcome, Standing as Stands};
use crate::resolve::{self, Before, EarlierJob, EarlierStanding, Pool};
use crate::session::{Session, label, place};

/// What earlier runs have made of the rows of a plan that lead to nothing today.
pub(super) async fn before(
    previewed: &Previewed,
    look_up: &LookUp<'_>,
    repeats: &Repeats,
    session: &mut Session<'_>,
    pool: &mut Pool,
) -> Result<Before, Error> {
    let gone = resolve::gone(&previewed.plan.unresolved, pool, look_up.start.now);
    if gone.is_empty() {
        return Ok(Before::new());
    }
    let Some(mut journal) = journal_of(look_up.settings, repeats)? else { return Ok(Before::new()) };
    let (tenant, graph_url) = (look_up.tenant, &look_up.settings.graph_url);
    let (key, place) = (previewed.key(tenant, graph_url), place(tenant, graph_url));
    let label = label(look_up.settings, tenant, previewed.plan.tenant.as_deref());
    match daily::learn_tenant(session, &mut journal, &label).await {
        Ok(()) | Err(Error::SignIn(_)) => {}
        Err(error) => return Err(error),
    }
    let about =
        MemoryQuery { plan_key: &key, place: &place, tenant: &label, once: repeats.once, now: look_up.start.now };
    let wanted = gone.iter().map(|row| (row.key(), row.steps.iter().map(|step| step.action).collect()));
    let wanted: HashMap<String, Vec<&'static Action>> = wanted.collect();
    let mut before = Before::new();
    for (key, of_row) in made(&mut journal, about, &wanted)? {
        of_row.into_iter().for_each(|one| before.add(key, one.made));
    }
    Ok(before)
}

/// Holds the jobs of rows that stand for one target, and lead to another one than a run has dealt with for the same row. Why, by
/// index.
pub(super) fn hold_replaced(
    journal: &mut Journal,
    about: MemoryQuery<'_>,
    jobs: &[Job],
    repeats: &Repeats,
    preflight: &mut Preflight,
) -> Result<BTreeMap<u32, String>, Error> {
    let mut wanted: HashMap<String, Vec<&'static Action>> = HashMap::new();
    for (job, row) in jobs.iter().filter_map(|job| Some((job, single(job)?))) {
        let actions = wanted.entry(row.to_owned()).or_default();
        if !actions.contains(&job.action) {
            actions.push(job.action);
        }
    }
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let made = made(journal, about, &wanted)?;
    let again = repeats.again.of(jobs)?;
    let mut replaced = HashMap::new();
    let mut from = 0;
    while from < jobs.len() {
        let steps = (from + 1..jobs.len()).take_while(|at| jobs[*at].after == Some(*at as u32 - 1)).count();
        let row = from..from + 1 + steps;
        let whys: Vec<_> = row.clone().map(|at| other_target(&jobs[at], &made, about.once)).collect();
        let first = whys.iter().find_map(|why| if let Dealt::Another(why) = why { Some(why) } else { None });
        if let Some(first) = first {
            for (at, why) in row.clone().zip(&whys).filter(|(at, _)| !again.contains(&(*at as u32))) {
                match why {
                    Dealt::This => {}
                    Dealt::Another(why) => drop(replaced.insert(at, Arc::clone(why))),
                    Dealt::Nothing => drop(replaced.insert(at, Arc::clone(first))),
                }
            }
        }
        from = row.end;
    }
    preflight.hold_moved(jobs, &replaced);
    Ok(replaced.into_iter().map(|(at, why)| (at as u32, why.to_string())).collect())
}

/// What a row that stands for one target says of it.
fn single(job: &Job) -> Option<&str> {
    let row = job.found.as_ref()?.row.as_ref()?;
    (!row.is_set && job.unfound().is_none()).then_some(&*row.key)
}

/// With which target runs have dealt for the row of a job.
enum Dealt {
    Nothing,
    This,
    /// The text says so.
    Another(Arc<str>),
}

fn other_target(job: &Job, made: &HashMap<&str, Vec<One>>, once: bool) -> Dealt {
    let of_row = single(job).and_then(|row| made.get(row)).map_or(&[][..], Vec::as_slice);
    // At night nobody looks; by day a person runs another plan on purpose.
    let counts = |one: &&One| one.made.is_of(job.action, job.parameters.as_deref()) && (one.own || once);
    let dealt = of_row.iter().filter(counts).filter_map(|one| match one.made.standing {
        EarlierStanding::Dealt(seq) => Some((seq, &one.made)),
        EarlierStanding::NothingLeft | EarlierStanding::Open => None,
    });
    if dealt.clone().any(|(_, made)| made.job.target().eq_ignore_ascii_case(job.target())) {
        return Dealt::This;
    }
    let Some((_, made)) = dealt.max_by_key(|(seq, _)| *seq) else { return Dealt::Nothing };
    let (by, row) = (single(job).unwrap_or_default(), job.row);
    let now = called(job.called(), job.target());
    let why = format!("{by} leads to {now} now, and {}; that is another target, and --again {row} sends it", made.told);
    Dealt::Another(why.into())
}

struct One {
    made: EarlierJob,
    own: bool,
}

/// The jobs that runs have made of rows with these keys, for these actions.
fn made<'k>(
    journal: &mut Journal,
    about: MemoryQuery<'_>,
    wanted: &'k HashMap<String, Vec<&'static Action>>,
) -> Result<HashMap<&'k str, Vec<One>>, Error> {
    let keys: Vec<&str> = wanted.keys().map(String::as_str).collect();
    let (mut jobs, mut found): (Vec<Job>, Vec<(&str, WasLookedUp)>) = (Vec::new(), Vec::new());
    let mut seen: HashMap<(usize, JobId), usize> = HashMap::new();
    for (number, was) in journal.looked_up(about, &keys)? {
        if let Some(first) = seen.get(&(number, was.job)) {
            found[*first].1.own |= was.own;
            continue;
        }
        let action = wanted[keys[number]].iter().find(|action| action.name == was.action);
        let Some(job) = action.and_then(|action| job(action, &was)) else { continue };
        seen.insert((number, was.job), found.len());
        jobs.push(job);
        found.push((keys[number], was));
    }
    if found.is_empty() {
        return Ok(HashMap::new());
    }
    let known = journal.memory(about, &jobs)?.jobs;
    let open = (0u32..).zip(&jobs).filter(|(index, _)| !known.contains_key(index)).map(|(_, job)| job.id);
    let last = journal.last_outcomes(about.plan_key, &open.collect::<HashSet<_>>())?;
    let mut made: HashMap<&str, Vec<One>> = HashMap::new();
    for (index, (job, (key, was))) in (0u32..).zip(jobs.into_iter().zip(found)) {
        let pruned = was.left_by.clone().map(|run| (Outcome::AlreadyDone, run));
        let last = last.get(&job.id).or(pruned.as_ref());
        let is_good = last.is_some_and(|(outcome, _)| outcome.standing() == Stands::Good);
        let (standing, how) = match (known.get(&index), last) {
            (Some(known), _) => (EarlierStanding::Dealt(seq(known)), known::told(known)),
            (None, Some((outcome, run))) => {
                let standing = if is_good && about.once { EarlierStanding::NothingLeft } else { EarlierStanding::Open };
                (standing, format!("{} in run {run}", outcome.name()))
            }
            (None, None) => (EarlierStanding::Open, "not sent".to_owned()),
        };
        let is_done = is_good || matches!(known.get(&index), Some(Known::Done(_)));
        let told = format!("{} of {} was {how}", job.action.name, called(was.name.as_deref(), job.target())).into();
        let (name, device) = (was.name.map(String::into_boxed_str), was.device.map(String::into_boxed_str));
        let one = One { made: EarlierJob { job, name, device, standing, is_done, told }, own: was.own };
        made.entry(key).or_default().push(one);
    }
    Ok(made)
}

/// The job as it was made; `None`: it would be another one today.
fn job(action: &'static Action, was: &WasLookedUp) -> Option<Job> {
    let parameters = match &was.body {
        None => None,
        Some(body) => Some(Parameters::read(action, body)?),
    };
    let (route, ids) = (action.route_named(&was.route)?, Ids::new(was.ids.iter().map(String::as_str)));
    let job = Job::new(JobParts { row: 0, action, route, ids, parameters, not_before: None, note: None, after: None });
    (job.id == was.job).then_some(job)
}

/// What is open comes after all that is settled.
fn seq(known: &Known) -> i64 {
    match known {
        Known::Done(done) => done.seq,
        Known::InDoubt(_) | Known::Asked(_) | Known::TurnedDown(_) => i64::MAX,
        Known::OfAName(known) => seq(known),
    }
}

fn called(name: Option<&str>, id: &str) -> String {
    name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
}
