//! The documentation says what is true: the scenario format in full, and the table of actions.

use std::fs;
use std::path::Path;

use musterout::catalog::{ACTIONS, Bucket};

use crate::support::program::{Desk, run};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_scenario_format_is_documented_in_full() {
    let everything = page("src/simulator/scenario/everything.yaml");
    assert!(page("docs/simulator.md").contains(everything.trim()), "docs/simulator.md does not hold everything.yaml");
}

#[test]
fn the_example_of_the_guards_is_a_plan_and_a_policy_that_work() {
    let page = page("docs/guards.md");
    let file = |name: &str| {
        let from = page.find(&format!("```yaml\n# {name}\n")).unwrap_or_else(|| panic!("no {name} on the page"));
        page[from + 8..].split("\n```").next().unwrap().to_owned() + "\n"
    };
    let (plan, policy) = (file("plan.yaml"), file("policy.yaml"));
    let laptops = "managedDeviceId\n00000001-0000-4000-8000-000000000001\n";
    let vip = "id,displayName\n00000002-0000-4000-8000-000000000001,Ada\n";
    let files = [("plan.yaml", plan.as_str()), ("policy.yaml", &policy), ("laptops.csv", laptops), ("vip.csv", vip)];
    let desk = Desk::with(&files);
    let ran = run(&mut desk.musterout(["preview", "plan.yaml", "--policy", "policy.yaml"])).ended_with(0);
    for key in musterout::plan::GUARDS {
        let named = page.contains(&format!("| `{key}` |"));
        assert!(named, "docs/guards.md does not explain {key}");
    }
    assert!(
        ran.stdout.contains("max_targets            200 ") && ran.stdout.contains("policy policy.yaml:5"),
        "{}",
        ran.stdout
    );
}

#[test]
fn the_resume_table_is_printed_as_the_code_has_it() {
    let code = page("src/journal/resume.rs");
    let printed = page("docs/resume.md");
    let rows: Vec<_> = code.lines().filter_map(|line| line.strip_prefix("//! |")).collect();
    assert!(rows.len() > 10, "the table was not found");
    for row in rows {
        assert!(printed.contains(row), "docs/resume.md lacks |{row}");
    }
}

#[test]
fn the_readme_lists_every_action_with_its_risk() {
    let readme = page("README.md");
    for action in ACTIONS {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", action.name)));
        let row = row.unwrap_or_else(|| panic!("README.md does not list {}", action.name));
        assert!(row.ends_with(&format!("| {} |", action.risk.name())), "{row}");
    }
}

#[test]
fn the_page_on_pacing_names_every_allowance_as_the_catalog_has_it() {
    let page = page("docs/pacing.md");
    for bucket in Bucket::all() {
        let allowance = bucket.allowance();
        let requests = match allowance.requests {
            many @ 1_000.. => format!("{},{:03}", many / 1_000, many % 1_000),
            few => few.to_string(),
        };
        let seconds = format!("| {} s |", allowance.window.as_secs());
        let row = page.lines().find(|line| line.starts_with(&format!("| `{bucket}` |")));
        let row = row.unwrap_or_else(|| panic!("{bucket} has no row"));
        assert!(row.contains(&format!("| {requests}")) && row.contains(&seconds), "{bucket}: {row}");
    }
}
