//! The unit of work: one action on one target with its parameters.
//!
//! In: catalog rows, ids and parameter values that the plan has validated. Out: [`Job`], a compact value that preview,
//! run, journal and report share. Must not: build requests, know outcomes, or depend on where in a file it stood.

mod ids;
mod job_id;
mod parameters;
mod unfound;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::body;
use crate::catalog::{ACTIONS, Access, Action, Bucket, Missing, OncePer, ReadBack, Repeat, Route};
use crate::identity::Identity;

pub use self::ids::Ids;
pub(crate) use self::job_id::JobId;
use self::job_id::identify;
pub(crate) use self::parameters::Parameters;
pub(crate) use self::unfound::Unfound;

/// One action on one target with its parameters.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    /// Line of the CSV plan where the row starts, or position in the YAML plan, from 1.
    pub row: u32,
    pub action: &'static Action,
    pub route: &'static Route,
    pub ids: Ids,
    pub parameters: Option<Arc<Parameters>>,
    /// Not to be sent before.
    pub not_before: Option<Timestamp>,
    /// The operator's remark, copied into the report.
    pub note: Option<Box<str>>,
    /// Index in the plan's list of the step that must settle well before this one.
    pub after: Option<u32>,
    /// The higher is sent first; 0 where nobody says. Its place in preview and report stays.
    pub priority: i16,
    /// What becomes of it where its target is not there; `None`: nobody has said.
    pub missing: Option<Missing>,
    /// Where the plan did not name the target by its id. No part of the job's identity.
    pub found: Option<Box<Found>>,
    /// Where the plan says whom it is about by the name of a user, in an id or in a parameter.
    pub names: Option<Box<Names>>,
    /// What few have, so that it takes little room in the others.
    pub aside: Option<Box<Aside>>,
}

/// More of a job.
#[derive(Debug, Clone, Default)]
pub struct Aside {
    verified_within: Option<Duration>,
    target_name: Option<Box<str>>,
    unfound: Option<Unfound>,
}

/// The names of users that a job was made of, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// What the job was called by versions that sent names as they stood.
    pub written_id: JobId,
    /// The ids as they are written.
    pub written: Ids,
    /// Who is meant by a name in the body: the name as it is sent, and the id that had it then.
    pub in_body: Box<[(Box<str>, Box<str>)]>,
}

/// How a target was found, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: Option<Box<str>>,
    /// What looking up has shown of it; the journal does not keep it.
    pub identity: Option<Arc<Identity>>,
    /// What the plan says of it: `serialNumber 5CG1234XYZ`.
    pub by: Arc<str>,
    /// Of which row of a plan, where that is at hand: a run that is read back does not ask.
    pub row: Option<OfRow>,
}

/// A row that was looked up, as the next night knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfRow {
    /// What the row says of its target, and of the group that something is done in.
    pub key: Arc<str>,
    /// Whether it may stand for several targets, and for none.
    pub is_set: bool,
    /// The managed device that has led to the target, where that is another record of the same machine.
    pub device: Option<Box<str>>,
}

/// Everything of a job but its identity, which follows from the rest.
#[derive(Debug)]
pub struct JobParts {
    pub row: u32,
    pub action: &'static Action,
    pub route: &'static Route,
    pub ids: Ids,
    pub parameters: Option<Arc<Parameters>>,
    pub not_before: Option<Timestamp>,
    pub note: Option<Box<str>>,
    pub after: Option<u32>,
}

#[cfg(test)]
impl JobParts {
    /// A job by the first route of its action, of which nothing else is said.
    pub fn plain(row: u32, action: &'static Action, ids: Ids) -> Self {
        let route = action.default_route();
        Self { row, action, route, ids, parameters: None, not_before: None, note: None, after: None }
    }
}

impl Job {
    pub fn new(parts: JobParts) -> Self {
        let JobParts { row, action, route, ids, parameters, not_before, note, after } = parts;
        let parameters = parameters.map(|parameters| parameters.about(action, route, &ids));
        let id = identify(action, route, &ids, parameters.as_deref().map_or("", Parameters::body));
        Self {
            id,
            row,
            action,
            route,
            ids,
            parameters,
            not_before,
            note,
            after,
            priority: 0,
            missing: None,
            found: None,
            names: None,
            aside: None,
        }
    }

    /// What the job is called where it says `written` for its ids and `parameters` for its parameters.
    pub fn id_as_written(&self, written: &Ids, parameters: Option<&Parameters>) -> JobId {
        identify(self.action, self.route, written, parameters.map_or("", Parameters::body))
    }

    /// The name of a user among its ids, as only versions before this one sent it.
    pub fn name_in_path(&self) -> Option<&str> {
        let ids = self.route.ids.iter().zip(self.ids.iter());
        ids.filter(|(id, value)| id.is_alias(value)).map(|(_, value)| value).next()
    }

    /// Whether it may not be repeated.
    pub fn is_done_once(&self) -> bool {
        self.action.repeat == Repeat::AfterReadBack
    }

    /// What the job does only once, whatever plan asks for it: action and target, and the parameters where those make it
    /// another deed. `None`: it may be repeated.
    ///
    /// Part of the journal on disk: it stays what it is.
    pub fn once(&self) -> Option<String> {
        self.once_as(self.target(), || self.digest_of_ids())
    }

    /// The same by the names in the body as they were sent, where those make it another deed: what versions before this one
    /// have recorded.
    pub fn once_by_names(&self) -> Option<String> {
        self.once_as(self.target(), || self.digest())
    }

    /// The same for the names that the job was made of: what versions that sent names have done only once.
    pub fn once_as_written(&self) -> Option<String> {
        let names = self.names.as_deref()?;
        self.once_as(names.written.target(), || names.written_id)
    }

    /// What else may be done to the target so that it is not there any more. Nothing where that it is gone says nothing of
    /// this job.
    pub fn removals(&self) -> Vec<Job> {
        let removes = |action: &&Action| {
            action.target == self.action.target
                && action.name != self.action.name
                && matches!(action.read_back, ReadBack::ManagementState { .. } | ReadBack::Absent)
        };
        let of = |action: &'static Action| {
            let (route, ids) = (action.default_route(), Ids::new([device_of_state(self.target())]));
            Job::new(JobParts {
                row: self.row,
                action,
                route,
                ids,
                parameters: None,
                not_before: None,
                note: None,
                after: None,
            })
        };
        match self.action.read_back {
            ReadBack::ManagementState { .. } => ACTIONS.iter().filter(removes).map(of).collect(),
            _ => Vec::new(),
        }
    }

    fn once_as(&self, target: &str, id: impl FnOnce() -> JobId) -> Option<String> {
        match (self.action.repeat, self.action.once_per) {
            (Repeat::Harmless, _) => None,
            (Repeat::AfterReadBack, OncePer::Target) => {
                Some(format!("{} {}", self.action.name, device_of_state(target).to_ascii_lowercase()))
            }
            (Repeat::AfterReadBack, OncePer::Parameters) => Some(id().to_string()),
        }
    }

    /// What the job would be called if it were made today. A run of an older version that goes on calls it otherwise.
    pub fn digest(&self) -> JobId {
        match &self.names {
            None => self.id,
            Some(_) => self.id_as_written(&self.ids, self.parameters.as_deref()),
        }
    }

    /// The same with the ids of users in place of their names: a deed on somebody is one by whatever name.
    fn digest_of_ids(&self) -> JobId {
        let in_body = self.names.iter().flat_map(|names| &names.in_body);
        let ids: Vec<(&str, &str)> = in_body.map(|(name, id)| (&**name, &**id)).collect();
        let id_of =
            |name: &str| ids.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| (*id).into());
        let by_ids = || self.parameters.as_ref()?.with_users(self.action, id_of);
        match ids.is_empty() {
            true => self.digest(),
            false => by_ids().map_or_else(|| self.digest(), |of| self.id_as_written(&self.ids, Some(&of))),
        }
    }

    /// How long it waits until the step before it was seen to have happened; `None`: that it was accepted is enough.
    pub fn verified_within(&self) -> Option<Duration> {
        self.aside.as_ref()?.verified_within
    }

    pub fn set_verified_within(&mut self, within: Option<Duration>) {
        if within.is_some() || self.aside.is_some() {
            self.aside.get_or_insert_default().verified_within = within;
        }
    }

    /// What people call the target, where somebody has looked.
    pub fn target_name(&self) -> Option<&str> {
        self.aside.as_ref()?.target_name.as_deref()
    }

    pub fn set_target_name(&mut self, name: Option<Box<str>>) {
        if name.is_some() || self.aside.is_some() {
            self.aside.get_or_insert_default().target_name = name;
        }
    }

    /// What people call the target: as a look right before showed it, or as it was called when it was found.
    pub fn called(&self) -> Option<&str> {
        self.target_name().or_else(|| self.found.as_ref()?.name.as_deref())
    }

    /// Whether its row stands for several targets.
    pub fn is_of_a_set(&self) -> bool {
        self.found.as_ref().and_then(|found| found.row.as_ref()).is_some_and(|row| row.is_set)
    }

    /// Why the job has no target that anything could be sent to. Such a job is never sent.
    pub fn unfound(&self) -> Option<Unfound> {
        let said = self.aside.as_ref().and_then(|aside| aside.unfound.clone());
        said.or_else(|| self.stand_in().map(|_| Unfound::Nothing))
    }

    pub fn set_unfound(&mut self, why: Option<Unfound>) {
        if why.is_some() || self.aside.is_some() {
            self.aside.get_or_insert_default().unfound = why;
        }
    }

    /// What the plan says of a target that nobody has found: it stands in the place of an id, and is none.
    pub fn stand_in(&self) -> Option<&str> {
        self.ids.have(b' ').then(|| self.ids.iter().find(|id| id.contains(' ')))?
    }

    /// The id acted on.
    pub fn target(&self) -> &str {
        self.ids.target()
    }

    /// What the body names beside the target, and acts on: the parameter and the value.
    pub fn acted_on(&self) -> Vec<(&'static str, String)> {
        let Some(parameters) = &self.parameters else { return Vec::new() };
        if !self.action.parameters.iter().any(|parameter| parameter.acted_on) {
            return Vec::new();
        }
        let settings =
            serde_json::from_str(parameters.body()).ok().and_then(|body| body::read(self.action, &body).ok());
        let named = settings.into_iter().flatten().filter(|(parameter, _)| parameter.acted_on);
        named
            .flat_map(|(parameter, value)| texts(&value).map(|text| (parameter.name, text)).collect::<Vec<_>>())
            .collect()
    }

    /// The allowance that sending this job uses up.
    pub fn bucket(&self) -> Bucket {
        Bucket { service: self.action.service, access: Access::Write }
    }

    /// The allowance that reading this job's target uses up.
    pub fn read_bucket(&self) -> Bucket {
        Bucket { service: self.action.service, access: Access::Read }
    }
}

/// The text of a value, or of each in a list of them; and where a text is a list by itself, each of its parts.
fn texts(value: &serde_json::Value) -> impl Iterator<Item = String> {
    let many = value.as_array().into_iter().flatten();
    let texts = std::iter::once(value).chain(many).filter_map(|value| value.as_str());
    texts.flat_map(|text| {
        let parts = text.split(|c: char| matches!(c, ',' | ';' | '|') || c.is_whitespace());
        let parts = parts.filter(|part| !part.is_empty() && *part != text);
        std::iter::once(text).chain(parts).map(str::to_owned).collect::<Vec<_>>()
    })
}

/// The state of a script on a device is called after both, so that its device is known by it: a deed on a device is one by
/// whatever route it is asked for. Whatever else names a target is the target.
pub(crate) fn device_of_state(target: &str) -> &str {
    match target.rsplit_once(':') {
        Some((_, device)) if uuid::Uuid::try_parse(device).is_ok() => device,
        _ => target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn job(action: &str, id: &str, values: Vec<(&str, Value)>) -> Job {
        let action = Action::named(action).unwrap();
        let values = values.into_iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value)).collect();
        Job::new(JobParts {
            row: 1,
            action,
            route: action.default_route(),
            ids: Ids::new([id]),
            parameters: Parameters::new(action, values),
            not_before: None,
            note: None,
            after: None,
        })
    }

    #[test]
    fn identity_is_action_target_and_parameters_and_nothing_else() {
        let id = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
        let first = job("wipe", id, vec![("keepUserData", json!(true)), ("persistEsimDataPlan", json!(false))]);
        let other_order = job("wipe", id, vec![("persistEsimDataPlan", json!(false)), ("keepUserData", json!(true))]);
        assert_eq!(first.id, other_order.id);
        assert_eq!(
            first.id,
            job("wipe", &id.to_uppercase(), vec![("keepUserData", json!(true)), ("persistEsimDataPlan", json!(false))])
                .id
        );
        assert_ne!(first.id, job("wipe", id, vec![]).id);
        assert_ne!(job("retire", id, vec![]).id, job("delete", id, vec![]).id);
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = job("retire", "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", vec![]).id;
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("zz".parse::<JobId>(), Err(()));
    }

    #[test]
    fn the_digest_is_an_interface_and_stays_what_it_is() {
        let id = job("retire", "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", vec![]).id;
        assert_eq!(id.to_string(), "b79e8d84ef12afa24f35d917f24fe1d6");
    }

    #[test]
    fn a_job_is_small() {
        assert!(size_of::<Job>() <= 160, "{}", size_of::<Job>());
    }
}
