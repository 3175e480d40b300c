//! The keys of a YAML plan.
//!
//! In: the tree of a plan. Out: a [`PlanDocument`], as far as it could be understood, and faults. Must not: open files;
//! the targets of a job are left as they are for `targets`.

use super::definitions;
use super::heading::PlanHeading;
use super::identifier::{NotAnId, wrong_name};
use super::json::json;
use super::limits;
use super::missing;
use super::priority;
use super::schedule;
use super::vocabulary::{self, unknown_action};
use super::waiting;
use super::work::{ParameterValue, PlannedStep, PlannedWork, known_parameters};
use crate::catalog::{Action, Route};
use crate::diagnostics::did_you_mean;
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

const KEYS: &[&str] =
    &["version", "name", "tenant", "justification", "missing", "actions", "jobs", "limits", "guards", "overrides"];
const JOB_KEYS: &[&str] = &["action", "steps", "route", "with", "targets", "missing", "notBefore", "note", "priority"];
const STEP_KEYS: &[&str] = &["action", "route", "with", "if_found", "after", "within"];

const LONGEST_JUSTIFICATION: usize = 1024;

/// What a plan says, before its targets.
#[derive(Debug, Default)]
pub(super) struct PlanDocument<'s> {
    pub heading: PlanHeading,
    pub jobs: Vec<Entries<'s>>,
    pub guards: Option<&'s Node>,
    pub overrides: Option<&'s Node>,
}

/// One item of `jobs:`.
#[derive(Debug)]
pub(super) struct Entries<'s> {
    pub work: PlannedWork,
    pub targets: Option<&'s Node>,
}

/// Reads a plan.
pub(super) fn read<'s>(root: &'s Node, reader: &mut Reader<'s, '_>) -> PlanDocument<'s> {
    let mut document = PlanDocument::default();
    let Some(entries) = reader.map_of(root, "a plan", KEYS) else { return document };
    let mut jobs = None;
    let mut version = false;
    for Entry { name, value, .. } in entries {
        match name {
            "version" => {
                version = true;
                read_version(value, reader);
            }
            "name" => document.heading.name = reader.text(value, "`name`").map(str::to_owned),
            "tenant" => document.heading.tenant = reader.text(value, "`tenant`").map(str::to_owned),
            "justification" => document.heading.justification = read_justification(value, reader),
            "missing" => document.heading.missing = missing::read(value, reader),
            "actions" => document.heading.own = definitions::read(value, reader),
            "limits" => (document.heading.limits, document.heading.daily) = limits::read(value, reader),
            "guards" => document.guards = Some(value),
            "overrides" => document.overrides = Some(value),
            _ => jobs = Some(value),
        }
    }
    if !version {
        reader.missing_key(root, "version", "version: 1");
    }
    match jobs {
        Some(jobs) => {
            let items = reader.list(jobs, "`jobs`").unwrap_or_default();
            let own = document.heading.own.clone();
            let read = |(number, item)| read_job(item, number, &own, reader);
            document.jobs = items.iter().enumerate().map(read).collect();
        }
        None => reader.missing_key(root, "jobs", "jobs: [ { action: …, targets: … } ]"),
    }
    document
}

pub(super) fn read_version(node: &Node, reader: &mut Reader<'_, '_>) {
    match &node.value {
        Value::Number(text) if text == "1" => {}
        Value::Number(text) => {
            let message = format!("plan version {} is not supported", shown(text));
            reader.fault(&node.span, "unknown-version", message, Some("write `version: 1`".into()));
        }
        _ => reader.wrong_type(node, "`version`", "the number 1", None),
    }
}

/// A justification that the service would not take.
fn too_long(text: &str) -> Option<String> {
    let length = text.chars().count();
    let message = || format!("the justification has {length} characters; {LONGEST_JUSTIFICATION} are allowed");
    (length > LONGEST_JUSTIFICATION).then(message)
}

/// A justification that is not a plan's own, or what is wrong with it.
pub(crate) fn justification(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("a justification must not be empty".into()),
        false => too_long(text).map_or_else(|| Ok(text.to_owned()), Err),
    }
}

fn read_justification<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<String> {
    let text = reader.text(node, "`justification`")?;
    if let Some(message) = too_long(text) {
        reader.fault(&node.span, "too-long", message, None);
        return None;
    }
    Some(text.to_owned())
}

/// The keys of a job or step that have to be read together.
#[derive(Clone, Copy, Default)]
struct StepKeys<'s, 'o> {
    own: &'o [&'static Action],
    action: Option<&'s Node>,
    steps: Option<&'s Node>,
    route: Option<&'s Node>,
    with: Option<&'s Node>,
    if_found: Option<&'s Node>,
    after: Option<&'s Node>,
    within: Option<Entry<'s>>,
}

fn read_job<'s>(node: &'s Node, number: usize, own: &[&'static Action], reader: &mut Reader<'s, '_>) -> Entries<'s> {
    let mut work = PlannedWork {
        number,
        steps: Vec::new(),
        whole: false,
        not_before: None,
        note: None,
        priority: 0,
        missing: None,
        place: None,
    };
    let Some(entries) = reader.map_of(node, "a job", JOB_KEYS) else { return Entries { work, targets: None } };
    let (mut parts, mut targets) = (StepKeys { own, ..StepKeys::default() }, None);
    for Entry { name, value, .. } in entries {
        match name {
            "action" => parts.action = Some(value),
            "steps" => parts.steps = Some(value),
            "route" => parts.route = Some(value),
            "with" => parts.with = Some(value),
            "targets" => targets = Some(value),
            "notBefore" => work.not_before = read_not_before(value, reader),
            "priority" => work.priority = read_priority(value, reader),
            "missing" => work.missing = missing::read(value, reader),
            _ => work.note = reader.text(value, "`note`").map(Box::from),
        }
    }
    let at = parts.action.or(parts.steps).unwrap_or(node);
    work.place = Some(reader.source.place(&at.span));
    (work.steps, work.whole) = read_what_to_do(node, &parts, reader);
    if targets.is_none() {
        reader.missing_key(node, "targets", "targets: [ { id: … } ]");
    }
    Entries { work, targets }
}

fn read_not_before<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<jiff::Timestamp> {
    let text = reader.text(node, "`notBefore`")?;
    match schedule::not_before(text) {
        Ok(time) => Some(time),
        Err(reason) => {
            reader.fault(&node.span, "bad-date", format!("`{}`: {reason}", shown(text)), None);
            None
        }
    }
}

fn read_priority(node: &Node, reader: &mut Reader<'_, '_>) -> i16 {
    let text = match &node.value {
        Value::Number(text) => text.as_str(),
        _ => {
            reader.wrong_type(node, "`priority`", priority::EXPECTED, None);
            return 0;
        }
    };
    priority::read(text).unwrap_or_else(|| {
        let message = format!("`priority` must be {}, not {}", priority::EXPECTED, shown(text));
        reader.fault(&node.span, "out-of-range", message, None);
        0
    })
}

/// The steps, and whether all of them were understood.
fn read_what_to_do<'s>(
    node: &'s Node,
    parts: &StepKeys<'s, '_>,
    reader: &mut Reader<'s, '_>,
) -> (Vec<PlannedStep>, bool) {
    match (parts.action, parts.steps) {
        (Some(_), Some(steps)) => {
            let help = Some("keep one of them".into());
            reader.fault(&steps.span, "wrong-keys", "a job must have either `action` or `steps`, not both", help);
            (Vec::new(), false)
        }
        (None, None) => {
            reader.missing_key(node, "action", "action: NAME");
            (Vec::new(), false)
        }
        (Some(_), None) => match read_step(parts, reader) {
            Some(step) => (vec![step], true),
            None => (Vec::new(), false),
        },
        (None, Some(steps)) => read_steps(steps, parts, reader),
    }
}

fn read_steps<'s>(steps: &'s Node, parts: &StepKeys<'s, '_>, reader: &mut Reader<'s, '_>) -> (Vec<PlannedStep>, bool) {
    if let Some(route) = parts.route {
        reader.fault(&route.span, "wrong-keys", "`route` belongs to a step; write it there", None);
    }
    let items = reader.list(steps, "`steps`").unwrap_or_default();
    if items.is_empty() && matches!(steps.value, Value::List(_)) {
        reader.fault(&steps.span, "wrong-type", "`steps` is empty", None);
    }
    let mut read: Vec<PlannedStep> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let Some(step) = read_item_of_steps(item, parts.own, reader) else { continue };
        // Of a step that was not understood, nobody knows whether it can be seen.
        match read.len() == at {
            true => read.extend(waiting::checked(step, &read, item, reader)),
            false => read.push(step),
        }
    }
    let whole = !read.is_empty() && read.len() == items.len();
    match parts.with {
        // A parameter may belong to the step that was not understood.
        Some(with) if whole => (with_settings(&read, with, reader), whole),
        _ => (read, whole),
    }
}

fn read_item_of_steps<'s>(node: &'s Node, own: &[&'static Action], reader: &mut Reader<'s, '_>) -> Option<PlannedStep> {
    if !matches!(node.value, Value::Map(_)) {
        return read_step(&StepKeys { own, action: Some(node), ..StepKeys::default() }, reader);
    }
    let mut parts = StepKeys { own, ..StepKeys::default() };
    for entry in reader.map_of(node, "a step", STEP_KEYS)? {
        match entry.name {
            "action" => parts.action = Some(entry.value),
            "route" => parts.route = Some(entry.value),
            "with" => parts.with = Some(entry.value),
            "if_found" => parts.if_found = Some(entry.value),
            "after" => parts.after = Some(entry.value),
            _ => parts.within = Some(entry),
        }
    }
    if parts.action.is_none() {
        reader.missing_key(node, "action", "action: NAME");
    }
    read_step(&parts, reader)
}

fn read_step<'s>(parts: &StepKeys<'s, '_>, reader: &mut Reader<'s, '_>) -> Option<PlannedStep> {
    let action = read_action(parts.action?, parts.own, reader)?;
    let route = match parts.route {
        Some(node) => Some(read_route(node, action, reader)?),
        None => None,
    };
    let if_found = match parts.if_found.map(|node| (node, &node.value)) {
        None => false,
        Some((_, Value::Boolean(flag))) => *flag,
        Some((node, _)) => {
            reader.wrong_type(node, "`if_found`", "true or false", None);
            return None;
        }
    };
    let verified_within = waiting::read(parts.after, parts.within, reader)?;
    let step = PlannedStep { if_found, verified_within, ..PlannedStep::new(action, route, Vec::new()) };
    match parts.with {
        Some(with) => with_settings(&[step], with, reader).pop(),
        None => Some(step),
    }
}

fn read_action<'s>(node: &'s Node, own: &[&'static Action], reader: &mut Reader<'s, '_>) -> Option<&'static Action> {
    let name = reader.text(node, "an action")?;
    let action = Action::named(name).or_else(|| own.iter().copied().find(|action| action.name == name));
    if action.is_none() {
        let (message, help) = unknown_action(name, own);
        reader.fault(&node.span, "unknown-action", message, Some(help));
    }
    action
}

/// The route of `action` that `node` names.
pub(super) fn read_route<'s>(
    node: &'s Node,
    action: &'static Action,
    reader: &mut Reader<'s, '_>,
) -> Option<&'static Route> {
    let name = reader.text(node, "a route")?;
    let route = action.route_named(name);
    if route.is_none() {
        let help = match did_you_mean(name, action.routes.iter().map(|route| route.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => vocabulary::routes(action),
        };
        let message = format!("`{}` has no route `{}`", action.name, shown(name));
        reader.fault(&node.span, "no-route", message, Some(help));
    }
    route
}

/// `steps` with the parameters of a `with:` map, each given to the steps that have it.
pub(super) fn with_settings<'s>(
    steps: &[PlannedStep],
    with: &'s Node,
    reader: &mut Reader<'s, '_>,
) -> Vec<PlannedStep> {
    let mut more: Vec<Vec<ParameterValue>> = vec![Vec::new(); steps.len()];
    let mut spoilt = Vec::new();
    for Entry { name, key, value } in reader.map(with, "`with`").unwrap_or_default() {
        let json = json(value);
        let (mut owned, mut wrong) = (false, None);
        for (step, more) in steps.iter().zip(&mut more) {
            let Some(parameter) = step.action.parameter_named(name) else { continue };
            owned = true;
            let text = json.as_ref().and_then(serde_json::Value::as_str);
            let text = text.filter(|text| !text.is_empty());
            if let Some(NotAnId { reason, help }) = wrong_name(parameter.kind, text) {
                reader.fault(&value.span, "bad-parameter", format!("`{name}`: {reason}"), help.map(String::from));
                spoilt.push(parameter.name);
                continue;
            }
            match json.as_ref().filter(|json| parameter.accepts(json)) {
                Some(json) => more.push((parameter, json.clone())),
                None => wrong = Some(parameter),
            }
        }
        if let Some(parameter) = wrong {
            let expected = parameter.expectation();
            let message = match json {
                Some(serde_json::Value::Array(_)) => {
                    format!("`{name}` must be {expected}, but the list contains other values")
                }
                _ => format!("`{name}` must be {expected}, not {}", value.value.kind()),
            };
            reader.fault(&value.span, "bad-parameter", message, None);
            spoilt.push(parameter.name);
        }
        if !owned {
            unknown_parameter(steps, name, key, reader);
        }
    }
    let with_more = |(step, more): (&PlannedStep, Vec<ParameterValue>)| {
        let mut step = PlannedStep {
            spoilt: step.spoilt.clone(),
            if_found: step.if_found,
            verified_within: step.verified_within,
            ..PlannedStep::new(step.action, step.route, step.and(more))
        };
        step.spoilt.extend(&spoilt);
        step
    };
    steps.iter().zip(more).map(with_more).collect()
}

fn unknown_parameter(steps: &[PlannedStep], name: &str, key: &Node, reader: &mut Reader<'_, '_>) {
    if steps.is_empty() {
        return;
    }
    let names = steps.iter().flat_map(|step| step.action.parameters).map(|parameter| parameter.name);
    let help = match did_you_mean(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => known_parameters(steps),
    };
    let actions = vocabulary::list(steps.iter().map(|step| step.action.name));
    let message = format!("`{actions}` has no parameter `{}`", shown(name));
    reader.fault(&key.span, "unknown-parameter", message, Some(help));
}
