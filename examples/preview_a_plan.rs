//! Reads a plan and prints each request that it would send, without any network.
//!
//! cargo run --example preview_a_plan -- plans/wipe.yaml

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use musterout::testing::catalog::Budget;
use musterout::testing::guard::preflight;
use musterout::testing::plan;
use musterout::testing::preview::Preview;

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("plans/wipe.yaml"), PathBuf::from);
    let plan = match plan::load(&file) {
        Ok(plan) => plan,
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{}", fault.render(false)));
            return ExitCode::from(2);
        }
    };
    if !plan.unresolved.is_empty() {
        eprintln!("{} rows have to be looked up in a tenant first; `musterout preview` does", plan.unresolved.len());
        return ExitCode::from(2);
    }
    let preflight = preflight::inspect(&plan.jobs, Timestamp::now());
    for row in Preview::new(&plan.jobs, &preflight, Budget::documented(0)).rows() {
        let request = row.request();
        let body = request.text().unwrap_or("(no body)");
        println!("{:<8} {} {} {body}", row.state.name(), request.method.name(), request.path);
    }
    ExitCode::SUCCESS
}
