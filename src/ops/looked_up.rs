//! What a plan names without an id is looked up, and the whole is held against its guards.
//!
//! In: a plan or a saved preview, policies, where to look. Out: [`Previewed`], and the session that was used. Must not: send anything but
//! reads, or begin on a plan that leads to no job.

use std::path::Path;

use super::again::Repeats;
use super::error::Error;
use super::look_up::LookUp;
use super::previewed::Previewed;
use super::read::read;
use super::{guards, nights};
use crate::catalog::Unresolvable;
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::{self, Hold};
use crate::session::{ExpectedBy, Session, TargetTenant};
use crate::settings::PolicyFile;
use crate::simulator::scenario::Scenario;

/// Reads what has something in it, looks up what has to be, and holds it against its guards. Sends nothing but reads,
/// and those only for targets that are not named by their id.
pub(super) async fn looked_up<'s>(
    file: &Path,
    policies: &[PolicyFile],
    look_up: &LookUp<'s>,
    repeats: &Repeats,
) -> Result<(Previewed, Session<'s>), Error> {
    let policies = guards::policies(policies)?;
    let mut previewed = read(file, look_up.start.now)?;
    if let TargetTenant::Simulated(Some(scenario)) = look_up.tenant {
        Scenario::load(scenario)?;
    }
    settle_missing(&mut previewed, policies.refuse_missing, look_up)?;
    settle_justification(&mut previewed, look_up.justification)?;
    let mut session = look_up.session(previewed.plan.limits)?;
    session.must_be(ExpectedBy::Plan, previewed.plan.tenant.as_deref());
    let agreed_tenant = previewed.agreed.as_ref().and_then(|agreed| agreed.head.tenant_id.as_deref());
    session.must_be(ExpectedBy::SavedPreview, agreed_tenant);
    if let Some(mut pool) = look_up.read(&mut previewed.plan, &mut session).await? {
        let before = nights::before(&previewed, look_up, repeats, &mut session, &mut pool).await?;
        look_up.resolve(&mut previewed.plan, &mut pool, &before)?;
        previewed.preflight = preflight::inspect(&previewed.plan.jobs, look_up.start.now);
    }
    if previewed.plan.jobs.is_empty() {
        return Err(Error::NothingToDo { file: file.to_owned(), told: previewed.plan.warnings });
    }
    previewed.hold_against(policies, look_up.start.now)?;
    Ok((previewed, session))
}

/// What becomes of rows whose target is not there. What a saved preview says of that was agreed to, and only a policy is
/// stricter.
fn settle_missing(previewed: &mut Previewed, refused_by_policy: bool, look_up: &LookUp<'_>) -> Result<(), Error> {
    if previewed.agreed.is_some() && look_up.missing.is_some() {
        let message = "--missing and --hold-unresolved cannot be used with a saved preview";
        let help = "use the option when you make the preview";
        return Err(Error::usage(Diagnostic::error("usage", message).help(help)));
    }
    previewed.plan.settle_missing(refused_by_policy, look_up.missing.map(Unresolvable::missing));
    for hold in previewed.preflight.holds.iter_mut().flatten() {
        if let Hold::NotThere { done, .. } = hold {
            *done &= !refused_by_policy;
        }
    }
    Ok(())
}

/// A reason of the command line stands in for one that the plan does not give, and in for no other.
fn settle_justification(previewed: &mut Previewed, given: Option<&str>) -> Result<(), Error> {
    let Some(given) = given else { return Ok(()) };
    let refused = |message: &str, help: &str| Err(Error::usage(Diagnostic::error("usage", message).help(help)));
    if previewed.agreed.is_some() {
        let message = "--justification cannot be used with a saved preview";
        return refused(message, "use the option when you make the preview");
    }
    if previewed.plan.justification.is_some() {
        return refused("the plan has its own justification", "change it in the plan, or remove --justification");
    }
    previewed.plan.justification = Some(given.to_owned());
    Ok(())
}
