//! The `waves` of a plan.
//!
//! In: the node of the list. Out: the waves in their order, and faults. Must not: let a list through that leaves jobs in
//! no wave, or an entry that can never be reached.

use std::time::Duration;

use jiff::SignedDuration;

use crate::guard::waves::{Conditions, Size, Wave};
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

const KEYS: &[&str] = &["size", "pause", "within", "ask"];
const EXAMPLE: &str = "write `waves: [1, 10, 25%, rest]`";
const SIZE: &str = "a number of jobs, a percentage or `rest`";

const MOST_JOBS: u32 = 1_000_000;
const MOST_WAVES: usize = 1_000;
const SHORTEST_DEADLINE: Duration = Duration::from_secs(10);
const A_WEEK: Duration = Duration::from_secs(7 * 86_400);

/// An entry that could be read, and where it stands.
struct ReadWave<'s> {
    wave: Wave,
    at: &'s Node,
    /// The first key that says what happens between this wave and the next.
    between: Option<Entry<'s>>,
}

/// Reads the list. Empty after a fault.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Vec<Wave> {
    let Some(items) = reader.list(node, "`waves`") else { return Vec::new() };
    if items.is_empty() {
        reader.fault(&node.span, "impossible-waves", "the list of waves is empty", Some(EXAMPLE.into()));
        return Vec::new();
    }
    if items.len() > MOST_WAVES {
        let message = format!("{} waves; {MOST_WAVES} are allowed", items.len());
        reader.fault(&node.span, "impossible-waves", message, None);
        return Vec::new();
    }
    let waves: Vec<_> = items.iter().filter_map(|item| read_entry(item, reader)).collect();
    if waves.len() < items.len() || !add_up(node, &waves, reader) {
        return Vec::new();
    }
    waves.into_iter().map(|read| read.wave).collect()
}

fn read_entry<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<ReadWave<'s>> {
    let Value::Map(_) = node.value else {
        let wave = Wave { size: read_size(node, reader)?, conditions: Conditions::default() };
        return Some(ReadWave { wave, at: node, between: None });
    };
    let entries = reader.map_of(node, "a wave", KEYS)?;
    let Some(size) = entries.iter().find(|entry| entry.name == "size") else {
        let help = Some("write `size: 10`, `size: 25%` or `size: rest`".into());
        reader.fault(&node.span, "missing-key", "the key `size` is missing", help);
        return None;
    };
    let (at, size) = (size.value, read_size(size.value, reader));
    let mut conditions = Some(Conditions::default());
    for Entry { name, value, .. } in &entries {
        let fine = match (*name, conditions.as_mut()) {
            ("pause", Some(all)) => read_time(value, name, Duration::ZERO, reader).map(|time| all.pause = time),
            ("within", Some(all)) => read_time(value, name, SHORTEST_DEADLINE, reader).map(|time| all.within = time),
            ("ask", Some(all)) => read_ask(value, reader).map(|ask| all.ask = ask),
            _ => Some(()),
        };
        conditions = conditions.filter(|_| fine.is_some());
    }
    let between = entries.into_iter().find(|entry| entry.name != "size");
    Some(ReadWave { wave: Wave { size: size?, conditions: conditions? }, at, between })
}

fn read_size<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Size> {
    let text = match &node.value {
        Value::Number(text) | Value::Text(text) => text.trim(),
        _ => {
            reader.wrong_type(node, "the size of a wave", SIZE, Some(EXAMPLE));
            return None;
        }
    };
    if text == "rest" {
        return Some(Size::Rest);
    }
    let (number, size): (_, fn(u32) -> Size) = match text.strip_suffix('%') {
        Some(number) => (number.trim(), Size::Percent),
        None => (text, Size::Jobs),
    };
    let most = if text.ends_with('%') { 100 } else { MOST_JOBS };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let (message, help) = match number.parse::<u32>().ok().filter(|_| plain) {
        Some(0) => (format!("a wave of {text} has no jobs"), "remove it, or give it a size".into()),
        Some(number) if number <= most => return Some(size(number)),
        Some(_) if text.ends_with('%') => {
            (format!("{} is more than 100 %", shown(text)), "use `rest` for all remaining jobs".into())
        }
        _ => (format!("`{}` is not {SIZE}", shown(text)), EXAMPLE.to_owned()),
    };
    reader.fault(&node.span, "impossible-waves", message, Some(help));
    None
}

fn read_ask(node: &Node, reader: &mut Reader<'_, '_>) -> Option<bool> {
    match node.value {
        Value::Boolean(ask) => Some(ask),
        _ => {
            reader.wrong_type(node, "`ask`", "true or false", None);
            None
        }
    }
}

pub(super) fn read_time(node: &Node, name: &str, least: Duration, reader: &mut Reader<'_, '_>) -> Option<Duration> {
    const HELP: &str = "write a length of time with its unit: 90s, 10m, 2h, 1d";
    let Value::Text(text) = &node.value else {
        reader.wrong_type(node, &format!("`{name}`"), "a length of time", Some(HELP));
        return None;
    };
    let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let time = match days {
        Some(days) => days.checked_mul(86_400).map(SignedDuration::from_secs),
        None => text.trim().parse::<SignedDuration>().ok(),
    };
    let Some(time) = time.and_then(|time| Duration::try_from(time).ok()) else {
        let message = format!("`{name}` must be a length of time, not `{}`", shown(text));
        reader.fault(&node.span, "bad-time", message, Some(HELP.into()));
        return None;
    };
    if time < least || time > A_WEEK {
        let message = match least.as_secs() {
            0 => format!("`{name}` is at most 7d"),
            least => format!("`{name}` is at least {least}s and at most 7d"),
        };
        reader.fault(&node.span, "out-of-range", message, None);
        return None;
    }
    Some(time)
}

/// Whether every job is in a wave and every wave can be reached, as far as that can be said without the jobs.
fn add_up<'s>(list: &'s Node, waves: &[ReadWave<'s>], reader: &mut Reader<'s, '_>) -> bool {
    let mut fault = |at: &Node, message: String, help: &str| {
        reader.fault(&at.span, "impossible-waves", message, Some(help.to_owned()));
        false
    };
    let (mut percent, mut jobs) = (0, false);
    for (number, read) in waves.iter().enumerate() {
        let all_are_gone = percent == 100 || waves[..number].iter().any(|before| before.wave.size == Size::Rest);
        if all_are_gone {
            return fault(
                read.at,
                "no jobs are left for this wave".into(),
                "remove it, or make the earlier waves smaller",
            );
        }
        match read.wave.size {
            Size::Jobs(_) => jobs = true,
            Size::Percent(share) => percent += share,
            Size::Rest => {}
        }
        if percent > 100 || (percent == 100 && jobs) {
            let besides = if jobs { ", and earlier waves take jobs too" } else { "" };
            let message = format!("the percentages add up to {percent} %{besides}, so this wave can never be full");
            return fault(read.at, message, "use `rest` for all remaining jobs");
        }
    }
    let Some(last) = waves.last() else { return true };
    if last.wave.size != Size::Rest && percent < 100 {
        let message = "the waves may not include all jobs".to_owned();
        return fault(list, message, "end the list with `rest`");
    }
    if let Some(entry) = last.between {
        let message = format!("`{}` is about what happens before the next wave, but this is the last wave", entry.name);
        return fault(entry.key, message, "write it in the wave before");
    }
    true
}
