//! One tenant by several names, and two tenants at one address: what is known follows the id that a token shows.
//!
//! In: the real binary; the simulated tenant, or a server that issues tokens of two tenants. Out: requests, rows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::outside::{self, Simulator, count_of, outcomes};
use crate::support::guid;
use crate::support::program::{Desk, run};
use crate::support::recorder::{Answer, Recorder};

/// As long as an id, and none.
const LONG: [&str; 2] = ["contoso-productioneu.onmicrosoft.com", "contoso-manufacturing.microsoft.test"];
const TENANT: &str = "5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001";

#[test]
fn a_tenant_is_one_by_all_its_names_however_long_they_are() {
    let domains = LONG.join(", ");
    let simulator = Simulator::start(&format!("throttle: off\ntenant: {{ id: {TENANT}, domains: [ {domains} ] }}\n"));
    let mut desk = outside::Desk::new(&simulator);
    let mut told = Vec::new();
    for (tenant, confirm) in [(LONG[0], 1), (TENANT, 0), (LONG[1], 0)] {
        desk.tenant = tenant;
        let plan = desk.write(&format!("{tenant}.csv"), &format!("action,id\nwipe,{}\n", guid(1)));
        desk.run(&plan, confirm, &[]);
        told.push(outcomes(&desk.report()).join(" "));
    }
    assert_eq!(told, ["accepted", "already_done", "already_done"]);
    // The run is verified by whoever is signed in to its tenant, by whatever name.
    let first = desk.call(&["runs", "--format", "json"]).expect(0).out.clone();
    let first: serde_json::Value = serde_json::from_str(first.lines().last().unwrap()).unwrap();
    for tenant in [LONG[0], TENANT, LONG[1]] {
        desk.tenant = tenant;
        desk.call(&["verify", first["run"].as_str().unwrap()]).expect(5);
    }
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 1);
}

/// A token that names its tenant.
fn token(tenant: &str) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.x", part(r#"{"alg":"none"}"#.into()), part(format!(r#"{{"tid":"{tenant}","exp":4102444800}}"#)))
}

/// Two tenants that are called by their domains. Only the first one has the device.
#[test]
fn two_tenants_whose_tokens_have_shown_two_ids_are_two() {
    let recorder = Recorder::start(|seen, _| {
        let missing = || Answer::json(404, r#"{"error":{"code":"ResourceNotFound","message":"No."}}"#);
        match seen.is_sign_in() {
            true if seen.target.contains("fabrikam") => Answer::token(&token(&guid(0xf))),
            true => Answer::token(&token(&guid(0xc))),
            // The recorder keeps the headers: the token says whose request it is.
            false if seen.header("authorization").is_some_and(|it| it.contains(&token(&guid(0xf)))) => {
                Answer::no_content()
            }
            false => missing(),
        }
    });
    let desk = Desk::with(&[("plan.csv", &format!("action,id\nretire,{}\n", guid(1)))]);
    let mut told = Vec::new();
    for tenant in ["fabrikam.onmicrosoft.com", "contoso.onmicrosoft.com"] {
        let mut preview = desk.musterout(["preview", "plan.csv", "--format", "json", "--state-dir", "state"]);
        preview.args(recorder.flags()).env("AZURE_TENANT_ID", tenant);
        let preview = run(preview.env("AZURE_CLIENT_ID", "c").env("AZURE_CLIENT_SECRET", "s"));
        assert!(
            preview.stdout.contains(r#""send":1"#) || preview.stdout.contains(r#""send": 1"#),
            "{}",
            preview.stdout
        );
        let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--state-dir", "state"]);
        command.args(["--confirm", "1"]).args(recorder.flags()).env("AZURE_TENANT_ID", tenant);
        run(command.env("AZURE_CLIENT_ID", "c").env("AZURE_CLIENT_SECRET", "s"));
        told.push(desk.report().remove(0)["outcome"].clone());
    }
    assert_eq!(told, ["accepted", "not_found"]);
    // The newest run was Contoso's.
    for (tenant, code) in [("fabrikam.onmicrosoft.com", 10), ("contoso.onmicrosoft.com", 3)] {
        let mut verify = desk.musterout(["verify", "latest", "--state-dir", "state"]);
        verify.args(recorder.flags()).env("AZURE_TENANT_ID", tenant);
        run(verify.env("AZURE_CLIENT_ID", "c").env("AZURE_CLIENT_SECRET", "s")).ended_with(code);
    }
}
