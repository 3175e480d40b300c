//! What is on file of the devices, in a preview: counts, and the words for a row.
//!
//! In: what was found out about keys. Out: a [`KeyCount`] for each secret that any device may have. Must not: count a device
//! twice, or take what is not known for either.

use std::collections::HashSet;

use crate::catalog::{SECRETS, SecretRow};
use crate::escrow::{KeyStatus, Keys};
use crate::job::Job;

/// How many devices stand how with one secret; those that cannot have it are left out.
#[derive(Debug, Clone, Copy)]
pub struct KeyCount {
    pub secret: &'static SecretRow,
    pub on_file: u32,
    pub missing: u32,
    /// Not known, or not to be read with this sign-in.
    pub unknown: u32,
}

/// Only the secrets that some device may have.
pub(super) fn count(jobs: &[Job], keys: &[Option<Keys>]) -> Vec<KeyCount> {
    let mut counts: Vec<KeyCount> =
        SECRETS.iter().map(|secret| KeyCount { secret, on_file: 0, missing: 0, unknown: 0 }).collect();
    let mut seen = HashSet::new();
    for (job, keys) in jobs.iter().zip(keys) {
        let Some(keys) = keys.as_ref().filter(|_| seen.insert(job.target().to_ascii_lowercase())) else { continue };
        for count in &mut counts {
            match keys.of(count.secret.secret).status {
                KeyStatus::OnFile => count.on_file += 1,
                KeyStatus::Missing => count.missing += 1,
                KeyStatus::Unknown | KeyStatus::Forbidden => count.unknown += 1,
                KeyStatus::NotApplicable => {}
            }
        }
    }
    counts.retain(|count| count.on_file + count.missing + count.unknown > 0);
    counts
}

/// Why it is not known, with the number of devices, the most frequent first.
pub(super) fn reasons(jobs: &[Job], keys: &[Option<Keys>]) -> Vec<(String, u32)> {
    let mut reasons: Vec<(String, u32)> = Vec::new();
    let mut seen = HashSet::new();
    for (job, keys) in jobs.iter().zip(keys) {
        let keys = keys.as_ref().filter(|_| seen.insert(job.target().to_ascii_lowercase()));
        let Some(why) = keys.and_then(not_known) else { continue };
        let has_room = reasons.len() < MOST_REASONS;
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, number)) => *number += 1,
            None if has_room => reasons.push((why, 1)),
            None => {}
        }
    }
    reasons.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    reasons
}

/// Different reasons that are counted; a service that says another thing each time is no news any more.
const MOST_REASONS: usize = 8;

/// Why it is not known of a device, for the note of its row.
pub(super) fn not_known(keys: &Keys) -> Option<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in &SECRETS {
        let finding = keys.of(row.secret);
        if !matches!(finding.status, KeyStatus::Unknown | KeyStatus::Forbidden) {
            continue;
        }
        let why = finding.why.as_deref().unwrap_or("no reason given");
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, labels)) => labels.push(row.label),
            None => reasons.push((why, vec![row.label])),
        }
    }
    let told = reasons.iter().map(|(why, labels)| format!("{} not known: {why}", labels.join(", ")));
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}
