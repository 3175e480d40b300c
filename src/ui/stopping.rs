//! What people are told when a run ends before its plan does.
//!
//! In: why, and how many requests are out. Out: one line. Pure. Must not: draw.

use super::text::count;
use crate::runner::event::StopReason;
use crate::text::visible;

pub(super) fn draining(in_flight: u32, reason: &StopReason) -> String {
    let out = match in_flight {
        0 => "no requests in flight".to_owned(),
        1 => "waiting for 1 request in flight".to_owned(),
        many => format!("waiting for {} requests in flight", count(many)),
    };
    match reason {
        StopReason::Interrupted if in_flight > 0 => format!("stopping: {out}; press Ctrl-C again to stop waiting"),
        StopReason::Interrupted => format!("stopping: {out}"),
        StopReason::Requested => format!("stopping on request: {out}"),
        StopReason::Policy(_, why) => format!("stopping: {}; {out}", visible(why)),
        StopReason::SignIn(why) => format!("stopping: sign-in failed: {}; {out}", visible(why)),
        StopReason::Journal(why) => format!("stopping: the journal cannot be written: {}; {out}", visible(why)),
        StopReason::Justification(_, why) => {
            format!("stopping: the tenant requires a justification: {}; {out}", visible(why))
        }
        StopReason::Unreachable(why) => {
            format!("stopping: the service cannot be reached: {}; {out}", visible(why))
        }
    }
}

pub(super) fn abandoned(in_flight: u32) -> String {
    match in_flight {
        1 => "stopped waiting: 1 request is reported as unknown".to_owned(),
        many => format!("stopped waiting: {} requests are reported as unknown", count(many)),
    }
}
