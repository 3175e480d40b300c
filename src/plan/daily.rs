//! `limits: { daily: … }` of a plan: what the operator knows of the tenant's daily limits.
//!
//! In: the node. Out: [`DailySettings`], or faults at their places. Must not: count or decide when a day turns.

use super::vocabulary::list;
use crate::catalog::DAILY;
use crate::daily::{DailySettings, zone_named};
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

const KEYS: &[&str] =
    &["retire", "wipe", "delete", "reserve_percent", "turns_at", "zone", "delete_counts_as", "refusals"];

/// Reads the map.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> DailySettings {
    let mut settings = DailySettings::default();
    let mut zone_at = None;
    for Entry { name, key, value } in reader.map_of(node, "`daily`", KEYS).unwrap_or_default() {
        let many = |reader: &mut Reader<'s, '_>| reader.number(value, &format!("`{name}`"), 1, u16::MAX).map(u32::from);
        match name {
            "retire" => settings.retire = many(reader),
            "wipe" => settings.wipe = many(reader),
            "delete" => settings.delete = many(reader),
            "reserve_percent" => {
                let percent = reader.number(value, "`reserve_percent`", 0, 95);
                settings.reserve_percent = percent.and_then(|percent| u8::try_from(percent).ok());
            }
            "turns_at" => settings.turns_at = time(value, reader),
            "zone" => {
                zone_at = Some(key);
                settings.zone = zone(value, reader);
            }
            "delete_counts_as" => settings.delete_counts_as = Some(counts_as(value, reader)),
            _ => settings.refusals = Some(refusals(value, reader)),
        }
    }
    if let (Some(key), None, false) = (zone_at, settings.turns_at, has(node, "turns_at")) {
        let help = Some("add `turns_at: \"00:00\"`, or remove `zone`".into());
        reader.fault(&key.span, "missing-key", "`zone` needs `turns_at`", help);
    }
    settings
}

fn has(node: &Node, wanted: &str) -> bool {
    match &node.value {
        Value::Map(pairs) => pairs.iter().any(|(key, _)| matches!(&key.value, Value::Text(name) if name == wanted)),
        _ => false,
    }
}

fn time<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<jiff::civil::Time> {
    let text = reader.text(node, "`turns_at`")?;
    let time = Some(text).filter(|text| text.len() == 5 && text.as_bytes().get(2) == Some(&b':'));
    let time = time.and_then(|text| text.parse().ok());
    if time.is_none() {
        let message = format!("`turns_at` must be a time of day in quotes, such as \"02:00\", not `{}`", shown(text));
        reader.fault(&node.span, "bad-time", message, None);
    }
    time
}

fn zone<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<String> {
    let name = reader.text(node, "`zone`")?;
    if zone_named(name).is_none() {
        let message = format!("there is no time zone `{}`", shown(name));
        let help = Some("use a name of the IANA database, such as UTC, Europe/Berlin or America/New_York".into());
        reader.fault(&node.span, "unknown-zone", message, help);
        return None;
    }
    Some(name.to_owned())
}

fn counts_as<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Vec<String> {
    let known: Vec<&'static str> = DAILY.iter().flat_map(|limit| limit.sets_off).copied().collect();
    let mut names: Vec<String> = Vec::new();
    for item in reader.list(node, "`delete_counts_as`").unwrap_or_default() {
        let Some(name) = reader.text(item, "an action") else { continue };
        if !known.contains(&name) {
            let near = did_you_mean(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| format!("use {}, or [] for none", list(known.iter().copied())));
            let message = format!("a delete cannot count as `{}`", shown(name));
            reader.fault(&item.span, "unknown-action", message, Some(help));
        } else if names.iter().all(|earlier| earlier != name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn refusals<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Vec<String> {
    let items = reader.list(node, "`refusals`").unwrap_or_default();
    if items.is_empty() && matches!(node.value, Value::List(_)) {
        let help = Some("write words of the refusal, or remove `refusals`".into());
        reader.fault(&node.span, "wrong-type", "`refusals` is empty", help);
    }
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        let Some(text) = reader.text(item, "a refusal") else { continue };
        match text.chars().count() {
            4.. => words.push(text.to_owned()),
            _ => {
                let message = format!("`{}` is too short to recognise a refusal", shown(text));
                reader.fault(&item.span, "out-of-range", message, Some("write at least 4 letters".into()));
            }
        }
    }
    words
}
