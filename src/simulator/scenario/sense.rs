//! What a scenario says twice, or against itself.
//!
//! In: a scenario, and its text. Out: the first contradiction, with its place where the text shows it. Must not: judge
//! whether a tenant is likely.

use std::collections::HashMap;
use std::time::Duration;

use super::Scenario;
use crate::diagnostics::{Diagnostic, Place};
use crate::source::Source;

/// Finds what cannot be so.
pub(crate) fn check(scenario: &Scenario, source: &Source) -> Result<(), Box<Diagnostic>> {
    let fault = twice(scenario).or_else(|| missing(scenario)).or_else(|| times(scenario)).or_else(|| numbers(scenario));
    match fault {
        None => Ok(()),
        Some(Contradiction { message, value, occurrence, help }) => {
            let found = source.text.match_indices(&value).nth(occurrence);
            let place = match found {
                Some((at, text)) => Place::in_text(&source.name, &source.text, at..at + text.len()),
                None => Place::file(&source.name),
            };
            Err(Box::new(Diagnostic::error("contradiction", message).at(place).help(help)))
        }
    }
}

struct Contradiction {
    message: String,
    /// What to look for in the text, and which time it stands there.
    value: String,
    occurrence: usize,
    help: &'static str,
}

/// Ids of which a tenant has one. Names, and the deviceIds of Entra devices, may stand twice: look-ups have to bear that.
fn twice(scenario: &Scenario) -> Option<Contradiction> {
    let lists: [(&str, Vec<&str>); 7] = [
        ("devices", scenario.devices.iter().map(|it| it.id.0.as_str()).collect()),
        ("users", scenario.users.iter().map(|it| it.id.0.as_str()).collect()),
        ("autopilot", scenario.autopilot.iter().map(|it| it.id.0.as_str()).collect()),
        ("entra_devices", scenario.entra_devices.iter().map(|it| it.id.0.as_str()).collect()),
        ("groups", scenario.groups.iter().map(|it| it.id.0.as_str()).collect()),
        ("scripts", scenario.scripts.iter().map(|it| it.id.0.as_str()).collect()),
        ("keys", scenario.keys.iter().map(|it| it.device_id.0.as_str()).collect()),
    ];
    lists.into_iter().find_map(|(list, values)| {
        let mut seen = HashMap::new();
        let value = values.into_iter().find(|value| seen.insert(value.to_lowercase(), ()).is_some())?;
        Some(Contradiction {
            message: format!("`{value}` stands twice in {list}"),
            value: value.to_owned(),
            occurrence: 1,
            help: "keep one of them",
        })
    })
}

/// What is listed as there, and as not there.
fn missing(scenario: &Scenario) -> Option<Contradiction> {
    let ids = scenario.devices.iter().map(|it| &it.id);
    let ids = ids.chain(scenario.users.iter().map(|it| &it.id)).chain(scenario.autopilot.iter().map(|it| &it.id));
    let mut ids =
        ids.chain(scenario.entra_devices.iter().map(|it| &it.id)).chain(scenario.groups.iter().map(|it| &it.id));
    let is_missing = |id: &str| scenario.missing.iter().any(|missing| missing.eq_ignore_ascii_case(id));
    let id = ids.find(|id| is_missing(&id.0))?;
    Some(Contradiction {
        message: format!("`{}` is listed, and it is in `missing`", id.0),
        value: id.0.clone(),
        occurrence: 1,
        help: "take it out of one of them",
    })
}

/// Ends that come before their beginnings.
fn times(scenario: &Scenario) -> Option<Contradiction> {
    let spans = scenario.strangers.iter().map(|it| ("strangers", it.from.0, it.until.map(|until| until.0)));
    let of_fault = |on: &super::fault::On| {
        let from = on.after.map_or(Duration::ZERO, |after| after.0);
        ("faults", from, on.until.map(|until| until.0))
    };
    let mut spans = spans.chain(scenario.faults.iter().map(|rule| of_fault(&rule.on)));
    let span = spans.find(|(_, from, until)| until.is_some_and(|until| until <= *from)).map(|(key, ..)| key);
    let key = span?;
    Some(Contradiction {
        message: format!("a time in `{key}` ends before it begins"),
        value: format!("{key}:"),
        occurrence: 0,
        help: "give the earlier time first",
    })
}

fn numbers(scenario: &Scenario) -> Option<Contradiction> {
    let listed = scenario.devices.len();
    let enrolled = scenario.enrolled_devices.filter(|enrolled| (*enrolled as usize) < listed)?;
    Some(Contradiction {
        message: format!("{enrolled} devices are enrolled, and {listed} are listed"),
        value: "enrolled_devices".to_owned(),
        occurrence: 0,
        help: "no fewer devices can be enrolled than are listed",
    })
}
