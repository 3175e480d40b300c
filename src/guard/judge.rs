//! Whether a run keeps to its rules: every finding at once.
//!
//! In: jobs with their holds, the rules, and what is known of the plan. Out: a [`Judgement`]. Must not: read files, ask
//! the service, or let a rule that cannot be checked count as kept.

mod denied;
mod escrow;
mod later;
mod opening;
mod own;
mod verdict;

pub(crate) use self::denied::denials;
use self::verdict::JobsAndHolds;
pub(crate) use self::verdict::{Judgement, RunFacts};
use super::census::{self, ActionSet, Census};
use super::contradictions::{self, Clash, Pair};
use super::overrides::Extent;
use super::preflight::Hold;
use super::rule::{Guard, Percent, Rule};
use super::rules::Rules;
use crate::catalog::{ACTIONS, Action, TargetKind, defined};
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::job::Job;

/// Judges a plan that is about to run, or somebody looks at. `place` says where a job stands.
pub(crate) fn judge(
    jobs: &[Job],
    holds: &[Option<Hold>],
    rules: Rules,
    about: RunFacts<'_>,
    place: impl Fn(usize) -> Place,
) -> Judgement {
    let mut faults = Diagnostics::default();
    let mut shared = None;
    let census = census::take(jobs, holds, |first, second| match contradictions::judge(jobs, holds, first, second) {
        Pair::Clash(clash) => faults.push_error_with(|| contradiction(clash, jobs, first, second, &place)),
        Pair::Loose => shared = shared.or(Some((first, second))),
        Pair::InOrder => {}
    });
    if let Some((first, second)) = shared {
        faults.push(in_two_rows(&jobs[second], place(first), place(second)));
    }
    for (at, hold) in holds.iter().enumerate() {
        let (code, why, help) = match hold {
            Some(Hold::Protected(why)) => {
                ("protected", why, "it will not be sent; remove the row from the plan, or the entry from the list")
            }
            Some(Hold::NotEscrowed(why)) if !escrow::is_told_once(about.keys.get(at)) => {
                ("not-escrowed", why, "back up the key, or override require_escrow with a reason and an end")
            }
            _ => continue,
        };
        let message = format!("{} of {} is held; {why}", jobs[at].action.name, jobs[at].target());
        faults.push(Diagnostic::warning(code, message).at(place(at)).help(help));
    }
    let in_use = vec![false; rules.overrides.len()];
    let (plan, now) = (about.plan.map(Box::from), about.now);
    let mut verdict = Judgement { rules, faults, in_use, census, plan, now };
    for at in 0..verdict.rules.stated.len() {
        let rule = verdict.rules.stated[at].clone();
        verdict.check(&rule, JobsAndHolds { jobs, holds }, about, &place);
    }
    verdict.warn_of_overrides();
    verdict
}

impl Judgement {
    fn check(&mut self, rule: &Rule, of_plan: JobsAndHolds<'_>, about: RunFacts<'_>, place: &impl Fn(usize) -> Place) {
        let JobsAndHolds { jobs, holds } = of_plan;
        let beyond = |actions, limit| census::first_beyond(jobs, holds, actions, limit).map(place);
        match &rule.guard {
            Guard::MaxTargets(limit) => self.count(rule, *limit, ActionSet::all(), beyond),
            Guard::MaxTargetsAtRisk(limit) => {
                self.count(rule, *limit, ActionSet::of(Action::is_limited), beyond);
            }
            Guard::MaxPerAction { action, limit } => {
                self.count(rule, *limit, ActionSet::of(|known| *known.name == **action), beyond);
            }
            // Checked when the size of the fleet is known.
            Guard::MaxPercentOfFleet(_) => {}
            Guard::AllowActions(_) | Guard::DenyActions(_) | Guard::AllowOwnActions(_) => {}
            Guard::RequireJustification if about.justified => {}
            Guard::RequireJustification => self.refuse(
                rule,
                "require-justification",
                "require_justification: the plan has no justification".into(),
                "write `justification: CHG0012345 …` in the plan (YAML), or use --justification TEXT".into(),
            ),
            Guard::Window(window) => self.check_window(rule, window, about),
            Guard::RequireEscrow(secrets) => self.check_escrow(rule, secrets, of_plan, about),
        }
        for (refused, why) in denied::refused_by(rule, &self.rules.stated) {
            self.forbid(rule, refused, why, beyond);
        }
    }

    /// At most `limit` different targets of those actions, except where an override allows more.
    fn count(&mut self, rule: &Rule, limit: u32, actions: ActionSet, beyond: impl Fn(ActionSet, u32) -> Option<Place>) {
        if self.census.targets(actions) <= limit {
            return;
        }
        let mut rest = actions;
        for (at, allow, actions) in self.lifted(rule, actions) {
            let Extent::Count(allow) = allow else { continue };
            let (found, allow) = (self.census.targets(actions), allow.max(limit));
            rest = rest.without(actions);
            self.in_use[at] |= found > 0;
            if found > allow {
                let of = format!("{allow} (the override of {})", self.rules.overrides[at].origin);
                self.refuse_count(rule, found, &of, beyond(actions, allow));
            }
        }
        let found = self.census.targets(rest);
        if found > limit {
            let of = format!("{limit} ({})", rule.origin);
            self.refuse_count(rule, found, &of, beyond(rest, limit));
        }
    }

    fn refuse_count(&mut self, rule: &Rule, found: u32, limit: &str, beyond: Option<Place>) {
        let (code, what) = match &rule.guard {
            Guard::MaxPerAction { action, .. } => ("max-per-action", format!("targets of {action}")),
            Guard::MaxTargetsAtRisk(_) => {
                ("max-targets", "targets of destructive, irreversible and account-locking actions".into())
            }
            _ => ("max-targets", "targets".into()),
        };
        let first = beyond
            .map(|place| format!("; the first target over the limit is in {}", row_of(&place)))
            .unwrap_or_default();
        let message = format!("{}: {found} {what}, but the limit is {limit}{first}", rule.guard.name());
        self.refuse(rule, code, message, remedy(rule));
    }

    /// None of those actions, except where an override lets them.
    fn forbid(&mut self, rule: &Rule, actions: ActionSet, why: &str, beyond: impl Fn(ActionSet, u32) -> Option<Place>) {
        let mut rest = actions;
        for (at, _, actions) in self.lifted(rule, actions) {
            rest = rest.without(actions);
            self.in_use[at] |= self.census.targets(actions) > 0;
        }
        for action in ACTIONS.iter().chain(defined()).filter(|action| rest.holds(action)) {
            let only = ActionSet::of(|known| std::ptr::eq(known, action));
            let found = self.census.targets(only);
            if found > 0 {
                let first = beyond(only, 0).map(|place| format!(", first in {}", row_of(&place))).unwrap_or_default();
                let name = rule.guard.name();
                let targets = if found == 1 { "1 target".into() } else { format!("{found} targets") };
                let message = format!("{name}: {} {why} ({}): {targets}{first}", action.name, rule.origin);
                self.refuse(rule, "forbidden-action", message, remedy(rule));
            }
        }
    }

    /// Whether the devices of the run are too large a share of the fleet.
    pub fn check_fleet(&mut self, enrolled: u64) {
        let devices = ActionSet::of(|action| action.target == TargetKind::ManagedDevice);
        // They act on every device of a user, or on devices that the last id in their path does not name: nobody has counted those.
        let uncounted = ActionSet::of(is_uncounted);
        for rule in self.rules.stated.clone() {
            let Guard::MaxPercentOfFleet(limit) = rule.guard else { continue };
            let (mut devices, mut uncounted) = (devices, uncounted);
            let is_kept = |census: &Census, devices, uncounted| {
                !limit.is_exceeded_by(census.targets(devices).into(), enrolled) && census.targets(uncounted) == 0
            };
            if is_kept(&self.census, devices, uncounted) {
                continue;
            }
            for (at, allow, actions) in self.lifted(&rule, ActionSet::all()) {
                let Extent::Percent(allow) = allow else { continue };
                let found = self.census.targets(devices.and(actions));
                self.in_use[at] |= self.census.targets(actions) > 0;
                self.refuse_share(&rule, found, enrolled, allow.max(limit));
                devices = devices.without(actions);
                uncounted = uncounted.without(actions);
            }
            self.refuse_share(&rule, self.census.targets(devices), enrolled, limit);
            if self.census.targets(uncounted) > 0 {
                let actions = ACTIONS.iter().chain(defined()).filter(|action| uncounted.holds(action));
                let named = actions
                    .filter(|action| self.census.targets(ActionSet::of(|known| std::ptr::eq(known, *action))) > 0);
                let named = named.map(|action| action.name).collect::<Vec<_>>().join(", ");
                let message = format!(
                    "max_percent_of_fleet: {named} acts on devices that the plan does not list, so their share is unknown ({})",
                    rule.origin
                );
                let help = "list the devices one by one, or override max_percent_of_fleet for this action";
                self.refuse(&rule, "max-percent-of-fleet", message, help.into());
            }
        }
    }

    fn refuse_share(&mut self, rule: &Rule, found: u32, enrolled: u64, limit: Percent) {
        if limit.is_exceeded_by(found.into(), enrolled) {
            let message = format!(
                "max_percent_of_fleet: {found} of {enrolled} enrolled devices, but the limit is {limit} ({})",
                rule.origin
            );
            self.refuse(rule, "max-percent-of-fleet", message, remedy(rule));
        }
    }
}

/// Whether an action may reach managed devices that its target does not tell.
fn is_uncounted(action: &Action) -> bool {
    let is_on_devices = || {
        let mut paths = action.routes.iter().map(|route| route.path.to_ascii_lowercase());
        paths.any(|path| path.contains("manageddevices/"))
    };
    let is_own = || action.is_unverified() && action.target != TargetKind::ManagedDevice;
    action.name == "removeAllDevicesFromManagement" || (is_own() && (action.on_all_devices || is_on_devices()))
}

fn remedy(rule: &Rule) -> String {
    use super::rule::Origin;
    let name = rule.guard.name();
    match &rule.origin {
        Origin::Default => format!(
            "check the preview; if all targets are right, raise the limit with `guards: {{ {name}: … }}`, \
             for a CSV plan in a file after --policy"
        ),
        Origin::Plan(_) => "remove rows, change the guard, or add an override with a reason and an end".into(),
        Origin::Policy(_) => "remove rows, or ask for an override in the policy; a plan cannot loosen a policy".into(),
    }
}

fn row_of(place: &Place) -> String {
    match place.line {
        Some(line) => format!("{}:{line}", place.file),
        None => place.file.clone(),
    }
}

fn contradiction(
    clash: Clash,
    jobs: &[Job],
    first: usize,
    second: usize,
    place: &impl Fn(usize) -> Place,
) -> Diagnostic {
    let (a, b) = (&jobs[first], &jobs[second]);
    let (target, there, here) = (b.target(), row_of(&place(first)), place(second));
    let (message, help) = match clash {
        Clash::OtherParameters => (
            format!("{} of {target} is in the plan twice, with other parameters in {there}", b.action.name),
            "keep the right one",
        ),
        Clash::EitherOr => (
            format!("{} of {target} contradicts {} of the same target in {there}", b.action.name, a.action.name),
            "keep the right one; if you need both, write them as `steps`, so that one waits for the other",
        ),
        Clash::AfterTheEnd => {
            let (end, other) = if contradictions::removes(a.action) { (a, b) } else { (b, a) };
            let names = (other.action.name, end.action.name);
            (
                format!(
                    "{} of {target} comes after its {}, when the target no longer exists ({there})",
                    names.0, names.1
                ),
                "put the action that removes the target last, or remove it",
            )
        }
    };
    Diagnostic::error("contradiction", message).at(here).help(help)
}

/// Told once: a plan may have it in every row.
fn in_two_rows(job: &Job, first: Place, second: Place) -> Diagnostic {
    let message = format!(
        "{} is in {} and in {}, and other targets may be repeated too",
        job.target(),
        row_of(&first),
        row_of(&second)
    );
    Diagnostic::warning("same-target", message)
        .at(second)
        .help("separate rows can be sent in any order; use `steps` for a fixed order")
}

#[cfg(test)]
mod tests;
