//! How long the service asks us to wait, in whichever of its spellings.
//!
//! In: headers, and what Intune hid in its body. Out: a duration, if one was named. Must not: invent one.
//!
//! Graph documents an integer and has shown decimals (`2.128`); HTTP allows a date; Intune leaves the header out and may
//! write the time into its nested error document instead.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

/// The time named in the headers.
pub(crate) fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    from_text(text, date_of(headers).unwrap_or(now))
}

/// The service's own time, if the answer names it.
pub(crate) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// The time named in Intune's nested error document: `RetryAfter`, or a header inside `HttpHeaders`.
pub(crate) fn from_intune(document: &Value, now: Timestamp) -> Option<Duration> {
    let direct = document.get("RetryAfter").and_then(|value| from_json(value, now));
    direct.or_else(|| {
        let headers = match document.get("HttpHeaders")? {
            Value::String(text) => serde_json::from_str(text).ok()?,
            value => value.clone(),
        };
        let (_, value) = headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        from_json(value, now)
    })
}

fn from_json(value: &Value, now: Timestamp) -> Option<Duration> {
    match value {
        Value::Number(number) => seconds(number.as_f64()?),
        Value::String(text) => from_text(text, now),
        Value::Array(values) => from_json(values.first()?, now),
        _ => None,
    }
}

/// An integer, a decimal, a `hh:mm:ss` span or an HTTP date.
fn from_text(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return seconds(number);
    }
    if let Some(span) = clock_span(text) {
        return seconds(span);
    }
    // A date that has passed means: now.
    let named = Duration::try_from(http_date(text)?.duration_since(now)).unwrap_or_default();
    (named <= LONGEST).then_some(named)
}

fn clock_span(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let (hours, minutes, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |part: &str| part.parse::<f64>().ok().filter(|number| *number >= 0.0);
    parts.next().is_none().then_some(())?;
    Some(number(hours)? * 3_600.0 + number(minutes)? * 60.0 + number(rest)?)
}

/// Nobody who limits requests asks for more: what names more is no time.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok().filter(|named| *named <= LONGEST)
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn header(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        from_headers(&headers, now())
    }

    #[test]
    fn every_spelling_is_read() {
        assert_eq!(header("17"), Some(Duration::from_secs(17)));
        assert_eq!(header("2.128"), Some(Duration::from_millis(2_128)));
        assert_eq!(header(" 0 "), Some(Duration::ZERO));
        assert_eq!(header("Sun, 22 Nov 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(header("Sun, 22 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(header("00:01:30"), Some(Duration::from_secs(90)));
    }

    #[test]
    fn nonsense_is_no_time_at_all() {
        assert_eq!(header("604800"), Some(Duration::from_secs(7 * 86_400)));
        let endless =
            ["10000000000000000000", "1e308", "inf", "604801", "Sat, 22 Nov 2036 12:00:00 GMT", "99999:00:00"];
        for value in ["", "soon", "-1", "NaN", "1:2"].into_iter().chain(endless) {
            assert_eq!(header(value), None, "{value}");
        }
    }

    #[test]
    fn a_date_is_judged_by_the_clock_of_the_server_that_wrote_it() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Sun, 22 Nov 2026 12:00:30 GMT".parse().unwrap());
        headers.insert(DATE, "Sun, 22 Nov 2026 12:00:20 GMT".parse().unwrap());
        assert_eq!(from_headers(&headers, now()), Some(Duration::from_secs(10)));
    }

    #[test]
    fn intune_hides_it_in_the_body() {
        let read = |document: Value| from_intune(&document, now());
        assert_eq!(read(json!({"RetryAfter": null, "HttpHeaders": "{}"})), None);
        assert_eq!(read(json!({"RetryAfter": 12})), Some(Duration::from_secs(12)));
        assert_eq!(read(json!({"RetryAfter": "1.5"})), Some(Duration::from_millis(1_500)));
        assert_eq!(read(json!({"HttpHeaders": "{\"Retry-After\":\"9\"}"})), Some(Duration::from_secs(9)));
        assert_eq!(read(json!({"HttpHeaders": {"retry-after": ["8"]}})), Some(Duration::from_secs(8)));
    }
}
