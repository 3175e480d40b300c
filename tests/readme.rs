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

/// The lines inside fences, without prompts and remarks, and what stands between backticks.
fn commands(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.trim_start_matches("$ ");
            found.push(line.split(" #").next().unwrap_or_default().trim_end_matches([' ', '&']).to_owned());
        }
    }
    found.extend(page.split('`').skip(1).step_by(2).map(str::to_owned));
    found
}

/// The README, and every page of the documentation that is for users.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("docs/README.md")];
    for folder in ["getting-started", "how-to", "reference", "explanation"] {
        let entries = fs::read_dir(root().join("docs").join(folder)).unwrap();
        found.extend(entries.map(|entry| entry.unwrap().path()));
    }
    assert!(found.len() > 15, "{found:?}");
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
fn the_first_command_does_what_it_says_however_often() {
    let all = commands(&readme());
    let first = all.iter().find_map(|line| line.strip_prefix("cargo run --release -- ")).expect("README.md has it");
    assert_eq!(first, "run plans/lab-a.csv --simulate-fresh --confirm 6");
    let desk = desk();
    for _ in 0..2 {
        let mut command = desk.musterout(first.split(' '));
        command.args(["--report", "report.csv"]).env("XDG_STATE_HOME", desk.path("state"));
        run(&mut command).ended_with(0);
        let rows = desk.report();
        assert!(rows.len() == 6 && rows.iter().all(|row| row["outcome"] == "accepted"), "{rows:#?}");
    }
    let wrong = first.replace("--confirm 6", "--confirm 5");
    let ran = run(&mut desk.musterout(wrong.split(' '))).ended_with(10);
    assert!(ran.stderr.contains("--confirm 5") && ran.stderr.contains("6 jobs"), "{}", ran.stderr);
}

#[test]
fn every_command_line_can_be_typed() {
    let mut tried = 0;
    for page in pages() {
        for line in commands(&fs::read_to_string(&page).unwrap()) {
            let Some(line) = line.strip_prefix("musterout ") else { continue };
            // What a shell puts in is a number; what stands for the reader's own is not typed.
            let line = line.replace("\"$due\"", "7");
            if line.contains(['…', '[', '|', '{']) {
                continue;
            }
            let ran = run(musterout(line.split_whitespace()).arg("--help"));
            assert_eq!(ran.exit, 0, "{}: musterout {line}\n{}", page.display(), ran.stderr);
            tried += 1;
        }
    }
    assert!(tried > 40, "only {tried} were found");
}

#[test]
fn the_readme_is_short() {
    let lines = readme().lines().count();
    assert!(lines < 150, "{lines} lines: the reference belongs in docs/");
}

#[test]
fn the_faulty_plan_of_the_first_page_is_told_so() {
    let page = fs::read_to_string(root().join("docs/getting-started/without-a-tenant.md")).unwrap();
    let shown = page.split("```console\n$ musterout check faulty.csv\n").nth(1).unwrap().split("```").next().unwrap();
    let desk = desk();
    let plan = fs::read_to_string(desk.path("plans/lab-a.csv")).unwrap();
    fs::write(desk.path("faulty.csv"), plan.replace("retire,LAB-A-05", "retier,LAB-A-05")).unwrap();
    let ran = run(&mut desk.musterout(["check", "faulty.csv"])).ended_with(2);
    assert_eq!(ran.stderr.trim_end(), shown.trim_end());
}

#[test]
fn the_scenarios_of_the_pages_are_some() {
    let desk = desk();
    let mut tried = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for rest in text.split("```yaml\n# storm.yaml\n").skip(1) {
            fs::write(desk.path("storm.yaml"), rest.split("```").next().unwrap()).unwrap();
            let mut command = desk.musterout(["preview", "plans/lab-a.csv", "--simulate-fresh=storm.yaml"]);
            run(&mut command).ended_with(0);
            tried += 1;
        }
    }
    assert!(tried > 0, "no page shows a scenario");
}

#[test]
fn the_plans_of_the_pages_are_some() {
    let desk = desk();
    let targets = "Serial,Name\n5CG1234XYZ,LAB-A-01\n";
    let leavers = "Name,Email,Retire on\nAda Byron,ada.byron@contoso.com,2026-11-20\n";
    let mut tried = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for fence in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            if !fence.contains("version: 1\n") || !fence.contains("jobs:") || fence.contains("csv: vip.csv") {
                continue;
            }
            fs::write(desk.path("plan.yaml"), fence).unwrap();
            fs::write(desk.path("returned.csv"), targets).unwrap();
            fs::write(desk.path("laptops.csv"), targets).unwrap();
            fs::write(desk.path("leavers.csv"), leavers).unwrap();
            let ran = run(&mut desk.musterout(["check", "plan.yaml"]));
            assert_eq!(ran.exit, 0, "{}\n{fence}\n{}", page.display(), ran.stderr);
            tried += 1;
        }
    }
    assert!(tried > 2, "only {tried} were found");
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
        run(&mut desk.musterout(["preview", plan, "--simulate-fresh"])).ended_with(0);
        let preview =
            run(&mut desk.musterout(["preview", plan, "--simulate-fresh", "--format", "json"])).ended_with(0).stdout;
        let preview: serde_json::Value = serde_json::from_str(&preview).unwrap();
        let number = preview["summary"]["send"].as_u64().unwrap_or_else(|| panic!("{preview:#}"));
        let mut command = desk.musterout(["run", plan, "--simulate-fresh", "--unpaced", "--report", "report.csv"]);
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
