//! Fills a [`Pool`] with all that a plan's rows may mean.
//!
//! In: the rows, somebody who reads. Out: a pool that holds at least everything that matches any of them. Must not:
//! match, or leave a read that failed out of the account.

use std::ops::ControlFlow;

use super::inventory::SavedInventory;
use super::needs::{self, Needs, asks_for_size, whole_costs_less};
use super::pool::{Group, Member, NamedGroup, Pool};
use super::query;
use super::reading::{Pages, ReadError, Reading};
use super::record::{FoundRecord, key};
use crate::catalog::TargetKind;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;
use crate::plan::Unresolved;
use jiff::Timestamp;
use serde_json::Value;

/// Reads what is needed for `rows`, in the way that takes fewer requests.
pub async fn gather<T: Transport>(
    rows: &[&Unresolved],
    now: Timestamp,
    reading: &mut Reading<'_, T>,
) -> Result<Pool, ReadError> {
    let mut pool = Pool::default();
    read_group_names(&needs::group_names(rows), &mut pool, reading).await?;
    for (group, by_name) in needs::groups(rows) {
        let id = match by_name {
            false => group.clone(),
            // None and several are told with the rest of the plan.
            true => match pool.named_groups.get(&group).map(Vec::as_slice) {
                Some([only]) => only.id.clone(),
                _ => {
                    pool.groups.insert(group, None);
                    continue;
                }
            },
        };
        let mut members = Vec::new();
        let bucket = query::bucket(TargetKind::User);
        let there = reading.pages(query::members(&id), bucket, |page| members.extend(page.iter().map(member))).await?;
        let members: Option<Vec<Member>> = members.into_iter().collect();
        let members = members.ok_or_else(|| ReadError::NoList(query::members(&id).path().to_owned()))?;
        pool.groups.insert(group, there.then_some(Group { members }));
    }
    // Objects of the directory first: what they lead to is looked up behind them.
    let objects = needs::objects(rows);
    if !objects.values.is_empty() {
        read_each(&objects, &mut pool, reading).await?;
    }
    let (mut all_devices, mut all_users) = (false, false);
    for needs in needs::of(rows, &pool) {
        let all = read(&needs, &mut pool, reading).await?;
        match needs.kind {
            TargetKind::ManagedDevice => all_devices |= all,
            TargetKind::User if !all => read_mails(&needs, rows, &mut pool, reading).await?,
            TargetKind::User => all_users = true,
            _ => {}
        }
    }
    let owners = if all_users { None } else { needs::owners(rows, &mut pool) };
    if let Some(needs) = owners {
        read_owners(&needs, &mut pool, reading).await?;
    }
    // Where everything was read, what they lost is known already.
    let bare = if all_devices { None } else { needs::bare_numbers(rows, &mut pool) };
    if let Some(needs) = bare {
        read_each(&needs, &mut pool, reading).await?;
    }
    for needs in needs::linked(rows, &mut pool, now) {
        read(&needs, &mut pool, reading).await?;
    }
    Ok(pool)
}

/// Looks up which groups are called so. The directory's answer is compared again.
async fn read_group_names<T: Transport>(
    names: &[Box<str>],
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    let reads: Vec<(Get, Box<str>)> = names.iter().map(|name| (query::groups_named(name), name.clone())).collect();
    let each = |number: usize, page: Vec<Value>| {
        let Some(name) = names.get(number) else { return };
        let text = |document: &Value, of: &str| Some(Box::<str>::from(document.get(of)?.as_str()?.trim()));
        let named =
            page.iter().filter_map(|it| Some(NamedGroup { id: text(it, "id")?, name: text(it, "displayName")? }));
        pool.named_groups.insert(name.clone(), named.filter(|group| key(&group.name) == key(name)).collect());
    };
    reading.batched(&reads, query::bucket(TargetKind::User), each).await
}

/// Who has as mail what nobody has as name.
async fn read_mails<T: Transport>(
    users: &Needs,
    rows: &[&Unresolved],
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    match needs::mails(users, rows, pool) {
        Some(mails) => read_each(&mails, pool, reading).await,
        None => Ok(()),
    }
}

/// Whether there are owners of whom no device is, and who has as mail what no owner is called. Devices may be read where users
/// may not; then nobody knows.
async fn read_owners<T: Transport>(
    owners: &Needs,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    match read_each(owners, pool, reading).await {
        Err(error) if matches!(error.cause(), ReadError::Refused { status: Some(403), .. }) => {
            pool.owners_unread = Some(error.to_string().into());
            Ok(())
        }
        other => other,
    }
}

/// Reads in the way that takes fewer requests. Whether everything was read.
pub(super) async fn read<T: Transport>(
    needs: &Needs,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<bool, ReadError> {
    if let Some(pages) = needs::pages_worth_a_try(needs) {
        let all = read_pages(needs.kind, pages, pool, reading).await?;
        // Whom a list of everybody does not show may be newer than the list.
        read_each(&needs::unknown(needs, pool), pool, reading).await?;
        return Ok(all);
    }
    let size = match asks_for_size(needs) && needs.kind == TargetKind::ManagedDevice {
        true => size(reading).await?,
        false => None,
    };
    let whole = whole_costs_less(needs, size);
    match whole {
        true => read_whole(needs.kind, size, pool, reading).await?,
        false => read_each(needs, pool, reading).await?,
    }
    Ok(whole)
}

/// Reads the devices of a tenant, its Autopilot identities, what Entra knows of devices, and its users, to be saved. All but the
/// first take permissions of their own: where one is missing, the inventory says that it has none.
pub(crate) async fn take_inventory<T: Transport>(reading: &mut Reading<'_, T>) -> Result<SavedInventory, ReadError> {
    let mut inventory = SavedInventory::default();
    let mut pool = Pool::default();
    read_whole(TargetKind::ManagedDevice, None, &mut pool, reading).await?;
    inventory.devices = pool.records(TargetKind::ManagedDevice).to_vec();
    inventory.autopilot = read_if_permitted(TargetKind::AutopilotIdentity, &mut pool, reading).await?;
    inventory.entra_devices = read_if_permitted(TargetKind::EntraDevice, &mut pool, reading).await?;
    inventory.users = read_if_permitted(TargetKind::User, &mut pool, reading).await?;
    Ok(inventory)
}

async fn read_if_permitted<T: Transport>(
    kind: TargetKind,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<Option<Vec<FoundRecord>>, ReadError> {
    match read_whole(kind, None, pool, reading).await {
        Ok(()) => Ok(Some(pool.records(kind).to_vec())),
        Err(ReadError::Refused { status: Some(403), .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many devices there are, if the service says so.
async fn size<T: Transport>(reading: &mut Reading<'_, T>) -> Result<Option<u64>, ReadError> {
    match reading.one(&query::fleet(), query::bucket(TargetKind::ManagedDevice)).await {
        Ok(overview) => Ok(overview.and_then(|it| it.get("enrolledDeviceCount").and_then(Value::as_u64))),
        // It only helps to choose; what matters is told by the reads that follow.
        Err(ReadError::Refused { .. } | ReadError::NoList(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a list of which nobody says how long it is, up to that many pages. Whether that was all of it.
async fn read_pages<T: Transport>(
    kind: TargetKind,
    most: usize,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<bool, ReadError> {
    let Some(first) = query::whole(kind) else { return Ok(false) };
    let path = first.path().split('?').next().unwrap_or_default().to_owned();
    let (mut unreadable, mut pages) = (false, 0);
    let each = |page: Vec<Value>| {
        unreadable |= !add(kind, &page, pool);
        pages += 1;
        if pages < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let read = reading.pages_while(first, query::bucket(kind), each).await?;
    match read {
        Pages::None => Err(ReadError::NoList(path)),
        _ if unreadable => Err(ReadError::NoList(path)),
        Pages::All => Ok(true),
        Pages::Some => Ok(false),
    }
}

async fn read_whole<T: Transport>(
    kind: TargetKind,
    size: Option<u64>,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    let Some(first) = query::whole(kind) else { return Ok(()) };
    pool.reserve(kind, size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default().min(1_000_000));
    let path = first.path().split('?').next().unwrap_or_default().to_owned();
    let mut unreadable = false;
    let there = reading.pages(first, query::bucket(kind), |page| unreadable |= !add(kind, &page, pool)).await?;
    if unreadable || !there { Err(ReadError::NoList(path)) } else { Ok(()) }
}

async fn read_each<T: Transport>(
    needs: &Needs,
    pool: &mut Pool,
    reading: &mut Reading<'_, T>,
) -> Result<(), ReadError> {
    let reads = needs.values.iter().filter_map(|(by, value)| {
        let get = query::single(needs.kind, by, value)?;
        Some((get, value.clone()))
    });
    let reads: Vec<(Get, Box<str>)> = reads.collect();
    let mut unreadable = None;
    let each = |number: usize, page: Vec<Value>| {
        if !add(needs.kind, &page, pool) {
            unreadable = Some(number);
        }
    };
    reading.batched(&reads, query::bucket(needs.kind), each).await?;
    match unreadable.and_then(|number: usize| reads.get(number)) {
        Some((get, value)) => {
            let error = Box::new(ReadError::NoList(get.path().to_owned()));
            Err(ReadError::OfValue { value: value.clone(), error })
        }
        None => Ok(()),
    }
}

/// Whether each of the documents could be read: one that is dropped in silence could be the second candidate.
fn add(kind: TargetKind, page: &[Value], pool: &mut Pool) -> bool {
    page.iter().all(|document| match FoundRecord::from_document(kind, document) {
        Some(record) => {
            pool.add(kind, record);
            true
        }
        None => false,
    })
}

fn member(document: &Value) -> Option<Member> {
    let text = |name: &str| {
        let text = document.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| Box::<str>::from(text))
    };
    let kind = document.get("@odata.type").and_then(Value::as_str).unwrap_or("object of an unknown kind");
    Some(Member {
        id: text("id")?,
        kind: kind.rsplit('.').next().unwrap_or(kind).into(),
        name: text("userPrincipalName").or_else(|| text("displayName")),
        device_id: text("deviceId"),
    })
}
