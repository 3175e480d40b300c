//! Users by name: what is read, whom a name leads to, what becomes of it in paths and bodies.

use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::tests::{client, id, known, now, paced, tenant};
use super::*;
use crate::catalog::{Action, IdName, Missing, TargetKind, USER, USER_BY_NAME};
use crate::diagnostics::{Diagnostics, Place};
use crate::job::{Ids, Job, Parameters};
use crate::msgraph::read_only::ReadOnly;
use crate::pacing::Pacing;
use crate::plan::{Criterion, Places, Pointer, Unresolved, UnresolvedStep};
use crate::simulator::tenant::Tenant;

/// A row that gives every id by itself but that of a user, whom it names; or names one in a parameter.
fn row(number: u32, action: &str, user: Option<&str>, given: &[(IdName, &str)], with: &[(&str, &str)]) -> Unresolved {
    let action = Action::named(action).unwrap();
    let values = with.iter().map(|(name, value)| (action.parameter_named(name).unwrap(), json!(value))).collect();
    let fits = |route: &&crate::catalog::Route| {
        let is_given = |id: &IdName| given.iter().any(|(known, _)| known.name == id.name);
        route.ids.iter().all(|id| is_given(id) || (user.is_some() && id.name == USER.name))
    };
    let step = UnresolvedStep {
        action,
        route: action.routes.iter().find(fits).unwrap(),
        kind: TargetKind::User,
        parameters: Parameters::new(action, values),
        if_found: false,
        verified_within: None,
    };
    let criterion = |name: &str| Criterion { selector: &USER_BY_NAME, value: name.into() };
    Unresolved {
        at: 0,
        row: Some(number),
        pointer: user.map_or(Pointer::Ids, |name| Pointer::Given([criterion(name)].into())),
        ids: Some(given.iter().map(|(id, value)| (*id, (*value).into())).collect()),
        group: None,
        through_device: false,
        steps: Arc::new([step]),
        not_before: None,
        priority: 0,
        missing: None,
        note: None,
        place: Box::new(Place::file("plan.csv")),
        line: number,
    }
}

fn disabled<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Unresolved> {
    (2u32..).zip(names).map(|(number, name)| row(number, "disableUser", Some(name), &[], &[])).collect()
}

fn users(names: &[&str], more: Value) -> Arc<Tenant> {
    let user = |(number, name): (usize, &&str)| json!({"id": id(number), "userPrincipalName": name});
    let mut scenario = json!({"only_listed": true, "users": names.iter().enumerate().map(user).collect::<Vec<_>>()});
    scenario.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tenant(&scenario.to_string())
}

async fn resolved(tenant: &Arc<Tenant>, rows: &[Unresolved], pacing: Pacing) -> Result<Vec<Job>, Diagnostics> {
    let client = client(tenant, pacing);
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(7));
    let mut pool = gather(&rows.iter().collect::<Vec<_>>(), now(), &mut reading).await.unwrap();
    resolve(Vec::new(), &Places::default(), rows, known(&mut pool, now())).map(|resolved| resolved.jobs)
}

#[tokio::test(start_paused = true)]
async fn a_name_in_a_path_becomes_the_id_and_stays_known_beside_it() {
    let tenant = users(&["Ada@contoso.com", "a_b.c#EXT#@contoso.com"], json!({}));
    let rows = disabled(["ada@CONTOSO.com", "a_b.c#ext#@contoso.com"]);
    let jobs = resolved(&tenant, &rows, paced()).await.unwrap();
    assert_eq!(jobs.iter().map(Job::target).collect::<Vec<_>>(), [id(0), id(1)]);
    assert_eq!(jobs[0].called(), Some("Ada@contoso.com"));
    let by_id = |id: &str| {
        let action = Action::named("disableUser").unwrap();
        let parameters = Parameters::new(action, Vec::new());
        Job::new(crate::job::JobParts { parameters, ..crate::job::JobParts::plain(1, action, Ids::new([id])) }).id
    };
    assert_eq!(jobs[0].id, by_id(&id(0)), "the digest is that of the id");
    let names = jobs[0].names.as_deref().unwrap();
    assert_eq!((names.written_id, names.written.target()), (by_id("ada@contoso.com"), "ada@CONTOSO.com"));
    assert!(names.in_body.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_in_a_body_is_sent_as_the_user_is_called_now() {
    let tenant = users(&["Zoë@contoso.com", "o'brien@contoso.com"], json!({}));
    let device = [(crate::catalog::id_named("windowsAutopilotDeviceIdentityId").unwrap(), "1")];
    let assign = |number, name| row(number, "assignUserToDevice", None, &device, &[("userPrincipalName", name)]);
    let rows = [assign(2, "ZOË@contoso.com"), assign(3, "o'brien@contoso.com")];
    let jobs = resolved(&tenant, &rows, paced()).await.unwrap();
    let body = |at: usize| jobs[at].parameters.as_deref().unwrap().body().to_owned();
    assert_eq!(body(0), r#"{"userPrincipalName":"Zoë@contoso.com"}"#);
    assert_eq!(body(1), r#"{"userPrincipalName":"o'brien@contoso.com"}"#);
    let names = |at: usize| jobs[at].names.as_deref().unwrap();
    assert_eq!(*names(0).in_body, [("Zoë@contoso.com".into(), id(0).into())]);
    assert_ne!(names(0).written_id, jobs[0].id, "the body is not the one that is written");
    assert_eq!(names(1).written_id, jobs[1].id);
    assert!(jobs.iter().all(|job| job.found.is_none() && job.target() == "1"));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_one_user_is_refused_and_a_mail_address_is_said_to_be_one() {
    let listed = json!([
        {"id": id(0), "userPrincipalName": "ada@contoso.com", "mail": "ada.lovelace@contoso.com", "displayName": "Ada"},
        {"id": id(1), "userPrincipalName": "twin@contoso.com"},
        {"id": id(2), "userPrincipalName": "TWIN@contoso.com"},
    ]);
    // Enough names beside them, and everybody is read instead.
    for others in [0, 300] {
        let tenant = tenant(&json!({"only_listed": true, "users": listed}).to_string());
        let others: Vec<String> = (0..others).map(|number| format!("nobody{number}@contoso.com")).collect();
        let names = ["Ada.Lovelace@contoso.com", "eve@contoso.com", "twin@contoso.com"];
        let rows = disabled(names.into_iter().chain(others.iter().map(String::as_str)));
        let faults = resolved(&tenant, &rows, Pacing::Off).await.unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| fault.message.clone()).collect();
        assert_eq!(
            told[..3],
            [
                "no user has userPrincipalName Ada.Lovelace@contoso.com; it is the mail address of one",
                "no user has userPrincipalName eve@contoso.com",
                "userPrincipalName twin@contoso.com matches 2 users",
            ]
        );
        assert_eq!(faults.errors(), 3 + others.len());
    }
}

/// Where nobody found would be no fault, somebody who is there under another name is one all the same.
#[tokio::test(start_paused = true)]
async fn nobody_is_missing_who_has_the_name_as_mail() {
    let users: Vec<_> = (0..30)
        .map(|number| json!({"id": id(number), "userPrincipalName": format!("u{number}@c.com"), "mail": format!("m{number}@c.com")}))
        .collect();
    let tenant = tenant(&json!({"only_listed": true, "users": users}).to_string());
    let names: Vec<String> = (0..31).map(|number| format!("m{number}@c.com")).collect();
    let mut rows = disabled(names.iter().map(String::as_str));
    rows.iter_mut().for_each(|row| row.missing = Some(Missing::Done));
    let faults = resolved(&tenant, &rows, Pacing::Off).await.unwrap_err();
    assert_eq!(faults.errors(), 30, "and the last one is missing");
    assert!(faults.iter().all(|fault| fault.message.ends_with("it is the mail address of one")));
}

/// The owner of devices may be named by a mail address too; that nobody has such a name is no sign that nobody is there.
#[tokio::test(start_paused = true)]
async fn no_owner_is_missing_who_has_the_name_as_mail() {
    let tenant = tenant(
        &json!({
            "only_listed": true,
            "users": [{"id": id(1), "userPrincipalName": "u1@c.com", "mail": "m1@c.com"}],
            "devices": [{"id": id(2), "deviceName": "LAB-2", "userPrincipalName": "u1@c.com"}],
        })
        .to_string(),
    );
    let mut rows = disabled(["m1@c.com", "nobody@c.com"]);
    let selector = crate::catalog::selector_named("devices_of_user").unwrap();
    for row in &mut rows {
        let Pointer::Given(criteria) = &row.pointer else { panic!() };
        row.pointer = Pointer::Given([Criterion { selector, value: criteria[0].value.clone() }].into());
        let action = Action::named("retire").unwrap();
        let route = &action.routes[0];
        let kind = TargetKind::ManagedDevice;
        let parameters = Parameters::new(action, Vec::new());
        row.steps = [UnresolvedStep { action, route, kind, parameters, if_found: false, verified_within: None }].into();
        row.missing = Some(Missing::Done);
    }
    let faults = resolved(&tenant, &rows, Pacing::Off).await.unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| fault.message.clone()).collect();
    assert_eq!(
        told,
        ["no managed device belongs to m1@c.com; it is the mail address of a user"],
        "and the other one is missing"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_names_cost_no_more_than_the_better_way_twice() {
    let names: Vec<String> = (0..10_000).map(|number| format!("user{number}@contoso.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tenant = users(&names, json!({}));
    let jobs = resolved(&tenant, &disabled(names.iter().copied()), Pacing::Off).await.unwrap();
    assert_eq!(jobs.len(), 10_000);
    let counts = tenant.counts();
    assert_eq!((counts.batches, counts.requests), (0, 11), "pages of 999");

    // Of a tenant that is far larger than the list, no more pages are read than single reads would take envelopes.
    let tenant = users(&names, json!({"page_size": 5}));
    let wanted = || names.iter().copied().step_by(40);
    let jobs = resolved(&tenant, &disabled(wanted()), Pacing::Off).await.unwrap();
    assert_eq!(jobs.len(), 250);
    let counts = tenant.counts();
    assert_eq!(counts.batches, 13);
    assert!(counts.requests - 250 <= 13 + 13, "{}", counts.requests);
}

#[tokio::test(start_paused = true)]
async fn an_inventory_holds_users_and_one_of_the_first_version_has_none() {
    let tenant = users(&["Ada@contoso.com"], json!({}));
    let client = client(&tenant, paced());
    let mut reading = Reading::new(ReadOnly::new(&client), Rng::with_seed(1));
    let text = take_inventory(&mut reading).await.unwrap().to_json().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let looked_up = |text: &str| {
        std::fs::write(file.path(), text).unwrap();
        let mut pool = SavedInventory::load(file.path()).unwrap().into_pool();
        let resolved = resolve(Vec::new(), &Places::default(), &disabled(["ada@contoso.com"]), known(&mut pool, now()));
        resolved.map(|it| it.jobs[0].target().to_owned()).map_err(|faults| faults.iter().next().unwrap().clone())
    };
    assert_eq!(looked_up(&text).unwrap(), id(0));
    let first = text.replacen("\"musterout_inventory\":2", "\"musterout_inventory\":1", 1);
    let (before, after) = first.split_once("\"users\"").unwrap();
    let fault = looked_up(&format!("{before}{}", &after[after.find("\"devices\"").unwrap()..])).unwrap_err();
    assert_eq!(fault.code, "not-in-inventory");
    assert!(fault.help.unwrap_or_default().contains("User.ReadBasic.All"));
}
