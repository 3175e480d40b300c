//! What is different in every run is replaced, so that the rest can be compared letter by letter.
//!
//! `[TIME]` a moment, `[MS]` a length of time, `[ID]` a GUID that the case did not bring along, `[RUN]` the beginning of one, `[PORT]`, `[VERSION]`.

/// Columns of a report that are different in every run, and what stands in their place.
const COLUMNS: &[(&str, &str)] = &[
    ("waited_ms", "[MS]"),
    ("duration_ms", "[MS]"),
    ("started_at", "[TIME]"),
    ("finished_at", "[TIME]"),
    ("request_id", "[ID]"),
    ("client_request_id", "[ID]"),
];

/// `0` stands for a digit, `x` for a hexadecimal one, everything else for itself.
const MOMENTS: &[&str] =
    &["0000-00-00T00:00:00.000Z", "0000-00-00T00:00:00.000000Z", "00000000T000000Z", "0000-00-00 00:00:00Z"];
/// As people read it: one of a day that the case names stays.
const READ: &str = "0000-00-00 00:00:00 UTC";
/// As much of a run's id as has to be typed.
const RUN: &str = "xxxxxxxx-xxxx";
const GUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

pub struct Normaliser {
    known: String,
}

impl Normaliser {
    /// `known`: everything that the case brings along; its GUIDs stay.
    pub fn knowing(known: &str) -> Self {
        Self { known: known.to_lowercase() }
    }

    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for shape in MOMENTS {
            text = replace(&text, shape, "[TIME]", |_| true);
        }
        text = replace(&text, READ, "[TIME]", |moment| !self.known.contains(&moment[.."0000-00-00".len()]));
        text = replace(&text, GUID, "[ID]", |id| !self.known.contains(&id.to_lowercase()));
        text = replace(&text, RUN, "[RUN]", |run| !self.known.contains(run));
        text = text.replace(concat!("musterout ", env!("CARGO_PKG_VERSION")), "musterout [VERSION]");
        for (name, placeholder) in COLUMNS.iter().filter(|(_, placeholder)| *placeholder == "[MS]") {
            text = replace_number(&text, &format!("\"{name}\":"), placeholder);
        }
        replace_number(&text, "127.0.0.1:", "[PORT]")
    }

    /// A report: whole columns at once, because numbers have no shape.
    pub fn csv(&self, text: &str) -> String {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut header: Option<csv::StringRecord> = None;
        for record in reader.records() {
            let record = record.expect("a report is well-formed CSV");
            let names = header.get_or_insert_with(|| record.clone());
            let cells = record.iter().zip(names.iter()).map(|(cell, name)| {
                let volatile = COLUMNS.iter().find(|(known, _)| *known == name && cell != name && !cell.is_empty());
                volatile.map_or_else(|| self.text(cell), |(_, placeholder)| (*placeholder).to_owned())
            });
            writer.write_record(cells).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }
}

/// The same text with one moment in place of every other, as long as it was: for what is drawn in columns.
pub fn fixed(text: &str) -> String {
    let moment = |shape: &str| {
        let mut digits = "20261122074010718281".chars();
        shape.chars().map(|c| if c == '0' { digits.next().unwrap_or(c) } else { c }).collect::<String>()
    };
    MOMENTS.iter().fold(text.to_owned(), |text, shape| replace(&text, shape, &moment(shape), |_| true))
}

fn replace(text: &str, shape: &str, by: &str, really: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let found = rest.get(..shape.len()).filter(|found| has_shape(found, shape) && really(found));
        match found {
            Some(found) => {
                out.push_str(by);
                rest = &rest[found.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.chars().zip(shape.chars()).all(|(c, wanted)| match wanted {
        '0' => c.is_ascii_digit(),
        'x' => c.is_ascii_hexdigit(),
        other => c == other,
    })
}

/// The digits after each `before`.
fn replace_number(text: &str, before: &str, by: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str(before);
        out.push_str(if rest.len() < part.len() { by } else { "" });
        out.push_str(rest);
    }
    out
}

#[test]
fn only_what_is_new_in_every_run_is_replaced() {
    let normaliser = Normaliser::knowing("wipe,AAAAAAAA-0000-4000-8000-000000000001");
    assert_eq!(
        normaliser.text(
            "at 2026-11-22T07:00:00.123Z, not before 2026-12-01T00:00:00Z: aaaaaaaa-0000-4000-8000-000000000001, \
             bbbbbbbb-0000-4000-8000-000000000001, http://127.0.0.1:8080/x \"waited_ms\":17,"
        ),
        "at [TIME], not before 2026-12-01T00:00:00Z: aaaaaaaa-0000-4000-8000-000000000001, [ID], \
         http://127.0.0.1:[PORT]/x \"waited_ms\":[MS],"
    );
    assert_eq!(
        normaliser.csv("row,waited_ms,started_at,note\n2,17,2026-11-22T07:00:00.123Z,17\n3,0,,x\n"),
        "row,waited_ms,started_at,note\n2,[MS],[TIME],17\n3,[MS],,x\n"
    );
}
