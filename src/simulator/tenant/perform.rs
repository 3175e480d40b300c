//! What a request that is ruled to be good does and shows.
//!
//! In: a call that was judged, and the state. Out: a ruling with the document. Must not: judge.

use super::*;
use crate::simulator::clock::iso_date;
use crate::simulator::context::Source;
use crate::simulator::inventory::membership;
use crate::simulator::scenario::CheckIn;

pub(super) fn find(state: &mut State, kind: TargetKind, call: &Call<'_>) -> Result<usize, Refusal> {
    let found = match (kind, call.ids.as_slice()) {
        (TargetKind::GroupMember, [group, member]) => {
            state.inventory.find(kind, &membership(&group.value, &member.value))
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
        stamp: &Stamp,
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
        let State { inventory, quotas, .. } = state;
        let devices = || inventory.devices_of(at).len();
        if let Err(used_up) = quotas.take(&self.scenario, action, devices, stamp.now.wall) {
            let wait = used_up.until.duration_since(stamp.now.wall).try_into().unwrap_or_default();
            return Err(quota::used_up(&self.scenario, used_up.action, wait));
        }
        let body: Value = serde_json::from_slice(incoming.body).unwrap_or_default();
        let late = match fault {
            Some(Fault::Late(time)) => time.0,
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
            Reply::Nothing => stamp.empty(StatusCode::NO_CONTENT),
            Reply::True => stamp.shown(&json!({ "@odata.context": source.of_value("Edm.Boolean"), "value": true })),
            Reply::Thing => {
                let place = (row.target, at);
                stamp.shown(&reads::one(&mut state.inventory, place, &call.query, (&source, call.version)))
            }
            Reply::Receipt => stamp.shown(&receipt(&source, (&call.target, &stamp.request_id), stamp.now)),
        };
        let mut ruling = Ruling::reply(reply);
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

/// What stands for a collection of logs that was asked for.
///
/// Source: the v1.0 schema's `deviceLogCollectionResponse`.
fn receipt(source: &Source, (device, id): (&str, &str), now: Moment) -> Value {
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
