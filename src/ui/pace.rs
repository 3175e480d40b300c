//! How fast a run was, beside what it was allowed, and what throttling cost it.
//!
//! In: what each bucket was used for. Out: a line for each bucket that is worth one, or the same as JSON. Must not: bother
//! anybody about a run that was over at once and was never throttled.

use std::time::Duration;

use serde_json::{Value, json};

use super::text::{count, count_of, duration, rate};
use crate::pacing::BucketUse;

/// A shorter run says nothing about a rate.
const SHORTEST: Duration = Duration::from_secs(10);

fn worth_telling(used: &[BucketUse]) -> impl Iterator<Item = &BucketUse> {
    used.iter().filter(|used| used.busy >= SHORTEST || used.throttled > 0)
}

/// `intune-devices/write: 5,000 requests, 9.8 a second of 10 allowed; throttled 12 times, which cost 40 s`.
pub(super) fn lines(used: &[BucketUse]) -> impl Iterator<Item = String> {
    worth_telling(used).map(|used| {
        let mut line = format!("{}: {}", used.bucket, count_of(used.sent, "request"));
        if let Some(per_second) = per_second(used) {
            line.push_str(&format!(", {} a second", rate(per_second)));
            if let Some(allowed) = used.allowed {
                line.push_str(&format!(" of {} allowed", rate(allowed.per_second())));
            }
        }
        match used.throttled {
            0 => {}
            1 => line.push_str(&format!("; throttled once, which cost {}", duration(used.lost))),
            times => line.push_str(&format!("; throttled {} times, which cost {}", count(times), duration(used.lost))),
        }
        line
    })
}

/// `None` where there is nothing worth telling.
pub(super) fn json(used: &[BucketUse]) -> Option<Value> {
    let rounded = |number: f64| (number * 100.0).round() / 100.0;
    let rows: Vec<_> = worth_telling(used)
        .map(|used| {
            json!({
                "bucket": used.bucket.to_string(),
                "requests": used.sent,
                "per_second": per_second(used).map(rounded),
                "allowed_per_second": used.allowed.map(|allowed| rounded(allowed.per_second())),
                "throttled": used.throttled,
                "seconds_lost": rounded(used.lost.as_secs_f64()),
            })
        })
        .collect();
    (!rows.is_empty()).then(|| json!({ "buckets": rows }))
}

/// Each request but the last is followed by the time to the next one.
fn per_second(used: &BucketUse) -> Option<f64> {
    let gaps = used.sent.checked_sub(1).filter(|gaps| *gaps > 0)?;
    (used.busy >= SHORTEST).then(|| f64::from(gaps) / used.busy.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, Bucket, INTUNE_DEVICES};

    fn used(sent: u32, busy: u64, throttled: u32, lost: u64) -> BucketUse {
        let bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };
        BucketUse {
            bucket,
            allowed: Some(bucket.allowance()),
            sent,
            throttled,
            lost: Duration::from_secs(lost),
            busy: Duration::from_secs(busy),
        }
    }

    #[test]
    fn a_line_tells_the_rate_beside_the_allowance_and_what_throttling_cost() {
        let of = |used: BucketUse| lines(&[used]).collect::<Vec<_>>().concat();
        assert_eq!(of(used(4_901, 500, 0, 0)), "intune-devices/write: 4,901 requests, 9.8 a second of 10 allowed");
        assert_eq!(
            of(used(301, 60, 12, 40)),
            "intune-devices/write: 301 requests, 5 a second of 10 allowed; throttled 12 times, which cost 40 s"
        );
        assert_eq!(of(used(3, 2, 1, 2)), "intune-devices/write: 3 requests; throttled once, which cost 2 s");
        assert_eq!(of(used(30, 3, 0, 0)), "", "over at once");
        let unpaced = BucketUse { allowed: None, ..used(301, 60, 0, 0) };
        assert_eq!(of(unpaced), "intune-devices/write: 301 requests, 5 a second");
    }

    #[test]
    fn programs_are_told_the_same() {
        assert_eq!(json(&[used(30, 3, 0, 0)]), None);
        let row = &json(&[used(301, 60, 12, 40)]).unwrap()["buckets"][0];
        assert_eq!((&row["per_second"], &row["allowed_per_second"]), (&Value::from(5.0), &Value::from(10.0)));
        assert_eq!((&row["throttled"], &row["seconds_lost"]), (&Value::from(12), &Value::from(40.0)));
    }
}
