//! What a row is told that leads to no target, or to several.
//!
//! In: a row, a [`LookupRefusal`]. Out: a [`Diagnostic`] at the row, with the candidates and what tells them apart. Must not:
//! suggest one of them.

use super::link::link;
use super::matching::LookupRefusal;
use super::needs::owner_named;
use super::pool::{Member, Pool};
use super::record::{FoundRecord, key};
use super::words::{list, list_groups, list_members, many, one, shown_member, wanted, with_a_mail};
use crate::catalog::{ENTRA_OBJECT, Missing, SelectorForm, TargetKind, USER_BY_NAME, link_to, selector_named};
use crate::diagnostics::{Diagnostic, Place};
use crate::plan::{Criterion, Pointer, Unresolved};
use crate::text;

/// The fault of `row`, whose step acts on `kind`. `pool`: where it was looked for.
pub(super) fn fault(row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>, pool: &Pool) -> Diagnostic {
    let pointer = row.pointer.to_string();
    let has = has(&row.pointer);
    let (code, message, help) = match refusal {
        LookupRefusal::Nothing => nothing(row, kind, pool),
        LookupRefusal::NotAll(candidates) => (
            "no-match",
            format!("no {} {has}", one(kind)),
            format!("correct it, or remove the row; one of the values matches\n{}", list(candidates)),
        ),
        LookupRefusal::Several(candidates) => (
            "several-matches",
            format!("{pointer} matches {} {}", candidates.len(), many(kind)),
            format!("use the id of the one you mean:\n{}", list(candidates)),
        ),
        LookupRefusal::NoSuchGroup => {
            let help = format!("{NO_GROUP}; or {}", absent(row, refusal));
            ("no-match", format!("the group does not exist: {pointer}"), help)
        }
        LookupRefusal::SeveralGroups(groups) => (
            "several-matches",
            format!("{} groups are meant by {pointer}", groups.len()),
            format!("use the id of the one you mean:\n{}", list_groups(groups)),
        ),
        LookupRefusal::NoSuchOwner if with_mail(&row.pointer, kind, pool).is_empty() => {
            ("no-match", format!("the user does not exist: {pointer}"), absent(row, refusal).into())
        }
        LookupRefusal::NoSuchOwner => nothing(row, kind, pool),
        LookupRefusal::WrongMembers(members) => (
            "wrong-members",
            format!("{} members of the group cannot be targets here: {pointer}", members.len()),
            format!(
                "only direct members that are {} can be targets; these are not:\n{}",
                wanted(kind),
                list_members(members)
            ),
        ),
        LookupRefusal::SeveralOfMember(member, candidates) => (
            "several-matches",
            format!("{} {} match one member of the group: {pointer}", candidates.len(), many(kind)),
            format!("{} has several records:\n{}", shown_member(member), list(candidates)),
        ),
        LookupRefusal::NoLink(_) | LookupRefusal::NothingLinked(_) => (
            "no-match",
            leads_nowhere(kind, refusal),
            format!("add `if_found: true` to the step to skip such devices, or {}", absent(row, refusal)),
        ),
        LookupRefusal::SeveralLinked(device, candidates) => (
            "several-matches",
            format!("{} {} are meant by {}", candidates.len(), many(kind), through(device, kind)),
            format!("use the id of the one you mean, in a separate job:\n{}", list(candidates)),
        ),
        LookupRefusal::NotRead => (
            "not-in-inventory",
            format!("this is not in the saved inventory: {pointer}"),
            not_in_inventory(&row.pointer, kind),
        ),
    };
    Diagnostic::error(code, prefix(&row.place) + &message).at((*row.place).clone()).help(help)
}

/// What to do about a target that is not there.
fn absent(row: &Unresolved, refusal: &LookupRefusal<'_>) -> &'static str {
    match (row.missing, refusal) {
        (Some(Missing::Refuse), _) => "correct or remove the row (`missing: refuse` applies)",
        // Nobody knows whether there is such a record, so that nobody can say that it is gone.
        (_, LookupRefusal::NoLink(_)) => "correct or remove the row, or use `--missing hold` (YAML: `missing: hold`)",
        _ => "correct or remove the row, or use `--missing hold` or `--missing done` (YAML: `missing: …`)",
    }
}

/// Of a row that nothing is meant by: code, message and help.
fn nothing(row: &Unresolved, kind: TargetKind, pool: &Pool) -> (&'static str, String, String) {
    let (has, one) = (has(&row.pointer), one(kind));
    let theirs = with_mail(&row.pointer, kind, pool);
    let unread = mail_unread(&row.pointer, kind, pool).filter(|_| row.missing == Some(Missing::Done));
    let (message, help) = match unread {
        _ if !theirs.is_empty() => (
            format!("no {one} {has}; it is the mail address of {}", with_a_mail(kind)),
            format!("a mail address does not identify an account; use its user principal name\n{}", list(&theirs)),
        ),
        Some(why) => (
            format!("no {one} {has}, and mail addresses could not be read"),
            format!("{why}; grant User.ReadBasic.All, use the id of the user, or use `--missing hold`"),
        ),
        None => (
            format!("no {one} {has}"),
            zeros_in_front(&row.pointer, kind, pool).unwrap_or_else(|| {
                format!(
                    "the whole value must match (upper and lower case are the same); {}",
                    absent(row, &LookupRefusal::Nothing)
                )
            }),
        ),
    };
    ("no-match", message, help)
}

/// Whether the target is there under a number with zeros in front, which a spreadsheet has taken away.
pub(super) fn lost_its_zeros(row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>, pool: &Pool) -> bool {
    matches!(refusal, LookupRefusal::Nothing) && zeros_in_front(&row.pointer, kind, pool).is_some()
}

/// Whether the name that nobody has is somebody's mail address: whoever is meant is there. Where that could not be read, nothing is
/// done for it either.
pub(super) fn is_a_mail_address(row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>, pool: &Pool) -> bool {
    let may_be = || row.missing == Some(Missing::Done) && mail_unread(&row.pointer, kind, pool).is_some();
    matches!(refusal, LookupRefusal::Nothing | LookupRefusal::NoSuchOwner)
        && (!with_mail(&row.pointer, kind, pool).is_empty() || may_be())
}

/// The fault of a row that names that user in a parameter.
pub(super) fn of_user(row: &Unresolved, name: &str, refusal: &LookupRefusal<'_>, pool: &Pool) -> Diagnostic {
    let pointer = Pointer::Given([Criterion { selector: &USER_BY_NAME, value: name.into() }].into());
    fault(&Unresolved { pointer, ..row.clone() }, TargetKind::User, refusal, pool)
}

const NO_GROUP: &str = "use the id of an existing group, or its full name";

/// The fault of a row that names a group beside its target.
pub(super) fn of_group(name: &str, place: &Place, refusal: &LookupRefusal<'_>) -> Diagnostic {
    let (code, message, help) = match refusal {
        LookupRefusal::SeveralGroups(groups) => (
            "several-matches",
            format!("{} groups are meant by groupName {name}", groups.len()),
            format!("use the groupId of the one you mean:\n{}", list_groups(groups)),
        ),
        LookupRefusal::NotRead => {
            let help = "inventories contain no groups; use groupId, or remove --inventory to ask the service";
            ("not-in-inventory", format!("this is not in the saved inventory: groupName {name}"), help.into())
        }
        _ => ("no-match", format!("the group does not exist: groupName {name}"), NO_GROUP.into()),
    };
    Diagnostic::error(code, prefix(place) + &message).at(place.clone()).help(help)
}

/// A step that is left out, because it may be.
pub(super) fn not_found(row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>) -> Diagnostic {
    let steps = row.steps.iter().filter(|step| step.kind == kind).map(|step| step.action.name);
    let steps: Vec<_> = steps.collect();
    let message = format!("{}{}; skipped: {}", prefix(&row.place), leads_nowhere(kind, refusal), steps.join(", "));
    Diagnostic::warning("not-found", message).at((*row.place).clone())
}

fn leads_nowhere(kind: TargetKind, refusal: &LookupRefusal<'_>) -> String {
    match refusal {
        LookupRefusal::NoLink(device) => {
            let by = link_to(kind);
            let given = by.and_then(|by| device.value(by, ""));
            let by = by.map_or("", |by| by.name);
            let why =
                given.map_or_else(|| format!("it has no {by}"), |given| format!("its {by}, {given}, is a placeholder"));
            format!("no {} is known of {}: {why}", one(kind), device_shown(device))
        }
        LookupRefusal::NothingLinked(device) => format!("no {} has {}", one(kind), through(device, kind)),
        _ => String::new(),
    }
}

/// `serialNumber X of managed device LAB-01 (its id)`.
fn through(device: &FoundRecord, kind: TargetKind) -> String {
    let (by, value) = link(device, kind).map_or(("", ""), |(by, value)| (by.name, value));
    format!("{by} {value} of {}", device_shown(device))
}

fn device_shown(device: &FoundRecord) -> String {
    let name = device.identity.name.as_deref().unwrap_or("without a name");
    format!("managed device {} ({})", text::shown(name), text::shown(&device.identity.id))
}

/// Who has as mail what is looked for as the name of a user, or of the owner of devices. It is a hint and no match.
fn with_mail<'p>(pointer: &Pointer, kind: TargetKind, pool: &'p Pool) -> Vec<&'p FoundRecord> {
    let Some(name) = name_of_somebody(pointer, kind) else { return Vec::new() };
    let users = pool.records(TargetKind::User).iter();
    // Whoever is called so has no devices, whoever else has it as mail.
    let called =
        |record: &FoundRecord| record.identity.user_principal_name.as_deref().is_some_and(|it| key(it) == key(name));
    if users.clone().any(called) {
        return Vec::new();
    }
    let has = |record: &&FoundRecord| record.mail.as_deref().is_some_and(|mail| key(mail) == key(name));
    users.filter(has).collect()
}

/// Why nobody could tell whether the name of the owner of devices is somebody's mail address.
fn mail_unread<'p>(pointer: &Pointer, kind: TargetKind, pool: &'p Pool) -> Option<&'p str> {
    name_of_somebody(pointer, kind).filter(|_| kind != TargetKind::User)?;
    let of_inventory = pool.unread.contains(&TargetKind::User).then_some("the saved inventory has no users");
    pool.owners_unread.as_deref().or(of_inventory)
}

/// What somebody is called by that a pointer is about.
fn name_of_somebody(pointer: &Pointer, kind: TargetKind) -> Option<&str> {
    let is_theirs = matches!(kind, TargetKind::User | TargetKind::ManagedDevice);
    owner_named(pointer).filter(|_| is_theirs).map(|criterion| &*criterion.value)
}

/// Who has the serial number that a spreadsheet would have made this one of. It is a hint and no match.
fn zeros_in_front(pointer: &Pointer, kind: TargetKind, pool: &Pool) -> Option<String> {
    let Pointer::Given(criteria) = pointer else { return None };
    let serial = criteria.iter().find(|criterion| criterion.selector.form == SelectorForm::Serial)?;
    let bare = serial.value.trim_start_matches('0');
    if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let has = |record: &&FoundRecord| {
        let known = record.identity.serial_number.as_deref().unwrap_or_default();
        known.len() > serial.value.len() && known.trim_start_matches('0') == bare
    };
    let candidates: Vec<_> = pool.records(kind).iter().filter(has).collect();
    let help = "spreadsheets remove leading zeros, and with zeros this would be another serial number: \
                format the column as text, and export it again";
    (!candidates.is_empty()).then(|| format!("{help}\n{}", list(&candidates)))
}

/// `has serialNumber X`, `belongs to X`.
fn has(pointer: &Pointer) -> String {
    match pointer {
        Pointer::Given(criteria) => match criteria.first() {
            Some(first) if first.selector.form == SelectorForm::DevicesOfUser => format!("belongs to {}", first.value),
            _ => format!("has {pointer}"),
        },
        Pointer::Ids => format!("has {pointer}"),
        Pointer::Filter(_) => format!("passes the {pointer}"),
    }
}

/// What a saved inventory lacks, and what to do about it.
fn not_in_inventory(pointer: &Pointer, kind: TargetKind) -> String {
    let form = |name: &str| selector_named(name).map(|selector| selector.form);
    let is = |wanted| pointer.names().any(|name| form(name) == Some(wanted));
    let ask = "remove --inventory to ask the service";
    if is(SelectorForm::MembersOfGroup) {
        return format!(
            "inventories contain no groups; {ask} (this needs GroupMember.Read.All), or download the members of the group in the \
             portal and name that file under `targets: {{ csv: … }}`"
        );
    }
    let by_object = pointer.names().any(|name| name == ENTRA_OBJECT.name);
    let (lacking, permission) = match kind {
        _ if by_object => (many(TargetKind::EntraDevice), "Device.Read.All"),
        TargetKind::EntraDevice => (many(kind), "Device.Read.All"),
        TargetKind::AutopilotIdentity => (many(kind), "DeviceManagementServiceConfig.Read.All"),
        TargetKind::User => (many(kind), "User.ReadBasic.All"),
        _ => return format!("it contains no {}; {ask}", many(kind)),
    };
    format!("it was made without {lacking}; make a new one with {permission}, or {ask}")
}

/// The service calls something an id that is none.
pub(super) fn strange_id(row: &Unresolved, id: &str) -> Diagnostic {
    let id = text::shown(id);
    let message = format!("{}the service gives `{id}` as the id of {}", prefix(&row.place), row.pointer);
    Diagnostic::error("bad-id", message).at((*row.place).clone()).help("an id must be a GUID; this target is not used")
}

/// What a message about it begins with, as the plan's own faults do.
fn prefix(place: &Place) -> String {
    match (place.line, &place.column_name) {
        (Some(line), Some(column)) => format!("row {line}, column `{column}`: "),
        _ => String::new(),
    }
}

/// Members that have no managed device: nothing can be done to them, and nobody must think that it was.
pub(super) fn left_out(row: &Unresolved, members: &[&Member]) -> Diagnostic {
    let devices = if members.len() == 1 {
        "1 member of the group is"
    } else {
        &format!("{} members of the group are", members.len())
    };
    Diagnostic::warning(
        "not-managed",
        format!("{}{devices} not managed by Intune, and skipped: {}", prefix(&row.place), row.pointer),
    )
    .at((*row.place).clone())
    .help(format!("they have no managed device:\n{}", list_members(members)))
}

/// A set in which there is nothing is no fault: on a good day there is nothing to do.
pub(super) fn nothing_today(row: &Unresolved) -> Diagnostic {
    let what = match &row.pointer {
        Pointer::Filter(_) => format!("no device matches the {}", row.pointer),
        Pointer::Given(_) | Pointer::Ids => format!("{} matches nothing today", row.pointer),
    };
    Diagnostic::warning("no-match", prefix(&row.place) + &what).at((*row.place).clone())
}

/// Why a row is held that leads to several targets, with those.
pub(super) fn several(row: &Unresolved, kind: TargetKind, refusal: &LookupRefusal<'_>) -> String {
    let told = |many: &str, by: &str, listed: String| format!("{by} matches {many}: {}", listed.replace('\n', "; "));
    let many = |candidates: &[&FoundRecord]| format!("{} {}", candidates.len(), many(kind));
    match refusal {
        LookupRefusal::Several(candidates) => told(&many(candidates), &row.pointer.to_string(), list(candidates)),
        LookupRefusal::SeveralLinked(device, candidates) => {
            told(&many(candidates), &through(device, kind), list(candidates))
        }
        LookupRefusal::SeveralOfMember(member, candidates) => {
            told(&many(candidates), &shown_member(member), list(candidates))
        }
        LookupRefusal::SeveralGroups(groups) => {
            let by = row.group.as_ref().map_or_else(|| row.pointer.to_string(), |_| row.key());
            told(&format!("{} groups", groups.len()), &by, list_groups(groups))
        }
        _ => String::new(),
    }
}
