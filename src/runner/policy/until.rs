//! A time at which the run ends in good order.
//!
//! In: that time. Out: a run that stops when it has come. Must not: end what is under way; whoever stops a run waits for that.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::moment::moment;
use crate::outcome::Cause;
use crate::runner::dialogue::{Command, Happened, Policy, Then, until};
use crate::runner::event::StopReason;
use crate::runner::mailbox::Mailbox;
use crate::runner::run::Run;
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Until {
    Until(run.brakes.until)
}

#[derive(Debug)]
pub(super) struct Until(Option<Timestamp>);

impl Policy for Until {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        let Some(end) = self.0.filter(|end| *end <= view.wall()) else { return };
        if matches!(happened, Happened::Turn) && !view.is_stopping() && view.ledger.open() > 0 {
            let why = format!("the time of `--until` has come ({})", moment(end));
            then.push(Command::Stop(StopReason::Policy(Cause::Stopped, why.into())));
        }
    }

    fn wake(&self, view: &RunView) -> Option<Instant> {
        let end = self.0.filter(|_| !view.is_stopping() && view.ledger.open() > 0)?;
        Some(view.now + until(end, view.wall()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::catalog::Action;
    use crate::clock::Clock;
    use crate::job::{Ids, Job, JobParts};
    use crate::runner::ledger::Ledger;
    use crate::runner::limits::Limits;
    use crate::runner::queue::Queues;

    #[test]
    fn a_run_stops_once_when_its_time_has_come() {
        let job = Job::new(JobParts::plain(1, Action::named("retire").unwrap(), Ids::new(["a"])));
        let (jobs, clock): (Arc<[Job]>, _) = ([job].into(), Clock::starting_at(Timestamp::UNIX_EPOCH));
        let (ledger, queues) = (Ledger::new(1, clock.clone()), Queues::new(Arc::clone(&jobs)));
        let (limits, now) = (Limits::default(), Instant::now());
        let mut policy = Until(Some(Timestamp::UNIX_EPOCH + Duration::from_secs(3_600)));
        let view = RunView {
            jobs: &jobs,
            ledger: &ledger,
            queues: &queues,
            limits: &limits,
            clock: &clock,
            now,
            stopped: None,
            has_journal: true,
        };
        let mut says = |view: &RunView| {
            let mut then = Then::default();
            policy.on(&Happened::Turn, view, &mut then);
            then.next().map(|command| format!("{command:?}"))
        };
        assert_eq!(says(&view), None);
        let later = RunView { now: now + Duration::from_secs(3_601), ..view };
        assert!(says(&later).unwrap().contains("Stop(Policy(Stopped"));
        assert_eq!(says(&RunView { stopped: Some(&StopReason::Interrupted), ..later }), None, "a run stops once");
    }
}
