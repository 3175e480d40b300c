//! The `stop_when` of a plan.
//!
//! In: its node. Out: the limits of the breaker, and faults. Must not: let a limit through that could never hold or
//! under which nothing could be sent.

use crate::guard::breaker::{MIN_SAMPLE, Share, StopWhen};
use crate::yaml::{Entry, Node, Reader};

const KEYS: &[&str] =
    &["failures", "failure_percent", "min_sample", "consecutive_failures", "unknown", "repeated_refusal"];

const MOST_JOBS: u32 = 1_000_000;

/// Reads it.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> StopWhen {
    let mut limits = StopWhen::default();
    let (mut percent, mut sample) = (None, None);
    for Entry { name, value, .. } in reader.map_of(node, "`stop_when`", KEYS).unwrap_or_default() {
        let mut jobs = |what| reader.number(value, what, 1, MOST_JOBS);
        match name {
            "failures" => limits.failures = jobs("`failures`"),
            "consecutive_failures" => limits.consecutive_failures = jobs("`consecutive_failures`"),
            "unknown" => limits.unknown = jobs("`unknown`"),
            "repeated_refusal" => limits.repeated_refusal = jobs("`repeated_refusal`"),
            "min_sample" => sample = Some((value, jobs("`min_sample`"))),
            _ => percent = Some(reader.number(value, "`failure_percent`", 1, 99)),
        }
    }
    limits.failure_percent = share(percent, sample, reader);
    limits
}

/// `min_sample` means nothing without the percentage, and must be large enough for one job to be no more than that.
fn share<'s>(
    percent: Option<Option<u32>>,
    sample: Option<(&'s Node, Option<u32>)>,
    reader: &mut Reader<'s, '_>,
) -> Option<Share> {
    let Some(percent) = percent else {
        if let Some((at, _)) = sample {
            let help = Some("add `failure_percent: …`, or remove it".into());
            reader.fault(&at.span, "wrong-keys", "`min_sample` needs `failure_percent`", help);
        }
        return None;
    };
    let percent = percent?;
    let smallest = Share::smallest_sample(percent);
    match sample {
        None => Some(Share { percent, min_sample: MIN_SAMPLE.max(smallest) }),
        Some((_, None)) => None,
        Some((at, Some(given))) if given < smallest => {
            let message = format!("{percent} % of {given} is less than one job, so no job could be sent");
            let help = format!("write `min_sample: {smallest}` or more");
            reader.fault(&at.span, "impossible-limit", message, Some(help));
            None
        }
        Some((_, Some(min_sample))) => Some(Share { percent, min_sample }),
    }
}
