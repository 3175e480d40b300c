//! Whether what runs have done was done about whom a job is about, where names of users come in between. Pure.
//!
//! In: a job, the parts that were found for it: by its ids, and by the names that it was made of. Out: what is known of it, or of a
//! name alone. Must not: take somebody who had a name once for somebody who has it today.

use super::known::{Known, PartOfRun, WhatAbout, known};
use crate::catalog::OncePer;
use crate::job::{Job, JobId, Names};

/// The parts of runs in one job, by how they were found.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By the ids that the job is sent to.
    pub by_ids: Vec<PartOfRun>,
    /// By what it does only once, by those ids.
    pub by_deed: Vec<PartOfRun>,
    /// By the names that the job was made of, as versions that sent them have recorded it.
    pub by_name: Vec<PartOfRun>,
}

impl Parts {
    /// What is known of `job`; what has its place at or before `since` is left out of account.
    pub(super) fn known(self, job: &Job, since: i64) -> Option<Known> {
        let Some(names) = job.names.as_deref() else {
            let parts: Vec<PartOfRun> = self.by_ids.into_iter().chain(self.by_deed).collect();
            return known(&parts, since);
        };
        let (mut same, mut unsaid) = (Vec::new(), Vec::new());
        // A deed on a target is done whoever else comes into it.
        let whole = job.action.once_per == OncePer::Target;
        let (deeds, others) = if whole { (self.by_deed, Vec::new()) } else { (Vec::new(), self.by_deed) };
        same.extend(deeds);
        let by_ids = self.by_ids.into_iter().chain(others).map(|part| (part, true));
        for (part, by_ids) in by_ids.chain(self.by_name.into_iter().map(|part| (part, false))) {
            match whom(job, names, part.about.as_ref(), by_ids) {
                Whom::Same => same.push(part),
                Whom::Unsaid => unsaid.push(part),
                Whom::Other => {}
            }
        }
        known(&same, since).or_else(|| known(&unsaid, since).map(|known| Known::OfAName(Box::new(known))))
    }
}

/// What versions that sent names would have called the job, where that is something else.
pub(super) fn written_id(job: &Job) -> Option<JobId> {
    job.names.as_ref().map(|names| names.written_id).filter(|id| *id != job.digest())
}

/// What a job does only once, by the names that it was made of, where that is something else.
pub(super) fn written_once(job: &Job) -> Option<String> {
    job.once_as_written().filter(|written| Some(written) != job.once().as_ref())
}

/// About whom a part was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Same,
    Other,
    /// Whoever had the name then.
    Unsaid,
}

fn whom(job: &Job, names: &Names, about: Option<&WhatAbout>, by_ids: bool) -> Whom {
    let ids = match about {
        None if by_ids => Whom::Same,
        None => Whom::Unsaid,
        Some(about) if about.ids.iter().map(String::as_str).eq(job.ids.iter()) => Whom::Same,
        Some(about) if job.route.ids.iter().zip(&about.ids).any(|(id, value)| id.is_alias(value)) => Whom::Unsaid,
        Some(_) => Whom::Other,
    };
    match about.and_then(|about| about.users.as_ref()) {
        _ if ids != Whom::Same || names.in_body.is_empty() => ids,
        None => Whom::Unsaid,
        Some(users) if same_users(users, &names.in_body) => Whom::Same,
        Some(_) => Whom::Other,
    }
}

fn same_users(then: &[(Box<str>, Box<str>)], now: &[(Box<str>, Box<str>)]) -> bool {
    let ids = |users: &[(Box<str>, Box<str>)]| users.iter().map(|(_, id)| id.to_ascii_lowercase()).collect::<Vec<_>>();
    ids(then) == ids(now)
}

#[cfg(test)]
mod tests {
    use super::super::known::{FROM_THE_BEGINNING, SettledPart};
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts, Parameters};
    use crate::outcome::Outcome;

    const ADA: &str = "20000001-0000-4000-8000-000000000001";
    const EVE: &str = "20000002-0000-4000-8000-000000000002";

    /// A job on a user by name, as it was looked up; `with`: a user in the body in place of that.
    fn job(action: &str, written: &str, id: &str, with: &[(&str, &str)]) -> Job {
        let action = Action::named(action).unwrap();
        let values = with.iter().map(|(name, _)| (&action.parameters[0], serde_json::json!(name))).collect();
        let parameters = Parameters::new(action, values);
        let job = Job::new(JobParts { parameters, ..JobParts::plain(1, action, Ids::new([id])) });
        let written = Ids::new([written]);
        let written_id = job.id_as_written(&written, job.parameters.as_deref());
        let in_body = with.iter().map(|(name, id)| ((*name).into(), (*id).into())).collect();
        Job { names: Some(Box::new(Names { written_id, written, in_body })), ..job }
    }

    /// The id that something was sent to, and whose names stood in its body.
    type About<'a> = (&'a str, Option<&'a [(&'a str, &'a str)]>);

    fn done(about: Option<About<'_>>) -> PartOfRun {
        let about = about.map(|(id, users)| WhatAbout {
            ids: vec![id.to_owned()],
            users: users.map(|users| users.iter().map(|(name, id)| ((*name).into(), (*id).into())).collect()),
        });
        let ended = Some(SettledPart { seq: 3, outcome: Outcome::Completed, settled: None });
        PartOfRun { run_id: "A".into(), job: "0".repeat(32).parse().unwrap(), attempts: Vec::new(), ended, about }
    }

    fn told(job: &Job, parts: Parts) -> &'static str {
        match parts.known(job, FROM_THE_BEGINNING) {
            None => "nothing",
            Some(Known::Done(_)) => "done",
            Some(Known::OfAName(known)) if matches!(*known, Known::Done(_)) => "done to whoever had the name",
            Some(_) => "something else",
        }
    }

    #[test]
    fn what_was_done_to_a_name_is_done_only_where_it_is_recorded_whose_it_was() {
        let job = job("deleteUser", "ada@c.com", ADA, &[]);
        assert_eq!(written_id(&job).is_some(), written_once(&job).is_none());
        let by_ids = |about| Parts { by_ids: vec![done(about)], ..Parts::default() };
        let by_name = |about| Parts { by_name: vec![done(about)], ..Parts::default() };
        assert_eq!(told(&job, by_ids(None)), "done", "by a plan that gave the id");
        assert_eq!(told(&job, by_ids(Some((ADA, Some(&[]))))), "done");
        assert_eq!(told(&job, by_name(Some((ADA, None)))), "done", "a run of before that went on");
        assert_eq!(told(&job, by_name(Some(("ada@c.com", None)))), "done to whoever had the name");
        assert_eq!(told(&job, by_name(None)), "done to whoever had the name", "kept by a version of before");
        assert_eq!(told(&job, by_name(Some((EVE, None)))), "nothing", "the name was somebody else's");
    }

    #[test]
    fn of_a_name_in_a_body_it_counts_whose_it_was() {
        let job = job("assignUserToDevice", "1", "1", &[("ada@c.com", ADA)]);
        let by_ids = |about| Parts { by_ids: vec![done(about)], ..Parts::default() };
        assert_eq!(told(&job, by_ids(Some(("1", Some(&[("Ada@c.com", ADA)]))))), "done");
        assert_eq!(told(&job, by_ids(Some(("1", Some(&[("ada@c.com", EVE)]))))), "nothing");
        assert_eq!(told(&job, by_ids(None)), "done to whoever had the name");
    }

    #[test]
    fn what_is_done_once_to_a_target_is_done_whoever_else_comes_into_it() {
        let job = job("removeAllDevicesFromManagement", "ada@c.com", ADA, &[]);
        assert_eq!(written_once(&job).as_deref(), Some("removeAllDevicesFromManagement ada@c.com"));
        let by_deed = Parts { by_deed: vec![done(None)], ..Parts::default() };
        assert_eq!(told(&job, by_deed), "done");
    }
}
