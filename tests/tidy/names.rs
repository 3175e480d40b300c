//! One name for one thing: no two types of the tree share a name.
//!
//! In: the sources as text. Out: every name that two types have, with their files. Types inside a function and types of tests
//! are left out: nobody reads them beside another one.

use std::collections::BTreeMap;

use super::{assert_none, sources, word};

/// The names of the types that a file defines outside of functions. An alias inside an `impl` is part of its trait.
fn types(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let bare = match line.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
            Some(rest) => rest.strip_prefix(' ')?,
            None => line,
        };
        let (kind, rest) = bare.split_once(' ')?;
        ["struct", "enum", "trait", "type", "union"].contains(&kind).then(|| word(rest))
    })
}

#[test]
fn no_two_types_share_a_name() {
    let all = sources();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in all.iter().filter(|source| !source.is_test()) {
        for name in types(source.code()) {
            places.entry(name).or_default().push(&source.name);
        }
    }
    let shared = places.iter().filter(|(_, files)| files.len() > 1);
    assert_none(shared.map(|(name, files)| format!("{name} is a type of {}", files.join(" and of "))).collect());
}

#[test]
fn types_are_found_by_their_names() {
    let code =
        "pub(in crate::a) struct A<'a> {\nenum B {}\npub type C = u8;\n    type D = u8;\nfn e() {\n    struct F;\n";
    assert_eq!(types(code).collect::<Vec<_>>(), ["A", "B", "C"]);
}
