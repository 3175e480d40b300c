//! The `limits:` of a plan.
//!
//! In: the tree below the key. Out: [`StatedLimits`] and daily limits, as far as they could be understood, and faults. Must not: know what a
//! limit that is not given comes to.

use std::time::Duration;

use super::daily;
use crate::catalog::{Allowance, Bucket, OwnAllowances, StatedLimits, TenantSize};
use crate::daily::DailySettings;
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader};

const KEYS: &[&str] = &[
    "concurrency",
    "reserve_percent",
    "max_attempts",
    "settling_seconds",
    "tenant_size",
    "priority",
    "allowances",
    "daily",
];
const ALLOWANCE_KEYS: &[&str] = &["requests", "window_seconds"];

pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> (StatedLimits, DailySettings) {
    let (mut limits, mut days) = (StatedLimits::default(), DailySettings::default());
    for Entry { name, value, .. } in reader.map_of(node, "`limits`", KEYS).unwrap_or_default() {
        let narrow = |number: u16| u8::try_from(number).ok();
        match name {
            "concurrency" => limits.concurrency = reader.number(value, "`concurrency`", 1, 256),
            "reserve_percent" => {
                limits.reserve_percent = reader.number(value, "`reserve_percent`", 0, 95).and_then(narrow);
            }
            "max_attempts" => limits.max_attempts = reader.number(value, "`max_attempts`", 1, 20).and_then(narrow),
            "settling_seconds" => limits.settling_seconds = reader.number(value, "`settling_seconds`", 0, 3_600),
            "tenant_size" => {
                let sizes = TenantSize::ALL.map(TenantSize::name);
                limits.tenant_size = one_of(value, "`tenant_size`", &sizes, reader).and_then(TenantSize::named);
            }
            "priority" => {
                let priority = one_of(value, "`priority`", &["low", "normal"], reader);
                limits.low_priority = priority.map(|priority| priority == "low");
            }
            "daily" => days = daily::read(value, reader),
            _ => limits.allowances = read_allowances(value, reader),
        }
    }
    (limits, days)
}

fn one_of<'s>(node: &'s Node, what: &str, words: &[&'static str], reader: &mut Reader<'s, '_>) -> Option<&'static str> {
    let text = reader.text(node, what)?;
    let word = words.iter().copied().find(|word| *word == text);
    if word.is_none() {
        let message = format!("{what} must be {}, not `{}`", words.join(" or "), shown(text));
        reader.fault(&node.span, "out-of-range", message, None);
    }
    word
}

fn read_allowances<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> OwnAllowances {
    let mut own = OwnAllowances::default();
    for Entry { name, key, value } in reader.map(node, "`allowances`").unwrap_or_default() {
        let Some(bucket) = Bucket::all().find(|bucket| bucket.to_string() == name) else {
            let known: Vec<_> = Bucket::all().map(|bucket| bucket.to_string()).collect();
            let help = match did_you_mean(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            reader.fault(&key.span, "unknown-key", format!("there is no bucket `{}`", shown(name)), Some(help));
            continue;
        };
        let Some(allowance) = read_allowance(value, reader) else { continue };
        if allowance.per_second() > bucket.allowance().per_second() {
            let message = format!("this is more than the documented limit of {bucket}");
            let source = format!("the documented limit: {}", bucket.service.source);
            let place = reader.source.place(&value.span);
            reader.faults.push(Diagnostic::warning("more-than-documented", message).at(place).help(source));
        }
        own[bucket.index()] = Some(allowance);
    }
    own
}

fn read_allowance<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Allowance> {
    let (mut requests, mut seconds, mut faulty) = (None, None, false);
    for Entry { name, value, .. } in reader.map_of(node, "an allowance", ALLOWANCE_KEYS)? {
        let (place, what, most) = match name {
            "requests" => (&mut requests, "`requests`", u16::MAX),
            _ => (&mut seconds, "`window_seconds`", 3_600),
        };
        *place = reader.number(value, what, 1, most);
        faulty |= place.is_none();
    }
    match (requests, seconds) {
        (Some(requests), Some(seconds)) => {
            Some(Allowance { requests: requests.into(), window: Duration::from_secs(seconds.into()) })
        }
        _ if faulty => None,
        _ => {
            let message = "an allowance is a number of requests in a window of seconds";
            let help = "write `{ requests: 100, window_seconds: 20 }`".to_owned();
            reader.fault(&node.span, "missing-key", message, Some(help));
            None
        }
    }
}
