//! What `require_escrow` says of a run as a whole: each job that lacks a key is held by itself.
//!
//! In: the rule, the jobs with their holds, what was found out about keys. Out: which overrides are in use, and refusals
//! where keys may not be read or nobody has looked. Must not: refuse for a key that is missing; its row is held.

use super::verdict::{JobsAndHolds, Judgement, RunFacts, placed};
use crate::catalog::{Bearing, Proof, SECRETS, Secret, bearing};
use crate::diagnostics::Diagnostic;
use crate::escrow::{KeyStatus, Keys};
use crate::guard::escrow::{Asking, lacking, lifted_by};
use crate::guard::preflight::Hold;
use crate::guard::rule::Rule;

impl Judgement {
    pub(super) fn check_escrow(
        &mut self,
        rule: &Rule,
        secrets: &[Secret],
        of_plan: JobsAndHolds<'_>,
        about: RunFacts<'_>,
    ) {
        let (mut in_use, mut forbidden, mut unread) = (Vec::new(), Vec::new(), 0u32);
        let asking = Asking { rules: &self.rules, plan: self.plan.as_deref(), now: self.now };
        for (at, (job, hold)) in of_plan.jobs.iter().zip(of_plan.holds).enumerate() {
            let stands = matches!(hold, None | Some(Hold::NotEscrowed(_))) && bearing(job.action) != Bearing::None;
            if !stands {
                continue;
            }
            let lifted = lifted_by(rule, job.action, asking);
            match (about.keys.get(at).and_then(Option::as_ref), lifted) {
                (Some(keys), Some(entry)) if !lacking(keys, secrets).is_empty() => in_use.push(entry),
                (Some(keys), None) => forbidden.extend(may_not_be_read(keys, secrets)),
                (None, None) if hold.is_none() => unread += 1,
                _ => {}
            }
        }
        in_use.into_iter().for_each(|entry| self.in_use[entry] = true);
        for row in SECRETS.iter().filter(|row| forbidden.iter().any(|(secret, _)| *secret == row.secret)) {
            let why = forbidden.iter().find(|(secret, _)| *secret == row.secret).map_or("", |(_, why)| why);
            let message = format!("require_escrow: no permission to check whether a {} is on file ({why})", row.what);
            self.refuse(rule, "require-escrow", message, grant(row.secret));
        }
        if unread > 0 {
            self.keys_not_read(rule, unread, about.begins);
        }
    }

    fn keys_not_read(&mut self, rule: &Rule, unread: u32, begins: bool) {
        let devices = if unread == 1 { "1 row".to_owned() } else { format!("{unread} rows") };
        let message = format!("require_escrow: the keys of {devices} have not been checked yet");
        match begins {
            true => self.refuse(rule, "require-escrow", message, "rows whose keys are unknown are not sent".into()),
            false => {
                let help = "a run checks them before it begins, and so does a preview that can sign in";
                self.faults.push(placed(Diagnostic::warning("keys-not-read", message).help(help), rule));
            }
        }
    }
}

/// Whether what holds a row holds every other one too, and refuses the run.
pub(super) fn is_told_once(keys: Option<&Option<Keys>>) -> bool {
    let all = SECRETS.iter().map(|row| row.secret);
    keys.and_then(Option::as_ref)
        .is_some_and(|keys| all.map(|it| keys.of(it).status).any(|it| it == KeyStatus::Forbidden))
}

/// The secrets that this sign-in may not see, with what the service says.
fn may_not_be_read(keys: &Keys, secrets: &[Secret]) -> Vec<(Secret, String)> {
    let of = |secret: &Secret| {
        let finding = keys.of(*secret);
        (finding.status == KeyStatus::Forbidden)
            .then(|| (*secret, finding.why.as_deref().unwrap_or("no reason given").to_owned()))
    };
    secrets.iter().filter_map(of).collect()
}

/// What to do about a read that is refused.
fn grant(secret: Secret) -> String {
    match secret.row().proof {
        Proof::Read { permissions: [least, ..] } => {
            format!("grant {least}, which shows no key; rows whose keys are unknown are not sent")
        }
        _ => "rows whose keys are unknown are not sent".into(),
    }
}
