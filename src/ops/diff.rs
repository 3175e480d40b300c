//! `diff`: two saved previews, or one and a plan, side by side.
//!
//! In: two files. Out: what differs. Must not: touch the network; what was seen is what the files say.

use std::path::Path;

use jiff::Timestamp;

use super::error::Error;
use super::previewed::Previewed;
use super::read::{load, read};
use super::{agreed, guards, look_up};
use crate::diagnostics::{Diagnostic, Place};
use crate::guard::breaker::StopWhen;
use crate::guard::preflight;
use crate::guard::rules::Rules;
use crate::preview::diff::{Differences, Side, compare};
use crate::settings::PolicyFile;

/// Compares them. `now` decides what is due in a plan.
pub(crate) fn diff(before: &Path, after: &Path, policies: &[PolicyFile], now: Timestamp) -> Result<Differences, Error> {
    let simulated = [before, after].iter().any(|file| is_simulated(file));
    let (before, after) = (known(before, policies, now, simulated)?, known(after, policies, now, simulated)?);
    Ok(compare(&side(&before), &side(&after)))
}

/// Whether a file is a saved preview of the simulated tenant; what is wrong with it is told when it is read.
fn is_simulated(file: &Path) -> bool {
    agreed::is_saved(file) && load(file).ok().and_then(|it| it.agreed).is_some_and(|it| it.head.simulated)
}

/// One side, whose targets are known by their ids. A row that has to be looked up would look as if it were not there; one whose
/// day has not come waits on both sides.
fn known(file: &Path, policies: &[PolicyFile], now: Timestamp, simulated: bool) -> Result<Previewed, Error> {
    let policies = guards::policies(policies)?;
    let mut previewed = read(file, now)?;
    let rows = previewed.plan.unresolved.iter().filter(|row| row.is_due(now)).count();
    if rows == 0 {
        if look_up::put_off(&mut previewed.plan, now)? {
            previewed.preflight = preflight::inspect(&previewed.plan.jobs, now);
        }
        previewed.hold_against(policies, now)?;
        return Ok(previewed);
    }
    let name = file.display();
    let which = if rows == 1 { "1 row has".to_owned() } else { format!("{rows} rows have") };
    let message = format!("{which} to be looked up, but `diff` uses no network");
    let simulate = if simulated { " --simulate" } else { "" };
    let help = format!(
        "save a preview of it with `musterout preview {name}{simulate} --out FILE.json`, and compare the two files"
    );
    Err(Error::usage(Diagnostic::error("not-looked-up", message).at(Place::file(name.to_string())).help(help)))
}

fn side(previewed: &Previewed) -> Side<'_> {
    let plan = &previewed.plan;
    let number = |number: Option<u32>| number.map_or("default".to_owned(), |number| number.to_string());
    let mut terms = vec![
        ("justification", plan.justification.clone().unwrap_or_else(|| "none".into())),
        ("concurrency", number(plan.limits.concurrency.map(u32::from))),
        ("reserve_percent", number(plan.limits.reserve_percent.map(u32::from))),
        ("max_attempts", number(plan.limits.max_attempts.map(u32::from))),
    ];
    // A plan may leave the tenant to whoever signs in.
    terms.extend(plan.tenant.clone().map(|tenant| ("tenant", tenant)));
    if let Some(agreed) = &previewed.agreed {
        let head = &agreed.head;
        terms.extend(head.tenant_id.clone().map(|id| ("tenant_id", id)));
        terms.push(("graph_url", if head.simulated { "simulated".into() } else { head.graph_url.clone() }));
    }
    let then = previewed.agreed.as_ref().and_then(|agreed| serde_json::from_value(agreed.head.guards.clone()).ok());
    terms.push(("guards", guards(then.as_ref().unwrap_or(&previewed.verdict.rules))));
    let (holds, sightings) = (&previewed.preflight.holds, &previewed.sightings);
    Side { jobs: &plan.jobs, holds, looked: previewed.agreed.is_some(), sightings, terms }
}

/// The rules, on one line.
fn guards(rules: &Rules) -> String {
    let mut told: Vec<_> = rules.stated.iter().map(|rule| format!("{} {}", rule.guard.name(), rule.guard)).collect();
    if !rules.protected.is_empty() {
        told.push(format!("protected {}", rules.protected.len()));
    }
    if rules.stop_when != StopWhen::default() {
        told.push(format!("stop_when {}", rules.stop_when));
    }
    if !rules.waves.is_empty() {
        told.push(format!("waves {}", rules.waves.len()));
    }
    let overrides = rules.overrides.iter().map(|one| format!("override: {}", one.reason));
    told.extend(overrides);
    told.join("; ")
}
