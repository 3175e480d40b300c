//! Lists the Graph permissions that the actions of a plan need.
//!
//! cargo run --example permissions_for_a_plan -- plans/deprovision.csv

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use musterout::testing::plan;

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("plans/deprovision.csv"), PathBuf::from);
    let plan = match plan::load(&file) {
        Ok(plan) => plan,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{}", fault.render(false)));
            return ExitCode::from(2);
        }
    };
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let looked_up = plan.unresolved.iter().flat_map(|row| row.steps.iter()).map(|step| step.action);
    for action in plan.jobs.iter().map(|job| job.action).chain(looked_up) {
        for permission in action.permissions {
            let actions = wanted.entry(permission).or_default();
            if !actions.contains(&action.name) {
                actions.push(action.name);
            }
        }
    }
    for (permission, actions) in wanted {
        println!("{permission}: {}", actions.join(", "));
    }
    ExitCode::SUCCESS
}
