//! Numbers and durations, as people read them, and how many columns a text takes.
//!
//! In: values. Out: short text. Must not: make foreign text harmless; `crate::text` does.

use std::time::Duration;

use dialoguer::console;

/// `1,240`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    indicatif::HumanCount(number.try_into().unwrap_or(u64::MAX)).to_string()
}

/// `1 request`, `1,240 requests`.
pub(crate) fn count_of(number: impl TryInto<u64> + Copy, thing: &str) -> String {
    let plural = if number.try_into().is_ok_and(|number| number == 1) { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// `3 s`, `17 min`, `1 h 23 min`, `2 d 4 h`: rounded up, because waiting longer than announced annoys.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    if seconds < 100 {
        return format!("{seconds} s");
    }
    match seconds.div_ceil(60) {
        minutes @ 0..60 => format!("{minutes} min"),
        minutes @ 60..2_880 => pair(minutes, 60, "h", "min"),
        minutes => pair(minutes.div_ceil(60), 24, "d", "h"),
    }
}

fn pair(number: u64, base: u64, large: &str, small: &str) -> String {
    match number % base {
        0 => format!("{} {large}", number / base),
        rest => format!("{} {large} {rest} {small}", number / base),
    }
}

/// `9.7`, `10`: a rate without digits that say nothing.
pub(crate) fn rate(per_second: f64) -> String {
    let tenths = (per_second * 10.0).round() / 10.0;
    match tenths < 100.0 && tenths.fract() != 0.0 {
        true => format!("{tenths:.1}"),
        false => format!("{tenths:.0}"),
    }
}

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// At most so many columns of it.
pub(super) fn shorten(text: &str, room: usize) -> String {
    console::truncate_str(text, room, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_never_too_small() {
        let shown = |millis| duration(Duration::from_millis(millis));
        assert_eq!(shown(0), "0 s");
        assert_eq!(shown(2_474), "3 s");
        assert_eq!(shown(99_000), "99 s");
        assert_eq!(shown(100_000), "2 min");
        assert_eq!(shown(16 * 60_000 + 1), "17 min");
        assert_eq!(shown(83 * 60_000), "1 h 23 min");
        assert_eq!(shown(120 * 60_000), "2 h");
        assert_eq!(shown(52 * 3_600_000), "2 d 4 h");
    }

    #[test]
    fn numbers_are_grouped_and_agree_with_their_noun() {
        assert_eq!(count_of(1_240_u32, "request"), "1,240 requests");
        assert_eq!(count_of(1_usize, "row"), "1 row");
        assert_eq!(
            (rate(9.7), rate(10.0), rate(9.96), rate(1240.4)),
            ("9.7".into(), "10".into(), "10".into(), "1240".into())
        );
    }

    #[test]
    fn text_is_as_wide_as_there_is_room_for() {
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(width("é…"), 2);
    }
}
