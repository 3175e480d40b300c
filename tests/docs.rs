//! The documentation says what is true: the scenario format in full, and the table of actions.

use std::fs;
use std::path::Path;

use musterout::catalog::{ACTIONS, SELECTORS};
use musterout::plan::PROPERTIES;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_scenario_format_is_documented_in_full() {
    let everything = page("src/simulator/scenario/everything.yaml");
    assert!(page("docs/simulator.md").contains(everything.trim()), "docs/simulator.md does not hold everything.yaml");
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
fn everything_that_a_target_is_found_by_is_explained() {
    let page = page("docs/targets.md");
    let names = SELECTORS.iter().map(|selector| selector.name).chain(PROPERTIES.iter().map(|(name, ..)| *name));
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/targets.md lacks {name}");
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
