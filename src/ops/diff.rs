//! `diff`: two saved previews, or one and a plan, side by side.
//!
//! In: two files. Out: what differs. Must not: touch the network; what was seen is what the files say.

use std::path::Path;

use jiff::Timestamp;

use super::{Error, Previewed, agreed, check};
use crate::guard::preflight;
use crate::preview::diff::{Differences, Side, compare};

/// Compares them. `now` decides what is due in a plan.
pub fn diff(before: &Path, after: &Path, now: Timestamp) -> Result<Differences, Error> {
    let (before, after) = (read(before, now)?, read(after, now)?);
    Ok(compare(&side(&before), &side(&after)))
}

fn read(file: &Path, now: Timestamp) -> Result<Previewed, Error> {
    if agreed::is_saved(file) {
        return agreed::load(file);
    }
    let plan = check(file)?;
    let preflight = preflight::inspect(&plan.jobs, now);
    Ok(Previewed { plan, preflight, sightings: Vec::new(), agreed: None })
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
        terms.push(("guards", head.guards.to_string()));
    }
    Side { jobs: &plan.jobs, holds: &previewed.preflight.holds, sightings: &previewed.sightings, terms }
}
