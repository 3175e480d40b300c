//! `preview`: what a run would send.
//!
//! In: a plan or a saved preview, policies, where to look, what is left alone. Out: [`Previewed`]. Must not: send anything but reads, or
//! make a journal that is not there.

use std::path::Path;

use super::again::Repeats;
use super::daily;
use super::error::Error;
use super::journal_of::journal_of;
use super::known;
use super::left_out::leave_out_done;
use super::look_up::LookUp;
use super::looked_up::looked_up;
use super::previewed::Previewed;
use super::protected::{self, ProtectedFound};
use super::{keys, nights};
use crate::diagnostics::Diagnostics;
use crate::journal::memory::MemoryQuery;
use crate::session::{self, Session};
use crate::settings::PolicyFile;

/// Reads a plan or a saved preview and says what would be sent.
///
/// What earlier runs have done is left out as a run with the same `repeats` would, by the journal of these settings.
pub async fn preview(
    file: &Path,
    policies: &[PolicyFile],
    look_up: &LookUp<'_>,
    repeats: &Repeats,
) -> Result<Previewed, Error> {
    let (mut previewed, mut session) = considered(file, policies, look_up, repeats).await?;
    // A saved preview shows what was found when it was made.
    if previewed.agreed.is_none() && session.can_sign_in() {
        let Previewed { plan, preflight, verdict, keys, .. } = &mut previewed;
        let about = keys::KeyCheck::of(plan, look_up);
        let mut told = Diagnostics::default();
        // A plan that gives every id is previewed offline; what its list stands for is read by the run.
        if session.is_open() || verdict.rules.wants_keys() {
            let found = ProtectedFound { preflight: &mut *preflight, rules: &mut verdict.rules, sightings: &[] };
            told = protected::check(&mut session, &plan.jobs, found, |_, hold| hold.is_none()).await?.told;
        }
        *keys = keys::check(&mut session, &about, preflight, &verdict.rules, |_| false).await?;
        previewed.plan.warnings.extend(told);
        previewed.judge(look_up.start.now, false);
    }
    Ok(previewed)
}

/// The preview without a look at keys.
pub(super) async fn considered<'s>(
    file: &Path,
    policies: &[PolicyFile],
    look_up: &LookUp<'s>,
    repeats: &Repeats,
) -> Result<(Previewed, Session<'s>), Error> {
    let (mut previewed, mut session) = looked_up(file, policies, look_up, repeats).await?;
    let jobs = &previewed.plan.jobs;
    match journal_of(look_up.settings, repeats)? {
        // Nobody has done anything yet.
        None => drop(repeats.again.of(jobs)?),
        Some(mut journal) => {
            let (tenant, graph_url) = (look_up.tenant, &look_up.settings.graph_url);
            let (key, place) = (previewed.key(tenant, graph_url), session::place(tenant, graph_url));
            let label = session::label(look_up.settings, tenant, previewed.plan.tenant.as_deref());
            // Where nobody can be asked, the preview takes two names for one tenant; the run asks again.
            match daily::learn_tenant(&mut session, &mut journal, &label).await {
                Ok(()) | Err(Error::SignIn(_)) => {}
                Err(error) => return Err(error),
            }
            let about = MemoryQuery {
                plan_key: &key,
                place: &place,
                tenant: &label,
                once: repeats.once,
                now: look_up.start.now,
            };
            let past = known::past(&mut journal, about, jobs, &previewed.preflight.holds, repeats)?;
            leave_out_done(&mut previewed.preflight, jobs, &known::take_up(&past, jobs));
            previewed.preflight.hold_moved(jobs, &past.of_names);
            known::leave_to_others(&past, jobs, &mut previewed.preflight);
            nights::hold_replaced(&mut journal, about, jobs, repeats, &mut previewed.preflight)?;
            previewed.judge(look_up.start.now, false);
        }
    }
    Ok((previewed, session))
}
