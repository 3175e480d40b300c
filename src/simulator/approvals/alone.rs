//! Approval requests read one by one, and those of the caller.
//!
//! In: the requests. Out: JSON. Must not: change one.

use serde_json::{Value, json};

use super::{FiledRequests, show};
use crate::simulator::clock::Moment;
use crate::simulator::errors::Refusal;
use crate::simulator::scenario::Scenario;

impl FiledRequests {
    /// Those of the caller.
    pub(crate) fn own(&self, scenario: &Scenario, now: Moment) -> Value {
        let own = self.all.iter().filter(|request| request.ours);
        json!({ "value": own.map(|request| show(request, scenario, now)).collect::<Vec<_>>() })
    }

    /// One of them; `own`: only if it is the caller's.
    pub(crate) fn one(&self, scenario: &Scenario, id: &str, own: bool, now: Moment) -> Result<Value, Refusal> {
        let request = self.by_id.get(id).map(|at| &self.all[*at]).filter(|request| request.ours || !own);
        let request = request.ok_or_else(|| Refusal::new(404, "NotFound", "An error has occurred"))?;
        Ok(show(request, scenario, now))
    }
}
