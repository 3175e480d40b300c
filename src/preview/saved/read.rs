//! Reading a saved preview back.
//!
//! In: its bytes. Out: a [`SavedPreview`], or why it cannot be used. Must not: look at the plan it was made of, or at the
//! time; whether it has expired is asked by whoever runs it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::format::{BEGINNING, END, FIRST, Head, LineOfJob, NamesOfLine, VERSION};
use super::write::{hexadecimal, write};
use crate::catalog::{Action, Budget, Definition};
use crate::escrow::Keys;
use crate::guard::drift::Sighting;
use crate::guard::escrow::Asking;
use crate::guard::preflight::{self, Hold, Preflight};
use crate::guard::rules::Rules;
use crate::job::{Ids, Job, JobParts, Names, Parameters};
use crate::msgraph::request;
use crate::preview::of_jobs::Preview;
use crate::preview::row::PreviewState;

/// A saved preview, read and found whole.
#[derive(Debug)]
pub(crate) struct SavedPreview {
    pub head: Head,
    pub jobs: Vec<Job>,
    /// One for each job; `None` where nobody looked.
    pub sightings: Vec<Option<Sighting>>,
    /// What was on file of the targets; `None` where nobody looked.
    pub keys: Vec<Option<Keys>>,
    /// As it was when the preview was made: what was not shown as `send` is not sent.
    pub preflight: Preflight,
    /// The guards in force then.
    pub rules: Rules,
    /// In hexadecimal.
    pub digest: String,
}

/// Why a file cannot be used. The line is that of the file, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("this is not a saved preview")]
    Foreign,
    #[error("this is a saved preview of version {0}; this program knows versions {FIRST} and {VERSION}")]
    Version(String),
    #[error("the saved preview is cut short: its last line is not a digest")]
    CutShort,
    #[error("the saved preview was changed after it was made: its digest is {found}, and it says {said}")]
    Changed { said: String, found: String },
    #[error("the saved preview cannot be understood: {0}")]
    Damaged(String),
    #[error("row {row} is about the user {name}, and the saved preview, of version {FIRST}, does not say who that was")]
    Nameless { line: usize, row: u32, name: String },
    #[error("row {row} is not what this program would send: {what}")]
    Differs { line: usize, row: u32, what: String },
}

/// What is found today, and what the file says of it: state, finding, target.
type LineSays = (String, Option<String>, Option<Sighting>);

/// Reads and checks all of it.
pub(crate) fn read(bytes: &[u8]) -> Result<SavedPreview, Unusable> {
    let saved = read_of_run(bytes)?;
    let named = |job: &Job| {
        let in_body = job.parameters.as_deref().and_then(|parameters| parameters.users().first());
        let in_body = in_body.filter(|_| job.names.is_none() && job.unfound().is_none()).map(|name| &**name);
        job.name_in_path().or(in_body).map(str::to_owned)
    };
    match saved.jobs.iter().enumerate().find_map(|(at, job)| Some((at, job.row, named(job)?))) {
        Some((at, row, name)) => Err(Unusable::Nameless { line: at + 2, row, name }),
        None => Ok(saved),
    }
}

/// Reads and checks all of it for a run that was begun from it, by whatever version: names go on being names there, and
/// whoever goes on with the run looks them up.
pub(crate) fn read_of_run(bytes: &[u8]) -> Result<SavedPreview, Unusable> {
    let text = bytes.strip_prefix(BEGINNING.as_bytes()).ok_or(Unusable::Foreign)?;
    let version: String = text.iter().take(10).take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
    if ![FIRST, VERSION].iter().any(|known| version == known.to_string()) {
        return Err(Unusable::Version(version));
    }
    let said = digest_in(bytes).ok_or(Unusable::CutShort)?;
    let digested = &bytes[..bytes.len() - (END.len() + said.len() + "\"}\n".len())];
    let found = hexadecimal(&Sha256::digest(digested));
    if found != said {
        return Err(Unusable::Changed { said: said.to_owned(), found });
    }
    let text = std::str::from_utf8(digested).map_err(|error| Unusable::Damaged(error.to_string()))?;
    let saved = rebuild(text, found)?;
    same_when_written(&saved)?;
    Ok(saved)
}

/// The digest on the last line, if that line is what it must be.
fn digest_in(bytes: &[u8]) -> Option<&str> {
    let whole = bytes.strip_suffix(b"\"}\n")?;
    let digest = whole.get(whole.len().checked_sub(64)?..)?;
    let before = &whole[..whole.len() - 64];
    let is_digest = digest.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    let digest = before.ends_with(format!("\n{END}").as_bytes()) && is_digest;
    digest.then(|| std::str::from_utf8(&whole[whole.len() - 64..]).ok()).flatten()
}

/// Line by line: a preview of a million jobs is not held twice.
fn rebuild(text: &str, digest: String) -> Result<SavedPreview, Unusable> {
    let damaged = |at: usize, error: String| Unusable::Damaged(format!("line {}: {error}", at + 1));
    let mut lines = text.lines().enumerate();
    let head = lines.next().and_then(|(_, line)| line.strip_prefix(BEGINNING)?.strip_suffix(",\"jobs\":["));
    let head = head.and_then(|head| head.split_once(",\"head\":")).map(|(_, head)| head);
    let head = head.ok_or_else(|| damaged(0, "it has no head".into()))?;
    let head: Head = serde_json::from_str(head).map_err(|error| damaged(0, error.to_string()))?;
    let own = head.actions.iter().map(Definition::action).collect::<Result<Vec<_>, _>>();
    let own = own.map_err(|error| damaged(0, error))?;
    let (mut jobs, mut said): (Vec<Job>, Vec<LineSays>) = (Vec::new(), Vec::new());
    let mut keys = Vec::new();
    for (at, text) in lines {
        let line: LineOfJob = serde_json::from_str(text.strip_suffix(',').unwrap_or(text))
            .map_err(|error| damaged(at, error.to_string()))?;
        let differs = |what: String| Unusable::Differs { line: at + 1, row: line.row, what };
        let mut job = job(&line, &own).map_err(differs)?;
        job.priority = line.priority;
        job.missing = line.missing;
        job.set_unfound(line.unfound);
        job.found = line.found.as_ref().map(|found| Box::new(found.found()));
        job.set_verified_within(line.verified_within.map(|seconds| Duration::from_secs(seconds.into())));
        job.after = line.after.filter(|before| (*before as usize) < jobs.len());
        if job.after != line.after {
            return Err(differs("it waits for a row that does not come before it".into()));
        }
        jobs.push(job);
        keys.push(line.keys);
        said.push((line.state, line.finding, line.target.map(Sighting::from)));
    }
    if jobs.len() != head.rows as usize {
        return Err(Unusable::Damaged(format!("it says {} rows, and has {}", head.rows, jobs.len())));
    }
    let mut preflight = preflight::inspect(&jobs, head.created);
    for (at, _) in said.iter().enumerate().filter(|(_, (state, _, _))| state == PreviewState::Done.name()) {
        preflight.leave_out(at);
    }
    let rules: Rules = serde_json::from_value(head.guards.clone())
        .map_err(|error| Unusable::Damaged(format!("the guards: {error}")))?;
    preflight.hold_protected(&jobs, &rules.protected, &[]);
    let mut sightings = Vec::with_capacity(said.len());
    let mut findings = Vec::with_capacity(said.len());
    for (state, finding, sighting) in said {
        sightings.push(sighting);
        findings.push((state, finding));
    }
    preflight.hold_unseen(&jobs, &sightings, |at| findings[at].0 == PreviewState::Held.name());
    preflight.hold_protected(&jobs, &rules.protected, &sightings);
    preflight.hold_unescrowed(
        &jobs,
        &keys,
        Asking { rules: &rules, plan: head.plan.name.as_deref(), now: head.created },
    );
    let of_names = findings.iter().enumerate().filter_map(|(at, (state, finding))| {
        let is_named = jobs[at].names.is_some() || jobs[at].found.is_some();
        let may = is_named && state == PreviewState::Held.name() && preflight.holds[at].is_none();
        Some((at, Arc::<str>::from(finding.as_deref().filter(|_| may)?)))
    });
    let of_names: HashMap<usize, Arc<str>> = of_names.collect();
    preflight.hold_moved(&jobs, &of_names);
    for (at, (state, finding)) in findings.iter().enumerate() {
        // Somebody looked, so there is something to compare with before each send.
        if head.not_read.is_none() && state == PreviewState::Send.name() && sightings[at].is_none() {
            let what = "nobody looked at its target".to_owned();
            return Err(Unusable::Differs { line: at + 2, row: jobs[at].row, what });
        }
        judge(preflight.holds[at].as_ref(), &jobs[at], at, (state, finding.as_deref()))?;
    }
    Ok(SavedPreview { head, jobs, sightings, keys, preflight, rules, digest })
}

/// The job of a line; it must be the one that the line names, and become the request that the line shows.
fn job(line: &LineOfJob, own: &[&'static Action]) -> Result<Job, String> {
    let defined = own.iter().copied().find(|action| *action.name == *line.action);
    let action =
        defined.or_else(|| Action::named(&line.action)).ok_or_else(|| format!("unknown action {}", line.action))?;
    let route = action.route_named(&line.route).ok_or_else(|| format!("unknown route {}", line.route))?;
    let plain = |id: &String| !id.is_empty() && !id.contains(char::is_control);
    if line.ids.len() != route.ids.len() || !line.ids.iter().all(plain) {
        return Err("its ids do not fit its route".into());
    }
    let parameters = match &line.body {
        None => None,
        Some(body) => Parameters::read(action, body).map(Some).ok_or("its body cannot be read")?,
    };
    let mut job = Job::new(JobParts {
        row: line.row,
        action,
        route,
        ids: Ids::new(line.ids.iter().map(String::as_str)),
        parameters,
        not_before: line.not_before,
        note: line.note.as_deref().map(Box::from),
        after: None,
    });
    if job.id.to_string() != line.job_id {
        return Err(format!("its id would be {}, and the file says {}", job.id, line.job_id));
    }
    job.names = line.names.as_ref().map(|names| names_of(names, &job)).transpose()?.map(Box::new);
    let request = request::build(&job);
    let shown = (line.method.as_str(), line.path.as_str(), line.body.as_deref());
    match (request.method.name(), request.path.as_str(), request.text()) == shown {
        true => Ok(job),
        false => Err(format!("its request would be {} {}", request.method.name(), request.path)),
    }
}

/// The names that a job was made of; they must fit it.
fn names_of(line: &NamesOfLine, job: &Job) -> Result<Names, String> {
    let misfit = || "its names do not fit it".to_owned();
    let written = Ids::new(line.ids.iter().map(String::as_str));
    let ids = job.route.ids.iter().zip(job.ids.iter());
    let same = ids.zip(written.iter()).all(|((id, now), then)| now == then || (id.is_alias(then) && !id.is_alias(now)));
    let in_body: Box<[_]> = line.users.iter().map(|user| (user.name.clone(), user.id.clone())).collect();
    let users = job.parameters.as_deref().map(Parameters::users).unwrap_or_default();
    let all_said = users.len() == in_body.len() && users.iter().zip(&in_body).all(|(user, (name, _))| user == name);
    let whole = line.ids.len() == job.route.ids.len() && line.ids.iter().all(|id| !id.contains(char::is_control));
    let written_id = line.job_id.parse().map_err(|()| misfit())?;
    match whole && same && all_said && (written != job.ids || !in_body.is_empty()) {
        true => Ok(Names { written_id, written, in_body }),
        false => Err(misfit()),
    }
}

/// What is found today must be what the file says was found.
fn judge(hold: Option<&Hold>, job: &Job, at: usize, (state, finding): (&str, Option<&str>)) -> Result<(), Unusable> {
    match PreviewState::of(hold).name() == state && hold.map(|hold| hold.to_string()).as_deref() == finding {
        true => Ok(()),
        false => {
            let what = format!("the file says {state} ({}), which is not found today", finding.unwrap_or("no finding"));
            Err(Unusable::Differs { line: at + 2, row: job.row, what })
        }
    }
}

/// There is one way to write a preview down. A file that says the same in another way was not written by this program.
fn same_when_written(saved: &SavedPreview) -> Result<(), Unusable> {
    let preview = Preview::new(&saved.jobs, &saved.preflight, Budget::documented(0)).seen(&saved.sightings);
    let preview = preview.with_keys(&saved.keys);
    match write(&saved.head, &preview, std::io::sink()) {
        Ok(digest) if digest == saved.digest => Ok(()),
        _ => Err(Unusable::Damaged("it is not written as this program writes it".into())),
    }
}
