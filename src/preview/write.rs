//! The preview as CSV and as one JSON document.
//!
//! In: a preview, the base of the URLs, somewhere to write. Out: bytes, written row by row; the same plan makes the
//! same bytes. Must not: hold more than a few blocks of rows.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use serde::Serialize;
use serde_json::{Value, json};

use super::blocks;
use super::guards;
use super::keys::KeyCount;
use super::of_jobs::Preview;
use super::row::PreviewRow;
use super::rows::PreviewRows;
use crate::catalog::{DAILY, SECRETS};
use crate::daily::Day;
use crate::escrow::Keys;
use crate::guard::waves::WaveOfRun;
use crate::msgraph::request;
use crate::report::cell;
use crate::text::{Medium, harmless};

/// The columns of a preview, and the keys of its rows in JSON.
pub(crate) const COLUMNS: [&str; 11] =
    ["row", "job_id", "action", "target", "method", "url", "body", "risk", "state", "not_before", "note"];

/// Columns that stand behind those where anybody has looked for keys: one for each secret.
fn key_columns(preview: &Preview<'_>) -> impl Iterator<Item = &'static str> {
    SECRETS.iter().map(|row| row.name).filter(move |_| preview.has_keys())
}

/// Most rows are shorter.
const ROW: usize = 256;

/// Writes a header and one record for every row. `graph_url` is the base of the URLs: `https://graph.microsoft.com`.
pub(crate) fn write_csv(preview: &Preview<'_>, graph_url: &str, mut out: impl Write) -> io::Result<()> {
    let base = graph_url.trim_end_matches('/');
    let mut header = PreviewRows::with_capacity(ROW);
    COLUMNS.into_iter().chain(key_columns(preview)).for_each(|name| header.cell(name));
    header.end();
    out.write_all(header.finish().as_bytes())?;
    let text_of = |range: Range<usize>| {
        let mut rows = PreviewRows::with_capacity(range.len() * ROW);
        for row in preview.rows_at(range) {
            fill(&mut rows, base, &row);
            if preview.has_keys() {
                let word = |secret| row.keys.map_or("", |keys| keys.of(secret).status.name());
                SECRETS.iter().for_each(|of| rows.cell(word(of.secret)));
            }
            rows.end();
        }
        Ok(rows.finish())
    };
    blocks::write(preview.total(), text_of, &mut out)?;
    out.flush()
}

fn fill(rows: &mut PreviewRows, base: &str, row: &PreviewRow<'_>) {
    let job = row.job;
    rows.shown(job.row);
    rows.shown(job.id);
    rows.cell(job.action.name);
    rows.cell(&cell::harmless(job.target()));
    rows.cell(job.route.method.name());
    rows.cell_of(|url| {
        url.push_str(base);
        request::push_path(job, url);
    });
    rows.cell(&cell::harmless(request::text(job).unwrap_or_default()));
    rows.cell(job.action.risk.name());
    rows.cell(row.state.name());
    match job.not_before {
        Some(at) => rows.shown(at),
        None => rows.cell(""),
    }
    rows.cell(&cell::harmless(row.note().as_deref().unwrap_or_default()));
}

#[derive(Serialize)]
struct JsonRow<'a> {
    row: u32,
    job_id: String,
    action: &'static str,
    target: &'a str,
    method: &'static str,
    url: String,
    body: Option<Value>,
    risk: &'static str,
    /// Only where it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<bool>,
    state: &'static str,
    not_before: Option<jiff::Timestamp>,
    note: Option<String>,
    /// Only where anybody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a Keys>,
}

/// Writes `{"summary": {…}, "saved": {…}, "guards": […], "overrides": […], "findings": […], "jobs": […]}`, one job a line.
/// `saved` is what a saved preview says of itself.
pub(crate) fn write_json(
    preview: &Preview<'_>,
    graph_url: &str,
    saved: Option<&Value>,
    out: impl Write,
) -> io::Result<()> {
    let base = graph_url.trim_end_matches('/');
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    let mut top = format!("{{\"summary\":{}", summary(preview));
    // Writing to a String cannot fail.
    if let Some(saved) = saved {
        let _ = write!(top, ",\"saved\":{saved}");
    }
    if let Some(verdict) = preview.verdict() {
        let (rules, overrides) = (guards::rules(verdict), guards::overrides(verdict));
        let findings = guards::findings(verdict);
        let _ = write!(top, ",\"guards\":{rules},\"overrides\":{overrides},\"findings\":{findings}");
    }
    out.write_all(harmless(&top, Medium::Json).as_bytes())?;
    out.write_all(b",\"jobs\":[")?;
    let text_of = |range: Range<usize>| {
        let mut rows = String::with_capacity(2 * range.len() * ROW);
        for (at, row) in range.clone().zip(preview.rows_at(range)) {
            let text = serde_json::to_string(&json_row(base, &row)?)?;
            rows.extend([if at == 0 { "\n" } else { ",\n" }, &*harmless(&text, Medium::Json)]);
        }
        Ok(rows)
    };
    blocks::write(preview.total(), text_of, &mut out)?;
    out.write_all(b"\n]}\n")?;
    out.flush()
}

fn json_row<'a>(base: &str, row: &PreviewRow<'a>) -> io::Result<JsonRow<'a>> {
    let (job, request) = (row.job, row.request());
    Ok(JsonRow {
        row: job.row,
        job_id: job.id.to_string(),
        action: job.action.name,
        target: job.target(),
        method: request.method.name(),
        url: format!("{base}{}", request.path),
        body: request.text().map(serde_json::from_str).transpose()?,
        risk: job.action.risk.name(),
        unverified: job.action.is_unverified().then_some(true),
        state: row.state.name(),
        not_before: job.not_before,
        note: row.note(),
        keys: row.keys,
    })
}

fn summary(preview: &Preview<'_>) -> Value {
    let actions = preview.actions.iter().map(|count| {
        json!({
            "action": count.action.name,
            "risk": count.action.risk.name(),
            "send": count.send,
            "held": count.held,
            "not_due": count.not_due,
            "done": count.done,
        })
    });
    let buckets = preview.buckets.iter().map(|count| {
        json!({
            "bucket": count.bucket.to_string(),
            "requests": count.requests,
            "per_second": preview.budget.whole(count.bucket).per_second(),
            "seconds": tenths(count.time),
        })
    });
    let consequences = preview.consequences();
    let consequences = consequences.iter().map(|count| {
        let row = count.consequence;
        json!({
            "consequence": row.code,
            "actions": row.actions,
            "target": count.target.name(),
            "certain": count.certain,
            "possible": count.possible,
            "meaning": row.many,
            "because": row.because,
            "condition": (!row.if_many.is_empty()).then_some(row.if_many),
            "source": row.source,
        })
    });
    let mut summary = json!({
        "rows": preview.total(),
        "send": preview.send(),
        "held": preview.held(),
        "not_due": preview.not_due(),
        "done": preview.done(),
        "dangerous": preview.dangerous(),
        "reserve_percent": preview.budget.reserve_percent(),
        "seconds": preview.longest().map_or(0.0, |longest| tenths(longest.time)),
        "actions": actions.collect::<Vec<_>>(),
        "buckets": buckets.collect::<Vec<_>>(),
        "days": preview.spread.iter().flat_map(|spread| &spread.days).map(day).collect::<Vec<_>>(),
        "consequences": consequences.collect::<Vec<_>>(),
        "waves": preview.waves.stages().iter().map(wave).collect::<Vec<_>>(),
    });
    if preview.has_keys() {
        summary["keys"] = preview.key_counts().iter().map(key_count).collect();
    }
    summary
}

/// How many devices stand how with one secret.
fn key_count(count: &KeyCount) -> (String, Value) {
    let numbers = json!({ "on_file": count.on_file, "missing": count.missing, "unknown": count.unknown });
    (count.secret.name.to_owned(), numbers)
}

fn wave(stage: &WaveOfRun) -> Value {
    json!({
        "jobs": stage.jobs,
        "within_seconds": stage.conditions.within.as_secs(),
        "pause_seconds": stage.conditions.pause.as_secs(),
        "ask": stage.conditions.ask,
    })
}

/// What the daily limits let go on one day, by action.
fn day(day: &Day) -> Value {
    let sends = DAILY.iter().zip(day.sends).filter(|(_, sends)| *sends > 0);
    let sends: serde_json::Map<_, _> =
        sends.map(|(limit, sends)| (limit.action.to_owned(), Value::from(sends))).collect();
    json!({ "from": format!("{:.3}", day.from), "send": sends })
}

/// A forecast is not known to the nanosecond.
fn tenths(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}
