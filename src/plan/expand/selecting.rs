//! What a row says of its target where it gives no id.
//!
//! In: the selector fields of a row. Out: an [`Unresolved`] in the [`Expander`], or faults. Must not: look anything up;
//! all that can be told without a tenant is told here, so that `check` tells it.

use std::borrow::Cow;
use std::sync::Arc;

use super::expander::{Expander, LastSteps, Remarks, Shared, TargetRow, WrittenTarget};
use crate::catalog::{
    ENTRA_DEVICE, ENTRA_OBJECT, GROUP, IdKind, IdName, MANAGED_DEVICE_BY_ID, MEMBER, MEMBERS_OF_GROUP_NAMED,
    PRINCIPAL_NAME, Route, Selector, SelectorForm, TargetKind, USER, USER_BY_NAME, kind_behind,
};
use crate::plan::identifier::NotAnId;
use crate::plan::layout::Spelling;
use crate::plan::unresolved::{Criterion, GroupGiven, Pointer, Unresolved, UnresolvedStep};
use crate::plan::work::{PlannedStep, PlannedWork};
use crate::plan::{identifier, serial, vocabulary};
use crate::text::{composed, shown};

/// What a row gives besides ids.
pub(super) enum Selected {
    Nothing,
    /// It gives something, and a fault has been told.
    Refused,
    By(Pointed),
}

/// What a row gives in the place of an id, and where; a filter stands in no field.
pub(super) struct Pointed {
    pointer: Pointer,
    field: Option<usize>,
}

impl Expander {
    /// Gathers the selectors of a row. A user's name is one only where no step acts on a user.
    pub(super) fn select(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Selected {
        let WrittenTarget { work, layout, row } = *target;
        let names = layout.ids.iter();
        let names = names.filter_map(|(field, id, spelling)| Some((*field, as_selector(*id, *spelling, work)?)));
        let all = layout.selectors.iter().copied().chain(names).filter(|(field, _)| !row.field(*field).is_empty());
        let mut criteria: Vec<Criterion> = Vec::new();
        let (mut first, mut refused) = (None, false);
        self.group_name = None;
        for (field, selector) in all {
            first = first.or((selector.form != SelectorForm::GroupName).then_some(field));
            match value(selector, row.field(field)) {
                Ok(value) if selector.form == SelectorForm::GroupName => self.group_name = Some((value, field)),
                Ok(value) => criteria.push(Criterion { selector, value }),
                Err((message, help)) => {
                    refused = true;
                    self.fault(row.at(Some(field)), "selector", || message, || help.map(Cow::into_owned));
                }
            }
        }
        let filter = layout.filter.clone().map(Pointer::Filter);
        match (first, filter) {
            _ if refused || layout.refused_filter => Selected::Refused,
            (None, None) => Selected::Nothing,
            (None, Some(pointer)) => Selected::By(Pointed { pointer, field: None }),
            (Some(field), None) if criteria.len() == 1 || !criteria.iter().any(|c| c.selector.form.is_many()) => {
                Selected::By(Pointed { pointer: Pointer::Given(criteria.into()), field: Some(field) })
            }
            (field, _) => {
                let message = || "this entry means several targets, so it cannot be combined with others".into();
                let help = "remove the others: devices_of_user, members_of_group and filter cannot be combined";
                self.fault(row.at(field), "selector", message, || Some(help.into()));
                Selected::Refused
            }
        }
    }

    /// A device's id alone, where some step acts on something else that is the same machine: that is looked up by it. And
    /// a user's name, where some step wants the id of that user.
    pub(super) fn lead_on(&mut self, work: &PlannedWork) -> Selected {
        if let Some(user) = self.user_in_a_group(work) {
            return user;
        }
        let [id] = self.given.as_slice() else { return Selected::Nothing };
        let selector = [&MANAGED_DEVICE_BY_ID, &ENTRA_OBJECT].into_iter().find(|selector| selector.name == id.name);
        let lacks = |step: &PlannedStep| step.has_no_route(&self.given);
        let kinds = || work.steps.iter().map(|step| lookup_route(step, None).map(|(_, kind)| kind));
        let (Some(selector), true) = (selector, work.steps.iter().any(lacks)) else { return Selected::Nothing };
        let pointer = Pointer::Given([Criterion { selector, value: self.slots[0].value.as_str().into() }].into());
        let goes = kinds().collect::<Option<Vec<_>>>().is_some_and(|it| pointer.goes_through_device(it.into_iter()));
        if !goes {
            return Selected::Nothing;
        }
        self.given.clear();
        Selected::By(Pointed { pointer, field: Some(self.slots[0].field) })
    }

    /// `userId` by name and a group, where a step takes the id of the member: both are the same user.
    fn user_in_a_group(&mut self, work: &PlannedWork) -> Option<Selected> {
        let is_given = |id: IdName| self.given.iter().position(|given| given.name == id.name);
        let at = is_given(USER).filter(|at| is_given(MEMBER).is_none() && self.slots[*at].value.contains('@'))?;
        let wants_member = work.steps.iter().any(|step| step.knows(MEMBER.name));
        let of_users =
            work.steps.iter().all(|it| lookup_route(it, None).is_some_and(|(_, kind)| kind == TargetKind::User));
        if !wants_member || !of_users {
            return None;
        }
        let (value, field) = (self.slots[at].value.as_str().into(), self.slots[at].field);
        self.given.remove(at);
        let slot = self.slots.remove(at);
        self.slots.push(slot);
        let pointer = Pointer::Given([Criterion { selector: &USER_BY_NAME, value }].into());
        Some(Selected::By(Pointed { pointer, field: Some(field) }))
    }

    /// A group by name is looked up beside a target that is; alone, and for steps that know no groups, it says nothing.
    /// Whether that is so.
    pub(super) fn refuse_group_of_nobody(
        &mut self,
        work: &PlannedWork,
        row: &impl TargetRow,
        selected: &Selected,
    ) -> bool {
        let Some((_, field)) = self.group_name else { return false };
        let (message, help) = match selected {
            _ if !work.steps.iter().any(|step| step.knows(GROUP.name)) => (
                "no step uses `groupName`",
                "remove it, or add the step that needs it; members_of_group_named stands for the members of a group",
            ),
            Selected::Nothing => ("with groupName, the member must be given by userPrincipalName", "or give both ids"),
            _ => return false,
        };
        self.fault(row.at(Some(field)), "selector", || message.into(), || Some(help.into()));
        true
    }

    /// An id needs no looking up, and must not be at odds with what a look-up would find. A group stands beside what is
    /// looked up in it.
    pub(super) fn refuse_both(&mut self, work: &PlannedWork, row: &impl TargetRow) {
        let in_group = self.group_name.is_none() && work.steps.iter().any(|step| step.knows(GROUP.name));
        let other = self.given.iter().position(|id| !(in_group && id.name == GROUP.name));
        let Some((id, at)) = other.map(|at| (self.given[at], at)) else { return };
        let (name, field) = (id.name, self.slots[at].field);
        let message = || format!("a target needs either `{name}` or something to look up, not both");
        self.fault(row.at(Some(field)), "selector", message, || Some("keep one of them".into()));
    }

    /// Keeps the row for `resolve`.
    pub(super) fn push_unresolved(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        pointed: Pointed,
        remarks: Remarks<'_>,
        with: &Shared,
    ) {
        let WrittenTarget { work, row, .. } = *target;
        let Remarks { route, turn, note, position } = remarks;
        let Some(steps) = self.lookup_steps(target, &pointed, route, with) else { return };
        let Pointed { pointer, field } = pointed;
        let Ok(group) = self.group_given(&steps, row) else { return };
        self.unresolved.push(Unresolved {
            group,
            ids: None,
            at: u32::try_from(self.jobs.len()).unwrap_or(u32::MAX),
            row: position.number,
            through_device: pointer.goes_through_device(steps.iter().map(|step| step.kind)),
            pointer,
            steps,
            not_before: turn.not_before,
            priority: turn.priority,
            missing: work.missing,
            note: note.map(Box::from).or_else(|| work.note.clone()),
            place: Box::new(row.place(field)),
            line: position.line,
        });
    }

    /// The group that steps do something in, if any does.
    fn group_given(&mut self, steps: &[UnresolvedStep], row: &impl TargetRow) -> Result<Option<GroupGiven>, ()> {
        let Some(step) = steps.iter().find(|step| step.route.ids.len() > 1) else { return Ok(None) };
        if let Some((name, field)) = &self.group_name {
            return Ok(Some(GroupGiven::Name(name.clone(), Box::new(row.place(Some(*field))))));
        }
        if let Some(at) = self.given.iter().position(|id| id.name == GROUP.name) {
            return Ok(Some(GroupGiven::Id(self.slots[at].value.as_str().into())));
        }
        let message = || format!("`{}` needs groupId, or groupName", step.action.name);
        self.fault(row.at(None), "missing-id", message, || None);
        Err(())
    }

    /// The steps with the route that each takes; `None` after a fault.
    fn lookup_steps(
        &mut self,
        target: &WrittenTarget<'_, impl TargetRow>,
        pointed: &Pointed,
        named: Option<&'static Route>,
        with: &Shared,
    ) -> Option<Arc<[UnresolvedStep]>> {
        let WrittenTarget { work, row, .. } = *target;
        let Pointed { ref pointer, field } = *pointed;
        let same_route = |a: Option<&'static Route>, b: Option<&'static Route>| a.map(|r| r.name) == b.map(|r| r.name);
        let known = self.last_steps.as_ref().filter(|last| {
            last.work == work.number && std::rc::Rc::ptr_eq(&last.parameters, with) && same_route(last.route, named)
        });
        let steps = match known {
            Some(last) => Arc::clone(&last.steps),
            None => {
                let mut steps = Vec::with_capacity(work.steps.len());
                for (step, parameters) in work.steps.iter().zip(with.iter()) {
                    let Some((route, kind)) = lookup_route(step, named) else {
                        let routes = named.or(step.route).map_or(step.action.routes, std::slice::from_ref);
                        let several = routes.iter().all(|route| route.ids.len() > 1);
                        let takes = if several { "more than one id" } else { "an id that cannot be looked up" };
                        let name = step.action.name;
                        let message = || format!("`{name}` takes {takes}; give the ids of the target");
                        self.fault(row.at(field), "selector", message, || Some(vocabulary::routes(step.action)));
                        return None;
                    };
                    steps.push(UnresolvedStep {
                        action: step.action,
                        route,
                        kind,
                        parameters: parameters.clone(),
                        if_found: step.if_found,
                        verified_within: step.verified_within,
                    });
                }
                let steps: Arc<[UnresolvedStep]> = steps.into();
                let (work, parameters) = (work.number, with.clone());
                self.last_steps = Some(LastSteps { work, parameters, route: named, steps: Arc::clone(&steps) });
                steps
            }
        };
        let kinds = || steps.iter().map(|step| step.kind);
        let through = pointer.goes_through_device(kinds());
        let is_linked = |step: &UnresolvedStep| through && step.kind != TargetKind::ManagedDevice;
        if let Some(step) = steps.iter().find(|step| step.if_found && !is_linked(step)) {
            let message = || {
                format!(
                    "`if_found` has no meaning for `{}`: its target is not found through a managed device",
                    step.action.name
                )
            };
            let help = "use it for a step whose target is found through the managed device of the row";
            self.fault(row.at(field), "selector", message, || Some(help.into()));
            return None;
        }
        if through {
            return Some(steps);
        }
        if pointer.is_many() && kinds().any(|kind| Some(kind) != kinds().next()) {
            let message =
                || "an entry that means several targets cannot be used for steps on different kinds of targets".into();
            self.fault(row.at(field), "selector", message, || {
                Some("write a separate job for each kind of target".into())
            });
            return None;
        }
        for step in steps.iter() {
            if let Err(what) = can_find(pointer, step.kind) {
                let message =
                    || format!("`{}` acts on {}, which cannot be looked up by {what}", step.action.name, of(step.kind));
                self.fault(row.at(field), "selector", message, || Some(ways_to(step.kind)));
                return None;
            }
        }
        Some(steps)
    }
}

/// What an id column is where no step acts on what it is the id of: a way to find something else.
pub(super) fn as_selector(id: IdName, spelling: Spelling, work: &PlannedWork) -> Option<&'static Selector> {
    if !work.whole || work.steps.iter().any(|step| step.knows(id.name)) {
        return None;
    }
    match spelling {
        Spelling::PrincipalName if work.steps.iter().any(|step| step.knows(MEMBER.name)) => Some(&USER_BY_NAME),
        Spelling::PrincipalName => Some(&PRINCIPAL_NAME),
        Spelling::Id => (id.name == ENTRA_DEVICE.name).then_some(&ENTRA_OBJECT),
    }
}

/// The route of a step that takes one id of a kind that can be looked up, or a user in a group.
fn lookup_route(step: &PlannedStep, named: Option<&'static Route>) -> Option<(&'static Route, TargetKind)> {
    let candidate = |route: &'static Route| match route.ids {
        [id] => Some((route, kind_behind(*id)?)),
        [group, member] if group.name == GROUP.name && member.name == MEMBER.name => Some((route, TargetKind::User)),
        _ => None,
    };
    match named.or(step.route) {
        Some(route) => candidate(route),
        None => step.action.routes.iter().find_map(candidate),
    }
}

fn can_find(pointer: &Pointer, kind: TargetKind) -> Result<(), String> {
    match pointer {
        Pointer::Filter(_) if kind == TargetKind::ManagedDevice => Ok(()),
        Pointer::Filter(_) => Err("a filter over the devices".into()),
        Pointer::Ids => Ok(()),
        Pointer::Given(criteria) => match criteria.iter().find(|c| !c.selector.finds.contains(&kind)) {
            None => Ok(()),
            Some(criterion) => Err(format!("`{}`", criterion.selector.name)),
        },
    }
}

fn of(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::ManagedDevice => "a managed device",
        TargetKind::AutopilotIdentity => "an Autopilot identity",
        TargetKind::User => "a user",
        TargetKind::EntraDevice => "an Entra device",
        other => other.name(),
    }
}

/// For help: what else such a target can be found by.
fn ways_to(kind: TargetKind) -> String {
    let alone = |selector: &&Selector| selector.form != SelectorForm::GroupName;
    let selectors = crate::catalog::SELECTORS.iter().filter(alone).filter(|selector| selector.finds.contains(&kind));
    let names = vocabulary::list(selectors.map(|selector| selector.name));
    format!("use {names}, or the id")
}

/// The value of a selector as it will be looked up, or what is wrong with it.
fn value(selector: &Selector, text: &str) -> Result<Box<str>, (String, Option<Cow<'static, str>>)> {
    const LONGEST: usize = 256;
    let wrong =
        |reason: &str, help| Err((format!("`{}` is not a valid {}: {reason}", shown(text), selector.name), help));
    if let Err(NotAnId { reason, help }) = identifier::plain(text) {
        return wrong(&reason, help);
    }
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return wrong("it is longer than 256 characters, or contains control characters", None);
    }
    let mut spelled = String::new();
    let mut spell = |kind| identifier::spell(kind, text, &mut spelled).map_err(|fault| fault.reason);
    let checked: Result<(), Cow<'static, str>> = match selector.form {
        SelectorForm::Text | SelectorForm::GroupName => Ok(()),
        SelectorForm::MembersOfGroup if selector.name == MEMBERS_OF_GROUP_NAMED => match spell(IdKind::Guid) {
            Ok(()) => Err("this is an id; use `members_of_group` for it".into()),
            Err(_) => Ok(()),
        },
        SelectorForm::Serial => serial::says_nothing(text).map_or(Ok(()), |why| Err(why.into())),
        SelectorForm::Guid | SelectorForm::OwnId | SelectorForm::EntraObject | SelectorForm::MembersOfGroup => {
            spell(IdKind::Guid)
        }
        SelectorForm::DevicesOfUser => spell(IdKind::User),
        SelectorForm::PrincipalName if !text.contains('@') => Err("it must look like someone@contoso.com".into()),
        SelectorForm::PrincipalName => spell(IdKind::User),
    };
    match checked {
        Ok(()) if spelled.is_empty() || selector.name == MEMBERS_OF_GROUP_NAMED => Ok(composed(text).into()),
        Ok(()) => Ok(spelled.into()),
        Err(reason) => {
            let help = matches!(selector.form, SelectorForm::Serial)
                .then_some("many devices have this value; use the managedDeviceId of the device".into());
            wrong(&reason, help)
        }
    }
}
