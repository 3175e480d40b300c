//! The house rules, held by a test: who imports whom, what every module says of itself, how long things may be.
//!
//! In: the sources as text. Out: a list of every breach at once. The table below is the one in ARCHITECTURE.md.

mod names;
mod widths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import. `room::file` stands for that file of the room alone.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("address", &[]),
    ("clock", &[]),
    ("moment", &[]),
    ("text", &[]),
    ("catalog", &[]),
    ("identity", &["catalog"]),
    ("escrow", &["catalog", "identity"]),
    ("job", &["catalog", "identity"]),
    ("outcome", &["identity", "moment"]),
    ("approval", &["moment"]),
    ("pacing", &["catalog", "outcome"]),
    ("daily", &["pacing", "catalog", "job", "outcome", "moment"]),
    ("diagnostics", &["text"]),
    ("source", &["diagnostics"]),
    ("yaml", &["source", "diagnostics", "text"]),
    ("settings", &["address", "diagnostics", "journal::place"]),
    ("plan", &["text", "catalog", "job", "diagnostics", "source", "yaml", "guard", "daily"]),
    (
        "resolve",
        &[
            "msgraph::read_only",
            "msgraph::transport",
            "runner",
            "plan",
            "guard::meaning",
            "guard::protected",
            "pacing",
            "text",
            "catalog",
            "identity",
            "escrow",
            "job",
            "outcome",
            "diagnostics",
        ],
    ),
    ("guard", &["daily", "moment", "text", "catalog", "identity", "escrow", "job", "outcome", "diagnostics"]),
    (
        "preview",
        &[
            "msgraph::request",
            "guard",
            "daily",
            "catalog",
            "identity",
            "escrow",
            "job",
            "outcome",
            "diagnostics",
            "report::cell",
            "text",
        ],
    ),
    ("journal", &["catalog", "job", "outcome", "daily", "approval", "moment", "text"]),
    (
        "runner",
        &[
            "journal", "guard", "daily", "pacing", "identity", "job", "outcome", "catalog", "clock", "moment",
            "approval",
        ],
    ),
    ("msgraph", &["address", "pacing", "catalog", "identity", "job", "outcome", "clock", "approval", "text"]),
    (
        "session",
        &[
            "msgraph",
            "simulator",
            "settings",
            "runner",
            "journal::memory",
            "guard::drift",
            "pacing",
            "catalog",
            "identity",
            "job",
            "outcome",
            "clock",
            "diagnostics",
        ],
    ),
    ("report", &["job", "outcome", "catalog", "msgraph::request", "text"]),
    (
        "ui",
        &[
            "moment",
            "runner::event",
            "daily",
            "pacing",
            "runner::question",
            "preview",
            "report",
            "job",
            "outcome",
            "catalog",
            "escrow",
            "diagnostics",
            "guard",
            "plan",
            "msgraph::request",
            "journal",
            "approval",
            "text",
        ],
    ),
    (
        "ops",
        &[
            "moment",
            "plan",
            "resolve",
            "session",
            "guard",
            "preview",
            "runner",
            "daily",
            "pacing",
            "msgraph",
            "report",
            "ui",
            "settings",
            "simulator",
            "diagnostics",
            "identity",
            "escrow",
            "job",
            "outcome",
            "clock",
            "journal",
            "catalog",
            "approval",
            "text",
            "source",
        ],
    ),
    (
        "cli",
        &[
            "ops",
            "ui",
            "settings",
            "diagnostics",
            "catalog",
            "plan",
            "preview",
            "guard",
            "daily",
            "outcome",
            "runner::event",
            "report",
            "journal",
            "text",
        ],
    ),
    (
        "simulator",
        &["msgraph::transport", "msgraph::request", "catalog", "approval", "text", "diagnostics", "source", "yaml"],
    ),
];

/// What lists the rooms for others, and is none.
const NO_ROOMS: &[&str] = &["lib.rs", "testing.rs"];

const LONGEST_FILE: usize = 400;

/// Rooms whose files import each other in one direction only, as ARCHITECTURE.md says; more are to come.
const WITHOUT_CIRCLES: &[&str] = &[
    "journal", "pacing", "session", "report", "ui", "text", "yaml", "catalog", "outcome", "job", "daily", "plan",
    "guard", "resolve", "preview", "msgraph", "runner", "ops", "cli",
];

struct Source {
    /// Path below `src`, with `/`.
    name: String,
    text: String,
}

impl Source {
    fn room(&self) -> &str {
        self.name.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Without the tests at the end of the file.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default()
    }

    fn is_test(&self) -> bool {
        let stem = self.name.rsplit('/').next().unwrap_or_default();
        self.name.contains("/tests/") || stem == "tests.rs" || stem.ends_with("_tests.rs") || stem == "fixtures.rs"
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { name, text: fs::read_to_string(path).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// Every `crate::a::b` that the code mentions, as `(a, b)`, grouped imports included.
fn imports(code: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let room = word(rest);
        let behind = rest[room.len()..].strip_prefix("::").unwrap_or_default();
        match behind.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                for item in group.split(',') {
                    found.insert((room.to_owned(), word(item.trim()).to_owned()));
                }
            }
            None => {
                found.insert((room.to_owned(), word(behind).to_owned()));
            }
        }
    }
    found
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The files of a room that a file imports, `mod.rs` among them where it takes what stands there. A file that declares a
/// module imports it: so whatever stands in a `mod.rs` is not for the files below.
fn files_imported(source: &Source, files: &BTreeMap<Vec<String>, &str>) -> BTreeSet<String> {
    let own = module(&source.name);
    let code: String =
        source.code().lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut paths = Vec::new();
    for word in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(word) {
            let before = &code[..at];
            if !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') && !before.ends_with("(in ") {
                expand(&mut &code[at..], Vec::new(), &mut paths);
            }
        }
    }
    let declared = code.lines().filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name));
    paths.extend(declared.map(|name| vec!["self".to_owned(), name.to_owned()]));
    let absolute = paths.into_iter().map(|path| {
        let mut from = own.clone();
        for step in path {
            match step.as_str() {
                "crate" => from.clear(),
                "self" => {}
                "super" => drop(from.pop()),
                _ => from.push(step),
            }
        }
        from
    });
    let file = |path: Vec<String>| (1..=path.len()).rev().find_map(|length| files.get(&path[..length]));
    absolute.filter_map(file).filter(|file| **file != source.name).map(|file| (*file).to_owned()).collect()
}

/// The paths of a use tree that the text begins with: `a::{b, c::D}` is `a::b` and `a::c::D`.
fn expand(text: &mut &str, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) {
    loop {
        if let Some(group) = text.strip_prefix('{') {
            *text = group;
            loop {
                *text = text.trim_start();
                expand(text, path.clone(), paths);
                *text = text.trim_start();
                match text.strip_prefix(',') {
                    Some(next) => *text = next,
                    None => break,
                }
                if text.trim_start().starts_with('}') {
                    break;
                }
            }
            *text = text.trim_start().strip_prefix('}').unwrap_or(text);
            return;
        }
        let step = word(text);
        *text = &text[step.len()..];
        path.push(step.to_owned());
        match text.strip_prefix("::") {
            Some(behind) => *text = behind,
            None => return paths.push(path),
        }
    }
}

/// `a/b.rs` and `a/b/mod.rs` are both the module `a::b`.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// Every import that leads back to where it stands, with the way back.
fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (file, imported) in imports {
        for first in imported {
            let mut ways = vec![vec![first]];
            let mut seen = BTreeSet::from([first]);
            while let Some(way) = ways.pop() {
                let Some(next) = way.last().and_then(|last| imports.get(*last)) else { continue };
                if next.contains(file) {
                    let way: Vec<&str> = way.iter().map(|file| file.as_str()).collect();
                    found.push(format!("{file} imports {}, which imports {file}", way.join(", which imports ")));
                    break;
                }
                ways.extend(next.iter().filter(|next| seen.insert(next)).map(|next| [&way[..], &[next]].concat()));
            }
        }
    }
    found
}

fn assert_none(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn imports_point_one_way() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !NO_ROOMS.contains(&source.name.as_str()) && !source.is_test()) {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(room, _)| *room == source.room()) else {
            breaches.push(format!("{}: the room {} is not in the table", source.name, source.room()));
            continue;
        };
        for (room, file) in imports(source.code()) {
            let whole = format!("{room}::{file}");
            if room != source.room() && !allowed.contains(&room.as_str()) && !allowed.contains(&whole.as_str()) {
                breaches.push(format!("{} imports crate::{whole}", source.name));
            }
        }
    }
    assert_none(breaches);
}

#[test]
fn the_table_is_the_one_in_the_architecture() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let rows = MAY_IMPORT.iter().map(|(room, allowed)| {
        let allowed = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
        format!("| {room} | {allowed} |")
    });
    assert_none(rows.filter(|row| !page.contains(row)).map(|row| format!("ARCHITECTURE.md lacks: {row}")).collect());
}

/// What stands in backticks and ends as a file of Rust or a folder does; of a path its last parts are enough.
#[test]
fn the_architecture_names_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let is_path = |code: &&str| {
        let ends = code.ends_with(".rs") || code.ends_with('/');
        ends && code.chars().all(|sign| sign.is_alphanumeric() || "_-./".contains(sign))
    };
    let paths: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_path).collect();
    assert!(paths.len() > 50, "{paths:?}");
    let files: Vec<String> = sources().into_iter().map(|source| format!("/src/{}", source.name)).collect();
    let is_there = |path: &&str| {
        let part = format!("/{path}");
        let of_source = |file: &String| if path.ends_with('/') { file.contains(&part) } else { file.ends_with(&part) };
        files.iter().any(of_source) || root.join(path).exists() || root.join("tests").join(path).exists()
    };
    assert_none(paths.into_iter().filter(|path| !is_there(path)).map(|path| format!("there is no {path}")).collect());
}

#[test]
fn every_module_says_what_comes_in_what_goes_out_and_what_it_must_not_do() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.name != "lib.rs" && !source.is_test()) {
        let lines = source.text.lines().take_while(|line| line.starts_with("//!"));
        let head = lines.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join(" ");
        for part in ["In:", "Out:", "Must not:"] {
            if !head.contains(part) {
                breaches.push(format!("{}: its //! lacks `{part}`", source.name));
            }
        }
    }
    assert_none(breaches);
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter(|source| !source.is_test()).filter_map(|source| {
        let lines = source.code().lines().count();
        (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", source.name))
    });
    assert_none(long.collect());
}

/// Printing, sockets, the database and the environment each have one place.
#[test]
fn the_world_is_touched_in_few_places() {
    let rules: &[(&str, &[&str])] = &[
        ("println!", &[]),
        ("eprintln!", &[]),
        ("io::stdout()", &["cli/", "ui/"]),
        ("io::stderr()", &["cli/", "ui/"]),
        ("TcpListener", &["simulator/server.rs"]),
        ("TcpStream", &["simulator/server.rs"]),
        ("reqwest::Client", &["msgraph/http.rs"]),
        ("rusqlite", &["journal/sqlite/"]),
        ("SELECT ", &["journal/sqlite/"]),
        ("INSERT ", &["journal/sqlite/"]),
        ("env::var", &["settings.rs"]),
        ("Timestamp::now", &["cli/"]),
        ("todo!(", &[]),
        ("unimplemented!(", &[]),
        ("#[allow(", &[]),
    ];
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (text, places) in rules {
            if source.code().contains(text) && !places.iter().any(|place| source.name.starts_with(place)) {
                breaches.push(format!("{} holds `{text}`", source.name));
            }
        }
    }
    assert_none(breaches);
}

#[test]
fn files_of_a_room_import_each_other_in_one_direction() {
    let all = sources();
    let mut breaches = Vec::new();
    for room in WITHOUT_CIRCLES {
        let files: Vec<&Source> = all.iter().filter(|source| source.room() == *room && !source.is_test()).collect();
        assert!(!files.is_empty(), "there is no room {room}");
        let modules = files.iter().map(|source| (module(&source.name), source.name.as_str())).collect();
        let imports = files.iter().map(|source| (source.name.clone(), files_imported(source, &modules))).collect();
        breaches.extend(circles(&imports));
    }
    assert_none(breaches);
}

#[test]
fn the_checker_sees_what_it_is_for() {
    let seen = imports("use crate::a::{b, c::D};\nfn f() { crate::e::g(); mycrate::x::y(); }");
    let seen: Vec<_> = seen.iter().map(|(room, file)| (room.as_str(), file.as_str())).collect();
    assert_eq!(seen, [("a", "b"), ("a", "c"), ("e", "g")]);
    let file = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let room = [
        file("a/mod.rs", "mod b;\nmod c;\npub mod d;\npub use b::B;"),
        file("a/b.rs", "//! [`super::d`]\npub(in crate::a) struct B;\nuse super::{c::{C, E}, d};"),
        file("a/c.rs", "fn c() { crate::a::d::f::g(); }"),
        file("a/d/mod.rs", "mod f;"),
        file("a/d/f.rs", "use super::super::B;\n#[cfg(test)]\nmod tests { use super::super::super::c::C; }"),
    ];
    let modules = room.iter().map(|source| (module(&source.name), source.name.as_str())).collect();
    let imports: BTreeMap<_, _> =
        room.iter().map(|source| (source.name.clone(), files_imported(source, &modules))).collect();
    let seen = |file: &str| imports[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(seen("a/mod.rs"), ["a/b.rs", "a/c.rs", "a/d/mod.rs"]);
    assert_eq!(seen("a/b.rs"), ["a/c.rs", "a/d/mod.rs"]);
    assert_eq!(seen("a/c.rs"), ["a/d/f.rs"]);
    assert_eq!(seen("a/d/f.rs"), ["a/mod.rs"]);
    let circles = circles(&imports);
    assert!(
        circles.iter().any(|circle| circle.starts_with("a/c.rs imports a/d/f.rs, which imports a/mod.rs")),
        "{circles:?}"
    );
    assert!(!circles.iter().any(|circle| circle.starts_with("a/b.rs imports a/b.rs")), "{circles:?}");
}
