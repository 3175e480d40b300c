//! How wide things are: what is wider than its room is named outside of it.
//!
//! In: the sources as text. Out: every item that is wider than anybody needs, and every name in `testing` that nobody uses.
//! It goes by words: an item counts as used outside its room where its name stands in the code of another room, or in
//! `tests/`, `benches/` and `examples/`, whatever it means there. So it finds less than there is, and what it finds is so.
//! Fields are left out; rustc's `unreachable_pub` holds what is `pub` (`src/lib.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Source, assert_none, sources, word};

const KINDS: &[&str] = &["fn", "struct", "enum", "trait", "type", "const", "static", "mod"];

struct Item<'t> {
    kind: &'t str,
    name: &'t str,
    /// What others see of it: up to its body; of an enum and a trait, its body too.
    shown: &'t str,
}

/// What is `pub` or `pub(crate)`.
fn wide_items(code: &str) -> Vec<Item<'_>> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in code.split_inclusive('\n') {
        let text = line.trim_start();
        let begin = at + line.len() - text.len();
        at += line.len();
        let Some(text) = text.strip_prefix("pub ").or_else(|| text.strip_prefix("pub(crate) ")) else { continue };
        let mut words = text.split_whitespace().peekable();
        let mut kind = words.next().unwrap_or_default();
        while ["const", "async", "unsafe"].contains(&kind) && words.peek().is_some_and(|next| KINDS.contains(next)) {
            kind = words.next().unwrap_or_default();
        }
        let kind = if KINDS.contains(&kind) { kind } else { "field" };
        let name = if kind == "field" { word(text) } else { word(words.next().unwrap_or_default()) };
        found.push(Item { kind, name, shown: shown(&code[begin..], kind) });
    }
    found
}

fn shown<'t>(text: &'t str, kind: &str) -> &'t str {
    let whole = ["enum", "trait"].contains(&kind);
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (at, sign) in text.char_indices() {
        match sign {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            '{' if round == 0 && !whole => return &text[..at],
            '{' => curly += 1,
            '}' => curly -= 1,
            ';' if round == 0 && curly == 0 => return &text[..at],
            _ => {}
        }
        if sign == '}' && curly <= 0 && round == 0 {
            return &text[..at];
        }
        if kind == "field" && sign == '\n' {
            return &text[..at];
        }
    }
    text
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').filter(|word| !word.is_empty())
}

fn uncommented(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Everything below the folder of the package, as one text.
fn below(folder: &str) -> String {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&uncommented(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    text
}

/// The words of each room, with `out there` for what is no room. What lists names does not use them.
fn words_by_room<'t>(all: &'t [(Source, String)], out_there: &'t str) -> BTreeMap<&'t str, BTreeSet<&'t str>> {
    let mut by_room: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    by_room.entry("out there").or_default().extend(words(out_there));
    for (source, code) in all.iter().filter(|(source, _)| !["lib", "testing"].contains(&source.room())) {
        by_room.entry(source.room()).or_default().extend(words(code));
    }
    by_room
}

fn too_wide(all: &[(Source, String)], out_there: &str) -> Vec<String> {
    let by_room = words_by_room(all, out_there);
    let mut breaches = Vec::new();
    for room in by_room.keys() {
        let outside: BTreeSet<&str> =
            by_room.iter().filter(|(other, _)| *other != room).flat_map(|(_, words)| words.iter().copied()).collect();
        let of_room = || all.iter().filter(|(source, _)| source.room() == *room);
        // A type that a wide item speaks of has to be as wide as that item.
        let spoken: BTreeSet<&str> = of_room()
            .flat_map(|(_, code)| wide_items(code))
            .flat_map(|item| words(item.shown).filter(move |word| *word != item.name))
            .collect();
        for (source, code) in of_room() {
            for item in wide_items(code).into_iter().filter(|item| item.kind != "field" && !outside.contains(item.name))
            {
                let is_type = ["struct", "enum", "trait", "type"].contains(&item.kind);
                if !(is_type && spoken.contains(item.name)) {
                    breaches.push(format!("{}: no other room names {} {}", source.name, item.kind, item.name));
                }
            }
        }
    }
    breaches
}

fn read() -> Vec<(Source, String)> {
    sources()
        .into_iter()
        .map(|source| (uncommented(&source.text), source))
        .map(|(code, source)| (source, code))
        .collect()
}

#[test]
fn what_is_wider_than_its_room_is_named_outside_of_it() {
    let out_there: String = ["tests", "benches", "examples"].map(below).concat();
    assert_none(too_wide(&read(), &out_there));
}

#[test]
fn testing_names_what_is_used_out_there() {
    let out_there: String = ["tests", "benches", "examples"].map(below).concat();
    let used: BTreeSet<&str> = words(&out_there).collect();
    let sources = read();
    let (_, testing) = sources.iter().find(|(source, _)| source.name == "testing.rs").unwrap();
    let named: BTreeSet<&str> = words(testing).filter(|word| !["pub", "use", "crate", "mod"].contains(word)).collect();
    assert!(named.len() > 100, "{named:?}");
    assert_none(named.difference(&used).map(|name| format!("nobody out there uses {name}")).collect());
}

#[test]
fn the_checker_of_widths_sees_what_it_is_for() {
    let file = |name: &str, text: &str| (Source { name: name.to_owned(), text: String::new() }, text.to_owned());
    let rooms = [
        file(
            "a/mod.rs",
            "mod b;\npub(crate) mod c;\npub fn used() {}\npub(crate) async fn unused(\n    Given { of }: Given,\n    of: Spoken,\n) -> Told {\n    Hidden\n}",
        ),
        file(
            "a/b.rs",
            "pub(crate) struct Spoken;\npub struct Told;\npub struct Hidden {\n    pub field: u8,\n}\npub(super) fn narrow() {}",
        ),
        file(
            "a/c.rs",
            "pub enum Given {\n    Of(Payload),\n}\npub struct Payload;\nimpl Payload {\n    pub const fn made() {}\n}",
        ),
        file("d.rs", "use crate::a::{c::Given, used};"),
        file("testing.rs", "pub use crate::a::unused;"),
    ];
    let seen = too_wide(&rooms, "");
    let none = |what: &str| {
        format!("{}: no other room names {}", what.split_once(' ').unwrap().0, what.split_once(' ').unwrap().1)
    };
    assert_eq!(seen, ["a/mod.rs fn unused", "a/b.rs struct Hidden", "a/c.rs fn made"].map(none));
    assert!(too_wide(&rooms, "unused(Hidden, made)").is_empty());
}
