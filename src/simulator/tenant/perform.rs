//! What a request that is ruled to be good does and shows.
//!
//! In: a call that was judged, and the state. Out: a ruling with the document. Must not: judge.

use super::*;
use crate::simulator::clock::iso_date;
use crate::simulator::context::ContextSource;
use crate::simulator::inventory::membership;
use crate::simulator::scenario::CheckIn;
use crate::simulator::values;

pub(super) fn find(state: &mut State, kind: TargetKind, call: &Call<'_>) -> Result<usize, Refusal> {
    let found = match (kind, call.ids.as_slice()) {
        (TargetKind::GroupMember, [group, member]) => {
            state.inventory.find(kind, &membership(&group.value, &member.value))
        }
        (TargetKind::ManagedDevice, ids) if ids.len() > 1 || ids.iter().any(|id| id.name.is_state()) => {
            let led = state.inventory.follow(ids).map_err(|id| judge::not_found(call.endpoint, &id))?;
            led.or_else(|| state.inventory.find(kind, &call.target))
        }
        _ => state.inventory.find(kind, &call.target),
    };
    found.ok_or_else(|| judge::not_found(call.endpoint, &call.target))
}

impl Tenant {
    pub(super) fn perform(
        &self,
        state: &mut State,
        action: usize,
        (incoming, fault): (&Incoming<'_>, Option<&Fault>),
        call: &Call<'_>,
        stamp: &AnswerStamp,
    ) -> Result<Ruling, Refusal> {
        let row = &ACTIONS[action];
        let Some(effect) = effects::of(row.name) else {
            return Err(Refusal::new(501, "NotImplemented", format!("The simulator cannot play {}.", row.name)));
        };
        if let Some(device) = Self::deleted_device(state, call).filter(|_| row.target == TargetKind::DeletedUser) {
            state.inventory.restore_object(TargetKind::EntraDevice, device);
            let mut ruling =
                Ruling::reply(stamp.shown(&Self::object(state, TargetKind::EntraDevice, device, incoming, call)));
            ruling.answer.effect = true;
            return Ok(ruling);
        }
        let at = find(state, row.target, call)?;
        let State { requests, dice, .. } = state;
        let request = requests.admit(&self.scenario, (action, &call.target), incoming, stamp.now, dice)?;
        let body = values::plain(row, serde_json::from_slice(incoming.body).unwrap_or_default());
        values::check(&mut state.inventory, row, at, &body)?;
        if row.name == "deleteEntraDevice" && state.inventory.is_registered(at) {
            return Err(registered());
        }
        let State { inventory, quotas, .. } = state;
        let devices = || inventory.devices_of(at).len();
        if let Err(used_up) = quotas.take(&self.scenario, action, devices, stamp.now.wall) {
            let wait = used_up.until.duration_since(stamp.now.wall).try_into().unwrap_or_default();
            return Err(quota::used_up(&self.scenario, used_up.action, wait));
        }
        let late = match fault {
            Some(Fault::Late(time)) => time.0,
            _ if row.name == "deleteAutopilotIdentity" => self.scenario.autopilot_lingers.0,
            _ => Duration::ZERO,
        };
        let done = match late.is_zero() {
            false => {
                state.late.add(stamp.now.since + late, action, at, body.clone());
                true
            }
            true => state.inventory.perform(row.name, effect.deeds, (row.target, at), &body, stamp.now),
        };
        if !done {
            return Err(Refusal::bad_request("User does not have a corresponding license."));
        }
        self.expect_check_in(state, action, (at, &call.target), body, stamp.now.since + late);
        if let Some(request) = request {
            state.requests.used(request);
        }
        let source = Self::source(incoming, call);
        let reply = match effect.reply {
            SuccessReply::Nothing => stamp.empty(StatusCode::NO_CONTENT),
            SuccessReply::True => {
                stamp.shown(&json!({ "@odata.context": source.of_value("Edm.Boolean"), "value": true }))
            }
            SuccessReply::Thing => {
                let place = (row.target, at);
                stamp.shown(&reads::one(&mut state.inventory, place, &call.query, (&source, call.version)))
            }
            SuccessReply::Receipt => stamp.shown(&receipt(&source, (&call.target, &stamp.request_id), stamp.now)),
        };
        let mut ruling = Ruling::reply(reply);
        ruling.answer.effect = true;
        Ok(ruling)
    }

    /// The member of a group is deleted, because the path does not end in `/$ref`: the object itself, wherever else it is.
    ///
    /// Source: Graph's page on removing a member warns of it.
    pub(super) fn delete_member(state: &mut State, call: &Call<'_>, stamp: &AnswerStamp) -> Result<Ruling, Refusal> {
        let [group, member] = call.ids.as_slice() else { return Err(judge::not_found(call.endpoint, &call.target)) };
        let listed = state.inventory.find(TargetKind::GroupMember, &membership(&group.value, &member.value));
        let kind = listed.and_then(|_| state.inventory.kind_of_object(&member.value));
        let found = kind.and_then(|kind| Some((kind, state.inventory.find(kind, &member.value)?)));
        let (kind, at) = found.ok_or_else(|| judge::not_found(call.endpoint, &member.value))?;
        state.inventory.delete_object(kind, at);
        state.counts.deleted_as_members += 1;
        let mut ruling = Ruling::reply(stamp.empty(StatusCode::NO_CONTENT));
        ruling.answer.effect = true;
        Ok(ruling)
    }

    /// What the scenario says that the devices do about an action that was accepted.
    fn expect_check_in(
        &self,
        state: &mut State,
        action: usize,
        (at, target): (usize, &str),
        body: Value,
        accepted: Duration,
    ) {
        let State { dice, late, .. } = state;
        let rule = self.scenario.check_ins.iter().find(|rule| rule.on.matches(action, target, dice));
        if let Some(CheckIn { after, end, .. }) = rule {
            let spread = after.max.saturating_sub(after.min).mul_f64(dice.f64());
            late.check_in(accepted + after.min + spread, action, at, body, *end);
        }
    }
}

/// What the directory says of a device that is registered with Autopilot.
///
/// Sources: PBKoning/RemoveAutoPilotDevices #1 and ugurkocde/DeviceOffboardingManager #18 show the status and the code.
fn registered() -> Refusal {
    Refusal::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

/// What stands for a collection of logs that was asked for.
///
/// Source: the v1.0 schema's `deviceLogCollectionResponse`.
fn receipt(source: &ContextSource, (device, id): (&str, &str), now: Moment) -> Value {
    json!({
        "@odata.context": source.of_value("microsoft.graph.deviceLogCollectionResponse"),
        "id": format!("{device}_{id}"),
        "status": "pending",
        "managedDeviceId": device,
        "requestedDateTimeUTC": iso_date(now.wall),
        "receivedDateTimeUTC": null,
        "expirationDateTimeUTC": null,
        "initiatedByUserPrincipalName": null,
        "enrolledByUser": null,
        "sizeInKB": 0,
    })
}
