//! What targets and candidates are called in faults and notes.
//!
//! In: kinds, records, members, groups. Out: words and lists, short and harmless. Must not: leave out what tells one candidate from
//! another.

use super::pool::{Member, NamedGroup};
use super::record::FoundRecord;
use crate::catalog::TargetKind;
use crate::text;

/// So many candidates are listed.
const LISTED: usize = 10;

pub(super) fn list_groups(groups: &[NamedGroup]) -> String {
    let mut lines: Vec<_> = groups.iter().take(LISTED).map(|group| listed(&group.id, &group.name)).collect();
    if groups.len() > LISTED {
        lines.push(format!("… and {} more", groups.len() - LISTED));
    }
    lines.join("\n")
}

pub(super) fn one(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::ManagedDevice => "managed device",
        TargetKind::AutopilotIdentity => "Autopilot identity",
        TargetKind::User => "user",
        TargetKind::EntraDevice => "Entra device",
        other => other.name(),
    }
}

pub(super) fn many(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::ManagedDevice => "managed devices",
        TargetKind::AutopilotIdentity => "Autopilot identities",
        TargetKind::User => "users",
        TargetKind::EntraDevice => "Entra devices",
        other => other.name(),
    }
}

pub(super) fn with_a_mail(kind: TargetKind) -> &'static str {
    if kind == TargetKind::User { "one" } else { "a user" }
}

pub(super) fn wanted(kind: TargetKind) -> &'static str {
    if kind == TargetKind::User { "users" } else { "devices" }
}

pub(super) fn list(candidates: &[&FoundRecord]) -> String {
    let mut lines: Vec<_> = candidates.iter().take(LISTED).map(|record| shown(record)).collect();
    if candidates.len() > LISTED {
        lines.push(format!("… and {} more", candidates.len() - LISTED));
    }
    lines.join("\n")
}

/// The id, and everything that a person would tell it from another by.
fn shown(record: &FoundRecord) -> String {
    let identity = &record.identity;
    let owner = identity.user_principal_name.as_deref();
    let parts = [
        identity.name.as_deref().map(str::to_owned),
        identity.serial_number.as_deref().map(|serial| format!("serial {serial}")),
        owner.map(|owner| format!("of {owner}")),
        identity.ownership.as_deref().map(str::to_owned),
        identity.operating_system.as_deref().map(str::to_owned),
        identity.enrolled_at.map(|at| format!("enrolled {}", day(at))),
        identity.last_sync_at.map(|at| format!("last sync {}", day(at))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    listed(&identity.id, &parts.join(", "))
}

/// A line of a list: what the service calls something must not look like another line.
fn listed(id: &str, what: &str) -> String {
    text::visible(&format!("{id}  {what}")).into_owned()
}

fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(super) fn list_members(members: &[&Member]) -> String {
    let mut lines: Vec<_> = members.iter().take(LISTED).map(|member| shown_member(member)).collect();
    if members.len() > LISTED {
        lines.push(format!("… and {} more", members.len() - LISTED));
    }
    lines.join("\n")
}

pub(super) fn shown_member(member: &Member) -> String {
    listed(&member.id, &format!("{} {}", member.kind, member.name.as_deref().unwrap_or("without a name")))
}
