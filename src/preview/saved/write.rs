//! Writing a saved preview.
//!
//! In: the head, the preview, somewhere to write. Out: the file, and its digest. Must not: let the order of a map, the
//! platform or a locale reach the bytes.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::format::{BEGINNING, END, FIRST, FoundOfLine, Head, LineOfJob, NamesOfLine, SightingOfLine, VERSION};
use crate::job::Unfound;
use crate::preview::of_jobs::Preview;
use crate::preview::row::PreviewRow;

/// Writes it, and returns the digest in hexadecimal. The preview must have its sightings.
pub(crate) fn write(head: &Head, preview: &Preview<'_>, out: impl Write) -> io::Result<String> {
    let mut out = Hashing { out: BufWriter::with_capacity(64 * 1024, out), digest: Sha256::new() };
    let head = Head { guards: sorted(&head.guards), ..head.clone() };
    let version = if preview.jobs().iter().any(|job| job.names.is_some()) { VERSION } else { FIRST };
    writeln!(out, "{BEGINNING}{version},\"head\":{},\"jobs\":[", serde_json::to_string(&head)?)?;
    let last = preview.total().saturating_sub(1);
    for (at, row) in preview.rows().enumerate() {
        serde_json::to_writer(&mut out, &line(&row))?;
        out.write_all(if at == last { b"\n" } else { b",\n" })?;
    }
    let Hashing { mut out, digest } = out;
    let digest = hexadecimal(&digest.finalize());
    writeln!(out, "{END}{digest}\"}}")?;
    out.flush()?;
    Ok(digest)
}

fn line(row: &PreviewRow<'_>) -> LineOfJob {
    let (job, request) = (row.job, row.request());
    LineOfJob {
        row: job.row,
        job_id: job.id.to_string(),
        action: job.action.name.to_owned(),
        route: job.route.name.to_owned(),
        ids: job.ids.iter().map(str::to_owned).collect(),
        names: job.names.as_deref().map(NamesOfLine::from),
        method: request.method.name().to_owned(),
        body: request.text().map(str::to_owned),
        path: request.path,
        not_before: job.not_before,
        note: job.note.as_deref().map(str::to_owned),
        after: job.after,
        verified_within: job.verified_within().map(|within| u32::try_from(within.as_secs()).unwrap_or(u32::MAX)),
        priority: job.priority,
        missing: job.missing,
        unfound: job.unfound().filter(|why| *why != Unfound::Nothing),
        found: FoundOfLine::of(job),
        state: row.state.name().to_owned(),
        finding: row.hold.map(|hold| hold.to_string()),
        target: row.sighting.map(SightingOfLine::from),
        keys: row.keys.cloned(),
    }
}

/// The same value with the keys of its maps in alphabetical order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Passes bytes on, and digests them on the way.
struct Hashing<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
