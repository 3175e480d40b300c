//! Whether what is left of a run may go on what was agreed to when it was begun, or somebody is asked again.
//!
//! In: the jobs of the run that are left, who has named it, when it was begun. Out: a question, or none, or a refusal; what people are told of a
//! run that they did not name. Must not: ask; that is done after sign-in.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::request::ResumeRequest;
use super::which::is_named;
use crate::catalog::Risk;
use crate::diagnostics::Diagnostic;
use crate::guard::drift::Sighting;
use crate::guard::judge::Judgement;
use crate::guard::preflight::{Hold, Preflight};
use crate::job::Job;
use crate::journal::resume::Only;
use crate::journal::{RunRecord, StoredJob};
use crate::ops::asked::RunQuestion;
use crate::ops::begun::Begun;
use crate::ops::error::Error;
use crate::ops::guards::Policies;
use crate::ops::limits::budget;
use crate::outcome::Outcome;
use crate::plan;
use crate::preview::Preview;
use crate::settings::PolicyFile;
use crate::ui;
use crate::ui::stderr::Stderr;
use crate::ui::subject::Subject;

/// For so long a number that was agreed to is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What is left of a run.
pub(super) struct Rest<'a> {
    pub request: &'a ResumeRequest,
    pub record: &'a RunRecord,
    pub begun: &'a Begun,
    pub jobs: &'a [Job],
    /// The jobs that are not kept as they are, by index.
    pub due: &'a [u32],
}

impl Rest<'_> {
    /// Says which run it is, where nobody has named it.
    pub(super) fn introduce(&self, stderr: &Stderr) {
        if !is_named(&self.request.run) {
            let head = &self.record.head;
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for job in self.left() {
                *counts.entry(job.action.name).or_default() += 1;
            }
            stderr.say(&ui::resuming::taken(head, self.age(), &counts));
        }
    }

    /// What somebody is asked, if anybody is. Without an answer that can be had, nothing goes.
    pub(super) fn question(
        &self,
        judged: (&Judgement, &[Option<Sighting>]),
        policies: (&[PolicyFile], &Policies),
        asked: (&Subject, &Stderr),
    ) -> Result<Option<RunQuestion>, Error> {
        let left = self.due.len() as u32;
        let why = self.why();
        match self.request.confirm {
            Some(number) if number == left || (why.is_none() && Some(number) == self.agreed()) => Ok(None),
            Some(number) => Err(self.wrong(number, left)),
            None if why.is_none() || !self.is_more_than_harmless() => Ok(None),
            None if self.request.interactive => Ok(Some(self.ask(judged, policies, asked))),
            None => Err(self.not_confirmed(left, why.unwrap_or_default())),
        }
    }

    fn left(&self) -> impl Iterator<Item = &Job> {
        self.due.iter().filter_map(|index| self.jobs.get(*index as usize))
    }

    fn age(&self) -> SignedDuration {
        self.request.start.now.duration_since(self.record.head.started_at)
    }

    fn agreed(&self) -> Option<u32> {
        self.begun.agreed.as_ref().map(|agreed| agreed.requests)
    }

    /// Why what was agreed to when it was begun is not enough.
    fn why(&self) -> Option<String> {
        if !is_named(&self.request.run) {
            return Some("the run was not named".to_owned());
        }
        let others = self.due.iter().filter(|index| !self.was_agreed_to(**index)).count();
        if others > 0 {
            let rows = ui::text::count_of(others, "job");
            let were = if others == 1 { "was" } else { "were" };
            return Some(format!("{rows} of them {were} held when the run began"));
        }
        (self.age() > GOOD_FOR).then(|| "it began more than a day ago".to_owned())
    }

    fn was_agreed_to(&self, index: u32) -> bool {
        // An older version has not recorded it. What is held and was never sent was held then.
        let was_sent = |stored: &StoredJob| {
            let is_held = stored.settled.as_ref().is_some_and(|settled| settled.outcome == Outcome::Held);
            !is_held || !stored.attempts.is_empty()
        };
        match &self.begun.agreed {
            Some(agreed) => agreed.has(index),
            None => self.record.jobs.get(index as usize).is_some_and(was_sent),
        }
    }

    /// A run that changes nothing asks nobody.
    fn is_more_than_harmless(&self) -> bool {
        self.left().any(|job| job.action.risk > Risk::Harmless)
    }

    fn wrong(&self, number: u32, left: u32) -> Error {
        let of = match self.agreed().filter(|agreed| *agreed != left) {
            Some(agreed) => format!(", of {agreed} that were agreed to at first"),
            None => String::new(),
        };
        let (jobs, are) = (ui::text::count_of(left, "job"), if left == 1 { "is" } else { "are" });
        let run = &self.record.head.id;
        let message = format!("--confirm {number}, but {jobs} of run {run} {are} left{of}");
        let help = format!("check `musterout report {run}`; if the number is right, confirm that number");
        Error::refused(Diagnostic::error("wrong-number", message).help(help))
    }

    fn not_confirmed(&self, left: u32, why: String) -> Error {
        let (run, jobs) = (&self.record.head.id, ui::text::count_of(left, "job"));
        let are = if left == 1 { "is" } else { "are" };
        let message = format!(
            "{jobs} of run {run} {are} left and need confirmation, because {why}; there is no terminal to ask on"
        );
        let class = match (self.request.only, self.request.refile) {
            (Only::Open, false) => "",
            (Only::Open, true) => " --refile",
            (Only::Failed, _) => " --only failed",
            (Only::Unknown, _) => " --only unknown",
            (Only::NotAttempted, _) => " --only not-attempted",
        };
        let help = format!("check `musterout report {run}`, then: musterout resume {run}{class} --confirm {left}");
        Error::refused(Diagnostic::error("not-confirmed", message).help(help))
    }

    fn ask(
        &self,
        (verdict, sightings): (&Judgement, &[Option<Sighting>]),
        (candidates, policies): (&[PolicyFile], &Policies),
        (subject, stderr): (&Subject, &Stderr),
    ) -> RunQuestion {
        let Self { begun, jobs, due, .. } = self;
        let mut holds: Vec<Option<Hold>> = vec![Some(Hold::Done); jobs.len()];
        for index in *due {
            if let Some(hold) = holds.get_mut(*index as usize) {
                *hold = None;
            }
        }
        let preflight = Preflight { holds, due: due.len() as u32 };
        let budget = budget(begun.choices, plan::StatedLimits::default());
        let preview = Preview::new(jobs, &preflight, budget).judged(verdict).seen(sightings);
        let text = ui::confirm::question(&preview, subject, stderr.view());
        RunQuestion::new(text, candidates, policies, None)
    }
}
