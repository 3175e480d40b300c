//! Reading a saved preview back.
//!
//! In: its bytes. Out: a [`SavedPreview`], or why it cannot be used. Must not: look at the plan it was made of, or at the
//! time; whether it has expired is asked by whoever runs it.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::write::hexadecimal;
use super::{BEGINNING, END, Head, Line, SavedPreview, VERSION};
use crate::catalog::Action;
use crate::guard::drift::Sighting;
use crate::guard::preflight::{self, Hold};
use crate::job::{Ids, Job, JobParts, Parameters};
use crate::msgraph::request;
use crate::preview::{Preview, State};

/// Why a file cannot be used. The line is that of the file, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("this is not a saved preview")]
    Foreign,
    #[error("this is a saved preview of version {0}; this program knows version {VERSION}")]
    Version(String),
    #[error("the saved preview is cut short: its last line is not a digest")]
    CutShort,
    #[error("the saved preview was changed after it was made: its digest is {found}, and it says {said}")]
    Changed { said: String, found: String },
    #[error("the saved preview cannot be understood: {0}")]
    Damaged(String),
    #[error("row {row} is not what this program would send: {what}")]
    Differs { line: usize, row: u32, what: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "musterout_preview")]
    _version: u32,
    head: Head,
    jobs: Vec<Line>,
    digest: String,
}

/// Reads and checks all of it.
pub fn read(bytes: &[u8]) -> Result<SavedPreview, Unusable> {
    let text = bytes.strip_prefix(BEGINNING.as_bytes()).ok_or(Unusable::Foreign)?;
    let version: String = text.iter().take(10).take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
    if version != VERSION.to_string() {
        return Err(Unusable::Version(version));
    }
    let said = digest_in(bytes).ok_or(Unusable::CutShort)?;
    let digested = bytes.len() - (END.len() + said.len() + "\"}\n".len());
    let found = hexadecimal(&Sha256::digest(&bytes[..digested]));
    if found != said {
        return Err(Unusable::Changed { said: said.to_owned(), found });
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| Unusable::Damaged(error.to_string()))?;
    let saved = rebuild(document)?;
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

fn rebuild(document: Document) -> Result<SavedPreview, Unusable> {
    let Document { head, jobs: lines, digest, .. } = document;
    if lines.len() != head.rows as usize {
        let what = format!("it says {} rows, and has {}", head.rows, lines.len());
        return Err(Unusable::Damaged(what));
    }
    let mut jobs = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let mut job = job(line).map_err(|what| Unusable::Differs { line: at + 2, row: line.row, what })?;
        job.after = line.after.filter(|before| (*before as usize) < at);
        if job.after != line.after {
            let what = "it waits for a row that does not come before it".to_owned();
            return Err(Unusable::Differs { line: at + 2, row: line.row, what });
        }
        jobs.push(job);
    }
    let said: Vec<(String, Option<String>, Option<Sighting>)> =
        lines.into_iter().map(|line| (line.state, line.finding, line.target.map(Sighting::from))).collect();
    let mut preflight = preflight::inspect(&jobs, head.created);
    for (at, _) in said.iter().enumerate().filter(|(_, (state, _, _))| state == State::Done.name()) {
        preflight.leave_out(at, &jobs[at]);
    }
    let sightings: Vec<_> = said.iter().map(|(_, _, sighting)| sighting.clone()).collect();
    preflight.hold_unseen(&jobs, &sightings);
    for (at, (state, finding, _)) in said.iter().enumerate() {
        judge(preflight.holds[at], &jobs[at], at, (state, finding.as_deref()))?;
    }
    let digest = digest.trim_start_matches("sha256:").to_owned();
    Ok(SavedPreview { head, jobs, sightings, preflight, digest })
}

/// The job of a line; it must be the one that the line names, and become the request that the line shows.
fn job(line: &Line) -> Result<Job, String> {
    let action = Action::named(&line.action).ok_or_else(|| format!("unknown action {}", line.action))?;
    let route = action.route_named(&line.route).ok_or_else(|| format!("unknown route {}", line.route))?;
    let plain = |id: &String| !id.is_empty() && !id.contains(char::is_control);
    if line.ids.len() != route.ids.len() || !line.ids.iter().all(plain) {
        return Err("its ids do not fit its route".into());
    }
    let parameters = match &line.body {
        None => None,
        Some(body) => Parameters::read(action, body).map(Some).ok_or("its body cannot be read")?,
    };
    let job = Job::new(JobParts {
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
    let request = request::build(&job);
    let shown = (line.method.as_str(), line.path.as_str(), line.body.as_deref());
    match (request.method.name(), request.path.as_str(), request.body) == shown {
        true => Ok(job),
        false => Err(format!("its request would be {} {}", request.method.name(), request.path)),
    }
}

/// What is found today must be what the file says was found.
fn judge(hold: Option<Hold>, job: &Job, at: usize, (state, finding): (&str, Option<&str>)) -> Result<(), Unusable> {
    match State::of(hold).name() == state && hold.map(|hold| hold.to_string()).as_deref() == finding {
        true => Ok(()),
        false => {
            let what = format!("the file says {state} ({}), which is not found today", finding.unwrap_or("no finding"));
            Err(Unusable::Differs { line: at + 2, row: job.row, what })
        }
    }
}

/// There is one way to write a preview down. A file that says the same in another way was not written by this program.
fn same_when_written(saved: &SavedPreview) -> Result<(), Unusable> {
    let preview = Preview::new(&saved.jobs, &saved.preflight, 0).seen(&saved.sightings);
    match super::write(&saved.head, &preview, std::io::sink()) {
        Ok(digest) if digest == saved.digest => Ok(()),
        _ => Err(Unusable::Damaged("it is not written as this program writes it".into())),
    }
}
