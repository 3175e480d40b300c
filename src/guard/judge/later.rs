//! A verdict, some time later.
//!
//! In: what was judged, and the time now. Out: what refuses the run that did not then. Must not: judge the jobs anew; they are the
//! same, and only time has passed.

use jiff::Timestamp;

use super::verdict::{Judgement, RunFacts};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::guard::rule::Guard;

impl Judgement {
    /// Windows that have closed since, and overrides without which it would have been refused and that have ended.
    pub fn ended_by(&self, now: Timestamp) -> Diagnostics {
        let mut later = Self { now, faults: Diagnostics::default(), ..self.clone() };
        let about = RunFacts { plan: self.plan.as_deref(), justified: true, now, begins: true, keys: &[] };
        for rule in &self.rules.stated {
            if let Guard::Window(window) = &rule.guard {
                later.check_window(rule, window, about);
            }
        }
        for entry in self.overrides_in_use().filter(|entry| !entry.is_in_force(self.plan.as_deref(), now)) {
            let message = format!("the override of {} has ended since this was looked at", entry.origin);
            later.faults.push(
                Diagnostic::error("override-ended", message).help("start anew: it is judged without the override"),
            );
        }
        later.faults
    }
}
