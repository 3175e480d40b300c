//! YAML straight into a type, for files whose faults may be told one at a time.
//!
//! In: the text of a file. Out: a value, or the first fault. Must not: know what the file is for.

use serde::de::DeserializeOwned;

use super::fault::{FileKind, of_values};
use crate::diagnostics::Diagnostic;
use crate::source::Source;

/// Reads `source` into a `T`.
pub(crate) fn read<T: DeserializeOwned>(source: &Source, kind: &FileKind) -> Result<T, Box<Diagnostic>> {
    serde_yaml::from_str_with_options(&source.text, serde_yaml::options! { with_snippet: false })
        .map_err(|error| Box::new(of_values(&error, source, kind)))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const KIND: FileKind = FileKind { name: "a tent", too_large: "sleep outside" };

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what goes wrong is looked at")]
    struct Tent {
        poles: u8,
        #[serde(default)]
        colour: Option<Colour>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Green,
        Orange,
    }

    fn fault(text: &str) -> String {
        let source = Source::decode("tent.yaml".into(), text.as_bytes().to_vec()).unwrap();
        read::<Tent>(&source, &KIND).unwrap_err().render(false)
    }

    #[test]
    fn a_fault_has_its_place_its_snippet_and_a_remedy() {
        let unknown = "error[unknown-key]: a tent has no key `pols` here\n --> tent.yaml:2:1\n  |\n2 | pols: 2\n  | ^^^^\n  |\n  \
                       = help: did you mean `poles`?\n";
        assert_eq!(fault("colour: green\npols: 2\n"), unknown);
        for (text, code, place, words) in [
            ("colour: green\n", "missing-key", "tent.yaml:1", "`poles` is missing"),
            ("poles: 1\npoles: 2\n", "duplicate-key", "tent.yaml:2:1", "the key `poles` appears twice"),
            ("poles: 1\ncolour: grean\n", "bad-value", "tent.yaml:2:9", "did you mean `green`?"),
            ("poles: many\n", "bad-value", "tent.yaml:1:8", "this is not a whole number, or it is too large"),
            ("poles: 1\ncolour: 'green\n", "syntax", "tent.yaml:", "not YAML: "),
            ("poles: [1]\n", "bad-value", "tent.yaml:1:8", "[1]"),
            ("poles: 1\n---\npoles: 2\n", "syntax", "tent.yaml:", "a tent is one YAML document"),
            ("\"po\\e[2Jles\\u202e\": 1\n", "unknown-key", "tent.yaml:1:1", "no key `po\u{fffd}[2Jles\u{fffd}` here"),
        ] {
            let told = fault(text);
            for part in [code, place, words] {
                assert!(told.contains(part), "{part}: {told}");
            }
        }
    }
}
