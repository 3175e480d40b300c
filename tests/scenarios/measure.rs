//! What a played scenario is held to: its own expectations, and what must be true of every run.
//!
//! In: a [`ScenarioFile`] and a [`Played`]. Out: every breach with its measured value, and one line of key numbers.
//! Must not: run anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use musterout::testing::catalog::{Access, Bucket, Repeat};
use musterout::testing::job::Job;
use musterout::testing::outcome::{Outcome, Settlement};
use musterout::testing::pacing::Pacing;
use musterout::testing::report::COLUMNS;
use musterout::testing::runner::event::Event;

use super::file::{Range, ScenarioFile};
use super::play::Played;

/// All breaches of one run.
pub fn breaches(file: &ScenarioFile, played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    if !played.settlements.is_empty() {
        found.extend(account(played));
        found.extend(report(played));
    }
    found.extend(honesty(played));
    found.extend(played.wire.too_early().into_iter().take(3));
    found.extend(pace(played));
    found.extend(expectations(file, played));
    found.extend(super::days::breaches(&file.expect, played));
    found
}

/// The numbers that people ask for, on one line.
pub fn summary(file: &ScenarioFile, played: &Played) -> String {
    let mut outcomes = String::new();
    for (outcome, count) in tally(played).into_iter().filter(|(_, count)| *count > 0) {
        outcomes.push_str(&format!(" {}={count}", outcome.name()));
    }
    format!(
        "{:>9.1} s  share {:.3}  of rest {:.3}  429s {:>4}  requests {:>6}  reads {:>4}  tokens {:>2}  attempts {:>3} {outcomes}",
        played.took.as_secs_f64(),
        share(file, played, &buckets(played), played.took),
        share_of_the_rest(file, played),
        throttled(played),
        played.counts.requests,
        played.counts.reads,
        played.counts.token_requests,
        most_attempts(played),
    )
}

/// Rows in are rows out, and each settled exactly once.
fn account(played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    let (rows, settled) = (played.jobs.len(), played.settlements.len());
    if rows != settled {
        found.push(format!("{rows} rows in, {settled} rows out"));
    }
    let mut times = vec![0; rows];
    for event in &played.events {
        if let Event::Settled { job, .. } = event {
            times[*job as usize] += 1;
        }
    }
    let odd = times.iter().filter(|times| **times != 1).count();
    if odd > 0 {
        found.push(format!("{odd} rows were not settled exactly once"));
    }
    found
}

/// The report reads back with one row for every job, in plan order.
fn report(played: &Played) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(played.report.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    if header.iter().ne(COLUMNS) {
        return vec![format!("the report has the columns {header:?}")];
    }
    let records: Result<Vec<_>, _> = reader.records().collect();
    let Ok(records) = records else { return vec!["the report cannot be read back".to_owned()] };
    if records.len() != played.jobs.len() {
        return vec![format!("{} jobs, but {} rows in the report", played.jobs.len(), records.len())];
    }
    let column = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap_or_default();
    let told: [usize; 6] = ["row", "job_id", "action", "target", "outcome", "attempts"].map(column);
    let mut found = Vec::new();
    for (record, (job, settled)) in records.iter().zip(played.jobs.iter().zip(&played.settlements)) {
        let row = told.map(|column| record.get(column).unwrap_or_default().to_owned());
        let expected = [
            job.row.to_string(),
            job.id.to_string(),
            job.action.name.to_owned(),
            job.target().to_owned(),
            settled.outcome.name().to_owned(),
            settled.attempts.to_string(),
        ];
        if row != expected {
            found.push(format!("the report says {row:?} where {expected:?} happened"));
        }
    }
    found.truncate(3);
    found
}

/// No row claims more, or less, than what happened; and nothing that may not be repeated happens twice.
fn honesty(played: &Played) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (job, settled) in played.jobs.iter().zip(&played.settlements) {
        let effects = effects(played, job);
        let shared = || played.jobs.iter().filter(|other| same(other, job)).count() > 1;
        let honest = match settled.outcome {
            Outcome::Accepted | Outcome::Completed => effects > 0,
            // The service did what it was asked, and the device could not.
            Outcome::Failed if settled.verified_at().is_some() => effects > 0,
            Outcome::Failed | Outcome::NotFound | Outcome::NotAttempted | Outcome::AwaitingApproval => effects == 0,
            Outcome::Held => effects == 0 || shared(),
            Outcome::AlreadyDone | Outcome::Unknown => true,
        };
        if !honest {
            found.insert(format!(
                "{} is {} with {effects} effects: {}",
                job.action.name,
                settled.outcome.name(),
                words(settled)
            ));
        }
        if job.action.repeat == Repeat::AfterReadBack && effects > 1 {
            found.insert(format!("{} happened {effects} times to one target", job.action.name));
        }
    }
    found.into_iter().take(3).collect()
}

fn same(one: &Job, other: &Job) -> bool {
    one.action == other.action && one.target().eq_ignore_ascii_case(other.target())
}

fn words(settled: &Settlement) -> String {
    let texts = [settled.error_code(), settled.error_message(), settled.note.as_deref()];
    texts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Where pacing is on, no window ever holds more than the run may use.
fn pace(played: &Played) -> Vec<String> {
    let Pacing::Within(budget) = played.limits.pacing else { return Vec::new() };
    let busy = Bucket::all().filter_map(|bucket| {
        let allowance = budget.allowance(bucket);
        let most = played.wire.busiest(bucket, allowance.window);
        let over = most > allowance.requests as usize;
        over.then(|| format!("{most} requests of {bucket} in one window of {:?}", allowance.window))
    });
    busy.collect()
}

fn expectations(file: &ScenarioFile, played: &Played) -> Vec<String> {
    let expect = &file.expect;
    let mut found = outcomes(&expect.outcomes, played);
    let mut hold = |what: &str, range: Option<Range>, value: f64| {
        if let Some(range) = range.filter(|range| !range.holds(value)) {
            found.push(format!("{what} is {value:.3}, not in {range}"));
        }
    };
    let each: Vec<u32> = played.jobs.iter().map(|job| effects(played, job)).collect();
    let (fewest, most) = (each.iter().min().copied(), each.iter().max().copied());
    let counts = &played.counts;
    hold("virtual_seconds", Some(expect.virtual_seconds), played.took.as_secs_f64());
    hold("effects_per_target", expect.effects_per_target, f64::from(fewest.unwrap_or_default()));
    hold("effects_per_target", expect.effects_per_target, f64::from(most.unwrap_or_default()));
    hold("most_effects_on_one_target", expect.most_effects_on_one_target, f64::from(most.unwrap_or_default()));
    hold("throttled", expect.throttled, throttled(played) as f64);
    hold("share_of_allowance", expect.share_of_allowance, share(file, played, &buckets(played), played.took));
    hold("share_of_the_rest", expect.share_of_the_rest, share_of_the_rest(file, played));
    hold("throttled_share", expect.throttled_share, throttled(played) as f64 / counts.requests.max(1) as f64);
    if let Some((end, range)) = expect.share_of_window_at {
        hold("share_of_window_at", Some(range), share_of_window(file, played, Duration::from_secs_f64(end)));
    }
    hold("requests", expect.requests, counts.requests as f64);
    hold("reads", expect.reads, counts.reads as f64);
    hold("token_requests", expect.token_requests, counts.token_requests as f64);
    hold("attempts", expect.attempts, f64::from(most_attempts(played)));
    for (name, range) in &expect.share_of_bucket {
        match Bucket::all().find(|bucket| bucket.to_string() == *name) {
            Some(bucket) => {
                let until = played.wire.last_sent(bucket).unwrap_or_default();
                hold(name, Some(*range), share(file, played, &[bucket], until));
            }
            None => hold(&format!("{name}, which is no bucket,"), Some(Range::from([0.0, 0.0])), 1.0),
        }
    }
    if expect.stopped != played.stopped {
        found.push(format!("stopped is {:?} ({}), not {:?}", played.stopped, played.reason, expect.stopped));
    }
    let notes = played.settlements.iter().filter_map(|settled| settled.note.as_deref());
    let seen = played.settlements.iter().filter_map(|settled| Some(&*settled.follow_up.as_ref()?.words));
    let notes: BTreeSet<&str> = notes.chain(seen).chain([played.reason.as_str()]).collect();
    found.extend(lacking("note", &expect.notes_contain, &notes));
    let texts = played.settlements.iter().flat_map(|settled| [settled.error_code(), settled.error_message()]);
    let errors: BTreeSet<&str> = texts.flatten().collect();
    found.extend(lacking("error", &expect.errors_contain, &errors));
    found
}

fn outcomes(expected: &BTreeMap<String, Range>, played: &Played) -> Vec<String> {
    let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    let strange = expected.keys().filter(|name| !names.contains(&name.as_str()));
    let mut found: Vec<_> = strange.map(|name| format!("{name} is no outcome")).collect();
    for (outcome, count) in tally(played) {
        let range = expected.get(outcome.name()).copied().unwrap_or(Range::from([0.0, 0.0]));
        if !range.holds(count as f64) {
            let settled = played.settlements.iter().find(|settled| settled.outcome == outcome);
            let example = settled.map(words).unwrap_or_default();
            found.push(format!("{count} rows are {}, not {range}: {example}", outcome.name()));
        }
    }
    found
}

fn lacking(what: &str, wanted: &[String], texts: &BTreeSet<&str>) -> Vec<String> {
    let missing = wanted.iter().filter(|wanted| !texts.iter().any(|text| text.contains(wanted.as_str())));
    let some: Vec<_> = texts.iter().take(5).collect();
    missing.map(|wanted| format!("no {what} says `{wanted}`; there are {some:?}")).collect()
}

fn tally(played: &Played) -> Vec<(Outcome, usize)> {
    let count = |outcome| played.settlements.iter().filter(|settled| settled.outcome == outcome).count();
    Outcome::ALL.into_iter().map(|outcome| (outcome, count(outcome))).collect()
}

fn effects(played: &Played, job: &Job) -> u32 {
    played.counts.of(job.action.name, job.target()).effects
}

fn throttled(played: &Played) -> u64 {
    played.counts.statuses.get(&429).copied().unwrap_or_default()
}

fn most_attempts(played: &Played) -> u32 {
    played.settlements.iter().map(|settled| settled.attempts).max().unwrap_or_default()
}

/// The buckets that the plan writes to.
fn buckets(played: &Played) -> Vec<Bucket> {
    Bucket::all().filter(|bucket| played.jobs.iter().any(|job| job.bucket() == *bucket)).collect()
}

/// Effects in these buckets, over what the tenant's windows would have let through evenly in that time.
fn share(file: &ScenarioFile, played: &Played, buckets: &[Bucket], time: Duration) -> f64 {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut permitted = 0.0;
    for bucket in buckets.iter().filter(|bucket| bucket.access == Access::Write) {
        let allowance = file.simulator.throttle.0[bucket.index()].unwrap_or(bucket.allowance());
        permitted += allowance.per_second() * time.as_secs_f64();
        let own = played.jobs.iter().map(|job| job.action).filter(|action| action.service.name == bucket.service.name);
        names.extend(own.map(|action| action.name));
    }
    let happened: u32 = names.into_iter().map(|name| played.counts.total(name).effects).sum();
    f64::from(happened) / f64::max(permitted, 1.0)
}

/// Effects in the buckets that the plan writes to, over what was left there by strangers.
fn share_of_the_rest(file: &ScenarioFile, played: &Played) -> f64 {
    let buckets = buckets(played);
    let allowed = |bucket: &Bucket| {
        file.simulator.throttle.0[bucket.index()].unwrap_or(bucket.allowance()).per_second() * played.took.as_secs_f64()
    };
    let strangers = |bucket: &Bucket| played.counts.of_strangers[bucket.index()] as f64;
    let left: f64 = buckets.iter().map(|bucket| (allowed(bucket) - strangers(bucket)).max(0.0)).sum();
    share(file, played, &buckets, played.took) * buckets.iter().map(allowed).sum::<f64>() / left.max(1.0)
}

/// Requests of the plan's buckets in the window that ends then, over the allowance.
fn share_of_window(file: &ScenarioFile, played: &Played, end: Duration) -> f64 {
    let shares = buckets(played).into_iter().map(|bucket| {
        let allowance = file.simulator.throttle.0[bucket.index()].unwrap_or(bucket.allowance());
        let sent = played.wire.sent_between(bucket, end.saturating_sub(allowance.window), end);
        sent as f64 / f64::from(allowance.requests)
    });
    shares.fold(1.0, f64::min)
}
