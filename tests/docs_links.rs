//! Links in the documentation lead somewhere, and every page can be reached.
//!
//! In: every Markdown page of the repository. Out: the links whose file or heading does not exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages_in(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
}

fn pages() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    pages_in(&root().join("docs"), &mut found);
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The lines of a page that are not inside a fence.
fn prose(page: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.collect()
}

/// The name that a heading has in a link, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn headings(page: &str) -> BTreeSet<String> {
    let lines = prose(page).into_iter().filter(|line| line.starts_with('#'));
    lines.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// What a page links to, in Markdown and as the source of a picture.
fn links(page: &str) -> Vec<String> {
    let text = prose(page).join("\n");
    let ends = [("](", ')'), ("src=\"", '"')];
    let found =
        ends.iter().flat_map(|(begin, end)| text.split(begin).skip(1).filter_map(|rest| rest.split(*end).next()));
    found.filter(|link| !link.contains("://")).map(str::to_owned).collect()
}

fn resolved(page: &Path, link: &str) -> PathBuf {
    if link.is_empty() {
        return page.to_owned();
    }
    let mut path = PathBuf::new();
    for part in page.parent().unwrap().join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
    }
    path
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let (mut dead, mut looked_at) = (Vec::new(), 0);
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            looked_at += 1;
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let file = resolved(&page, file);
            let there = match heading {
                "" => file.exists(),
                _ => fs::read_to_string(&file).is_ok_and(|text| headings(&text).contains(heading)),
            };
            if !there {
                dead.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(looked_at > 100, "only {looked_at} links were found");
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn the_contents_name_every_page() {
    let contents = root().join("docs/README.md");
    let text = fs::read_to_string(&contents).unwrap();
    let named: BTreeSet<_> = links(&text).iter().map(|link| resolved(&contents, link)).collect();
    let decisions = root().join("docs/decisions");
    let missing = |page: &PathBuf| !named.contains(page) && *page != contents && !page.starts_with(&decisions);
    let missing: Vec<_> =
        pages().into_iter().filter(|page| page.starts_with(root().join("docs"))).filter(missing).collect();
    assert!(missing.is_empty(), "docs/README.md does not name {missing:?}");
    assert!(named.contains(&decisions), "docs/README.md does not name the decisions");
}
