//! What is `protected` stands for in the tenant, found out before a run and for previews that read anyhow.
//!
//! In: the rules, jobs, somebody who reads. Out: the list with what its entries stand for, the jobs held that are meant or may
//! be, and what to tell of entries that protect nothing or could not be read. Must not: hold anything that can send more than
//! a GET, or go on as if there were no entry where one could not be read.

use fastrand::Rng;

use super::error::Error;
use super::look_up::not_read;
use crate::catalog::TargetKind;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::drift::Sighting;
use crate::guard::meaning::{EntryMeaning, Object};
use crate::guard::preflight::{Hold, Preflight};
use crate::guard::protected::{Protected, ProtectedEntry};
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::msgraph::read_only::ReadOnly;
use crate::msgraph::transport::Transport;
use crate::resolve::{self, Reading};
use crate::session::Session;

/// What is known of the jobs before.
pub(super) struct ProtectedFound<'a> {
    pub preflight: &'a mut Preflight,
    pub rules: &'a mut Rules,
    pub sightings: &'a [Option<Sighting>],
}

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Jobs that are held because of it, and were not before.
    pub held: u32,
    pub told: Diagnostics,
}

/// Finds out what the entries stand for, if there are any and something is to be sent, and holds what that covers.
/// `is_sent`: whether something is to be sent for a job that is held so, or not at all.
pub(super) async fn check(
    session: &mut Session<'_>,
    jobs: &[Job],
    ProtectedFound { preflight, rules, sightings }: ProtectedFound<'_>,
    is_sent: impl Fn(usize, Option<&Hold>) -> bool,
) -> Result<Checked, Error> {
    let targets = targets(jobs, &preflight.holds, is_sent);
    if rules.protected.is_empty() || targets.is_empty() {
        return Ok(Checked::default());
    }
    let rng = session.rng();
    let read = read(&rules.protected, &targets, session.reading().await?, rng).await;
    rules.protected = std::mem::take(&mut rules.protected).meaning(read?);
    let before = preflight.due;
    preflight.hold_protected(jobs, &rules.protected, sightings);
    let told = told(&rules.protected, &preflight.holds);
    Ok(Checked { held: before.saturating_sub(preflight.due), told })
}

/// Reads what the entries stand for.
pub(super) async fn read<T: Transport>(
    list: &Protected,
    targets: &[TargetKind],
    client: ReadOnly<'_, T>,
    rng: Rng,
) -> Result<Vec<Option<EntryMeaning>>, Error> {
    if list.is_empty() || targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut reading = Reading::new(client, rng);
    resolve::read_meanings(list, targets, &mut reading).await.map_err(not_read)
}

/// The kinds of target that something would be done to.
pub(super) fn targets(
    jobs: &[Job],
    holds: &[Option<Hold>],
    is_sent: impl Fn(usize, Option<&Hold>) -> bool,
) -> Vec<TargetKind> {
    let mut targets = Vec::new();
    for ((at, job), hold) in jobs.iter().enumerate().zip(holds) {
        if !is_sent(at, hold.as_ref()) {
            continue;
        }
        // Whom only the body names is one of these.
        let in_body: &[TargetKind] = match job.acted_on().is_empty() {
            true => &[],
            false => &[TargetKind::User, TargetKind::ManagedDevice, TargetKind::EntraDevice],
        };
        for kind in [job.action.target].iter().chain(in_body) {
            if !targets.contains(kind) {
                targets.push(*kind);
            }
        }
    }
    targets
}

/// So many entries are named.
const NAMED: usize = 10;

/// What somebody should know of the list.
pub(super) fn told(list: &Protected, holds: &[Option<Hold>]) -> Diagnostics {
    let mut told = Diagnostics::default();
    let of = |wanted: fn(&EntryMeaning) -> bool| {
        let is_wanted = move |entry: &&ProtectedEntry| entry.means.as_deref().is_some_and(wanted);
        list.entries().iter().filter(is_wanted).collect::<Vec<_>>()
    };
    let nothing: Vec<&ProtectedEntry> =
        of(EntryMeaning::is_nothing).into_iter().filter(|entry| !entry.is_pattern()).collect();
    if !nothing.is_empty() {
        let message = format!(
            "{} of `protected` {} nothing in this tenant: {}",
            entries(nothing.len()),
            if nothing.len() == 1 { "matches" } else { "match" },
            named(&nothing)
        );
        let help = "an entry is an id, a name, a serial number, an IMEI, a principal name or a mail address; a target with exactly this id or \
                    name is held anyway; correct or remove the entries";
        told.push(Diagnostic::warning("protects-nothing", message).help(help));
    }
    let held = holds.iter().flatten().filter(|hold| matches!(hold, Hold::MaybeProtected(_))).count();
    let open = of(EntryMeaning::is_open);
    if held > 0 && !open.is_empty() {
        told.push(not_resolved(&open, held));
    }
    told
}

/// Said once, however many rows are held for it.
fn not_resolved(open: &[&ProtectedEntry], held: usize) -> Diagnostic {
    let lacks = |entry: &&&ProtectedEntry, object: Object| {
        entry.means.as_deref().is_some_and(|means| {
            means.unread.contains(&object) || ((means.unlisted || means.unowned) && object == Object::ManagedDevice)
        })
    };
    let objects: Vec<Object> =
        Object::ALL.into_iter().filter(|object| open.iter().any(|entry| lacks(&entry, *object))).collect();
    let list =
        |name: fn(Object) -> &'static str| objects.iter().map(|object| name(*object)).collect::<Vec<_>>().join(" and ");
    let why = open.iter().find_map(|entry| entry.means.as_deref()?.why.as_deref()).unwrap_or("not read");
    let rows = if held == 1 { "1 row is".to_owned() } else { format!("{held} rows are") };
    let message = format!(
        "{} of `protected` could not be looked up, because {} could not be read ({why}); {rows} held, which may be protected: {}",
        entries(open.len()),
        list(Object::many),
        named(open),
    );
    let help = format!("grant {}, or correct these entries", list(Object::permission));
    Diagnostic::warning("protected-not-read", message).help(help)
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".into() } else { format!("{count} entries") }
}

fn named(entries: &[&ProtectedEntry]) -> String {
    let mut named: Vec<_> = entries.iter().take(NAMED).map(|entry| format!("`{}` ({entry})", entry.text)).collect();
    if entries.len() > NAMED {
        named.push(format!("and {} more", entries.len() - NAMED));
    }
    named.join(", ")
}
