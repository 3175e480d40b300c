//! Fills a [`Pool`] with all that a plan's rows may mean.
//!
//! In: the rows, somebody who reads. Out: a pool that holds at least everything that matches any of them. Must not:
//! match, or leave a read that failed out of the account.

use super::inventory::Inventory;
use super::needs::{self, Needs, asks_for_size, whole_costs_less};
use super::pool::{Group, Member, Pool};
use super::query;
use super::reading::{ReadError, Reading};
use super::record::Record;
use crate::catalog::TargetKind;
use crate::msgraph::read_only::Get;
use crate::msgraph::transport::Transport;
use crate::plan::Unresolved;
use jiff::Timestamp;
use serde_json::Value;

/// Reads what is needed for `rows`, in the way that takes fewer requests.
pub async fn gather<T: Transport>(
    rows: &[Unresolved],
    now: Timestamp,
    reading: &mut Reading<'_, T>,
) -> Result<Pool, ReadError> {
    let mut pool = Pool::default();
    for group in needs::groups(rows) {
        let mut members = Vec::new();
        let bucket = query::bucket(TargetKind::User);
        let there =
            reading.pages(query::members(&group), bucket, |page| members.extend(page.iter().map(member))).await?;
        let members: Option<Vec<Member>> = members.into_iter().collect();
        let members = members.ok_or_else(|| ReadError::NoList(query::members(&group).path().to_owned()))?;
        pool.groups.insert(group, there.then_some(Group { members }));
    }
    // Objects of the directory first: what they lead to is looked up behind them.
    let objects = needs::objects(rows);
    if !objects.values.is_empty() {
        read_each(&objects, &mut pool, reading).await?;
    }
    for needs in needs::of(rows, &pool) {
        read(&needs, &mut pool, reading).await?;
    }
    for needs in needs::linked(rows, &mut pool, now) {
        read(&needs, &mut pool, reading).await?;
    }
    Ok(pool)
}

/// Reads in the way that takes fewer requests.
async fn read<T: Transport>(needs: &Needs, pool: &mut Pool, reading: &mut Reading<'_, T>) -> Result<(), ReadError> {
    let size = match asks_for_size(needs) && needs.kind == TargetKind::ManagedDevice {
        true => size(reading).await?,
        false => None,
    };
    match whole_costs_less(needs, size) {
        true => read_whole(needs.kind, size, pool, reading).await,
        false => read_each(needs, pool, reading).await,
    }
}

/// Reads the devices and the Autopilot identities of a tenant, to be saved. The latter take a permission of their own:
/// where that is missing, the inventory says that it has none.
pub async fn take_inventory<T: Transport>(reading: &mut Reading<'_, T>) -> Result<Inventory, ReadError> {
    let mut inventory = Inventory::default();
    let mut pool = Pool::default();
    read_whole(TargetKind::ManagedDevice, None, &mut pool, reading).await?;
    inventory.devices = pool.records(TargetKind::ManagedDevice).to_vec();
    match read_whole(TargetKind::AutopilotIdentity, None, &mut pool, reading).await {
        Ok(()) => inventory.autopilot = Some(pool.records(TargetKind::AutopilotIdentity).to_vec()),
        Err(ReadError::Refused { status: Some(403), .. }) => inventory.autopilot = None,
        Err(error) => return Err(error),
    }
    Ok(inventory)
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
    let gets = needs.values.iter().filter_map(|(selector, value)| query::single(needs.kind, selector, value));
    let gets: Vec<Get> = gets.collect();
    let mut unreadable = None;
    let each = |number: usize, page: Vec<Value>| {
        if !add(needs.kind, &page, pool) {
            unreadable = Some(number);
        }
    };
    reading.batched(&gets, query::bucket(needs.kind), each).await?;
    match unreadable.and_then(|number: usize| gets.get(number)) {
        Some(get) => Err(ReadError::NoList(get.path().to_owned())),
        None => Ok(()),
    }
}

/// Whether each of the documents could be read: one that is dropped in silence could be the second candidate.
fn add(kind: TargetKind, page: &[Value], pool: &mut Pool) -> bool {
    page.iter().all(|document| match Record::from_document(kind, document) {
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
