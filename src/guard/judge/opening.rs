//! Windows, when a run begins and while it goes on.
//!
//! In: a rule, the jobs that were counted, the time. Out: what refuses the run; the windows that it is in. Must not: let an override for
//! some actions open a window for others.

use super::super::census::ActionSet;
use super::super::rule::{Guard, Rule};
use super::super::window::{RunWindow, RunWindows};
use super::verdict::{Judgement, RunFacts, placed};
use crate::diagnostics::Diagnostic;
use crate::moment::moment;

impl Judgement {
    pub(super) fn check_window(&mut self, rule: &Rule, window: &RunWindow, about: RunFacts<'_>) {
        if window.contains(about.now) {
            return;
        }
        let (mut rest, lifted) = (ActionSet::all(), self.lifted(rule, ActionSet::all()));
        for (at, _, actions) in &lifted {
            self.in_use[*at] |= self.census.targets(*actions) > 0;
            rest = rest.without(*actions);
        }
        if !lifted.is_empty() && self.census.targets(rest) == 0 {
            return;
        }
        let opens = window.opens_after(about.now).map(|at| format!("; it opens at {}", moment(at))).unwrap_or_default();
        let message = format!("window: runs begin {window} ({}), and it is {:.0} now{opens}", rule.origin, about.now);
        let help = "run it when the window is open; the preview may be looked at any time";
        match about.begins {
            true => self.refuse(rule, "window", message, help.into()),
            false => self.faults.push(placed(Diagnostic::warning("window", message).help(help), rule)),
        }
    }

    /// The windows that the run is in, with the end of what lifts them.
    pub fn windows(&self) -> RunWindows {
        let mut windows = RunWindows::default();
        for rule in &self.rules.stated {
            if let Guard::Window(window) = &rule.guard {
                let lifted = self.rules.overrides.iter().filter(|entry| entry.is_about(rule));
                let lifted = lifted.filter(|entry| entry.is_in_force(self.plan.as_deref(), self.now));
                windows.add(window.clone(), lifted.map(|entry| (entry.actions.clone(), entry.until)).collect());
            }
        }
        windows
    }
}
