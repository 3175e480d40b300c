//! Times as people read them: one form for screens, notes and messages.
//!
//! In: a time. Out: text. Must not: be used in files for programs; they have RFC 3339.

use jiff::Timestamp;

/// `2026-11-23 07:02:00 UTC`, rounded up to the second: what waits until then is not told to come too early.
pub(crate) fn moment(at: Timestamp) -> String {
    whole_second(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `07:02:00 UTC`, of a time within the next day.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    whole_second(at).strftime("%H:%M:%S UTC").to_string()
}

fn whole_second(at: Timestamp) -> Timestamp {
    let late = i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(at.as_second() + late).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_the_second() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(moment(at("2026-11-23T07:02:00Z")), "2026-11-23 07:02:00 UTC");
        assert_eq!(moment(at("2026-11-23T07:01:59.001Z")), "2026-11-23 07:02:00 UTC");
        assert_eq!(time_of_day(at("2026-11-23T07:02:00Z")), "07:02:00 UTC");
        assert_eq!(time_of_day(Timestamp::MAX).len(), "07:02:00 UTC".len());
    }
}
