//! What people are told when a run ends before its plan does.
//!
//! In: why, and how many requests are out. Out: one line. Pure. Must not: draw.

use super::text::{count, count_of};
use crate::runner::event::StopReason;
use crate::text::visible;

pub(super) fn draining(in_flight: u32, reason: &StopReason) -> String {
    let out = match in_flight {
        0 => "nothing is out any more".to_owned(),
        1 => "1 request is still out".to_owned(),
        many => format!("{} requests are still out", count(many)),
    };
    match reason {
        StopReason::Interrupted if in_flight > 0 => format!("stopping: {out}; Ctrl-C again abandons them"),
        StopReason::Interrupted => format!("stopping: {out}"),
        StopReason::Requested => format!("stopping on request: {out}"),
        StopReason::Policy(_, why) => format!("stopping: {}; {out}", visible(why)),
        StopReason::SignIn(why) => format!("stopping, because sign-in failed: {}; {out}", visible(why)),
        StopReason::Journal(why) => format!("stopping, because the journal cannot be written: {}; {out}", visible(why)),
        StopReason::Justification(_, why) => {
            format!("stopping, because the tenant asks for a justification: {}; {out}", visible(why))
        }
        StopReason::Unreachable(why) => {
            format!("stopping, because the host cannot be reached: {}; {out}", visible(why))
        }
    }
}

pub(super) fn abandoned(in_flight: u32) -> String {
    format!("abandoned: {} will be unknown in the report", count_of(in_flight, "request"))
}
