//! What README.md and the sample plans promise is what the program does.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::{Desk, musterout, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap_or_else(|error| panic!("README.md: {error}"))
}

/// The lines inside fences, without prompts and remarks.
fn commands() -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme().lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.trim_start_matches("$ ");
            found.push(line.split(" #").next().unwrap_or_default().trim_end_matches([' ', '&']).to_owned());
        }
    }
    found.extend(readme().split('`').skip(1).step_by(2).map(str::to_owned));
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, place).unwrap();
        }
    }
}

/// A folder with the sample plans in it.
fn desk() -> Desk {
    let desk = Desk::with(&[]);
    copy(&root().join("plans"), &desk.path("plans"));
    desk
}

#[test]
fn the_first_command_does_what_it_says() {
    let all = commands();
    let first = all.iter().find_map(|line| line.strip_prefix("cargo run --release -- ")).expect("README.md has it");
    assert_eq!(first, "run plans/mass-retirement.csv --simulate --confirm 24");
    let desk = desk();
    let ran = run(&mut desk.musterout(first.split(' '))).ended_with(0);
    assert!(ran.account().starts_with("account: rows in 24, rows out 24: accepted 24"), "{}", ran.stdout);
    let shown = readme();
    assert!(shown.contains(ran.account()), "README.md shows another account than\n{}", ran.account());
    let wrong = first.replace("24", "23");
    let ran = run(&mut desk.musterout(wrong.split(' '))).ended_with(10);
    assert!(ran.stderr.contains("--confirm 23, but 24 jobs would be sent"), "{}", ran.stderr);
}

#[test]
fn every_command_line_can_be_typed() {
    let all = commands();
    let lines: Vec<_> = all.iter().filter_map(|line| line.strip_prefix("musterout ")).collect();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        // What a shell puts in is a number.
        let line = line.replace("\"$due\"", "7");
        let ran = run(musterout(line.split_whitespace()).arg("--help"));
        assert_eq!(ran.exit, 0, "musterout {line}\n{}", ran.stderr);
    }
}

#[test]
fn the_scenario_is_one() {
    let page = readme();
    let storm = page.split("```yaml\n# storm.yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let desk = desk();
    fs::write(desk.path("storm.yaml"), storm).unwrap();
    run(&mut desk.musterout(["preview", "plans/mass-retirement.csv", "--simulate=storm.yaml"])).ended_with(0);
}

#[test]
fn every_link_leads_somewhere() {
    let page = readme();
    let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links: Vec<_> = links.filter(|link| !link.contains("://") && !link.starts_with('#')).collect();
    assert!(links.len() > 5, "{links:?}");
    let path = |link: &str| link.split('#').next().unwrap_or_default().to_owned();
    let dead = links.iter().filter(|link| !root().join(path(link)).exists()).collect::<Vec<_>>();
    assert!(dead.is_empty(), "README.md links to {dead:?}");
}

fn sample_plans() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("plans")).unwrap().map(|entry| entry.unwrap().path());
    let mut plans: Vec<_> = entries.filter(|path| path.is_file()).collect();
    plans.sort();
    assert!(plans.len() > 8, "{plans:?}");
    plans
}

#[test]
fn every_sample_plan_is_checked_previewed_and_run() {
    let desk = desk();
    for plan in sample_plans() {
        let plan = Path::new("plans").join(plan.file_name().unwrap());
        let plan = plan.to_str().unwrap();
        run(&mut desk.musterout(["check", plan])).ended_with(0);
        run(&mut desk.musterout(["preview", plan, "--simulate"])).ended_with(0);
        let preview =
            run(&mut desk.musterout(["preview", plan, "--simulate", "--format", "json"])).ended_with(0).stdout;
        let preview: serde_json::Value = serde_json::from_str(&preview).unwrap();
        let number = preview["summary"]["send"].as_u64().unwrap_or_else(|| panic!("{preview:#}"));
        let mut command = desk.musterout(["run", plan, "--simulate", "--unpaced", "--report", "report.csv"]);
        let ran = run(command.args(["--confirm", &number.to_string()]));
        // What is due on a later day is open.
        let rows = desk.report();
        let later = rows.iter().filter(|row| row["outcome"] == "not_attempted").count();
        assert!(
            rows.iter().all(|row| row["note"].contains("not before")
                || row["note"].contains("the step before it was not attempted")
                || row["outcome"] == "accepted"
                || row["outcome"] == "completed"
                // A device that was wiped has left by itself.
                || (row["action"] == "delete" && row["outcome"] == "already_done")),
            "{rows:#?}"
        );
        assert_eq!((rows.len() - later) as u64, number, "{plan}");
        assert_eq!(ran.exit, if later == 0 { 0 } else { 5 }, "{plan}\n{}", ran.stderr);
    }
}
