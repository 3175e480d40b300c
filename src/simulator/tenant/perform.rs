//! An action that nothing stands in the way of any more but approval and the daily limits.
//!
//! In: a call that was understood and admitted. Out: its effect, or a refusal. Must not: have an effect that is refused.

use http::StatusCode;

use super::super::errors::Refusal;
use super::super::scenario::Fault;
use super::super::{effects, quota};
use super::*;

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
        let Some(deeds) = effects::of(row.name) else {
            return Err(Refusal::new(501, "NotImplemented", format!("The simulator cannot play {}.", row.name)));
        };
        let at = find(state, row.target, call)?;
        let State { requests, dice, .. } = state;
        let request = requests.admit(&self.scenario, (action, &call.target), incoming, stamp.now, dice)?;
        if let Err(until) = state.quotas.take(&self.scenario, action, stamp.now.wall) {
            let wait = until.duration_since(stamp.now.wall).try_into().unwrap_or_default();
            return Err(quota::used_up(&self.scenario, row.name, wait));
        }
        match fault {
            Some(Fault::Late(time)) => state.late.add(stamp.now.since + time.0, action, at),
            _ => state.inventory.perform(row.name, deeds, row.target, at, stamp.now),
        }
        if let Some(request) = request {
            state.requests.used(request);
        }
        Ok(Ruling { effect: true, ..Ruling::reply(stamp.empty(StatusCode::NO_CONTENT)) })
    }
}
