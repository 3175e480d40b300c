//! Rows whose target is not an id yet.
//!
//! In: what a row says of its target, and the steps it is for. Out: [`Unresolved`], which `resolve` turns into jobs or
//! into faults. Must not: look anything up, or know how.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::filter::DeviceFilter;
use crate::catalog::{Action, IdName, Missing, Route, Selector, TargetKind, link_to};
use crate::diagnostics::Place;
use crate::job::{Ids, Job, JobParts, Parameters};

/// An id that a row gives by itself.
pub(super) type GivenId = (IdName, Box<str>);

/// A row that has to be looked up before it has jobs.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// Index in the plan's jobs at which its own belong.
    pub at: u32,
    /// As [`crate::job::Job::row`]; `None` where jobs are numbered by their position.
    pub row: Option<u32>,
    pub pointer: Pointer,
    /// Where the row gives every id that its steps take, a user's maybe by name: those that it gives by themselves.
    pub ids: Option<Box<[GivenId]>>,
    /// The group that a step does something in, beside its target.
    pub group: Option<GroupGiven>,
    /// What is meant is a managed device, and the steps on other kinds act on what that device leads to. Two look-ups
    /// by one name could find two machines.
    pub through_device: bool,
    pub steps: Arc<[UnresolvedStep]>,
    pub not_before: Option<Timestamp>,
    pub priority: i16,
    /// What becomes of it where nothing is found; `None`: nobody has said.
    pub missing: Option<Missing>,
    pub note: Option<Box<str>>,
    /// Where the target is named.
    pub place: Box<Place>,
    /// The line of that file on which the row begins.
    pub line: u32,
}

/// One action on the target, once it is known.
#[derive(Debug, Clone)]
pub struct UnresolvedStep {
    pub action: &'static Action,
    /// Takes one id, or that of a group and then one.
    pub route: &'static Route,
    /// What the last id is the id of.
    pub kind: TargetKind,
    pub parameters: Option<Arc<Parameters>>,
    /// Left out where the managed device leads to no such target.
    pub if_found: bool,
    /// How long it waits until the step before it was seen to have happened.
    pub verified_within: Option<Duration>,
}

impl Unresolved {
    /// The kinds of target that are looked up by what the row says.
    pub fn kinds(&self) -> impl Iterator<Item = TargetKind> {
        let through = self.through_device.then_some(TargetKind::ManagedDevice);
        let of_steps = self.steps.iter().map(|step| step.kind).enumerate();
        let new = of_steps.filter(|(at, kind)| !self.steps[..*at].iter().any(|earlier| earlier.kind == *kind));
        let of_steps = new.map(|(_, kind)| kind).filter(move |_| through.is_none() && self.pointer != Pointer::Ids);
        through.into_iter().chain(of_steps)
    }

    /// What it says of its target, and of the group that something is done in: the same for the same row, night after night.
    pub fn key(&self) -> String {
        match &self.group {
            None => self.pointer.to_string(),
            Some(GroupGiven::Id(id)) => format!("{} in groupId {id}", self.pointer),
            Some(GroupGiven::Name(name, _)) => format!("{} in groupName {name}", self.pointer),
        }
    }

    /// Whether its day has come. What is not due is not looked up.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|day| day <= now)
    }

    /// The users in the parameters of its steps.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        let parameters = self.steps.iter().filter_map(|step| step.parameters.as_deref());
        parameters.flat_map(Parameters::users).map(|name| &**name)
    }

    /// The jobs of a row that gives every id, as versions made them that sent names as they stand.
    pub fn written(&self) -> impl Iterator<Item = Job> {
        let ids = self.ids.iter().flat_map(move |given| {
            let name = match &self.pointer {
                Pointer::Given(criteria) => criteria.first().map(|criterion| &*criterion.value),
                Pointer::Ids | Pointer::Filter(_) => None,
            };
            let value = move |id: &IdName| {
                let by_itself = given.iter().find(|(known, _)| known.name == id.name).map(|(_, value)| &**value);
                by_itself.or(name).unwrap_or_default()
            };
            self.steps.iter().map(move |step| (step, Ids::new(step.route.ids.iter().map(value))))
        });
        ids.map(|(step, ids)| {
            Job::new(JobParts {
                row: self.row.unwrap_or_default(),
                action: step.action,
                route: step.route,
                ids,
                parameters: step.parameters.clone(),
                not_before: self.not_before,
                note: None,
                after: None,
            })
        })
    }

    /// Every value by which it names something that is looked up.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let given = match &self.pointer {
            Pointer::Given(criteria) => &**criteria,
            Pointer::Ids | Pointer::Filter(_) => &[],
        };
        let group = match &self.group {
            Some(GroupGiven::Name(name, _)) => Some(&**name),
            _ => None,
        };
        given.iter().map(|criterion| &*criterion.value).chain(group).chain(self.users())
    }

    /// What it is looked up by, for counting.
    pub fn lookup_words(&self) -> impl Iterator<Item = &'static str> {
        let users = (self.pointer == Pointer::Ids).then_some("the users in parameters");
        self.pointer.names().chain(users)
    }

    /// The kinds of target that the managed device leads to.
    pub fn linked_kinds(&self) -> impl Iterator<Item = TargetKind> {
        let of_steps = self.steps.iter().map(|step| step.kind).enumerate();
        let new = of_steps.filter(|(at, kind)| !self.steps[..*at].iter().any(|earlier| earlier.kind == *kind));
        new.map(|(_, kind)| kind).filter(|kind| self.through_device && *kind != TargetKind::ManagedDevice)
    }
}

/// How a row says which group it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupGiven {
    Id(Box<str>),
    /// And where it stands.
    Name(Box<str>, Box<Place>),
}

/// What is said of a target instead of its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pointer {
    /// All of these are true of it.
    Given(Box<[Criterion]>),
    /// The row gives its id; only the users in its parameters are looked up.
    Ids,
    /// Every device that passes.
    Filter(Arc<DeviceFilter>),
}

#[derive(Debug, Clone)]
pub struct Criterion {
    pub selector: &'static Selector,
    /// Trimmed, never empty.
    pub value: Box<str>,
}

impl PartialEq for Criterion {
    fn eq(&self, other: &Self) -> bool {
        self.selector.name == other.selector.name && self.value == other.value
    }
}

impl Eq for Criterion {}

impl std::hash::Hash for Criterion {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.selector.name.hash(state);
        self.value.hash(state);
    }
}

impl Pointer {
    /// Whether it can say which target of that kind is meant.
    fn leads_to(&self, kind: TargetKind) -> bool {
        match self {
            Self::Given(criteria) => criteria.iter().all(|criterion| criterion.selector.finds.contains(&kind)),
            Self::Ids => false,
            Self::Filter(_) => kind == TargetKind::ManagedDevice,
        }
    }

    /// Whether steps on these kinds find their targets through the managed device that is meant: where they act on
    /// several things that are one machine, or on one that this does not lead to.
    pub(super) fn goes_through_device(&self, mut kinds: impl Iterator<Item = TargetKind> + Clone) -> bool {
        let machine = |kind| kind == TargetKind::ManagedDevice || link_to(kind).is_some();
        let first = kinds.clone().next();
        self.leads_to(TargetKind::ManagedDevice)
            && kinds.clone().all(machine)
            && kinds.any(|kind| Some(kind) != first || !self.leads_to(kind))
    }

    /// Whether it may stand for several targets.
    pub fn is_many(&self) -> bool {
        match self {
            Self::Given(criteria) => criteria.iter().any(|criterion| criterion.selector.form.is_many()),
            Self::Ids => false,
            Self::Filter(_) => true,
        }
    }

    /// The selectors in it, for counting.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let (criteria, filter) = match self {
            Self::Given(criteria) => (&**criteria, None),
            Self::Ids => (&[][..], None),
            Self::Filter(_) => (&[][..], Some("filter")),
        };
        criteria.iter().map(|criterion| criterion.selector.name).chain(filter)
    }
}

/// `serialNumber 5CG1234XYZ and deviceName LAB-01`: the same for the same target, so that a journal can compare it.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(criteria) => {
                for (index, Criterion { selector, value }) in criteria.iter().enumerate() {
                    let and = if index > 0 { " and " } else { "" };
                    write!(f, "{and}{} {value}", selector.name)?;
                }
                Ok(())
            }
            Self::Ids => f.write_str("its ids"),
            Self::Filter(filter) => write!(f, "filter {filter}"),
        }
    }
}
