//! Rows per second and peak memory of the verbs that only read: a CSV plan of a million rows, and a large YAML plan.

use std::path::Path;
use std::time::Instant;

use crate::{Fallible, Job, Scratch, Table, Target, Used, mebibytes, median, micros, millis, per_second};

const ROUNDS: usize = 5;
const ROWS: u64 = 1_000_000;
const YAML_TARGETS: u64 = 100_000;
/// The others are there for orientation.
const WITH_TARGET: [&str; 2] = [CSV, TABLE];
const CSV: &str = "preview --format csv";
const TABLE: &str = "preview, the table for people";
const MOST_SECONDS: f64 = 2.5;
const MOST_MEBIBYTES: f64 = 500.0;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let csv = scratch.plan("big.csv", ROWS)?;
    let yaml = scratch.yaml_plan("big.yaml", YAML_TARGETS)?;
    let [csv_plan, yaml_plan] = [&csv, &yaml].map(|path| path.to_string_lossy().into_owned());
    let jobs = [
        (CSV, Job::musterout(["preview", &csv_plan, "--format", "csv"])),
        ("preview --format json", Job::musterout(["preview", &csv_plan, "--format", "json"])),
        (TABLE, Job::musterout(["preview", &csv_plan])),
        ("check", Job::musterout(["check", &csv_plan])),
        ("check of 100,000 YAML targets", Job::musterout(["check", &yaml_plan])),
    ];
    let mut used: Vec<Vec<Used>> = vec![Vec::new(); jobs.len()];
    let mut yardsticks = Vec::new();
    for _ in 0..ROUNDS {
        for ((_, job), used) in jobs.iter().zip(&mut used) {
            used.push(job.run()?);
        }
        yardsticks.push(bare_csv(&csv)?);
    }
    let bare = median(yardsticks).unwrap_or_default();
    let mut table = Table::new("Plans of 1,000,000 CSV rows and of 100,000 YAML targets, medians of the rounds");
    for ((what, _), used) in jobs.iter().zip(&used) {
        let rows = if what.contains("YAML") { YAML_TARGETS } else { ROWS };
        figures(what, rows, used, bare, &mut table);
    }
    table.print();
    Ok(())
}

fn figures(what: &str, rows: u64, used: &[Used], bare: f64, table: &mut Table) {
    let wall = median(used.iter().map(|used| used.wall)).unwrap_or_default();
    let per_row = micros(wall) / rows as f64;
    let peak = mebibytes(median(used.iter().map(|used| used.peak_bytes)).unwrap_or_default());
    let yardstick = format!("bare csv crate {bare:.2} us/row");
    let cpu = median(used.iter().map(|used| used.cpu)).unwrap_or_default();
    let measured = format!("{:.0} ms, {per_row:.2} us/row, CPU {:.0} ms", millis(wall), millis(cpu));
    let memory = format!("{what}: peak memory");
    let per_job = format!("{:.0} bytes a row", peak * f64::from(1 << 20) / rows as f64);
    if !WITH_TARGET.contains(&what) {
        table.note(what, &measured, &yardstick, Some(per_row / bare));
        table.note(&memory, &format!("{peak:.0} MiB"), &per_job, None);
        return;
    }
    let seconds = (wall.as_secs_f64(), Target::AtMost(MOST_SECONDS), "< 2.5 s");
    table.row(what, &measured, &yardstick, Some(per_row / bare), seconds);
    table.row(&memory, &format!("{peak:.0} MiB"), &per_job, None, (peak, Target::AtMost(MOST_MEBIBYTES), "< 500 MB"));
}

/// What it costs to do nothing with the rows: microseconds for each.
fn bare_csv(path: &Path) -> Fallible<f64> {
    let start = Instant::now();
    let mut reader = csv::Reader::from_path(path)?;
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record)? {
        rows += 1;
    }
    Ok(1e6 / per_second(f64::from(rows), start.elapsed()))
}
