//! The reference says what is true: formats, tables, names and numbers as the code has them.
//!
//! In: the pages. Out: what they lack, or say otherwise than the code.

use std::fs;
use std::path::Path;

use musterout::testing::catalog::{ACTIONS, Bucket, SELECTORS};
use musterout::testing::outcome::{Cause, Outcome, Standing};
use musterout::testing::plan::PROPERTIES;

use crate::support::program::{Desk, musterout, run};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_scenario_format_is_documented_in_full() {
    let everything = page("src/simulator/scenario/everything.yaml");
    assert!(
        page("docs/reference/simulator.md").contains(everything.trim()),
        "docs/reference/simulator.md does not hold everything.yaml"
    );
}

#[test]
fn the_example_of_the_guards_is_a_plan_and_a_policy_that_work() {
    let page = page("docs/reference/guards.md");
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
    for key in musterout::testing::plan::GUARDS {
        let named = page.contains(&format!("| `{key}` |"));
        assert!(named, "docs/reference/guards.md does not explain {key}");
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
    let printed = page("docs/reference/resume.md");
    let rows: Vec<_> = code.lines().filter_map(|line| line.strip_prefix("//! |")).collect();
    assert!(rows.len() > 10, "the table was not found");
    for row in rows {
        assert!(printed.contains(row), "docs/reference/resume.md lacks |{row}");
    }
}

#[test]
fn every_cause_is_explained_as_the_code_has_it() {
    let page = page("docs/reference/report.md");
    let (_, section) = page.split_once("## Causes").unwrap();
    let printed: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |cause: Cause| format!("| `{}` | `{}` | {} |", cause.name(), cause.outcome().name(), cause.words());
    assert_eq!(printed, Cause::all().map(row).collect::<Vec<_>>());
}

#[test]
fn everything_that_a_target_is_found_by_is_explained() {
    let page = page("docs/reference/targets.md");
    let names = SELECTORS.iter().map(|selector| selector.name).chain(PROPERTIES.iter().map(|(name, ..)| *name));
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/reference/targets.md lacks {name}");
    }
}

#[test]
fn the_page_on_pacing_names_every_allowance_as_the_catalog_has_it() {
    let page = page("docs/explanation/pacing.md");
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

#[test]
fn the_number_of_actions_is_true() {
    let number = ACTIONS.len();
    assert!(page("README.md").contains(&format!("{number} actions")));
    assert!(page("CHANGELOG.md").contains(&format!("- {number} actions on ")));
}

/// The first two cells of each line of a table that begins with a name or a number in code.
fn first_cells(section: &str) -> Vec<(String, String)> {
    let lines = section.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split_once("` | "));
    lines.map(|(name, rest)| (name.to_owned(), rest.rsplit(" | ").next().unwrap_or(rest).to_owned())).collect()
}

#[test]
fn every_outcome_is_explained_with_what_it_counts_as() {
    let page = page("docs/reference/outcomes.md");
    let (_, section) = page.split_once("## Outcomes").unwrap();
    let printed = first_cells(section.split("\n## ").next().unwrap());
    let standing = |outcome: Outcome| match outcome.standing() {
        Standing::Good => "good |",
        Standing::Bad => "bad |",
        Standing::Open => "open |",
    };
    let expected = Outcome::ALL.map(|outcome| (outcome.name().to_owned(), standing(outcome).to_owned()));
    assert_eq!(printed, expected);
}

#[test]
fn every_exit_code_is_explained() {
    let page = page("docs/reference/outcomes.md");
    let (_, section) = page.split_once("## Exit codes").unwrap();
    let printed: Vec<_> = first_cells(section.split("\n## ").next().unwrap()).into_iter().map(|row| row.0).collect();
    let help = run(&mut musterout(["--help"])).ended_with(0).stdout;
    let (_, table) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<_> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let codes: Vec<_> = codes.into_iter().filter(|word| word.parse::<u8>().is_ok()).collect();
    assert!(codes.len() > 8, "the table was not found: {help}");
    assert_eq!(printed, codes);
}

#[test]
fn the_sample_of_an_own_action_is_a_plan() {
    let page = page("docs/reference/own-actions.md");
    let sample = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let desk = Desk::with(&[("plan.yaml", sample)]);
    let ran = run(&mut desk.musterout(["preview", "plan.yaml"])).ended_with(0);
    assert!(ran.stdout.contains("unverified"), "{}", ran.stdout);
}
