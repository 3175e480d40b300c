//! What a read that is ruled to be good shows.
//!
//! In: a call that was judged, and the state. Out: the document. Must not: judge, or change anything but bring things into
//! being that are asked for.

use super::*;
use crate::simulator::context::ContextSource;
use crate::simulator::inventory::ShownLook;
use crate::simulator::reads::Listing;

impl Tenant {
    /// Where an answer to this comes from.
    pub(super) fn source(incoming: &Incoming<'_>, call: &Call<'_>) -> ContextSource {
        ContextSource { root: format!("{}/{}", incoming.base, call.version.name()), place: call.place.clone() }
    }

    pub(super) fn read(&self, state: &mut State, incoming: &Incoming<'_>, call: &Call<'_>) -> Result<Value, Refusal> {
        let source = Self::source(incoming, call);
        let Call { query, version, .. } = call;
        let listing = Listing {
            query,
            version: *version,
            // The most that a page holds, where the scenario says so.
            most: self.scenario.page_size.map(|most| most.get() as usize),
            url: format!("{}{}", self.scenario.next_links.as_deref().unwrap_or(incoming.base), incoming.path),
            source: &source,
        };
        Ok(match call.endpoint {
            Endpoint::ReadOne(TargetKind::DeletedUser) => {
                let (kind, at) = match Self::deleted_device(state, call) {
                    Some(device) => (TargetKind::EntraDevice, device),
                    None => (TargetKind::User, find(state, TargetKind::DeletedUser, call)?),
                };
                Self::object(state, kind, at, incoming, call)
            }
            Endpoint::ReadDeleted(kind) => {
                let deleted = state.inventory.all_deleted(kind);
                Self::objects(state, kind, deleted, &listing)
            }
            Endpoint::ReadOne(kind) => {
                let at = find(state, kind, call)?;
                reads::one(&mut state.inventory, (kind, at), query, (&source, *version))
            }
            Endpoint::ReadAll(kind) => reads::page(&mut state.inventory, kind, None, &listing),
            Endpoint::Count(kind) => json!(reads::found(&mut state.inventory, kind, None, query).len()),
            Endpoint::ReadOverview => {
                let listed = self.scenario.enrolled_devices;
                let enrolled = listed.map_or_else(|| state.inventory.fleet(), |all| all as usize);
                reads::overview(enrolled, query, &source)
            }
            Endpoint::ReadGroups => reads::groups(&state.inventory, &self.scenario, &listing),
            Endpoint::ReadGroup => {
                let group = state.inventory.group(&call.target).ok_or_else(|| judge::no_such_user(&call.target))?;
                let shown = reads::group(&state.inventory, &call.target, group.as_deref(), query, *version);
                reads::framed(source.of_one(query), shown)
            }
            Endpoint::ReadObject => match state.inventory.is_object(&call.target) {
                true => {
                    let look = ShownLook { select: query.select.as_deref(), version: *version, by_id: true };
                    let shown = state.inventory.show_object(&call.target, &look);
                    reads::framed(source.of_objects(query, "/$entity"), shown)
                }
                false => return Err(judge::no_such_user(&call.target)),
            },
            Endpoint::ReadDevicesOfUser
            | Endpoint::ReadOwnedDevices
            | Endpoint::ReadRegisteredOwners
            | Endpoint::ReadMembers
            | Endpoint::ReadPrimaryUser => Self::related(state, call, &listing)?,
            Endpoint::ReadAny | Endpoint::Perform { .. } | Endpoint::DeleteMember => {
                state.inventory.follow(&call.ids).map_err(|id| judge::not_found(call.endpoint, &id))?;
                reads::framed(source.of_one(query), [("id".to_owned(), json!(call.target))])
            }
            Endpoint::ReadRecoveryKeys | Endpoint::ReadLocalCredential => {
                let device = keys::device(call).to_owned();
                let record = state.inventory.record_of(&device);
                keys::answer(&self.scenario, (state.inventory.setting(), record), call, &source)?
            }
        })
    }

    /// A page of what belongs to one thing.
    fn related(state: &mut State, call: &Call<'_>, listing: &Listing<'_>) -> Result<Value, Refusal> {
        Ok(match call.endpoint {
            Endpoint::ReadDevicesOfUser => {
                let user = find(state, TargetKind::User, call)?;
                let devices = state.inventory.devices_of(user);
                reads::page(&mut state.inventory, TargetKind::ManagedDevice, Some(devices), listing)
            }
            Endpoint::ReadOwnedDevices => {
                let devices = find(state, TargetKind::User, call).map(|user| state.inventory.owned_by(user))?;
                Self::objects(state, TargetKind::EntraDevice, devices, listing)
            }
            Endpoint::ReadRegisteredOwners => {
                let owners = find(state, TargetKind::EntraDevice, call).map(|it| state.inventory.owners_of(it))?;
                Self::objects(state, TargetKind::User, owners, listing)
            }
            Endpoint::ReadMembers => {
                let group = call.ids.first().map_or("", |id| &id.value);
                reads::members(&state.inventory, group, listing).ok_or_else(|| judge::no_such_user(group))?
            }
            _ => {
                let device = find(state, TargetKind::ManagedDevice, call)?;
                reads::primary_user(&state.inventory, device, listing)
            }
        })
    }

    /// The place of the deleted device that a path names. v1.0 knows no deleted devices.
    pub(super) fn deleted_device(state: &State, call: &Call<'_>) -> Option<usize> {
        state.inventory.deleted_device(&call.target).filter(|_| call.version == Version::Beta)
    }

    /// One object of the directory, which says its own type.
    pub(super) fn object(
        state: &State,
        kind: TargetKind,
        at: usize,
        incoming: &Incoming<'_>,
        call: &Call<'_>,
    ) -> Value {
        let look = ShownLook { select: call.query.select.as_deref(), version: call.version, by_id: true };
        let shown = state.inventory.show_object_at(kind, at, &look);
        reads::framed(Self::source(incoming, call).of_objects(&call.query, "/$entity"), shown)
    }

    /// A page of objects of the directory that stand at these places.
    fn objects(state: &State, kind: TargetKind, places: Vec<usize>, listing: &Listing<'_>) -> Value {
        let look = ShownLook { select: listing.query.select.as_deref(), version: listing.version, by_id: false };
        let shown = |at| Value::Object(state.inventory.show_object_at(kind, at, &look));
        reads::objects(places.into_iter().map(shown).collect(), listing)
    }
}
