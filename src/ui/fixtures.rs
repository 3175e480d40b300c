//! A small plan for the tests of this room.
//!
//! In: nothing. Out: jobs, a preview, settlements. Must not: be used outside tests.

use serde_json::{Value, json};

use crate::catalog::{Action, Budget};
use crate::guard::preflight;
use crate::job::{Ids, Job, JobParts, Parameters};
use crate::outcome::{Outcome, ServiceError, Settlement};
use crate::preview::Preview;

pub(super) const ID: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
const OTHER: &str = "0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02";

pub(super) fn job(row: u32, action: &str, id: &str, values: Vec<(&str, Value)>) -> Job {
    let action = Action::named(action).unwrap();
    let values = values.into_iter().map(|(name, value)| (action.parameter_named(name).unwrap(), value)).collect();
    Job::new(JobParts {
        row,
        action,
        route: action.default_route(),
        ids: Ids::new([id]),
        parameters: Parameters::new(action, values),
        not_before: None,
        note: None,
        after: None,
    })
}

pub(super) fn plan() -> Vec<Job> {
    let mut jobs = vec![
        job(2, "retire", ID, vec![]),
        job(3, "retire", OTHER, vec![]),
        job(4, "retire", &ID.to_uppercase(), vec![]),
        job(5, "deprovision", OTHER, vec![("deprovisionReason", json!("upgrade"))]),
        job(6, "syncDevice", ID, vec![]),
        job(7, "retire", "a4a1b6a6-5a3c-4a0e-9ff4-3d5d5f0c8a90", vec![]),
    ];
    jobs[5].not_before = Some("2026-12-01T08:00:00Z".parse().unwrap());
    jobs
}

pub(super) fn preview_of<T>(jobs: &[Job], see: impl FnOnce(&Preview<'_>) -> T) -> T {
    let found = preflight::inspect(jobs, "2026-11-22T07:00:00Z".parse().unwrap());
    see(&Preview::new(jobs, &found, Budget::documented(0)))
}

pub(super) fn refused(status: u16, code: &str, message: &str) -> Settlement {
    Settlement {
        http_status: Some(status),
        error: ServiceError::new(Some(code.into()), Some(message.into())),
        attempts: 1,
        duration_ms: 80,
        note: None,
        ..Settlement::unsent(Outcome::Failed, "")
    }
}

pub(super) fn accepted() -> Settlement {
    Settlement { http_status: Some(204), attempts: 1, note: None, ..Settlement::unsent(Outcome::Accepted, "") }
}
