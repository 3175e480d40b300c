//! The time before which a job must not be sent.
//!
//! In: the text of `notBefore`. Out: an instant, or why it is none. Must not: assume a time zone.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// Reads a date (midnight UTC) or a date and time with an offset.
pub(crate) fn not_before(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "write a date such as 2026-12-01, or a time such as 2026-12-01T18:00:00+01:00";
    let text = text.trim();
    if !text.is_ascii() || !begins_like_a_date(text) {
        return Err(EXPECTED);
    }
    if text.len() == 10 {
        let date: Date = text.parse().map_err(|_| EXPECTED)?;
        let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| EXPECTED)?;
        return Ok(midnight.timestamp());
    }
    match text.parse::<Timestamp>() {
        Ok(instant) => Ok(instant),
        Err(_) if text.parse::<DateTime>().is_ok() => {
            Err("the UTC offset is missing: write Z for UTC, or the offset, such as +01:00")
        }
        Err(_) => Err(EXPECTED),
    }
}

/// `2026-12-01`; shorter spellings that the library knows are left out, because people misread them.
fn begins_like_a_date(text: &str) -> bool {
    text.len() >= 10
        && text.bytes().take(10).enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_midnight_utc_and_a_time_needs_an_offset() {
        let read = |text| not_before(text).map(|at| at.to_string());
        assert_eq!(read("2026-12-01").as_deref(), Ok("2026-12-01T00:00:00Z"));
        assert_eq!(read(" 2026-12-01T18:00:00+01:00 ").as_deref(), Ok("2026-12-01T17:00:00Z"));
        assert_eq!(read("2026-12-01 18:00Z").as_deref(), Ok("2026-12-01T18:00:00Z"));
        assert!(read("2026-12-01T18:00:00").unwrap_err().contains("offset"));
        for text in ["", "soon", "12/1/2026", "2026-13-01", "2026-12-1", "20261201", "2026-12-01Z?", "２０２６-12-01"]
        {
            assert!(read(text).unwrap_err().contains("write a date"), "{text}");
        }
    }
}
