//! `guards:` of a plan or a policy.
//!
//! In: the map under that key. Out: [`Rules`], each with its place, and faults. Must not: pass over a key that would
//! not be enforced, or check a job.

use std::path::Path;

use super::escrow;
use super::input::Input;
use super::protected;
use super::stop_when;
use super::vocabulary::unknown_action;
use super::waves;
use crate::catalog::{Action, is_name};
use crate::diagnostics::Place;
use crate::guard::rule::{Guard, Origin, Percent, Rule};
use crate::guard::rules::Rules;
use crate::guard::window::{DAYS, RunWindow};
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

/// Every guard there is.
pub const KEYS: &[&str] = &[
    "max_targets",
    "max_per_action",
    "max_percent_of_fleet",
    "allow_actions",
    "deny_actions",
    "allow_own_actions",
    "protected",
    "require_justification",
    "window",
    "waves",
    "stop_when",
    "require_escrow",
];
/// More targets than a plan can have are no limit.
pub(super) const MOST: u32 = 2_000_000;

const WINDOW_KEYS: &[&str] = &["days", "hours", "zone", "strict"];

/// Whose guards they are, and where the files that they name are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub origin: fn(Place) -> Origin,
    pub folder: &'a Path,
    /// The actions that the plan defines itself; a policy knows those of the catalog alone.
    pub own: &'a [&'static Action],
}

/// Reads the map. CSV files that it names are added to `inputs`.
pub(super) fn read<'s>(
    node: &'s Node,
    owner: Owner<'_>,
    reader: &mut Reader<'s, '_>,
    inputs: &mut Vec<Input>,
) -> Rules {
    let mut rules = Rules::default();
    for entry in reader.map_of(node, "`guards`", KEYS).unwrap_or_default() {
        if entry.name == "protected" {
            rules.protected = protected::read(entry.value, owner.folder, reader, inputs);
            continue;
        }
        let origin = (owner.origin)(reader.source.place(&entry.key.span));
        match (entry.name, &origin) {
            ("stop_when", _) => rules.stop_when = stop_when::read(entry.value, reader),
            ("waves", Origin::Policy(_)) => {
                let message = "`waves` is for plans, not for policies";
                reader.fault(&entry.key.span, "wrong-keys", message, Some("remove it; `stop_when` may stay".into()));
            }
            ("allow_own_actions", Origin::Plan(_)) => {
                let message = "`allow_own_actions` is for policies, not for plans";
                reader.fault(&entry.key.span, "wrong-keys", message, Some("remove it".into()));
            }
            ("waves", _) => rules.waves = waves::read(entry.value, reader),
            _ => {}
        }
        for guard in read_guard(&entry, owner.own, reader) {
            let origin = origin.clone();
            rules.stated.push(Rule { guard, origin });
        }
    }
    rules
}

fn read_guard<'s>(entry: &Entry<'s>, own: &[&'static Action], reader: &mut Reader<'s, '_>) -> Vec<Guard> {
    let Entry { name, value, .. } = *entry;
    let guard = match name {
        "max_targets" => reader.number(value, "`max_targets`", 0, MOST).map(Guard::MaxTargets),
        "max_per_action" => return read_per_action(value, own, reader),
        "max_percent_of_fleet" => read_percent(value, "`max_percent_of_fleet`", reader).map(Guard::MaxPercentOfFleet),
        "allow_actions" => read_actions(value, "`allow_actions`", own, reader).map(Guard::AllowActions),
        "deny_actions" => read_actions(value, "`deny_actions`", own, reader).map(Guard::DenyActions),
        "allow_own_actions" => read_own_actions(value, reader).map(Guard::AllowOwnActions),
        "require_justification" => read_require_justification(value, reader),
        "window" => read_window(value, reader).map(Guard::Window),
        "require_escrow" => escrow::read(value, reader).map(Guard::RequireEscrow),
        _ => None,
    };
    guard.into_iter().collect()
}

fn read_per_action<'s>(node: &'s Node, own: &[&'static Action], reader: &mut Reader<'s, '_>) -> Vec<Guard> {
    let entries = reader.map(node, "`max_per_action`").unwrap_or_default();
    let limits = entries.into_iter().filter_map(|Entry { name, key, value }| {
        let limit = reader.number(value, &format!("the limit of `{}`", shown(name)), 0, MOST);
        let action = known_action(name, own, key, reader)?;
        Some(Guard::MaxPerAction { action: action.name.into(), limit: limit? })
    });
    limits.collect()
}

fn known_action(
    name: &str,
    own: &[&'static Action],
    at: &Node,
    reader: &mut Reader<'_, '_>,
) -> Option<&'static Action> {
    let action = Action::named(name).or_else(|| own.iter().copied().find(|action| action.name == name));
    if action.is_none() {
        let (message, help) = unknown_action(name, own);
        reader.fault(&at.span, "unknown-action", message, Some(help));
    }
    action
}

/// Names of actions, one or more; `None` after a fault.
pub(super) fn read_actions<'s>(
    node: &'s Node,
    what: &str,
    own: &[&'static Action],
    reader: &mut Reader<'s, '_>,
) -> Option<Vec<Box<str>>> {
    let items = reader.list(node, what)?;
    if items.is_empty() {
        reader.fault(&node.span, "wrong-type", format!("{what} names no action"), Some("name one or more".into()));
        return None;
    }
    let names = items.iter().map(|item| {
        let name = reader.text(item, "the name of an action")?;
        known_action(name, own, item, reader).map(|action| action.name.into())
    });
    // All of them are looked at before one that is missing ends it.
    let names: Vec<Option<Box<str>>> = names.collect();
    names.into_iter().collect()
}

/// Names that plans may define; a policy does not know whether any does.
fn read_own_actions<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Vec<Box<str>>> {
    let items = reader.list(node, "`allow_own_actions`")?;
    let names = items.iter().map(|item| {
        let name = reader.text(item, "the name of an action")?;
        let fault = match Action::named(name) {
            Some(_) => {
                format!("`{name}` is an action of the catalog; `allow_own_actions` is for actions that a plan defines")
            }
            None if !is_name(name) => format!("`{}` cannot be the name of an action", shown(name)),
            None => return Some(Box::from(name)),
        };
        reader.fault(&item.span, "bad-action", fault, Some("use `allow_actions` for actions of the catalog".into()));
        None
    });
    let names: Vec<Option<Box<str>>> = names.collect();
    names.into_iter().collect()
}

/// `5`, `0.5` or `5%`, up to 100.
pub(super) fn read_percent<'s>(node: &'s Node, what: &str, reader: &mut Reader<'s, '_>) -> Option<Percent> {
    let (Value::Number(text) | Value::Text(text)) = &node.value else {
        reader.wrong_type(node, what, "a percentage from 0 to 100", None);
        return None;
    };
    let percent = parse_percent(text);
    if percent.is_none() {
        let message = format!("{what} must be a percentage from 0 to 100, not {}", shown(text));
        let help = "write a number with at most two decimals, such as 5 or 0.25";
        reader.fault(&node.span, "out-of-range", message, Some(help.into()));
    }
    percent
}

fn parse_percent(text: &str) -> Option<Percent> {
    let text = text.trim();
    let bare = text.strip_suffix('%').map_or(text, str::trim_end);
    let (whole, part) = bare.split_once('.').unwrap_or((bare, "0"));
    let digits = |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (whole, hundredths): (u16, u16) = (digits(whole)??, digits(part)??);
    let hundredths = match part.len() {
        1 => hundredths * 10,
        2 => hundredths,
        _ => return None,
    };
    let percent = Percent(whole.checked_mul(100)?.checked_add(hundredths)?);
    (percent <= Percent::ALL).then_some(percent)
}

fn read_require_justification(node: &Node, reader: &mut Reader<'_, '_>) -> Option<Guard> {
    match node.value {
        Value::Boolean(true) => Some(Guard::RequireJustification),
        Value::Boolean(false) => None,
        _ => {
            reader.wrong_type(node, "`require_justification`", "true or false", None);
            None
        }
    }
}

fn read_window<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<RunWindow> {
    let (mut days, mut hours, mut zone) = (Some([true; 7]), Some((0, 24 * 60)), None);
    let (mut named, mut strict) = (false, Some(false));
    for Entry { name, value, .. } in reader.map_of(node, "`window`", WINDOW_KEYS)? {
        match name {
            "days" => days = read_days(value, reader),
            "hours" => hours = read_hours(value, reader),
            "strict" => strict = read_strict(value, reader),
            _ => {
                named = true;
                zone = reader.text(value, "`zone`").map(|zone| (zone, value));
            }
        }
    }
    if !named {
        let help = Some("write the time zone of the hours, such as `zone: Europe/Berlin` or `zone: UTC`".into());
        reader.fault(&node.span, "missing-key", "the key `zone` is missing", help);
    }
    let (zone, at) = zone?;
    // Any hours will do to find out about the zone.
    if RunWindow::new([true; 7], 0, 1, zone).is_none() {
        let help = Some("use a name of the IANA database, such as Europe/Berlin, America/New_York or UTC".into());
        reader.fault(&at.span, "unknown-zone", format!("there is no time zone `{}`", shown(zone)), help);
        return None;
    }
    let (from, until) = hours?;
    let strict = strict?;
    RunWindow::new(days?, from, until, zone).map(|window| window.strictly(strict))
}

/// Whether what has begun stops at the end of the window too.
fn read_strict(node: &Node, reader: &mut Reader<'_, '_>) -> Option<bool> {
    match node.value {
        Value::Boolean(strict) => Some(strict),
        _ => {
            reader.wrong_type(node, "`strict`", "true or false", None);
            None
        }
    }
}

fn read_days<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<[bool; 7]> {
    let items = reader.list(node, "`days`")?;
    let mut days = [false; 7];
    let mut whole = true;
    for item in items {
        let Some(text) = reader.text(item, "a day") else {
            whole = false;
            continue;
        };
        match DAYS.iter().position(|day| text.eq_ignore_ascii_case(day)) {
            Some(day) => days[day] = true,
            None => {
                whole = false;
                let message = format!("`{}` is not a day of the week", shown(text));
                reader.fault(&item.span, "bad-window", message, Some(format!("known are {}", DAYS.join(", "))));
            }
        }
    }
    if items.is_empty() {
        reader.fault(&node.span, "bad-window", "the window has no day, so no run could ever begin", None);
        whole = false;
    }
    whole.then_some(days)
}

/// `22:00-04:00`, as minutes after midnight.
fn read_hours<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<(u16, u16)> {
    let text = reader.text(node, "`hours`")?;
    let hours = text.split_once('-').and_then(|(from, until)| Some((minutes(from)?, minutes(until)?)));
    let hours = hours.filter(|(from, until)| from != until && *from < 24 * 60);
    if hours.is_none() {
        let message = format!("`{}` is not a range of hours", shown(text));
        let help = "write `hours: 22:00-04:00`; a range that ends before it begins crosses midnight";
        reader.fault(&node.span, "bad-window", message, Some(help.into()));
    }
    hours
}

/// `22:00` in minutes; `24:00` is the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact_and_up_to_100() {
        let read = |text| parse_percent(text).map(|percent| percent.0);
        assert_eq!(read("5"), Some(500));
        assert_eq!(read("5 %"), Some(500));
        assert_eq!(read("0.25"), Some(25));
        assert_eq!(read("0.5%"), Some(50));
        assert_eq!(read("100"), Some(10_000));
        for text in ["101", "100.01", "-1", "+5", "5.", ".5", "1e2", "0.125", "", "%", "70000", "5.-1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn hours_are_of_a_day() {
        assert_eq!((minutes("22:00"), minutes("00:30"), minutes("24:00")), (Some(1320), Some(30), Some(1440)));
        for text in ["24:01", "25:00", "8:00", "08:60", "0800", "+8:00", "08:00:00"] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }
}
